"""Write the generated tables of the README: the settings, and the last committed measurements.

python evals/readme.py            write them
python evals/readme.py --check    exit code 1 where they are not up to date
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from engram_lab.config import EngineConfig, LoadedConfig, show

ROOT = Path(__file__).resolve().parent.parent


def settings_table() -> str:
    """Return every setting with its variable, default and meaning."""
    config = EngineConfig()
    rows = show(LoadedConfig(config=config, sources=dict.fromkeys(config.flat(), "default")))
    lines = ["| setting | variable | default | meaning |", "|---|---|---|---|"]
    for each in rows:
        variable = "ENGRAM_" + each.name.replace(".", "_").upper()
        value = "" if each.value is None else f"`{each.value}`"
        lines.append(f"| `{each.name}` | `{variable}` | {value} | {each.help} |")
    return "\n".join(lines)


def bench_table() -> str:
    """Return the figures of the last committed run."""
    record = json.loads((ROOT / "evals/baselines/bench-core.json").read_text())
    lines = ["| | ours | floor | ratio | bar |", "|---|---|---|---|---|"]
    for each in record["figures"]:
        floor = "" if each["floor"] is None else f"{each['floor']:,.0f} {each['unit']}"
        ours = f"{each['ours']:,.0f} {each['unit']}"
        lines.append(f"| {each['name']} | {ours} | {floor} | {each['ratio']:.2f} | {each['bar']} |")
    return "\n".join(lines)


def quality_table() -> str:
    """Return the measures of the last committed run on LoCoMo, beside the noted ones."""
    record = json.loads((ROOT / "evals/baselines/quality-locomo.json").read_text())
    lines = [
        "| | " + " | ".join(record["measures"]) + " | noted |",
        "|---|" + "---|" * (len(record["measures"]) + 1),
    ]
    for name, system in record["systems"].items():
        ours = " | ".join(f"{value:.1f}" for value in system["no5"])
        noted = " · ".join(f"{value:.1f}" for value in system["noted"] or ())
        lines.append(f"| {name} | {ours} | {noted} |")
    return "\n".join(lines)


def retrieval_table() -> str:
    """Return the gate figures of the last committed run of the retrieval bench."""
    record = json.loads((ROOT / "evals/baselines/bench-retrieval.json").read_text())
    smallest = min(each["rows"] for each in record["figures"] if "hybrid" in each["name"])
    lines = ["| | memories | ours | floor or peer | bar | |", "|---|---|---|---|---|---|"]
    for each in record["figures"]:
        if each["rows"] == smallest:
            continue
        floor = "" if each["floor"] is None else f"{figure(each['floor'])} {each['unit']}"
        ours = f"{figure(each['ours'])} {each['unit']}"
        met = "met" if each["met"] else "missed"
        lines.append(
            f"| {each['name']} | {each['rows']:,} | {ours} | {floor} | {each['bar']} | {met} |"
        )
    return "\n".join(lines)


def figure(value: float) -> str:
    """Return a number with three digits that tell, and no more after the point than that takes."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004


TABLES = {
    "settings": settings_table,
    "bench": bench_table,
    "quality": quality_table,
    "retrieval": retrieval_table,
}


def filled(text: str) -> str:
    """Return the README with its generated parts renewed."""
    for name, table in ((name, make()) for name, make in TABLES.items()):
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}{table}\n{end}{after}"
    return text


def main() -> int:
    """Write or check."""
    readme = ROOT / "README.md"
    text = readme.read_text()
    if "--check" in sys.argv:
        return 0 if text == filled(text) else 1
    readme.write_text(filled(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
