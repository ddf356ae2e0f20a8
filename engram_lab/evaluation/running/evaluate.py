"""Run a suite: every system answers every question, and the folder of results is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engram_lab.core.clock import SystemClock
from engram_lab.core.errors import (
    EmbedderError,
    EvaluationError,
    InvalidInputError,
    MissingDependencyError,
)
from engram_lab.core.progress import task
from engram_lab.evaluation.datasets.catalogue import load_dataset, read_folder
from engram_lab.evaluation.measures.costs import costs_of
from engram_lab.evaluation.measures.parsing import parse_measure
from engram_lab.evaluation.running.asking import Answers, ask, probe
from engram_lab.evaluation.running.partial import Partial
from engram_lab.evaluation.runs.record import begin_record
from engram_lab.evaluation.runs.run import Run
from engram_lab.evaluation.runs.writing import (
    Judgements,
    Ranked,
    check_folder,
    check_place,
    score_runs,
    write_folder,
)
from engram_lab.evaluation.systems import Workshop, corpora_of, make_system
from engram_lab.evaluation.systems.registry import WithWeights, systems_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from engram_lab.core.clock import Clock
    from engram_lab.core.progress import Progress, Task
    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.runs.results import RunFolder
    from engram_lab.evaluation.suite import Suite
    from engram_lab.evaluation.systems import Corpus, System, SystemSpec

__all__ = ["dataset_of", "run_suite"]


def dataset_of(
    suite: Suite, *, data: str | PathLike[str] | None = None, allow_changed: bool = False
) -> Dataset:
    """Return the data of a suite.

    Args:
        suite: Which data, and how they are read.
        data: Where they lie, unless where the catalogue looks.
        allow_changed: Take files that are not those of the manifest; the record says so.

    Raises:
        DatasetMissingError: They are not on this machine.
        DatasetChangedError: A file is not the one that the manifest names.
        InvalidInputError: The suite needs `data`, and there is none.
    """
    if suite.dataset is not None:
        return load_dataset(
            suite.dataset, place=data, options=suite.options, allow_changed=allow_changed
        )
    if data is None:
        raise InvalidInputError(
            f"the suite {suite.id!r} reads data of your own: say where they lie "
            "(data=PATH, or --data PATH at the command line)"
        )
    folder = Path(data)
    return read_folder(str(suite.reader), folder, id=folder.name, options=suite.options)


def run_suite(
    suite: Suite,
    systems: Sequence[SystemSpec | str] | SystemSpec | str,
    *,
    out: str | PathLike[str],
    dataset: Dataset | None = None,
    data: str | PathLike[str] | None = None,
    allow_changed: bool = False,
    clock: Clock | None = None,
    cache: str | PathLike[str] | None = None,
    progress: Progress | None = None,
    fresh: bool = False,
    guards: bool = True,
    command: str | None = None,
) -> RunFolder:
    """Evaluate systems on a suite, and return the folder with all that was found.

    What an interruption left is taken up again. A system whose model or package is absent is
    skipped, with the reason.

    Args:
        suite: What is asked, and which measures count.
        systems: Who is asked: systems, or names as `load_system` takes them; `ladder` for all that
            the project ships.
        out: The folder; made where it is missing.
        dataset: The data, where they are at hand.
        data: Else where they lie; else where the catalogue looks.
        allow_changed: See `dataset_of`.
        clock: Tells when it began; else the machine's.
        cache: A file that keeps vectors from one evaluation to the next.
        progress: Told how many questions were answered.
        fresh: Discard the beginning of another evaluation in `out`.
        guards: Also probe what must hold exactly; see `guards`.
        command: As it was given, for the record.

    Raises:
        DatasetMissingError: The data are not on this machine.
        ConflictError: `out` holds another evaluation or its beginning, or another process
            evaluates into it.
        InvalidInputError: Two systems have one name, a measure is unknown, or `out` is a file.
        EvaluationError: No system could be run.
    """
    place, asked = Path(out), systems_of(systems)
    names = [each.name for each in asked]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInputError(f"the system {repeated[0]!r} is named twice: name each once")
    check_folder(place)
    if dataset is None:
        dataset = dataset_of(suite, data=data, allow_changed=allow_changed)
    if dataset.queries.is_empty() or dataset.memories.is_empty():
        raise InvalidInputError(
            f"the data set {dataset.id!r} has {dataset.memories.height} memories and "
            f"{dataset.queries.height} queries: there must be some of both"
        )
    telling = task(f"evaluating {suite.id}", unit="answers", progress=progress)
    with telling as counting, Workshop(cache=cache) as workshop:
        evaluation = _Evaluation(
            suite=suite, dataset=dataset, out=place, workshop=workshop, counting=counting
        )
        evaluation.prepare(asked)
        record = begin_record(
            suite,
            dataset,
            evaluation.described,
            clock=clock or SystemClock(),
            command=command,
        )
        check_place(place, record["id"], fresh=fresh)
        with Partial(place, record["id"], fresh=fresh) as partial:
            evaluation.answer(partial)
            if guards:
                evaluation.guard()
            folder = evaluation.write(record)
            partial.discard()
    return folder


@dataclass(kw_only=True)
class _Evaluation:
    """One evaluation under way."""

    suite: Suite
    dataset: Dataset
    out: Path
    workshop: Workshop
    counting: Task
    specs: dict[str, SystemSpec] = field(default_factory=dict)
    made: dict[str, System] = field(default_factory=dict)
    described: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    answers: dict[str, list[Answers]] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    judged_with: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    costs: dict[str, dict[str, float]] = field(default_factory=dict)
    guards: dict[str, dict[str, Any]] = field(default_factory=dict)

    def prepare(self, systems: Sequence[SystemSpec]) -> None:
        """Make the systems, and load their models."""
        for measure in self.suite.measures:
            parse_measure(measure)
        for spec in systems:
            self.counting.say(f"loading {spec.name}")
            try:
                system = make_system(spec, seed=self.suite.seed, store=self.suite.store)
                self.described[spec.name] = system.describe(self.workshop)
            except (MissingDependencyError, EmbedderError) as error:
                self.skipped[spec.name] = str(error)
                continue
            self.specs[spec.name], self.made[spec.name] = spec, system
        if not self.made:
            reasons = "; ".join(f"{name}: {why}" for name, why in self.skipped.items())
            raise EvaluationError(f"no system could be run: {reasons or 'none was named'}")

    def answer(self, partial: Partial) -> None:
        """Ask every system every question, corpus by corpus."""
        total = self.dataset.queries.height
        haystacks = self.dataset.queries["corpus"].n_unique()
        self.answers = {name: [] for name in self.made}
        known = [partial.get(name, number) for name in self.made for number in range(haystacks)]
        self.counting.done = sum(len(each.rankings) for each in known if each is not None)
        self.counting.total = total * len(self.made)
        for number, (corpus, questions) in enumerate(corpora_of(self.dataset)):
            for name, system in self.made.items():
                self.counting.say(f"{name}, corpus {number + 1} of {haystacks}")
                self._note_weights(name, system, corpus)
                found = partial.get(name, number)
                if found is None:
                    found = ask(
                        system,
                        corpus,
                        questions,
                        self.workshop,
                        depth=self.suite.depth,
                        timed=number == 0,
                        told=self.counting.advance,
                    )
                    partial.keep(name, number, found)
                spent = self.timings.get(name, 0.0) + found.spent
                self.timings[name] = round(spent, 3)
                self.answers[name].append(found)
            if number == 0:
                for name, system in self.made.items():
                    self.costs[name] = probe(system, corpus, self.workshop)
            self.workshop.forget(corpus)

    def _note_weights(self, name: str, system: System, corpus: Corpus) -> None:
        """Note which weights a corpus is judged with; raises where all of them saw it."""
        weights = system.judged_with(corpus) if isinstance(system, WithWeights) else None
        if weights is not None:
            known = self.judged_with.setdefault(name, {})
            known.setdefault(weights, []).append(corpus.name)

    def guard(self) -> None:
        """Probe what must hold exactly, of each engine."""
        from engram_lab.evaluation.gating.guards import guards_of

        for name, system in self.made.items():
            self.counting.say(f"guards of {name}")
            self.guards[name] = guards_of(system, self.workshop)

    def write(self, record: dict[str, Any]) -> RunFolder:
        """Score what was answered, and write the folder."""
        self.counting.say("scoring")
        record["judged_with"] = self.judged_with
        record["timings"] = {f"{name}_s": spent for name, spent in self.timings.items()}
        ranked = [self._ranked(name) for name in self.made]
        judgements = Judgements(
            queries=self.dataset.queries, qrels=self.dataset.qrels, memories=self.dataset.memories
        )
        scored = score_runs(ranked, judgements, self.suite, record=record, skipped=self.skipped)
        return write_folder(self.out, scored, ranked, judgements)

    def _ranked(self, name: str) -> Ranked:
        answers, spec = self.answers[name], self.specs[name]
        seconds = [second for each in answers for second in each.seconds]
        return Ranked(
            run=Run.of(name, [pair for each in answers for pair in each.rankings]),
            title=spec.title,
            floor=spec.floor,
            costs={**costs_of(seconds), **self.costs[name]},
            guards=self.guards.get(name, {}),
            spec=self.described[name],
        )
