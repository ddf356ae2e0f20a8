"""Files of JSON that carry their own checksum: what was damaged, or changed by hand, is refused."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.checksums import json_sha256
from engram_lab.core.errors import InvalidRunError
from engram_lab.evaluation.runs.files import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["plain", "read_sealed", "write_sealed"]

_SEAL: Final = "checksum"
_LINE_BREAKS: Final = 3
"""So many levels of a file are laid out one entry a line, and what lies deeper in one line."""


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
    sealed = {**content, _SEAL: json_sha256(content)}
    with replacing(path) as file:
        file.write((_laid_out(sealed, depth=0) + "\n").encode())


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
    if seal != json_sha256(content):
        raise InvalidRunError(
            f"the {kind} does not fit its checksum, so it is damaged or was edited by hand: "
            f"{advice}",
            file=str(path),
        )
    return content


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
