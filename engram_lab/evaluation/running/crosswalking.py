"""A finished run under every convention, by every key that its data are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import (
    DatasetChangedError,
    DatasetMissingError,
    IncomparableError,
    InvalidInputError,
    shown,
)
from engram_lab.evaluation.datasets.catalogue import load_dataset, manifest
from engram_lab.evaluation.formats import counted
from engram_lab.evaluation.protocols import CONVENTIONS, crosswalk
from engram_lab.evaluation.runs.writing import Judgements
from engram_lab.evaluation.suite import apart_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike

    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.runs.results import RunFolder

__all__ = ["ROWS", "Crosswalk", "crosswalk_run"]

ROWS: Final = pl.Schema(
    {
        "system": pl.String,
        "key": pl.String,
        "questions": pl.String,
        "measure": pl.String,
        "mean": pl.Float64,
        "n": pl.UInt32,
        "unscored": pl.UInt32,
    }
)
"""One figure of one system; see `protocols.CROSSWALK`. `key` says which judgements they were."""

_FILED: Final = "key"
"""The option under which another file has other judgements of the same memories."""

_ASKING: Final = "protocol"
"""The option that says which questions of one file are asked, and what answers them."""

_OWN: Final = "as judged"
"""The key of data that have one alone."""

_Texts = pl.DataFrame


@dataclass(frozen=True, kw_only=True, slots=True)
class Crosswalk:
    """What a run scores under each convention.

    Attributes:
        suite: Its name.
        cuts: How many hits count.
        rows: See `ROWS`; by system, key, questions, cut-off and convention.
        notes: Which keys and questions were left out, a sentence each.
    """

    suite: str
    cuts: tuple[int, ...]
    rows: pl.DataFrame
    notes: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it, with what each measure is called elsewhere."""
        return {
            "suite": self.suite,
            "rows": self.rows.to_dicts(),
            "conventions": [
                {"measure": each.at(k), "says": each.says, "published": each.published}
                for k in self.cuts
                for each in CONVENTIONS
            ],
            "notes": list(self.notes),
        }


def crosswalk_run(
    folder: RunFolder,
    *,
    systems: Sequence[str] = (),
    cuts: Sequence[int] = (5, 10),
    data: str | PathLike[str] | None = None,
    allow_changed: bool = False,
) -> Crosswalk:
    """Return what the systems of a finished run score under each convention, side by side.

    They are judged by the key that the run was judged by, and by each other one that the manifest
    of its data offers: a corrected file, or another protocol over the same file. Questions of
    another key are those of the run where corpus and words are the same, whatever their ids; one
    that is worded otherwise was never asked, and is left out. A protocol that asks what the run was
    not asked is left out as a whole, since its figure would be of another set of questions. Data
    that no manifest knows are judged by what the run itself holds.

    Args:
        folder: See `runs.results.read_results`.
        systems: Of the run; all of them where none is named.
        cuts: How many hits count.
        data: Where the data lie; else where the catalogue looks.
        allow_changed: See `running.dataset_of`.

    Raises:
        DatasetMissingError: The data of the run are not on this machine.
        DatasetChangedError: They are not those of the manifest.
        IncomparableError: They are not those that the run was judged by.
        InvalidInputError: A cut-off is below 1, or beyond the hits that were asked for; or a system
            was not run.
        InvalidRunError: A file of the run is damaged.
    """
    cuts = tuple(dict.fromkeys(cuts))
    _check_cuts(folder, cuts)
    if strange := [each for each in systems if each not in folder.systems]:
        raise InvalidInputError(
            f"{folder.path} has no system {shown(strange[0])}: it has {', '.join(folder.systems)}"
        )
    runs = [folder.run(each) for each in dict.fromkeys(systems) or folder.systems]
    notes: list[str] = []
    apart = apart_of(folder.record)
    rows = []
    for key, judged in _judgements(folder, notes, data=data, allow_changed=allow_changed):
        known = set(judged.queries["category"].drop_nulls())
        for run in runs:
            found = crosswalk(
                run, judged, apart=[each for each in apart if each in known], cuts=cuts
            )
            named = found.with_columns(system=pl.lit(run.system), key=pl.lit(key))
            rows.append(named.select(list(ROWS)))
    places = pl.DataFrame({"system": [each.system for each in runs]}).with_row_index("place")
    table = pl.concat(rows).join(places, on="system", maintain_order="left")
    ordered = table.sort("place", maintain_order=True).select(list(ROWS))
    return Crosswalk(suite=folder.suite, cuts=cuts, rows=ordered, notes=tuple(notes))


