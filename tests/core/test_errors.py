from __future__ import annotations

import inspect
import pickle
import re

import pytest

from engram_lab.core import errors
from engram_lab.core.errors import (
    ConfigError,
    DuplicateError,
    EngramError,
    ImportRefusedError,
    InvalidInputError,
    MissingDependencyError,
    SchemaMismatchError,
    VersionConflictError,
    shown,
)
from engram_lab.core.reports import ImportReport, RefusedRow

TREE_LINE = re.compile(r"(?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+Error)(?:\((?P<also>\w+)\))?")
CLASSES = {
    name: each
    for name, each in vars(errors).items()
    if inspect.isclass(each) and issubclass(each, EngramError)
}


def tree_of_docstring() -> dict[str, tuple[str, ...]]:
    """Return the bases of each error as the picture at the top of the module draws them."""
    above: dict[int, str] = {0: "Exception"}
    bases = {}
    for line in (errors.__doc__ or "").splitlines():
        if found := TREE_LINE.match(line):
            depth = len(found["indent"]) // 4
            bases[found["name"]] = tuple(filter(None, (above[depth], found["also"])))
            above[depth + 1] = found["name"]
    return bases


def test_the_tree_in_the_docstring_is_the_one_of_the_classes() -> None:
    actual = {name: tuple(b.__name__ for b in each.__bases__) for name, each in CLASSES.items()}
    assert tree_of_docstring() == actual


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_is_offered_and_explained(name: str) -> None:
    assert name in errors.__all__
    assert CLASSES[name].__doc__


def test_an_error_of_input_tells_the_row() -> None:
    assert str(InvalidInputError("content is empty")) == "content is empty"
    assert InvalidInputError("content is empty").row is None

    error = InvalidInputError("content is empty")
    assert error.at_row(3) is error
    assert str(error) == "row 3: content is empty"
    assert (error.reason, error.row) == ("content is empty", 3)

    assert str(error.at_row(4)) == "row 4: content is empty"
    assert str(InvalidInputError("content is empty", row=0)) == "row 0: content is empty"


def test_a_mismatch_tells_table_column_and_row() -> None:
    error = SchemaMismatchError("null: expected string", table="memories", column="content", row=7)
    assert str(error) == "row 7: table 'memories', column 'content': null: expected string"
    assert (error.table, error.column, error.row) == ("memories", "content", 7)


def test_a_configuration_error_lists_every_problem() -> None:
    assert str(ConfigError(["a is 1"])) == "the configuration has 1 problem:\n  - a is 1"
    two = ConfigError(["a is 1", "b is 2"])
    assert str(two) == "the configuration has 2 problems:\n  - a is 1\n  - b is 2"
    assert two.problems == ("a is 1", "b is 2")


def test_a_version_conflict_tells_both_versions() -> None:
    error = VersionConflictError("m", expected=1, actual=3)
    assert "at version 3, not 1: read it again" in str(error)
    assert (error.expected, error.actual) == (1, 3)


def test_a_duplicate_tells_where_the_content_is() -> None:
    assert DuplicateError("m").existing_id == "m"
    assert "already memory m: update that one" in str(DuplicateError("m"))


def test_a_refused_import_tells_how_many_and_the_first() -> None:
    refused = (RefusedRow(row=4, reason="content is empty"), RefusedRow(row=5, reason="no"))
    report = ImportReport(imported={"memories": 7}, unchanged=1, refused=refused)
    error = ImportRefusedError(report)

    assert error.report is report
    assert "2 of 10 rows were refused, so nothing was imported" in str(error)
    assert "row 4 of 'memories': content is empty" in str(error)


def test_a_missing_package_tells_how_to_get_it() -> None:
    error = MissingDependencyError("torch", feature="this embedder", extra="torch")
    assert str(error) == (
        "this embedder needs the package 'torch': install engram-lab with its extra 'torch', as "
        '`pip install ".[torch]"` does in its checkout'
    )
    assert error.extra == "torch"


@pytest.mark.parametrize(
    "error",
    [
        InvalidInputError("content is empty", row=3),
        SchemaMismatchError("null", table="memories", column="content", row=7),
        ConfigError(["a is 1", "b is 2"]),
        VersionConflictError("m", expected=1, actual=3),
        DuplicateError("m"),
        ImportRefusedError(
            ImportReport(imported={}, unchanged=0, refused=(RefusedRow(row=1, reason="no"),))
        ),
        MissingDependencyError("torch", feature="this embedder", extra="torch"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_the_way_from_a_worker_process(error: EngramError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert {k: str(v) for k, v in vars(error).items()} == {k: str(v) for k, v in vars(copy).items()}


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a" * 50, repr("a" * 40)),
        ("it's", '"it\'s"'),
        (None, "'None'"),
        ("\ud800", "'\\ud800'"),
        pytest.param(10**5000, "'<int>'", id="huge"),
        (Unprintable(), "'<Unprintable>'"),
    ],
)
def test_a_message_can_show_any_value(value: object, text: str) -> None:
    assert text == shown(value)
