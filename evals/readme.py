"""Write what is generated of the documents: settings, names, and the last committed measurements.

python evals/readme.py            write it
python evals/readme.py --check    exit code 1 where a document is not up to date
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from committed import figure, run, table
from readme_dreams import DREAMS
from readme_quality import DETAILS, PROFILES
from readme_serve import SERVE

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
    from collections.abc import Callable, Iterable, Mapping

    from engram_lab.evaluation.datasets.manifest import Manifest

ROOT: Final = Path(__file__).resolve().parent.parent

LOCOMO: Final = {
    "1": "multi-hop",
    "2": "temporal",
    "3": "open-domain",
    "4": "single-hop",
    "5": "adversarial",
}
"""What the simulated categories are in LoCoMo, whose sizes they have."""

TESTS: Final = {
    "queries, mean": "queries, under the mean",
    "clusters, mean": "whole conversations, under the mean",
    "queries, t over clusters": "queries, under the mean over its cluster-robust error",
}
LITTLE: Final = "as k1 of BM25 has it"
MUCH: Final = "strongly shared"
"""Kinds of noise: how much of it the questions of a conversation share."""


def code(names: Iterable[str]) -> str:
    """Return names as code, in a row."""
    return ", ".join(f"`{name}`" for name in names)


def settings_table() -> str:
    """Return every setting with its variable, default and meaning."""
    config, server = EngineConfig(), ServerConfig()
    sources = dict.fromkeys((*config.flat(), *server.flat()), "default")
    rows = show(LoadedConfig(config=config, server=server, sources=sources))
    lines = ["| setting | variable | default | meaning |", "|---|---|---|---|"]
    for each in rows:
        variable = "ENGRAM_" + each.name.replace(".", "_").upper()
        value = "" if each.value is None else f"`{each.value}`"
        lines.append(f"| `{each.name}` | `{variable}` | {value} | {each.help} |")
    return "\n".join(lines)


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


def rules() -> str:
    """Return the defaults of a gate."""
    default = GateRules(measures=())
    names = ("alpha", "margin", "category_margin")
    return "Defaults: " + ", ".join(f"`{name}` {getattr(default, name):g}" for name in names) + "."


def detectable_table() -> str:
    """Return what a gate can see on data of LoCoMo's sizes, and how often it errs."""
    figures = run("simulation-gate")
    rows = [
        (
            LOCOMO[each["group"]],
            f"{each['n']:,}",
            f"{100 * each['mde']:.1f} points",
            share(each["found"]["rate"]),
        )
        for each in sorted(figures["detectable"], key=lambda each: -each["n"])
    ]
    head = (
        "category",
        "questions",
        "detectable loss of `recall_any@10`",
        "pairs in which it was found",
    )
    alarms = max(each["gate"]["rate"] for each in figures["false alarms"] if "gate" in each)
    equal = f"- Of pairs of systems that are equally good, at most {share(alarms)} failed the gate."
    lines = [table(head, rows), "", equal]
    for few in sorted({len(each["measures"]) for each in figures["planted"]}):
        lost, noise = (each for each in figures["planted"] if len(each["measures"]) == few)
        lines.append(
            f"- With {few} measures in the gate, {share(lost['fails the gate']['rate'])} of the "
            f"pairs that had lost {100 * lost['loss']:.0f} points in `{LOCOMO['4']}` failed, "
            f"{share(lost['names the category']['rate'])} by that category's name, and "
            f"{share(noise['fails the gate']['rate'])} of those that had lost nothing."
        )
    return "\n".join([*lines, "", f"Command: `{figures['command']}` (`make simulations`)."])


def tests_table() -> str:
    """Return what three tests are worth on the same simulated pairs."""
    figures = run("simulation-gate")
    found = {each["noise"]: each for each in figures["found by test"]}
    rows = [
        (
            TESTS[each["test"]],
            share(each["one test"]["headline"]["rate"]),
            share(each["any of 24 after Holm"]["rate"]),
            share(found[LITTLE][each["test"]]["rate"]),
            share(found[MUCH][each["test"]]["rate"]),
        )
        for each in figures["false alarms"]
        if each["noise"] == MUCH
    ]
    head = (
        "signs are flipped of",
        "false alarms of one test, much shared",
        "of any of 24, after Holm",
        "3 points found, little shared",
        "3 points found, much shared",
    )
    return f"{table(head, rows)}\n\nCommand: `{figures['command']}`, at a level of 5 %."


