"""The folder of a finished evaluation, and the summary that `results.json` holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

from engram_lab.core.brief import brief, placed
from engram_lab.core.errors import InvalidRunError
from engram_lab.evaluation.runs.files import replacing
from engram_lab.evaluation.runs.showing import RunRecord, page_of
from engram_lab.evaluation.runs.tables import table_of
from engram_lab.evaluation.statistics.bootstrap import estimate
from engram_lab.evaluation.suite import apart_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.evaluation.runs.run import Run
    from engram_lab.evaluation.statistics.contrast import Comparison, Estimate
    from engram_lab.evaluation.suite import Suite

__all__ = ["ALL", "KEYS", "RunFolder", "read_results", "summarise", "write_json"]

ALL: Final = "all"
"""The group of all queries, where some are set apart from the headline."""

KEYS: Final = ("system", "query_id", "category", "cluster")
"""The columns of `per_query.parquet` that are no measures."""


@dataclass(frozen=True, repr=False)
class RunFolder:
    """What an evaluation left in its folder; read when it is asked for.

    Attributes:
        path: The folder.
    """

    path: Path

    @cached_property
    def results(self) -> dict[str, Any]:
        """The content of `results.json`."""
        file = self.path / "results.json"
        try:
            found = orjson.loads(file.read_bytes())
        except FileNotFoundError:
            raise InvalidRunError(
                f"{self.path} holds no results.json: name a folder that `engram eval run` wrote"
            ) from None
        except orjson.JSONDecodeError as error:
            raise InvalidRunError(f"not JSON: {error}", file=str(file)) from None
        except OSError as error:
            raise InvalidRunError(f"it cannot be read ({error.strerror})", file=str(file)) from None
        if not _is_results(found):
            raise InvalidRunError(
                "not results: an object with suite, record and systems by name is expected",
                file=str(file),
            )
        results: dict[str, Any] = found
        return results

    @property
    def suite(self) -> str:
        """The name of the suite."""
        return str(self.results["suite"])

    @property
    def record(self) -> RunRecord:
        """See `record.begin_record`."""
        return RunRecord(self.results["record"])

    @property
    def gate(self) -> dict[str, Any]:
        """What the gate of the suite demands, as the record has it.

        Raises:
            InvalidRunError: The record does not say it.
        """
        suite = self.record.get("suite")
        rules = suite.get("gate") if isinstance(suite, dict) else None
        if not isinstance(rules, dict):
            raise InvalidRunError(
                "its record does not hold the suite with its gate: name a folder that "
                "`engram eval run` wrote",
                file=str(self.path / "results.json"),
            )
        return rules

    @property
    def systems(self) -> tuple[str, ...]:
        """The names of the systems that were run, in order."""
        return tuple(each["name"] for each in self.results["systems"])

    @cached_property
    def per_query(self) -> pl.DataFrame:
        """The columns `KEYS`, then one for each measure; null is unscored."""
        return self._frame("per_query")

    @cached_property
    def queries(self) -> pl.DataFrame:
        """The columns `query_id`, `text`, `category`, `cluster`."""
        return self._frame("queries")

    @cached_property
    def qrels(self) -> pl.DataFrame:
        """See `datasets.dataset.QRELS`."""
        return self._frame("qrels")

    @cached_property
    def memories(self) -> pl.DataFrame | None:
        """The columns `memory_id`, `source_id`, `content`; None where the texts were not kept."""
        return self._frame("memories") if (self.path / "memories.parquet").is_file() else None

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of the measures, in order."""
        return tuple(each for each in self.per_query.columns if each not in KEYS)

    def of(self, system: str) -> pl.DataFrame:
        """Return the rows of one system of `per_query`.

        Raises:
            InvalidRunError: It was not run.
        """
        if system not in self.systems:
            raise InvalidRunError(
                f"{self.path} has no system {system!r}: it has {', '.join(self.systems)}"
            )
        return self.per_query.filter(pl.col("system") == system)

    def run(self, system: str) -> Run:
        """Return what a system found.

        Raises:
            InvalidRunError: It was not run, or its file is damaged.
        """
        from engram_lab.evaluation.runs.trec import read_run

        return read_run(self.path / "runs" / f"{system}.trec", system=system)

    def to_polars(self, table: str = "means") -> pl.DataFrame:
        """Return the figures as a frame, a row for each, as `engram_lab.plots` draws them.

        Args:
            table: `means` over the headline and `categories` have `system`, `category` (null over
                the headline), `measure`, `mean`, `low`, `high`, `n`, `unscored` and `floor`;
                `costs` has `system`, `cost` and `value`; `curves` has `plot`, `system`, `x`, `y`,
                `low`, `high` and `floor`, and a row where the benchmark of consolidation was run.

        Raises:
            InvalidInputError: There is no such table.
        """
        return table_of(self.results, table)

    def compare(
        self, a: str, b: str, *, measures: Sequence[str] = (), categories: bool = True
    ) -> Comparison:
        """Return how system B differs from system A of this run, as `engram eval compare` does.

        What the suite keeps apart is no part of the headline.

        Args:
            a: The one that stands.
            b: The one that is judged.
            measures: The first tells which queries moved. Unless given, those that the gate of the
                suite tests, or all: the more are tested, the less each can show.
            categories: Whether each category is tested too.

        Raises:
            InvalidRunError: One was not run.
            IncomparableError: A measure was not taken.
        """
        from engram_lab.evaluation.statistics.comparing import compare

        suite = self.record.get("suite") or {}
        tested = (suite.get("gate") or {}).get("measures") or ()
        usual = [name for name in tested if name in self.measures] or self.measures
        return compare(
            self.of(a),
            self.of(b),
            names=(a, b),
            measures=measures or usual,
            apart=apart_of(self.record),
            categories=categories,
        )

    def __repr__(self) -> str:
        try:
            found = f"{self.suite}: {', '.join(self.systems)}"
        except InvalidRunError:  # whoever looks at it wants to know
            found = "no results"
        return brief(self, placed(self.path), found)

    def _repr_html_(self) -> str:
        return page_of(self)

    def _frame(self, name: str) -> pl.DataFrame:
        file = self.path / f"{name}.parquet"
        try:
            return pl.read_parquet(file)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InvalidRunError(f"cannot be read: {error}", file=str(file)) from None


