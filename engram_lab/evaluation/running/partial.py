"""What is done of an evaluation, kept so that an interruption costs one corpus at most."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import orjson

from engram_lab.core.errors import ConflictError
from engram_lab.evaluation.running.asking import Answers

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["Partial"]


class Partial:
    """The answers that an evaluation has so far, in `partial/` of its folder.

    It is entered, and while it is, no other process can: neither would know what the other keeps.

    Args:
        out: The folder of the evaluation.
        record_id: Of its record: answers are taken up by the same evaluation alone.
        fresh: Discard what another evaluation left there.

    Raises:
        ConflictError: The folder has the beginning of another evaluation, or another process
            evaluates into it.
    """

    def __init__(self, out: Path, record_id: str, *, fresh: bool) -> None:
        self._out = out
        self._folder = out / "partial"
        self._record_id = record_id
        self._fresh = fresh
        self._lock: int | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self._folder / "lock", self._out)
        try:
            self._begin()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)

    def _begin(self) -> None:
        """Take up what this evaluation left; what another one left is not thrown away unasked."""
        begun = self._folder / "id"
        known = begun.read_text(encoding="ascii") if begun.is_file() else self._record_id
        if known != self._record_id:
            answered = sorted(self._folder.glob("*/*.json"))
            if answered and not self._fresh:
                raise ConflictError(
                    f"{self._out} holds the beginning of another evaluation (other data, systems, "
                    "settings or code): give another folder, or discard it (fresh=True, or --fresh "
                    "at the command line)"
                )
            for each in answered:
                each.unlink()
        begun.write_text(self._record_id, encoding="ascii")

    def get(self, system: str, corpus: int) -> Answers | None:
        """Return the answers of a system to a corpus, by its number; None where there are none."""
        file = self._file(system, corpus)
        return Answers.of_plain(orjson.loads(file.read_bytes())) if file.is_file() else None

    def keep(self, system: str, corpus: int, answers: Answers) -> None:
        """Keep the answers of a system to a corpus."""
        file = self._file(system, corpus)
        file.parent.mkdir(exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(answers.plain()))
        fresh.replace(file)

    def discard(self) -> None:
        """Remove all of it: the evaluation is done."""
        shutil.rmtree(self._folder)

    def _file(self, system: str, corpus: int) -> Path:
        return self._folder / system / f"{corpus:06}.json"


def _locked(file: Path, out: Path) -> int | None:
    """Return the descriptor of a file that no other process can lock until it is closed."""
    try:
        import fcntl
    except ModuleNotFoundError:  # no such locks on Windows: there, two at once are on their own
        return None
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConflictError(
            f"another process evaluates into {out}: wait for it, or give another folder"
        ) from None
    return descriptor