def share(value: float) -> str:
    """Return a share in percent."""
    return f"{100 * value:.1f} %"


def bench_table() -> str:
    """Return the figures of the last committed run."""
    lines = ["| | ours | floor | ratio | bar |", "|---|---|---|---|---|"]
    for each in run("bench-core")["figures"]:
        floor = "" if each["floor"] is None else f"{each['floor']:,.0f} {each['unit']}"
        ours = f"{each['ours']:,.0f} {each['unit']}"
        lines.append(f"| {each['name']} | {ours} | {floor} | {each['ratio']:.2f} | {each['bar']} |")
    return "\n".join(lines)


def scoring_table() -> str:
    """Return how long scoring and statistics take, by the last committed runs."""
    rows = []
    for name in ("bench-scoring", "bench-statistics"):
        for each in run(name)["figures"]:
            floor = "" if each["floor"] is None else figure(each["floor"], "s")
            ratio = "" if each["ratio"] is None else figure(each["ratio"])
            rows.append((each["name"], figure(each["ours"], "s"), floor, ratio, each["bar"] or ""))
    return table(("", "ours", "floor", "ratio", "bar"), rows)


def quality_table() -> str:
    """Return the last committed figures of LoCoMo and SciFact, beside the known ones."""
    record = run("quality-locomo")
    lines = [
        "| | " + " | ".join(record["measures"]) + " | noted |",
        "|---|" + "---|" * (len(record["measures"]) + 1),
    ]
    for name, system in record["systems"].items():
        ours = " | ".join(f"{value:.1f}" for value in system["no5"])
        noted = " · ".join(f"{value:.1f}" for value in system["noted"] or ())
        lines.append(f"| {name} | {ours} | {noted} |")
    lines += ["", "| SciFact, nDCG@10 | | published |", "|---|---|---|"]
    for name, system in record["scifact"].items():
        known = " to ".join(f"{value:.1f}" for value in dict.fromkeys(system["published"]))
        lines.append(f"| {name} | {system['ndcg']:.1f} | {known} |")
    return "\n".join(lines)


def retrieval_table() -> str:
    """Return the gate figures of the last committed run of the retrieval bench."""
    record = run("bench-retrieval")
    smallest = min(each["rows"] for each in record["figures"] if "hybrid" in each["name"])
    lines = ["| | memories | ours | floor or peer | bar | |", "|---|---|---|---|---|---|"]
    for each in record["figures"]:
        if each["rows"] == smallest:
            continue
        floor = "" if each["floor"] is None else figure(each["floor"], each["unit"])
        ours = figure(each["ours"], each["unit"])
        met = "met" if each["met"] else "missed"
        lines.append(
            f"| {each['name']} | {each['rows']:,} | {ours} | {floor} | {each['bar']} | {met} |"
        )
    return "\n".join(lines)


PARTS: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "README.md": {
        "suites": suites_table,
        "systems": systems_table,
        "readers": readers_table,
        "measures": measures_table,
        "rules": rules,
        "detectable": detectable_table,
        "spaces": spaces_table,
        "settings": settings_table,
        "bench": bench_table,
        "scoring": scoring_table,
        "quality": quality_table,
        "retrieval": retrieval_table,
        **PROFILES,
        **DREAMS,
        **SERVE,
    },
    "ARCHITECTURE.md": {"tests": tests_table},
    "evals/README.md": {"datasets": datasets_table, **DETAILS},
}
"""What is made, by document and by the name of the marks around it."""


def filled(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """Return a document with its generated parts renewed.

    Raises:
        ValueError: Marks are missing.
    """
    for name, make in parts.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, opened, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not (opened and closed):
            raise ValueError(f"a document lacks {start.strip()} … {end}: put the marks back")
        text = f"{before}{start}{make()}\n{end}{after}"
    return text


def main() -> int:
    """Write or check."""
    stale = []
    for name, parts in PARTS.items():
        document = ROOT / name
        text = document.read_text(encoding="utf-8")
        fresh = filled(text, parts)
        if text != fresh:
            stale.append(name)
            if "--check" not in sys.argv:
                document.write_text(fresh, encoding="utf-8")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
