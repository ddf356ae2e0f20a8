"""Files of JSON that carry their own checksum: what was damaged, or changed by hand, is refused."""

from __future__ import annotations

import hashlib
import json
import math
import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.errors import InvalidRunError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["digest_of", "plain", "read_sealed", "write_atomically", "write_sealed"]

_SEAL: Final = "checksum"
_LINE_BREAKS: Final = 3
"""So many levels of a file are laid out one entry a line, and what lies deeper in one line."""


def digest_of(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a JSON object says, however it is laid out."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """Return a value as JSON has it: no tuples, and null for a number that is not finite."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object with its checksum, in one step: a reader sees the old file or the new.

    Args:
        path: Where; its folder is made where it is missing.
        content: Without NaN; see `plain`.
    """
    sealed = {**content, _SEAL: digest_of(content)}
    write_atomically(path, (_laid_out(sealed, depth=0) + "\n").encode())


def read_sealed(path: Path, *, kind: str, format: str, version: int, advice: str) -> dict[str, Any]:  # noqa: A002
    """Return the object of a file that `write_sealed` wrote.

    Args:
        path: The file.
        kind: What it is, as an error says it.
        format: The name that it gives itself.
        version: The version of that format which is understood.
        advice: What to do where it is refused.

    Raises:
        InvalidRunError: There is none, or it is no such file, of another version, damaged, or
            edited by hand.
    """
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InvalidRunError(f"there is no such {kind}: {advice}", file=str(path)) from None
    except (OSError, ValueError) as error:
        raise InvalidRunError(
            f"the {kind} cannot be read ({error}): {advice}", file=str(path)
        ) from None
    if not isinstance(content, dict) or content.get("format") != format:
        raise InvalidRunError(f"this is no {kind}: {advice}", file=str(path))
    if content.get("version") != version:
        raise InvalidRunError(
            f"the {kind} is of version {content.get('version')!r} and this program reads "
            f"{version}: {advice}",
            file=str(path),
        )
    seal = content.pop(_SEAL, None)
    if seal != digest_of(content):
        raise InvalidRunError(
            f"the {kind} does not fit its checksum, so it is damaged or was edited by hand: "
            f"{advice}",
            file=str(path),
        )
    return content


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file in one step, and make its folder where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # a temporary file is for its owner alone
        Path(temporary).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def _laid_out(value: Any, *, depth: int) -> str:
    """Return JSON in which a long list is one line, so that a small change is a short diff."""
    if not isinstance(value, dict) or not value or depth > _LINE_BREAKS:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    inner = "  " * (depth + 1)
    lines = [
        f"{inner}{json.dumps(key)}: {_laid_out(each, depth=depth + 1)}"
        for key, each in value.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}"
