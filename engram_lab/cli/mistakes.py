"""How the command line says what went wrong: the sentence of an error, in the words of a shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.errors import shown

if TYPE_CHECKING:
    import typer

__all__ = ["sentence_of", "usage_of"]

_LISTED: Final = {
    "there is no memory": "`engram list` shows those that there are",
    "there is no dream": "`engram dreams` lists those that there are",
}
"""What an error begins with that names something unknown, and what shows the known ones."""

_PLAIN: Final = (
    (re.compile(r"Input should be a valid integer.*"), "give a whole number"),
    (re.compile(r"Input should be a valid number.*"), "give a number"),
    (re.compile(r"Input should be a finite number.*"), "give a finite number"),
    (re.compile(r"Input should be greater than or equal to (\S+)"), r"give \1 or more"),
    (re.compile(r"Input should be less than or equal to (\S+)"), r"give \1 or less"),
)
"""What the library that reads a command's words says of a wrong value, and what we say."""


def sentence_of(error: Exception) -> str:
    """Return what an error says, with the command that helps where the error cannot know it."""
    if isinstance(error, OSError):
        said = error.strerror or str(error)
        if not error.filename:
            return said
        return (
            f"{error.filename} cannot be read or written ({said}): give another path, or see to it "
            "that you may use this one"
        )
    said = str(error)
    for beginning, advice in _LISTED.items():
        if said.startswith(f"{beginning} ") and ": " not in said:
            return f"{said}: {advice}"
    return said


def usage_of(error: typer.exceptions.TyperException) -> str:
    """Return what is wrong with a command's words."""
    said = error.format_message().rstrip(".")
    for theirs, ours in _PLAIN:
        said = theirs.sub(ours, said)
    faults = getattr(error.__cause__, "errors", None)
    found: list[dict[str, Any]] = faults() if callable(faults) else []
    if len(found) == 1 and "input" in found[0]:
        said = said.replace("Invalid value for", f"Invalid value {shown(found[0]['input'])} for", 1)
    return said
