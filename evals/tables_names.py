"""What documents say of all that has a name: settings, suites, systems, parts, data, measures."""

from __future__ import annotations

from contextlib import suppress
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Final

from committed import table

from engram_lab.config import EngineConfig, LoadedConfig, ServerConfig, show
from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.datasets.catalogue import manifests
from engram_lab.evaluation.datasets.readers import READERS
from engram_lab.evaluation.declared import declared_names
from engram_lab.evaluation.measures.parsing import MEASURES
from engram_lab.evaluation.measures.standard import names_of_standard, parse_standard
from engram_lab.evaluation.suite import GateRules
from engram_lab.evaluation.suites import load_suite, suite_names
from engram_lab.evaluation.systems import ladder
from engram_lab.evaluation.tuning import read_space

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engram_lab.evaluation.datasets.manifest import Manifest

__all__ = [
    "datasets_table",
    "gate_rules",
    "measures_table",
    "readers_table",
    "registries_table",
    "settings_tables",
    "spaces_table",
    "suites_table",
    "systems_table",
]

REGISTRIES: Final = {
    "engram_lab.core.registry:STORES": "store.kind",
    "engram_lab.retrieval.embedders:EMBEDDERS": "embedding.model",
    "engram_lab.retrieval.dense:VECTOR_INDEXES": "index.kind",
    "engram_lab.retrieval.fusion:FUSIONS": "retrieval.fusion",
    "engram_lab.retrieval.fusion:NORMALISERS": "retrieval.normaliser",
    "engram_lab.retrieval.rerank:RERANKERS": "retrieval.rerank",
    "engram_lab.retrieval.features:FEATURES": "retrieval.learned",
    "engram_lab.consolidation:STEPS": "dream.steps",
    "engram_lab.consolidation.decay:LAWS": "dream.decay_law",
    "engram_lab.consolidation.abstract:SUMMARISERS": "dream.abstract_summariser",
    "engram_lab.evaluation.systems:SYSTEMS": "",
}
"""Where parts are registered, and the setting that names one of them."""


def code(names: Iterable[str]) -> str:
    """Return names as code, in a row."""
    return ", ".join(f"`{name}`" for name in names)


def settings_tables() -> str:
    """Return every setting by its section, with its variable, default and meaning."""
    config, server = EngineConfig(), ServerConfig()
    sources = dict.fromkeys((*config.flat(), *server.flat()), "default")
    sections: dict[str, list[tuple[str, str, str, str]]] = {}
    for each in show(LoadedConfig(config=config, server=server, sources=sources)):
        variable = "ENGRAM_" + each.name.replace(".", "_").upper()
        value = "" if each.value is None else f"`{each.value}`"
        row = (f"`{each.name}`", f"`{variable}`", value, each.help)
        sections.setdefault(each.name.partition(".")[0], []).append(row)
    columns = ("setting", "variable", "default", "meaning")
    return "\n\n".join(f"## `{name}`\n\n{table(columns, rows)}" for name, rows in sections.items())


def registries_table() -> str:
    """Return every registry of parts, by the setting that names one."""
    rows = []
    for where, setting in REGISTRIES.items():
        registry = resolve_name(where)
        rows.append((registry.kind, code([setting] if setting else []), code(registry.names())))
    return table(("part", "setting", "names"), rows)


def suites_table() -> str:
    """Return every suite that comes with the project."""
    rows = []
    for each in map(load_suite, suite_names()):
        data = "`--data`" if each.dataset is None else f"`{each.dataset}`"
        rows.append((f"`{each.id}`", each.title, data, code(each.gate.measures)))
    return table(("suite", "what", "data", "its gate tests"), rows)


def systems_table() -> str:
    """Return the ladder, from the floors up."""
    rows = [(f"`{each.name}`", each.title) for each in ladder()]
    return table(("system", "what"), rows)


def datasets_table() -> str:
    """Return every data set that a manifest describes, and how it is known to be the right one."""
    rows = [
        (f"`{each.id}`", each.title, _licence(each), f"`{each.layouts[0].format}`", _pinned(each))
        for each in manifests()
    ]
    return table(("data set", "what", "licence", "reader", "pinned by"), rows)


def _licence(known: Manifest) -> str:
    return min((known.licence.split(mark)[0] for mark in ",;:"), key=len)


def _pinned(known: Manifest) -> str:
    if known.bundled:
        return "bundled"
    found = set()
    for each in known.archives or known.layouts[0].files:
        kind = "SHA-256" if each.sha256 else "MD5" if each.md5 else "size" if each.size else ""
        found.add(f"{kind}, hearsay" if getattr(each, "hearsay", False) else kind)
    return "; ".join(sorted(found - {""})) or "nothing"


def readers_table() -> str:
    """Return every format that can be read, with the data sets that have it."""
    known = manifests()
    rows = [
        (f"`{name}`", code(each.id for each in known if each.layouts[0].format == name))
        for name in READERS.names()
    ]
    return table(("reader", "data sets"), ((name, ids or "your own") for name, ids in rows))


def spaces_table() -> str:
    """Return every search space that comes with the project."""
    rows = []
    for name in declared_names("spaces"):
        space = read_space(name)
        changed = code(each.name for each in space.parameters)
        rows.append((f"`{name}`", space.title, changed))
    return table(("space", "what", "settings that may change"), rows)


def measures_table() -> str:
    """Return our measures, then the standard ones, each with a line."""
    rows = [
        (code(MEASURES.get(name).forms(name)), MEASURES.get(name).says) for name in MEASURES.names()
    ]
    for name in names_of_standard():
        known = {}
        for shown, written in {name: name, f"{name}@k": f"{name}@10", "at": f"{name}@0.5"}.items():
            with suppress(InvalidInputError):
                known[shown] = parse_standard(written)
        first = next(iter(known.values()))
        canonical = first.measure.NAME
        if name == canonical:  # else another name of one that has its row
            forms = [each for each in known if each != "at"] or [f"{name}@recall"]
            rows.append((code(forms), first.says))
    return table(("measure", "what a query gets"), rows)


def gate_rules() -> str:
    """Return the defaults of a gate."""
    default = GateRules(measures=())
    names = ("alpha", "margin", "category_margin")
    return "Defaults: " + ", ".join(f"`{name}` {getattr(default, name):g}" for name in names) + "."
