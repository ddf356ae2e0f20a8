"""Write what is generated of the documents: settings, names, and the last committed measurements.

python evals/tables.py            write it
python evals/tables.py --check    exit code 1 where a document is not up to date
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tables_figures as figures
import tables_names as names
import tables_profiles as profiles
import tables_server as server
from tables_dreams import dreams_part
from tables_headline import headline_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT: Final = Path(__file__).resolve().parent.parent

PARTS: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "README.md": {"headline": headline_table},
    "ARCHITECTURE.md": {"tests": figures.tests_table},
    "evals/README.md": {"datasets": names.datasets_table},
    "docs/benchmarks.md": {
        "conversation": profiles.conversation_part,
        "ablations": profiles.ablations_part,
        "neutral": profiles.neutral_part,
        "fusion-rules": profiles.fusion_rules_part,
        "quality": figures.quality_table,
        "dreams": dreams_part,
        "detectable": figures.detectable_table,
        "bench": figures.bench_table,
        "retrieval": figures.retrieval_table,
        "scoring": figures.scoring_table,
        "load": server.load_table,
    },
    "docs/explanation/judge.md": {
        "gate-rules": names.gate_rules,
        "tests": figures.tests_table,
    },
    "docs/reference/measures.md": {"measures": names.measures_table},
    "docs/reference/names.md": {
        "registries": names.registries_table,
        "systems": names.systems_table,
        "suites": names.suites_table,
        "spaces": names.spaces_table,
        "readers": names.readers_table,
        "datasets": names.datasets_table,
    },
    "docs/reference/server.md": {
        "routes": server.routes_table,
        "tools": server.tools_list,
        "refusals": server.refusals_table,
        "plans": server.plans_table,
    },
    "docs/reference/settings.md": {"settings": names.settings_tables},
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
