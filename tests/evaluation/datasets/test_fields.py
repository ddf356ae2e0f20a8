from __future__ import annotations

from typing import Any

import pytest

from engram_lab.evaluation.datasets.fields import Table, is_inside


def table(**fields: Any) -> tuple[Table, list[str]]:
    problems: list[str] = []
    return Table(fields, place="", problems=problems), problems


@pytest.mark.parametrize("path", ["a", "a/b.txt", "a b/c", "...", ".hidden"])
def test_paths_that_stay_inside(path: str) -> None:
    assert is_inside(path)


@pytest.mark.parametrize(
    "path", ["", "/a", "../a", "a/../b", "a//b", "./a", "a/.", "C:/a", "a\\b", "a\0b", "a/"]
)
def test_paths_that_may_lead_out(path: str) -> None:
    assert not is_inside(path)


def test_what_is_right_is_returned_and_notes_no_problem() -> None:
    fields, problems = table(
        name=" x ", n=3, on=True, list=["a"], inner={"b": "2", "a": "1"}, rows=[{"k": "v"}]
    )

    assert fields.text("name") == "x"
    assert fields.count("n") == 3
    assert fields.flag("on")
    assert fields.texts("list") == ("a",)
    assert list(fields.table("inner").mapping().items()) == [("a", "1"), ("b", "2")]
    assert [each.text("k") for each in fields.tables("rows")] == ["v"]
    fields.finish()
    assert problems == []


def test_what_is_absent_is_empty() -> None:
    fields, problems = table()

    assert fields.text("a") == ""
    assert fields.url("a") is None
    assert fields.count("a") is None
    assert not fields.flag("a")
    assert fields.texts("a") == ()
    assert fields.tables("a") == []
    assert problems == []


@pytest.mark.parametrize(
    ("getter", "value", "problem"),
    [
        (lambda each: each.text("x", required=True), "  ", "x: is required, as a text"),
        (lambda each: each.text("x"), 3, "x: 3 must be a text"),
        (lambda each: each.url("x"), "ftp://a", "x: 'ftp://a' must be an http or https address"),
        (lambda each: each.path("x"), "../a", "x: '../a' must be a path inside the folder"),
        (lambda each: each.digest("x", 4), "ABCD", "x: 'ABCD' must be 4 hexadecimal digits"),
        (lambda each: each.choice("x", ("a", "b")), "c", "x: 'c' must be one of a, b"),
        (lambda each: each.count("x"), -1, "x: -1 must be a whole number of 0 or more"),
        (lambda each: each.count("x"), True, "x: True must be a whole number"),
        (lambda each: each.flag("x"), "yes", "x: 'yes' must be true or false"),
        (lambda each: each.texts("x"), ["a", 1], "x: 1 must be a text"),
        (lambda each: each.texts("x", path=True), ["/a"], "x: '/a' must be a path inside"),
        (lambda each: each.table("x"), "a", "x: 'a' must be a table"),
        (lambda each: each.tables("x"), ["a"], "x[0]: 'a' must be a table"),
        (lambda each: each.finish(), 1, "x: there is no such field"),
    ],
)
def test_what_is_wrong_is_noted(getter: Any, value: Any, problem: str) -> None:
    fields, problems = table(x=value)

    getter(fields)

    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_a_problem_says_where_it_lies() -> None:
    fields, problems = table(rows=[{}, {"name": 1}])

    for each in fields.tables("rows"):
        each.text("name")

    assert problems == ["rows[1].name: 1 must be a text"]
