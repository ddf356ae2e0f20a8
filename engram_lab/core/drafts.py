"""From what a user gives to a memory that the laws allow."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import MISSING
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from engram_lab.core.checks import (
    check_choice,
    check_flag,
    check_label,
    check_number,
    check_tag,
    check_workspace,
)
from engram_lab.core.clock import parse_time
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.ids import check_id
from engram_lab.core.metadata import Scalar, dump_json, leaves
from engram_lab.core.scopes import check_scope
from engram_lab.core.text import clean_text, content_hash, has_private, public_text
from engram_lab.core.types import LIFECYCLES, TIERS, Memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.core.settings import StoreSettings

__all__ = [
    "BLANK",
    "DEFAULT_WORKSPACE",
    "DRAFT_FIELDS",
    "Drafter",
    "Prepared",
    "check_together",
    "fields_of",
]

DEFAULT_WORKSPACE: Final = "default"
_TIED: Final = frozenset({"tier", "expires_at", "valid_from", "valid_to"})
_OWN_KEY: Final = "; a key of your own goes into metadata or source"
_LISTS: Final = (list, tuple)  # a union would be built anew at every call


BLANK: Final[Mapping[str, Any]] = {
    name: field.default if field.default is not MISSING else None
    for name, field in Memory.__dataclass_fields__.items()
} | {"metadata": {}}
"""The fields of a memory of which nothing is said."""


class Prepared(NamedTuple):
    """The fields of a memory, ready to be stored, with what a store derives from them."""

    fields: Mapping[str, Any]
    tags_json: str
    metadata_json: str
    leaves: list[tuple[str, Scalar]]
    public_content: str | None
    public_hash: str | None


def _check_still_to_come(fields: Mapping[str, Any], at: datetime) -> None:
    expires = fields["expires_at"]
    if expires is not None and expires <= at:
        raise InvalidInputError(
            f"expires_at ({expires:%Y-%m-%d %H:%M:%S}) is not after the present "
            f"({at:%Y-%m-%d %H:%M:%S}): nobody would ever see this memory"
        )


class Drafter:
    """Checks what a user gives, field by field, under the limits of one store."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._daily = timedelta(hours=settings.daily_ttl_hours)
        text = partial(partial, check_label)
        moment = partial(partial, parse_time)
        self._checks: dict[str, Callable[[Any], Any]] = {
            "id": partial(check_id, advice=_OWN_KEY),
            "content": self._content,
            "type": text(field="type", limit=64),
            "tags": self._tags,
            "metadata": self._metadata,
            "importance": partial(check_number, field="importance"),
            "workspace": check_workspace,
            "scope": check_scope,
            "tier": partial(check_choice, field="tier", choices=TIERS),
            "event_at": moment(field="event_at"),
            "valid_from": moment(field="valid_from"),
            "valid_to": moment(field="valid_to"),
            "expires_at": moment(field="expires_at"),
            "lifecycle": partial(check_choice, field="lifecycle", choices=LIFECYCLES),
            "pinned": partial(check_flag, field="pinned"),
            "media_url": text(field="media_url", limit=4096),
            "session_id": text(field="session_id"),
            "agent_id": text(field="agent_id"),
            "source": text(field="source", limit=1024),
            "snapshot_origin": text(field="snapshot_origin", limit=1024),
            "snapshot_loaded_at": moment(field="snapshot_loaded_at"),
        }

    def check_fields(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that are given and not None, each checked.

        Raises:
            InvalidInputError: An unknown field, or a value its law refuses.
        """
        checks = self._checks
        fields = {}
        for name, value in given.items():
            if name not in checks:
                raise InvalidInputError(_unknown_field(name))
            if value is not None:
                fields[name] = checks[name](value)
        return fields

    def draft(
        self,
        given: Mapping[str, Any],
        *,
        id: str,  # noqa: A002 - the word users know
        scope: str,
        at: datetime,
    ) -> dict[str, Any]:
        """Return the fields of a new memory; `id` and `scope` are used where none is given.

        What they leave out is as in `BLANK`.

        Raises:
            InvalidInputError: See `check_fields`; also no content, `permanent` with an expiry, or a
                validity that ends before it begins.
        """
        checked = self.check_fields(given)
        if "content" not in checked:
            raise InvalidInputError("content is missing: a memory needs a text")
        if "expires_at" in checked:
            checked.setdefault("tier", "daily")
        elif checked.get("tier") == "daily":
            checked["expires_at"] = at + self._daily
        fields = {"id": id, "scope": scope, "created_at": at, "updated_at": at, **checked}
        fields["content_hash"] = content_hash(fields["content"])
        if not fields.keys().isdisjoint(_TIED):
            check_together({**BLANK, **fields})
            _check_still_to_come({**BLANK, **fields}, at)
        return fields

    def revise(self, memory: Memory, given: Mapping[str, Any], *, at: datetime) -> Memory:
        """Return the memory with the given fields changed; None clears one that may be empty.

        The version and `updated_at` stay: the store moves them on when it writes.

        Raises:
            InvalidInputError: See `draft`; also a field that cannot be cleared, or the id changed.
        """
        if not isinstance(given, Mapping):
            raise InvalidInputError(
                f"changes are an object such as {{'type': 'note'}}, not a {type(given).__name__}"
            )
        if given.get("id") is not None and check_id(given["id"]) != memory.id:
            raise InvalidInputError("the id of a memory never changes: remember a new one instead")
        changes = self.check_fields(given)
        for name in given.keys() - changes.keys():
            if name not in _CLEARED:
                raise InvalidInputError(f"{name} cannot be cleared: give it a value")
            changes[name] = _CLEARED[name]
        if changes.get("tier") == "permanent":
            changes.setdefault("expires_at", None)
        elif changes.get("expires_at") is not None:
            changes.setdefault("tier", "daily")
        elif changes.get("tier") == "daily" and memory.expires_at is None:
            changes.setdefault("expires_at", at + self._daily)
        if "content" in changes:
            changes["content_hash"] = content_hash(changes["content"])
        fields = {**fields_of(memory), **changes}
        check_together(fields)
        _check_still_to_come(fields, at)
        return Memory(**fields)

    def prepare(self, fields: Mapping[str, Any], *, stored: bool = False) -> Prepared:
        """Return the fields of a memory with what a store derives from them.

        Args:
            fields: All of a memory, or those of them that are not blank.
            stored: The metadata is in the store already, where a limit may have been larger.

        Raises:
            InvalidInputError: Metadata that JSON cannot hold, or beyond the limit.
        """
        content, tags, metadata = fields["content"], fields.get("tags"), fields.get("metadata")
        found = leaves(metadata) if metadata else []
        public = public_text(content) if has_private(content) else None
        limit = sys.maxsize if stored else self._settings.max_metadata_bytes
        return Prepared(
            fields,
            orjson.dumps(tags).decode() if tags else "[]",
            dump_json(metadata, field="metadata", limit=limit) if metadata else "{}",
            found,
            public,
            None if public is None else content_hash(public),
        )

    def _content(self, value: object) -> str:
        text = clean_text(value, field="content")
        if not text or text.isspace():
            raise InvalidInputError("content is empty: a memory needs a text")
        if len(text) > self._settings.max_content_chars:
            raise InvalidInputError(
                f"content has {len(text)} characters: at most {self._settings.max_content_chars} "
                "are allowed (store.max_content_chars)"
            )
        return text

    def _tags(self, value: object) -> tuple[str, ...]:
        if isinstance(value, _LISTS):
            tags = tuple(dict.fromkeys([check_tag(each) for each in value]))
        elif isinstance(value, AbstractSet):
            tags = tuple(sorted(check_tag(each) for each in value))
        else:
            raise InvalidInputError(f"tags is {shown(value)}: give a list of texts")
        if len(tags) > self._settings.max_tags:
            raise InvalidInputError(
                f"there are {len(tags)} tags: at most {self._settings.max_tags} are allowed "
                "(store.max_tags)"
            )
        return tags

    def _metadata(self, value: object) -> Mapping[str, Any]:
        if isinstance(value, str):
            try:
                value = json.loads(value)  # exact of integers, which orjson makes floats
            except (ValueError, RecursionError) as error:
                raise InvalidInputError(f"metadata is a text but no JSON: {error}") from None
        if type(value) is not dict and not isinstance(value, Mapping):
            raise InvalidInputError(f"metadata is a {type(value).__name__}: give an object")
        return dict(value)


_CLEARED: Final[dict[str, Any]] = {
    "tags": (),
    "metadata": {},
    "event_at": None,
    "valid_from": None,
    "valid_to": None,
    "expires_at": None,
    "media_url": None,
    "session_id": None,
    "agent_id": None,
    "source": None,
    "snapshot_origin": None,
    "snapshot_loaded_at": None,
}

DRAFT_FIELDS: Final = (
    "id", "content", "type", "tags", "metadata", "importance", "workspace", "scope", "tier",
    "event_at", "valid_from", "valid_to", "expires_at", "lifecycle", "pinned", "media_url",
    "session_id", "agent_id", "source", "snapshot_origin", "snapshot_loaded_at",
)  # fmt: skip
"""What a user may give; the store keeps the rest."""


def _unknown_field(name: object) -> str:
    if name in Memory.__dataclass_fields__:
        return f"{name} is kept by the store: leave it out, or use import_ to bring back an export"
    return f"{shown(name)} is no field of a memory: allowed are {', '.join(DRAFT_FIELDS)}"


def fields_of(memory: Memory) -> dict[str, Any]:
    """Return the fields of a memory by name, as `Memory(**fields)` takes them."""
    return {name: getattr(memory, name) for name in Memory.__dataclass_fields__}


def check_together(fields: Mapping[str, Any]) -> None:
    """Refuse fields that each may stand, but not with one another.

    Raises:
        InvalidInputError: Tier and expiry disagree, or the validity ends before it begins.
    """
    if fields["tier"] == "permanent" and fields["expires_at"] is not None:
        raise InvalidInputError(
            "a permanent memory never expires: leave out expires_at, or set tier to 'daily'"
        )
    if fields["tier"] == "daily" and fields["expires_at"] is None:
        raise InvalidInputError("a daily memory expires: give expires_at, or tier 'permanent'")
    starts, ends = fields["valid_from"], fields["valid_to"]
    if starts is not None and ends is not None and ends < starts:
        raise InvalidInputError(
            f"valid_to ({ends:%Y-%m-%d %H:%M}) is before valid_from ({starts:%Y-%m-%d %H:%M}): "
            "swap them"
        )
