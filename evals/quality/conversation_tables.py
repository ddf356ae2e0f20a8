"""The figures of the conversation profile, printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conversation_taught import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["print_all"]


def print_all(record: Mapping[str, Any]) -> None:
    """Print what is kept."""
    asked, found = record["data"], record["candidates"]
    print(
        f"LoCoMo, {asked['headline']:,} questions of categories 1 to 4 and "
        f"{asked['questions'] - asked['headline']} adversarial ones, "
        f"{asked['conversations']} conversations; {found['mean']} candidates a question, among "
        f"which {found['any']} % have an answer (R {found['R']})\n"
    )
    print(f"{'':28}" + "".join(f"{each:>24}" for each in MEASURES) + "   with adversarial")
    for name, row in record["systems"].items():
        cells = (
            f"{row['headline'][each]:8.2f} [{row['interval'][each][0]:.2f}, "
            f"{row['interval'][each][1]:.2f}]"
            for each in MEASURES
        )
        whole = "".join(f"{row['all'][each]:8.2f}" for each in MEASURES)
        print(f"{name:28}" + "".join(f"{cell:>24}" for cell in cells) + whole)
    print_categories(record["systems"])
    for table, rows in {"conversation less": record["conversation less"], **record["rows"]}.items():
        print(f"\n{table}")
        for name, row in rows.items():
            print(f"  {name:26}" + "".join(_told(row)) + _varies(row))
    drawn = record["control"]
    print("\nanswers drawn by lot: " + _named(drawn["learned"]))
    print("by chance:            " + _named(drawn["chance"]))
    print("\n" + ("every bar is met" if record["holds"] else "; ".join(record["wrong"])))


def print_categories(systems: Mapping[str, Any]) -> None:
    """Print the measures of each category."""
    print("\nby category: " + ", ".join(MEASURES))
    for name, row in systems.items():
        cells = (
            f"{category} " + " ".join(f"{each:.1f}" for each in values.values())
            for category, values in row["by category"].items()
        )
        print(f"  {name:26}" + "   ".join(cells))


def _told(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield a row's differences by measure, or its values where it is the whole."""
    if "headline" in row and "less" not in row:
        yield from (f"{value:7.2f}".ljust(36) for value in row["headline"].values())
        return
    yield from map(_difference, row.get("less", row).values())


def _difference(each: Mapping[str, float]) -> str:
    p = each.get("p_adjusted", each["p"])
    return f"{each['delta']:+7.2f} [{each['low']:+.2f}, {each['high']:+.2f}] p {p:.4f}".ljust(36)


def _varies(row: Mapping[str, Any]) -> str:
    return f"tells apart in {100 * row['varies']:.0f} %" if "varies" in row else ""


def _named(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in values.items())
