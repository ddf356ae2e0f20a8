"""A law on trial: what a conformance check is made of."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, NoReturn

from engram_lab.core.errors import EngramError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab.core.protocols import Store

__all__ = ["ConformanceError", "Law", "Trial", "law"]

_MOST_CHARS = 200


class ConformanceError(EngramError, AssertionError):
    """An implementation breaks a law of its plug point.

    Attributes:
        law: The law, as a sentence.
        seen: What was seen instead.
    """

    def __init__(self, law: str, seen: str) -> None:
        super().__init__(f"this law is broken: {law}. Instead, {seen}")
        self.law = law
        self.seen = seen


class Seen(Exception):  # noqa: N818 - it says what was seen, and leaves `holding` as another
    """What was seen instead of what a law demands."""


@contextmanager
def holding(law: str) -> Iterator[None]:
    """Say of whatever goes wrong in the block which law it breaks.

    Raises:
        ConformanceError: `Seen`, or any other exception, was raised; one of these is left as it is.
    """
    try:
        yield
    except ConformanceError:
        raise
    except Seen as seen:
        raise ConformanceError(law, str(seen)) from None
    except Exception as error:
        raise ConformanceError(law, f"{type(error).__name__} was raised: {error}") from error


class Trial:
    """The trial of one law: it has as many empty stores as it asks for, and says what it saw."""

    def __init__(self, law: str, open_store: Callable[[], Store], closing: ExitStack) -> None:
        self._law = law
        self._open_store = open_store
        self._closing = closing

    def open(self) -> Store:
        """Return one more empty store, closed when the trial is over."""
        store = self._open_store()
        self._closing.callback(store.close)
        return store

    def fail(self, seen: str) -> NoReturn:
        """Find the law broken, by what was seen."""
        raise ConformanceError(self._law, seen)

    def demand(self, condition: object, otherwise: str) -> None:
        """Find the law broken unless the condition is truthy; `otherwise` says what was seen."""
        if not condition:
            self.fail(otherwise)

    def equal(self, seen: object, wanted: object, what: str) -> None:
        """Find the law broken unless both are equal; `what` names what was seen."""
        if seen != wanted:
            self.fail(f"{what} {_difference(seen, wanted)}")

    @contextmanager
    def refuses(self, error: type[EngramError], deed: str) -> Iterator[None]:
        """Find the law broken unless the block raises the error."""
        try:
            yield
        except error:
            return
        self.fail(f"{deed} was not refused with {error.__name__}")


@dataclass(frozen=True, slots=True)
class Law:
    """A law and how it is tried."""

    sentence: str
    trial: Callable[[Trial], None]

    def check(self, open_store: Callable[[], Store]) -> None:
        """Try the law on stores, each of which must be new and empty.

        Raises:
            ConformanceError: It is broken.
        """
        with ExitStack() as closing:
            try:
                self.trial(Trial(self.sentence, open_store, closing))
            except ConformanceError:
                raise
            except Exception as error:
                seen = f"{type(error).__name__} was raised: {error}"
                raise ConformanceError(self.sentence, seen) from error


def law(sentence: str) -> Callable[[Callable[[Trial], None]], Law]:
    """Make a law of the function that tries it."""

    def make(trial: Callable[[Trial], None]) -> Law:
        return Law(sentence, trial)

    return make


def _difference(seen: object, wanted: object) -> str:
    if is_dataclass(seen) and type(seen) is type(wanted):
        differing = [
            f"{each.name} {_difference(mine, theirs)}"
            for each in fields(seen)
            if (mine := getattr(seen, each.name)) != (theirs := getattr(wanted, each.name))
        ]
        return "differs: " + ", ".join(differing)
    if isinstance(seen, list) and isinstance(wanted, list) and _is_long(seen):
        if len(seen) != len(wanted):
            return f"has {len(seen)} entries instead of {len(wanted)}"
        at = next(n for n, pair in enumerate(zip(seen, wanted, strict=True)) if pair[0] != pair[1])
        return f"differs: entry {at} {_difference(seen[at], wanted[at])}"
    return f"is {_short(seen)} instead of {_short(wanted)}"


def _is_long(seen: list[object]) -> bool:
    """Tell whether the entry that differs says more than the whole, as reprs of records do."""
    return any(map(is_dataclass, seen)) or len(repr(seen)) > _MOST_CHARS


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]}…"
