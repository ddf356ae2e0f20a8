from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.evaluation.datasets.published import Place, each_of_list, find, read_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("published")


def place_of(folder: Path, value: object) -> Place:
    path = folder / "data.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return read_json(path)[0]


@given(
    members=st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=3), max_size=5),
    indent=st.sampled_from([None, 0, 2]),
    escaped=st.sampled_from([True, False]),
)
def test_a_list_read_piece_by_piece_is_the_list(
    folder: Path, members: list[object], indent: int | None, *, escaped: bool
) -> None:
    path = folder / "list.json"
    text = json.dumps(members, indent=indent, ensure_ascii=escaped)
    path.write_text(f" {text}\n", encoding="utf-8")
    found = list(each_of_list(path))
    assert [place.value for place in found] == members
    assert [place.path for place in found] == [f"[{number}]" for number in range(len(members))]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "the whole file"),
        ("{}", r"\[0\]"),
        ('{"a": {"b": 1}}', r"\[0\]"),
        ("[1, 2]", r"\[0\]"),
        ('[{"a": 1}, 2]', r"\[1\]"),
        ('["}", {"a": 1}]', r"\[0\]"),
        ('[{"a": 1} {"a": 2}]', r"\[1\]"),
        ('[{"a": 1},]', r"\[1\]"),
        ('[{"a": 1}', r"\[1\]"),
        ('[{"a": 1}, {"a": [', r"\[1\]"),
        ('[{"a": "not closed}, {"a": 1}]', r"\[0\]"),
        ('[{"a": 1}, {"a": tru}]', r"\[1\]"),
        ('[{"a": 1}] [', r"\[1\]"),
        ("][", r"\[0\]"),
        ("no JSON", r"\[0\]"),
    ],
)
def test_what_is_no_list_of_objects_is_refused_with_its_place(
    folder: Path, text: str, place: str
) -> None:
    path = folder / "broken.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=rf"^broken\.json, {place}: "):
        list(each_of_list(path))


def test_a_member_is_yielded_before_a_later_one_is_refused(folder: Path) -> None:
    path = folder / "late.json"
    path.write_text('[{"a": 1}, 2]', encoding="utf-8")
    members = each_of_list(path)
    assert next(members).value == {"a": 1}
    with pytest.raises(InvalidInputError):
        next(members)


def test_a_place_knows_the_way_to_it(folder: Path) -> None:
    place = place_of(folder, [{"a": {"b": ["x"]}}])
    assert place.each()[0].at("a").at("b").each()[0].path == "[0].a.b[0]"
    assert place_of(folder, {"a": [1]}).at("a").each()[0].path == "a[0]"


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (Place.text, 5, "a string is expected, not '5'"),
        (Place.number, "5", "a whole number is expected, not '5'"),
        (Place.number, True, "a whole number is expected, not 'True'"),
        (Place.flag, 1, "true or false is expected, not '1'"),
        (Place.each, {"b": 1}, "a list is expected"),
        (Place.names, [1], "an object is expected"),
        (lambda place: place.find("b"), [1], "an object is expected"),
        (lambda place: place.at("b"), {"c": 1}, "a member 'b' is expected beside c"),
        (lambda place: place.at("b"), {"b": None}, "a member 'b' is expected"),
    ],
)
def test_another_shape_is_refused_with_file_and_place(
    folder: Path, read: Callable[[Place], object], value: object, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=rf"^data\.json, a: {message}"):
        read(place_of(folder, {"a": value}).at("a"))


def test_a_member_that_is_null_is_not_there(folder: Path) -> None:
    place = place_of(folder, {"a": None, "b": False})
    assert place.find("a") is None
    assert place.find("c") is None
    assert place.at("b").flag() is False


def test_a_time_that_does_not_exist_is_refused(folder: Path) -> None:
    place = place_of(folder, "30 February")
    assert place.moment("2024", 2, "29", expected="a day") == datetime(2024, 2, 29, tzinfo=UTC)
    with pytest.raises(InvalidInputError, match="a day is expected, not '30 February'"):
        place.moment("2024", 2, "30", expected="a day")


def test_what_is_no_json_is_refused(folder: Path) -> None:
    path = folder / "none.json"
    path.write_text('{"a":\n 1,, }', encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"^none\.json, line 2: is no JSON"):
        read_json(path)


def test_a_file_is_recorded_as_it_was_read(folder: Path) -> None:
    path = folder / "recorded.json"
    path.write_bytes(b'{"a": 1}\n')
    _, file = read_json(path)
    assert (file.name, file.size) == ("recorded.json", 9)
    assert file.sha256 == hashlib.sha256(b'{"a": 1}\n').hexdigest()


def test_the_first_name_that_is_there_is_found(folder: Path) -> None:
    (folder / "second.json").touch()
    assert find(folder, "first.json", "second.json") == folder / "second.json"
    assert find(folder / "second.json", "first.json") == folder / "second.json"
    with pytest.raises(DatasetMissingError, match=r"no file first\.json or third\.json in "):
        find(folder, "first.json", "third.json")
