"""Systems: what is judged. A name and everything that it takes to make one again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast, runtime_checkable

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.registry import Registry
from engram_lab.evaluation.declared import (
    TABLE,
    TEXT,
    TRUTH,
    check_keys,
    check_values,
    declared_names,
    read_declared,
    whole,
)
from engram_lab.evaluation.shipped import shipped
from engram_lab.retrieval.grouping import DEFAULT_SCORE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engram_lab.evaluation.systems.corpora import Corpus
    from engram_lab.evaluation.systems.workshop import Workshop

__all__ = [
    "LADDER",
    "SYSTEMS",
    "Searcher",
    "System",
    "SystemSpec",
    "WithWeights",
    "check_name",
    "ladder",
    "load_system",
    "make_system",
    "system_names",
    "systems_of",
]

_KINDS: Final = {
    "title": TEXT,
    "kind": TEXT,
    "settings": TABLE,
    "store_as": TEXT,
    "session_score": TEXT,
    "dreams": whole(least=0),
    "folds": TEXT,
    "order": whole(),
    "floor": TRUTH,
}
"""What a file declares of a system."""

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")

LADDER: Final = "ladder"
"""In place of a system: all that the project ships, from the floors up."""


class Searcher(Protocol):
    """One corpus, ready to be asked."""

    def search(self, text: str, k: int) -> Sequence[tuple[str, float]]:
        """Return up to k ids of memories of the corpus, best first, with falling scores."""
        ...

    def costs(self) -> Mapping[str, float]:
        """Return what the corpus costs here, such as `bytes_per_memory`.

        Called once, after all questions: it may write.
        """
        ...


class System(Protocol):
    """Something that finds memories.

    Guarantees: it is told the corpus and the questions, and nothing of the judgements. The same
    corpus, seed and moment give the same answers.
    """

    def describe(self, workshop: Workshop) -> Mapping[str, Any]:
        """Return all that tells this system from another, as JSON has it: `kind` and the rest."""
        ...

    def open(self, corpus: Corpus, workshop: Workshop) -> AbstractContextManager[Searcher]:
        """Return the system over a corpus.

        Args:
            corpus: What it may know.
            workshop: Where it may put files, and what it may share with other systems.
        """
        ...


@runtime_checkable
class WithWeights(Protocol):
    """A system that orders by weights which were learned: not every corpus may be judged with all.

    A system need not be one.
    """

    def judged_with(self, corpus: Corpus) -> str | None:
        """Return in a few words what the weights for a corpus were learned on; None without any.

        Raises:
            SeenError: All that it has were learned on this corpus.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemSpec:
    """What makes a system.

    Attributes:
        name: How results call it.
        title: One line.
        kind: A name of `SYSTEMS`.
        settings: For an engine: settings by section and by name, over the defaults.
        store_as: For an engine: `memories`, or `turns` to remember a session as the turns it is
            made of and to rank sessions by their turns.
        session_score: How turns make a session: what `retrieval.grouping.group_score` reads.
        dreams: For an engine: how often it dreams, as its settings say, before it is asked.
        folds: For an engine: a file of records of learned weights, the path as a file of TOML has
            it from its own folder. Of these each corpus is asked with the first that never saw it.
        order: Its place on the ladder.
        floor: Whether it is there to be beaten, and no proposal.
    """

    name: str
    title: str = ""
    kind: str = "engine"
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    store_as: str = "memories"
    session_score: str = DEFAULT_SCORE
    dreams: int = 0
    folds: str | None = None
    order: int = 100
    floor: bool = False

    def __post_init__(self) -> None:
        check_name(self.name)


def check_name(name: str) -> None:
    """Refuse a name of a system that makes no good name of a file.

    Raises:
        InvalidInputError: It is none.
    """
    if not _FILE_NAME.fullmatch(name):
        raise InvalidInputError(
            f"a system is called {shown(name)}: use up to 100 letters, digits, '.', '_' and '-', "
            "the first of them a letter, a digit or '_', as files are named after it"
        )


SYSTEMS: Registry[Callable[..., System]] = Registry("kind of system", group="engram_lab.systems")
"""What `kind` may name: `make(spec, *, seed, store) -> System`, where `store` has settings of the
store that the data need."""


def _at_first_use(module: str) -> Callable[..., System]:
    """Return a maker that imports its module, and the packages it stands on, when called."""

    def make(spec: SystemSpec, *, seed: int, store: Mapping[str, Any]) -> System:
        made: System = import_module(module).from_spec(spec, seed=seed, store=store)
        return made

    return make


for _kind in ("random", "recency"):
    SYSTEMS.add(_kind, _at_first_use("engram_lab.evaluation.systems.floors"))
SYSTEMS.add("engine", _at_first_use("engram_lab.evaluation.systems.engine_system"))


def system_names() -> tuple[str, ...]:
    """Return the names of the systems that the project ships, from the floors up."""
    return tuple(each.name for each in ladder())


def ladder() -> tuple[SystemSpec, ...]:
    """Return the systems that the project ships, from the floors up."""
    specs = [load_system(name) for name in declared_names("systems")]
    return tuple(sorted(specs, key=lambda each: (each.order, each.name)))


def load_system(name: str) -> SystemSpec:
    """Return the system of a name, of a TOML file, or of an engine's configuration in YAML.

    Raises:
        InvalidInputError: There is none, or it declares what means nothing.
        ConfigError: The configuration of an engine is wrong.
    """
    if Path(name).suffix in {".yaml", ".yml"}:
        from engram_lab.config import load_config

        config = load_config(name, environ={}).config
        return SystemSpec(name=Path(name).stem, title=name, settings=config.to_dict())
    id_, content = read_declared("systems", name)
    where = f"the system {id_!r}"
    check_keys(content, _KINDS, where=where)
    check_values(content, _KINDS, where=where)
    if "folds" in content:
        folder = Path(name).parent if Path(name).suffix == ".toml" else shipped("systems")
        content["folds"] = str(folder / content["folds"])
    return SystemSpec(name=id_, **content)


def systems_of(given: Sequence[SystemSpec | str] | SystemSpec | str) -> tuple[SystemSpec, ...]:
    """Return the systems that are given, by themselves or by name; `ladder` is all of ours.

    Raises:
        InvalidInputError: There is none of a name, or something else was given.
        ConfigError: The configuration of an engine is wrong.
    """
    alone = isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable)
    several: Iterable[object] = [given] if alone else cast("Iterable[object]", given)
    found: list[SystemSpec] = []
    for each in several:
        if isinstance(each, SystemSpec):
            found.append(each)
        elif isinstance(each, str):
            found += ladder() if each == LADDER else [load_system(each)]
        else:
            raise InvalidInputError(
                f"a system is a {type(each).__name__}: give a SystemSpec, such as load_system("
                f"'bm25') returns, or a name of {', '.join(system_names())}"
            )
    return tuple(found)


def make_system(spec: SystemSpec, *, seed: int, store: Mapping[str, Any]) -> System:
    """Return the system of a specification.

    Raises:
        InvalidInputError: Its kind is unknown.
        ConfigError: A setting is unknown or out of bounds.
        MissingDependencyError: A part of it needs an optional package.
        EmbedderError: Its model is not to be had.
    """
    return SYSTEMS.get(spec.kind)(spec, seed=seed, store=store)
