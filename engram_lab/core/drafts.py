"""From what a user gives to a memory that the laws allow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from engram_lab.core.clock import parse_time
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.ids import check_id
from engram_lab.core.metadata import Scalar, dump_json, leaves
from engram_lab.core.scopes import check_scope
from engram_lab.core.text import clean_text, content_hash, has_private, public_text
from engram_lab.core.types import LIFECYCLES, TIERS, Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engram_lab.core.settings import StoreSettings

__all__ = [
    "DRAFT_FIELDS",
    "Drafter",
    "Prepared",
    "check_label",
    "check_number",
    "check_together",
    "check_workspace",
]

_RESERVED_WORKSPACES: Final = ("_system", "_archive")
_WORKSPACE = re.compile(r"[a-z0-9-][a-z0-9_-]{0,63}\Z")
_MAX_TAG_CHARS: Final = 128


class Prepared(NamedTuple):
    """A memory ready to be stored, with what a store derives from it."""

    memory: Memory
    tags_json: str
    metadata_json: str
    leaves: list[tuple[str, Scalar]]
    public_content: str | None


def check_label(value: object, *, field: str, limit: int = 256) -> str:
    """Return a short text that is kept exactly: not empty, no control characters.

    Raises:
        InvalidInputError: It is empty, longer than `limit`, or not such a text.
    """
    text = clean_text(value, field=field)
    if text != value:
        raise InvalidInputError(f"{field} holds control characters: remove them")
    if not text.strip() or len(text) > limit:
        raise InvalidInputError(f"{field} has {len(text)} characters: allowed are 1 to {limit}")
    return text


def check_workspace(value: object) -> str:
    """Return a workspace's name.

    Raises:
        InvalidInputError: It breaks the rule `[a-z0-9_-]{1,64}`, starts with an underscore or is
            reserved.
    """
    if not isinstance(value, str) or not _is_workspace(value):
        raise InvalidInputError(
            f"workspace is {str(value)[:80]!r}: give 1 to 64 of a-z, 0-9, _ and -, not starting "
            f"with _ ({' and '.join(_RESERVED_WORKSPACES)} are reserved)"
        )
    return value


@lru_cache(maxsize=1024)
def _is_workspace(value: str) -> bool:
    return _WORKSPACE.match(value) is not None


def check_number(value: object, *, field: str) -> float:
    """Return a number from 0 to 1.

    Raises:
        InvalidInputError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidInputError(f"{field} is {str(value)[:40]!r}: give a number from 0 to 1")
    return float(value)


def _check_flag(value: object, *, field: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInputError(f"{field} is {str(value)[:40]!r}: give true or false")
    return value


def _check_choice(value: object, *, field: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise InvalidInputError(f"{field} is {str(value)[:40]!r}: allowed are {', '.join(choices)}")
    return str(value)


class Drafter:
    """Checks what a user gives, field by field, under the limits of one store."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._daily = timedelta(hours=settings.daily_ttl_hours)
        text = partial(partial, check_label)
        moment = partial(partial, parse_time)
        self._checks: dict[str, Callable[[Any], Any]] = {
            "id": check_id,
            "content": self._content,
            "type": text(field="type", limit=64),
            "tags": self._tags,
            "metadata": self._metadata,
            "importance": partial(check_number, field="importance"),
            "workspace": check_workspace,
            "scope": check_scope,
            "tier": partial(_check_choice, field="tier", choices=TIERS),
            "event_at": moment(field="event_at"),
            "valid_from": moment(field="valid_from"),
            "valid_to": moment(field="valid_to"),
            "expires_at": moment(field="expires_at"),
            "lifecycle": partial(_check_choice, field="lifecycle", choices=LIFECYCLES),
            "pinned": partial(_check_flag, field="pinned"),
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

    def draft(self, given: Mapping[str, Any], *, id: str, scope: str, at: datetime) -> Memory:  # noqa: A002
        """Return the first version of a memory; `scope` and `id` are used where none is given.

        Raises:
            InvalidInputError: See `check_fields`; also no content, `permanent` with an expiry, or a
                validity that ends before it begins.
        """
        fields = self.check_fields(given)
        if "content" not in fields:
            raise InvalidInputError("content is missing: a memory needs a text")
        if "expires_at" in fields:
            fields.setdefault("tier", "daily")
        if fields.get("tier") == "daily":
            fields.setdefault("expires_at", at + self._daily)
        fields.setdefault("id", id)
        fields.setdefault("scope", scope)
        memory = Memory(
            **fields,
            created_at=at,
            updated_at=at,
            content_hash=content_hash(fields["content"]),
        )
        check_together(memory)
        return memory

    def revise(self, memory: Memory, given: Mapping[str, Any], *, at: datetime) -> Memory:
        """Return the memory with the given fields changed; None clears one that may be empty.

        The version and `updated_at` stay: the store moves them on when it writes.

        Raises:
            InvalidInputError: See `draft`; also a field that cannot be cleared, or the id changed.
        """
        if given.get("id", memory.id) != memory.id:
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
        revised = replace(memory, **changes)
        check_together(revised)
        return revised

    def prepare(self, memory: Memory) -> Prepared:
        """Return the memory with what a store derives from it.

        Raises:
            InvalidInputError: Metadata that JSON cannot hold, or beyond the limit.
        """
        content = memory.content
        found = list(leaves(memory.metadata)) if memory.metadata else []
        limit = self._settings.max_metadata_bytes
        return Prepared(
            memory,
            orjson.dumps(memory.tags).decode() if memory.tags else "[]",
            dump_json(memory.metadata, field="metadata", limit=limit) if memory.metadata else "{}",
            found,
            public_text(content) if has_private(content) else None,
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
        if not isinstance(value, list | tuple | set | frozenset):
            raise InvalidInputError(f"tags is {str(value)[:40]!r}: give a list of texts")
        ordered = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        tags = tuple(
            dict.fromkeys(check_label(each, field="tag", limit=_MAX_TAG_CHARS) for each in ordered)
        )
        if len(tags) > self._settings.max_tags:
            raise InvalidInputError(
                f"there are {len(tags)} tags: at most {self._settings.max_tags} are allowed "
                "(store.max_tags)"
            )
        return tags

    def _metadata(self, value: object) -> Mapping[str, Any]:
        if isinstance(value, str):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError as error:
                raise InvalidInputError(f"metadata is a text but no JSON: {error}") from None
        if not isinstance(value, Mapping):
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
    return f"{str(name)[:40]!r} is no field of a memory: allowed are {', '.join(DRAFT_FIELDS)}"


def check_together(memory: Memory) -> None:
    """Refuse fields that each may stand, but not with one another.

    Raises:
        InvalidInputError: Tier and expiry disagree, or the validity ends before it begins.
    """
    if memory.tier == "permanent" and memory.expires_at is not None:
        raise InvalidInputError(
            "a permanent memory never expires: leave out expires_at, or set tier to 'daily'"
        )
    if memory.tier == "daily" and memory.expires_at is None:
        raise InvalidInputError("a daily memory expires: give expires_at, or tier 'permanent'")
    if (
        memory.valid_from is not None
        and memory.valid_to is not None
        and memory.valid_to < memory.valid_from
    ):
        raise InvalidInputError(
            f"valid_to ({memory.valid_to:%Y-%m-%d %H:%M}) is before valid_from "
            f"({memory.valid_from:%Y-%m-%d %H:%M}): swap them"
        )
