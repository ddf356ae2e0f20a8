"""`engram dream`, `dreams` and `undo`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Engram


@pytest.fixture
def twice(engram: Engram) -> tuple[str, str]:
    return engram.remember("Ada likes tea"), engram.remember("ada  likes TEA")


def test_a_dream_is_looked_at_done_listed_and_undone(
    engram: Engram, twice: tuple[str, str]
) -> None:
    looked = engram("dream", "--dry-run")
    assert "would make 2 changes" in looked
    assert len(engram.json("list")["memories"]) == 2
    assert engram("dreams") == "nothing was dreamt so far\n"

    done = engram("dream", "--changes")
    assert "made 2 changes" in done
    assert "merge: 1 link, 1 update" in done
    assert twice[1] in done
    assert [each["id"] for each in engram.json("list")["memories"]] == [twice[0]]

    listed = engram.json("dreams")
    assert [each["status"] for each in listed] == ["applied"]
    said = engram("undo", "last")
    assert said == f"dream {listed[0]['id']} is undone: 1 memory, 1 link put back as before\n"
    assert len(engram.json("list")["memories"]) == 2
    assert "undone" in engram("dreams")
    assert "no dream to undo" in engram.refused("undo", "last")


def test_a_dream_as_json(engram: Engram, twice: tuple[str, str]) -> None:
    told = engram.json("dream", "--dry-run", "--changes")
    assert told["changes"] == 2
    assert {each["id"] for each in told["plan"] if each["action"] == "update"} == {twice[1]}
    undone = engram.json("undo", engram.json("dream")["run_id"])
    assert (undone["memories"], undone["links"], undone["kept"]) == (1, 1, [])


def test_every_workspace_dreams(engram: Engram, twice: tuple[str, str]) -> None:
    engram.remember("alone", "--workspace", "other")
    told = engram.json("dream", "--all")
    assert [each["workspace"] for each in told] == ["default", "other"]
    assert engram.json("dreams", "--workspace", "other")[0]["workspace"] == "other"


def test_a_workspace_that_cannot_dream_keeps_no_other_from_its_dream(
    engram: Engram, twice: tuple[str, str]
) -> None:
    for name in ("aaa", "zzz"):
        for number in range(2):
            engram.remember(f"pinned {number}", "--workspace", name, "--pin")
    words = ("dream", "--all", "--steps", "merge,prune", "--set", "dream.prune_most_memories=1")

    ran = engram.run(*words)

    assert ran.code == 2
    assert ran.err.count("engram: workspace 'aaa': ") == ran.err.count("workspace 'zzz': ") == 1
    assert "default" in ran.out
    told = engram.json("dreams")
    assert {each["workspace"] for each in told} == {"default"}


def test_who_watches_goes_on_where_a_workspace_cannot_dream(
    engram: Engram, twice: tuple[str, str]
) -> None:
    for number in range(2):
        engram.remember(f"pinned {number}", "--workspace", "aaa", "--pin")
    words = ["--watch", "--every", "0.1", "--quiet", "0", "--steps", "merge,prune"]
    words += ["--set", "dream.prune_most_memories=1"]
    with subprocess.Popen(
        [sys.executable, "-m", "engram_lab.cli", "dream", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        refused = watching.stderr.readline()
        said = [watching.stdout.readline() for _ in range(2)]
        watching.kill()
    assert refused.startswith("engram: workspace 'aaa': ")
    assert said[0].startswith("dreams every 0.1 s")
    assert "default" in said[1]


def test_a_dream_tells_of_memories_in_workspaces_it_did_not_look_at(
    engram: Engram, twice: tuple[str, str]
) -> None:
    assert "not looked at" not in engram("dream")
    assert engram.json("dream")["elsewhere"] == {}
    engram.remember("alone", "--workspace", "harbour")
    said = engram("dream").splitlines()[-1]
    assert said == "1 memory in 1 other workspace not looked at: --workspace harbour, or --all"
    assert engram.json("dream")["elsewhere"] == {"harbour": 1}
    assert engram.json("dream", "--workspace", "harbour")["elsewhere"] == {"default": 1}
    for words in (("--all",), ("--workspace", "default"), ("--workspace", "harbour")):
        assert "not looked at" not in engram("dream", *words)


def test_at_most_five_workspaces_are_named(engram: Engram, twice: tuple[str, str]) -> None:
    for number in range(7):
        engram.remember(f"note {number}", "--workspace", f"w{number}")
    engram.remember("another note", "--workspace", "w6")
    said = engram("dream").splitlines()[-1]
    assert said.startswith("8 memories in 7 other workspaces not looked at: --workspace w6 ")
    assert said.count("--workspace") == 5
    assert said.endswith("--workspace w3 and 2 more, or --all")


def test_the_last_dream_that_did_something_is_undone(
    engram: Engram, twice: tuple[str, str]
) -> None:
    did = engram.json("dream")["run_id"]
    assert engram.json("dream")["changes"] == 0
    assert did in engram("undo", "last")
    empty = engram.json("dream", "--steps", "fade")["run_id"]
    assert engram("undo", empty) == f"dream {empty} is undone: there was nothing to put back\n"


def test_a_preset_sets_what_is_not_set_by_hand(engram: Engram, twice: tuple[str, str]) -> None:
    assert engram.json("dream", "--preset", "none")["changes"] == 0
    told = engram.json("dream", "--preset", "none", "--set", "dream.steps=merge")
    assert told["changes"] == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--steps", "mergee"), "mergee"),
        (("--preset", "human"), "act-r"),
        (("--all", "--workspace", "a"), "exclude each other"),
        (("--watch", "--dry-run"), "exclude each other"),
        (("--watch", "--every", "-1"), "interval_s"),
        (("--watch", "--every", "nan"), "interval_s"),
        (("--workspace", "defualt"), "defualt"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    engram: Engram, twice: tuple[str, str], words: tuple[str, ...], why: str
) -> None:
    said = engram.refused("dream", *words)
    assert why in said
    assert len(engram.json("list")["memories"]) == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--max-changes", "0"), "dream.max_changes is 0: allowed is 1 or more"),
        (("--max-seconds", "-1"), "dream.max_seconds is -1.0: allowed is 0.001 or more"),
        (("--set", "dream.most_removed=2"), "dream.most_removed is 2.0: allowed is 0 to 1"),
    ],
)
def test_budgets_out_of_bounds_are_refused_by_name(
    engram: Engram, twice: tuple[str, str], words: tuple[str, ...], why: str
) -> None:
    ran = engram.run("dream", *words)
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err
    assert len(engram.json("list")["memories"]) == 2


def test_a_dream_that_hides_too_much_asks_for_yes(engram: Engram) -> None:
    for number in range(8):
        engram.remember(f"note number {number} about the harbour")
    told = ("--steps", "prune", "--set", "dream.prune_most_memories=2")
    assert "--yes" in engram.refused("dream", *told)
    assert len(engram.json("list")["memories"]) == 8
    engram("dream", *told, "--yes")
    assert len(engram.json("list")["memories"]) == 2
