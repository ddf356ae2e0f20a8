"""What is done of an evaluation, kept so that an interruption costs one corpus at most."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import orjson

from engram_lab.core.errors import ConflictError
from engram_lab.evaluation.running.asking import Answers

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Partial"]


class Partial:
    """The answers that an evaluation has so far, in `partial/` of its folder.

    Args:
        out: The folder of the evaluation.
        record_id: Of its record: answers are taken up by the same evaluation alone.
        fresh: Discard what another evaluation left there.

    Raises:
        ConflictError: The folder has the beginning of another evaluation.
    """

    def __init__(self, out: Path, record_id: str, *, fresh: bool) -> None:
        self._folder = out / "partial"
        begun = self._folder / "id"
        known = begun.read_text(encoding="ascii") if begun.is_file() else record_id
        if known != record_id:
            if not fresh:
                raise ConflictError(
                    f"{out} holds the beginning of another evaluation (other data, systems, "
                    "settings or code): give another --out, or --fresh to discard it"
                )
            shutil.rmtree(self._folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        begun.write_text(record_id, encoding="ascii")

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
