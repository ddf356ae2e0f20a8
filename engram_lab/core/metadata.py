"""Metadata: what a JSON object may hold, and the paths by which it is found.

A scalar at `{"place": {"name": "yard"}}` is found under the path `place.name`; the elements of a
list `{"colours": ["red", "blue"]}` under `colours[]`. A key's own `.`, `[` and backslash are
escaped by a backslash, so every path means one place. `null` is the same as absent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.text import has_private

__all__ = ["MAX_DEPTH", "Scalar", "check_metadata", "dump_json", "escape_key", "leaves"]

MAX_DEPTH: Final = 32
Scalar = str | int | float | bool
_SCALARS: Final = (str, int, float)  # a union would be built anew at every call
_INT64: Final = 2**63
_TO_ESCAPE = re.compile(r"[.\[\\]")


def escape_key(key: str) -> str:
    """Return the key as it stands in a path."""
    return _TO_ESCAPE.sub(r"\\\g<0>", key)


def leaves(metadata: Mapping[str, Any]) -> list[tuple[str, Scalar]]:
    """Return `(path, scalar)` for every scalar within, `null` left out.

    Raises:
        InvalidInputError: A value that JSON cannot hold exactly, or nesting deeper than 32.
    """
    found: list[tuple[str, Scalar]] = []
    _collect(metadata, "", 1, found)
    return found


def _collect(
    node: Mapping[str, Any], prefix: str, depth: int, found: list[tuple[str, Scalar]]
) -> None:
    if depth > MAX_DEPTH:
        raise InvalidInputError(f"metadata nests deeper than {MAX_DEPTH} levels: flatten it")
    for key, value in node.items():
        if not isinstance(key, str):
            raise InvalidInputError(f"metadata has the key {shown(key)}: keys are texts")
        path = prefix + (key if key.isidentifier() else escape_key(key))
        if type(value) is str and "\x00" not in value:  # most are: spare them two calls
            found.append((path, value))
        else:
            _collect_at(path, value, depth, found)


def _collect_at(path: str, value: Any, depth: int, found: list[tuple[str, Scalar]]) -> None:
    if isinstance(value, _SCALARS):
        _check_scalar(path, value)
        found.append((path, value))
    elif isinstance(value, dict):
        _collect(value, path + ".", depth + 1, found)
    elif isinstance(value, list | tuple):
        if depth >= MAX_DEPTH:
            raise InvalidInputError(f"metadata nests deeper than {MAX_DEPTH} levels: flatten it")
        for element in value:
            _collect_at(path + "[]", element, depth + 1, found)
    elif value is not None:
        raise InvalidInputError(
            f"metadata.{path} is a {type(value).__name__}: allowed are texts, numbers, booleans, "
            "null, lists and objects of these"
        )


def _check_scalar(path: str, value: Scalar) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise InvalidInputError(f"metadata.{path} holds a null character: remove it")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidInputError(
                f"metadata.{path} is {value}, which JSON cannot hold: use null or a text"
            )
    elif not -_INT64 <= value < _INT64:
        raise InvalidInputError(
            f"metadata.{path} is a number of more than 64 bits: give it as a text"
        )


def check_metadata(metadata: Mapping[str, Any], *, limit: int) -> str:
    """Return metadata as JSON, each of its values checked.

    Raises:
        InvalidInputError: See `leaves` and `dump_json`.
    """
    if not isinstance(metadata, Mapping):
        raise InvalidInputError(f"metadata is a {type(metadata).__name__}: give an object")
    leaves(metadata)
    return dump_json(dict(metadata), field="metadata", limit=limit)


def dump_json(value: Any, *, field: str, limit: int) -> str:
    """Return the value as compact JSON, the keys in their order.

    Raises:
        InvalidInputError: It is longer than `limit` bytes, holds lone surrogates, or a `<private>`
            section (these belong in `content`, where readers know to leave them out).
    """
    try:
        encoded = orjson.dumps(value)
    except TypeError as error:
        raise InvalidInputError(f"{field} cannot be written as JSON: {error}") from None
    if len(encoded) > limit:
        raise InvalidInputError(
            f"{field} takes {len(encoded)} bytes of JSON: at most {limit} are allowed"
        )
    text = encoded.decode()
    if has_private(text):
        raise InvalidInputError(f"{field} holds a <private> section: put it in content instead")
    return text
