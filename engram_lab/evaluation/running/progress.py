"""What an evaluation tells of itself while it runs."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """Someone who watches. Nothing is expected of it, and nothing it does changes a result."""

    def begin(self, system: str, total: int, done: int) -> None:
        """Hear that a system is to answer so many questions, some of them already answered."""
        ...

    def answered(self, system: str) -> None:
        """Hear of one answer."""
        ...

    def say(self, text: str) -> None:
        """Hear what else is done, such as `storing corpus 3 of 10`."""
        ...


class Silent:
    """Tells nobody."""

    def begin(self, system: str, total: int, done: int) -> None:
        """Hear it."""

    def answered(self, system: str) -> None:
        """Hear it."""

    def say(self, text: str) -> None:
        """Hear it."""
