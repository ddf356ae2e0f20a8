from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def ids(engram: Engram) -> tuple[str, str, str]:
    tea, cup, pot = (engram.remember(word) for word in ("tea", "cup", "pot"))
    engram("link", tea, cup, "--weight", "0.5")
    engram("link", cup, pot, "--type", "extends", "--weight", "0.8")
    return tea, cup, pot


# link


def test_a_link_is_made_and_changed(engram: Engram) -> None:
    tea, cup = engram.remember("tea"), engram.remember("cup")
    first = engram("link", tea, cup).strip()
    options = ("--weight", "0.25", "--context", "poured", "--valid-from", "2026-01-01")
    again = engram.json("link", tea, cup, *options)
    assert again["id"] == first
    assert (again["weight"], again["context"]) == (0.25, "poured")
    assert again["valid_from"] == "2026-01-01T00:00:00Z"


def test_an_exclusive_link_ends_others(engram: Engram) -> None:
    ada, mill, quay = (engram.remember(word) for word in ("Ada", "mill", "quay"))
    for place, day in ((mill, "2020-01-01"), (quay, "2021-01-01")):
        engram("link", ada, place, "--type", "works_at", "--exclusive", "--valid-from", day)
    (now,) = engram.json("neighbours", ada)
    (then,) = engram.json("neighbours", ada, "--at", "2020-12-31")
    assert (now["memory"]["content"], then["memory"]["content"]) == ("quay", "mill")


def test_a_link_that_is_refused(engram: Engram, ids: tuple[str, str, str]) -> None:
    tea, cup, _ = ids
    assert engram.refused("link", tea, tea) == "a memory is not linked to itself: give two ids"
    assert "there is no memory" in engram.refused("link", tea, NOBODY)
    assert "weight is '2.0'" in engram.refused("link", tea, cup, "--weight", "2")
    assert "valid_from is 'soon'" in engram.refused("link", tea, cup, "--valid-from", "soon")


# neighbours


def test_neighbours_are_shown_with_the_way_to_them(
    engram: Engram, ids: tuple[str, str, str]
) -> None:
    tea, cup, pot = ids
    head, first, second = engram("neighbours", tea, "--depth", "2").splitlines()
    assert head.split() == ["weight", "links", "by", "id", "memory"]
    assert first.startswith("0.50    1      related_to →")
    assert second.startswith("0.40    2      extends →")
    assert "← related_to" in engram("neighbours", cup)
    found = engram.json("neighbours", tea, "--depth", "2")
    assert [each["memory"]["id"] for each in found] == [cup, pot]
    assert [each["depth"] for each in found] == [1, 2]
    assert found[1]["link"]["type"] == "extends"


def test_neighbours_are_narrowed_down(engram: Engram, ids: tuple[str, str, str]) -> None:
    tea, cup, pot = ids

    def found(*options: str) -> list[str]:
        return [each["memory"]["id"] for each in engram.json("neighbours", cup, *options)]

    assert found() == [pot, tea]
    assert found("--types", "extends, blocks") == [pot]
    assert found("--direction", "in") == [tea]
    assert found("--min-weight", "0.6") == [pot]
    assert found("--limit", "1") == [pot]
    assert engram("neighbours", cup, "--types", "blocks") == "nothing is linked with it\n"


def test_neighbours_that_are_refused(engram: Engram, ids: tuple[str, str, str]) -> None:
    assert "there is no memory" in engram.refused("neighbours", NOBODY)
    assert "depth is '11'" in engram.refused("neighbours", ids[0], "--depth", "11")
    assert "direction is 'up'" in engram.refused("neighbours", ids[0], "--direction", "up")


# path


def test_a_path_is_shown_step_by_step(engram: Engram, ids: tuple[str, str, str]) -> None:
    tea, cup, pot = ids
    lines = engram("path", tea, pot).splitlines()
    assert lines[0].split() == ["0.40", tea, "tea"]
    assert lines[1].split() == ["related_to", "→", cup, "cup"]
    assert lines[2].split() == ["extends", "→", pot, "pot"]
    (path,) = engram.json("path", tea, pot)
    assert path.keys() == {"memories", "links", "weight"}
    assert path["weight"] == pytest.approx(0.4)
    engram("link", pot, tea, "--weight", "0.1")
    assert len(engram.json("path", tea, pot)) == 2
    assert len(engram.json("path", tea, pot, "--limit", "1")) == 1
    assert "\n\n0.10" in engram("path", tea, pot)


def test_no_path_is_said_to_be_none(engram: Engram, ids: tuple[str, str, str]) -> None:
    tea, _, pot = ids
    none = "no path of at most 1 link leads from one to the other\n"
    assert engram("path", tea, pot, "--max-depth", "1") == none
    assert engram.json("path", pot, tea, "--direction", "out") == []
    assert "give two ids" in engram.refused("path", tea, tea)


# graph


def test_the_graph_is_printed_for_programs(engram: Engram, ids: tuple[str, str, str]) -> None:
    whole = json.loads(engram("graph"))
    assert [each["id"] for each in whole["nodes"]] == list(ids)
    assert [each["weight"] for each in whole["edges"]] == [0.5, 0.8]
    around = json.loads(engram("graph", "--focus", ids[0], "--depth", "1"))
    assert [each["id"] for each in around["nodes"]] == list(ids[:2])
    dot = engram("graph", "--format", "dot")
    assert dot.startswith("digraph memories {\n")
    assert f'"{ids[0]}" -> "{ids[1]}"' in dot
    few = json.loads(engram("graph", "--types", "extends", "--min-weight", "0.6"))
    assert [each["type"] for each in few["edges"]] == ["extends"]
    assert json.loads(engram("graph", "--workspace", "kitchen"))["nodes"] == []


def test_the_graph_is_written_to_a_new_file(engram: Engram, ids: tuple[str, str, str]) -> None:
    said = engram("graph", "--out", "graph.dot", "--format", "dot")
    assert said.startswith("wrote 3 memories, 2 links to ")
    written = Path("graph.dot").read_text(encoding="utf-8")
    assert written == engram("graph", "--format", "dot")
    assert "graph.dot exists" in engram.refused("graph", "--out", "graph.dot")
    assert Path("graph.dot").read_text(encoding="utf-8") == written


def test_a_graph_that_is_refused(engram: Engram, ids: tuple[str, str, str]) -> None:
    assert "--format is 'html': allowed are json, dot" in engram.refused(
        "graph", "--format", "html"
    )
    assert "there is no memory" in engram.refused("graph", "--focus", NOBODY)
    assert "leave out --workspace" in engram.refused(
        "graph", "--focus", ids[0], "--workspace", "kitchen"
    )