def read_results(path: str | Path) -> RunFolder:
    """Return the folder of a finished evaluation.

    Raises:
        InvalidRunError: It is none.
    """
    folder = RunFolder(Path(path))
    folder.results  # noqa: B018 - refused here rather than later
    return folder


def _is_results(found: object) -> bool:
    """Return whether this has the parts that all who read results rely on."""
    return (
        isinstance(found, dict)
        and {"suite", "record", "systems"} <= set(found)
        and isinstance(found["record"], dict)
        and isinstance(found["systems"], list)
        and all(isinstance(each, dict) and "name" in each for each in found["systems"])
    )


def summarise(
    per_query: pl.DataFrame, suite: Suite, *, measures: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the measures of one system over the headline, and those of each category.

    Args:
        per_query: The rows of one system.
        suite: Which categories are apart, and how intervals are made.
        measures: The columns to summarise.
    """
    groups: dict[str, pl.DataFrame] = {}
    for (category,), rows in sorted(
        per_query.filter(pl.col("category").is_not_null())
        .partition_by("category", as_dict=True, maintain_order=True)
        .items()
    ):
        groups[str(category)] = rows
    if suite.apart:
        groups[ALL] = per_query
    apart = pl.col("category").is_in(list(suite.apart)).fill_null(value=False)
    headline = _means(per_query.filter(~apart), suite, measures)
    return headline, {name: _means(rows, suite, measures) for name, rows in groups.items()}


def _means(rows: pl.DataFrame, suite: Suite, measures: Sequence[str]) -> dict[str, Any]:
    clusters = rows["cluster"].to_list()
    found = estimate(
        rows.select(measures).cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        clusters if any(each is not None for each in clusters) else None,
        level=suite.level,
        resamples=suite.resamples,
        seed=suite.seed,
    )
    return {name: _plain(each) for name, each in zip(measures, found, strict=True)}


def _plain(each: Estimate) -> dict[str, Any]:
    return {
        "mean": each.mean,
        "ci": [each.low, each.high],
        "n": each.n,
        "unscored": each.unscored,
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file of JSON, whole or not at all; what is no number becomes null."""
    text = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
    with replacing(path) as file:
        file.write(text + b"\n")