def _check_cuts(folder: RunFolder, cuts: Sequence[int]) -> None:
    suite = folder.record.get("suite")
    depth = suite.get("depth") if isinstance(suite, dict) else None
    for k in cuts:
        if k < 1:
            raise InvalidInputError(f"a cut-off of {k} leaves nothing: give 1 or more")
        if isinstance(depth, int) and k > depth:
            raise InvalidInputError(
                f"the run asked for {depth} hits, and a cut-off of {k} looks at more: give "
                f"{depth} or less"
            )


def _judgements(
    folder: RunFolder, notes: list[str], *, data: str | PathLike[str] | None, allow_changed: bool
) -> Iterator[tuple[str, Judgements]]:
    """Yield the keys that the run can be judged by, its own first; add to notes what cannot be."""
    own = Judgements(queries=folder.queries.rename({"query_id": "id"}), qrels=folder.qrels)
    suite = folder.record.get("suite")
    id_ = suite.get("dataset") if isinstance(suite, dict) else None
    if not isinstance(suite, dict) or not isinstance(id_, str):
        yield _OWN, own
        return
    options = dict(suite.get("options") or {})
    dataset = load_dataset(id_, place=data, options=options, allow_changed=allow_changed)
    _check_same(folder, dataset, own)
    option, keys = _keys(id_, dataset.variant)
    yield dataset.variant.get(option, _OWN), own
    for key in keys:
        wanted = {**options, option: key}
        place = None if data is None else Path(data)
        if option == _FILED and place is not None and place.is_file():
            place = place.parent  # another key is another file, beside this one
        try:
            other = load_dataset(id_, place=place, options=wanted, allow_changed=allow_changed)
        except (DatasetMissingError, DatasetChangedError) as error:
            notes.append(f"{option} {key} is left out: {error}")
            continue
        if option == _FILED and other.files == dataset.files:
            notes.append(f"{option} {key} is left out: no other file is beside that of the run")
            continue
        judged, lost = _in_ids_of(_asked(dataset), other)
        if lost and option == _ASKING:
            notes.append(
                f"{option} {key} is left out: it asks {counted(lost, 'question')} that this run "
                f"was not asked: run the suite with {option} = {key}"
            )
            continue
        if lost:
            of_all = f"{option} {key}: {lost} of its {other.queries.height:,} questions"
            notes.append(
                f"{of_all} is worded otherwise, was not asked, and is left out"
                if lost == 1
                else f"{of_all} are worded otherwise, were not asked, and are left out"
            )
        yield key, judged


def _keys(id_: str, variant: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the option that tells the keys of a data set, and the keys that are not this one."""
    known = manifest(id_)
    tables = [known.options, *known.variants.values()]
    for option in (_FILED, _ASKING):
        keys = dict.fromkeys(each[option] for each in tables if option in each)
        if len(keys) > 1:
            return option, [each for each in keys if each != variant.get(option)]
    return _FILED, []


def _check_same(folder: RunFolder, dataset: Dataset, own: Judgements) -> None:
    """Refuse data that are others than the run was judged by."""
    columns = ["id", "text", "category"]
    same = dataset.queries.select(columns).equals(own.queries.select(columns))
    if not same or not dataset.qrels.equals(own.qrels):
        raise IncomparableError(
            f"{folder.path} was judged by other questions or answers than the data set "
            f"{dataset.id!r} has here: give the data of that run with --data"
        )


def _asked(dataset: Dataset) -> pl.DataFrame:
    return dataset.queries.select("id", "corpus", "text")


def _in_ids_of(asked: _Texts, other: Dataset) -> tuple[Judgements, int]:
    """Return what another key has of the questions that were asked, and how many it has beside.

    Ids number the questions of a conversation, so that where a key drops one, those after it have
    other ids: the longest rows of equal words tell which is which.
    """
    texts = {
        str(corpus): list(rows.select("id", "text").iter_rows())
        for (corpus,), rows in asked.partition_by("corpus", as_dict=True).items()
    }
    same: dict[str, str] = {}
    for (corpus,), rows in other.queries.partition_by("corpus", as_dict=True).items():
        ours = texts.get(str(corpus), [])
        theirs = list(rows.select("id", "text").iter_rows())
        matcher = SequenceMatcher(
            None, [text for _, text in ours], [text for _, text in theirs], autojunk=False
        )
        for block in matcher.get_matching_blocks():
            for place in range(block.size):
                same[theirs[block.b + place][0]] = ours[block.a + place][0]
    kept = pl.DataFrame(list(same.items()), schema=["theirs", "ours"], orient="row")
    queries = other.queries.join(kept, left_on="id", right_on="theirs", maintain_order="left")
    qrels = other.qrels.join(kept, left_on="query_id", right_on="theirs", maintain_order="left")
    return (
        Judgements(
            queries=queries.with_columns(id="ours").drop("ours"),
            qrels=qrels.with_columns(query_id="ours").drop("ours"),
        ),
        other.queries.height - queries.height,
    )
