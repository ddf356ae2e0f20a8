from __future__ import annotations

import dataclasses
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from engram_lab import Engine, Memory
from engram_lab.cli import common

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

FIELDS = {field.name for field in dataclasses.fields(Memory)}
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


# remember


def test_remember_prints_the_id_alone(engram: Engram) -> None:
    printed = engram("remember", "Ada takes her coffee black")
    assert re.fullmatch(r"[0-9a-f-]{36}\n", printed)
    assert engram.json("get", printed.strip())["content"] == "Ada takes her coffee black"


def test_remember_takes_every_field(engram: Engram) -> None:
    memory = engram.json(
        *("remember", "Ada moves to the quay", "--tag", "people", "--tag", "日本語"),
        *("--type", "fact", "--importance", "0.7", "--metadata", '{"place": {"name": "quay"}}'),
        *("--workspace", "harbour", "--scope", "global/org:yard", "--pin"),
        *("--event-at", "2026-05-01T12:00:00+02:00", "--expires-at", "2099-01-01"),
        *("--dedup", "reject", "--reason", "she said so"),
    )

    assert memory.keys() == FIELDS
    assert memory["tags"] == ["people", "日本語"]
    assert memory["metadata"] == {"place": {"name": "quay"}}
    assert (memory["type"], memory["importance"]) == ("fact", 0.7)
    assert (memory["workspace"], memory["scope"]) == ("harbour", "global/org:yard")
    assert (memory["pinned"], memory["tier"]) == (True, "daily")
    assert memory["event_at"] == "2026-05-01T10:00:00Z"
    assert memory["expires_at"] == "2099-01-01T00:00:00Z"
    assert engram.json("history", memory["id"])[0]["reason"] == "she said so"


def test_remember_reads_standard_input(engram: Engram) -> None:
    memory = engram.json("remember", "-", stdin="two lines\nof café\r\n".encode())
    assert memory["content"] == "two lines\nof café"


def test_remember_refuses_bytes_that_are_no_text(engram: Engram) -> None:
    assert "its byte 2 begins no character" in engram.refused("remember", "-", stdin=b"ab\xff")
    assert "content is empty" in engram.refused("remember", "-", stdin=b"\n")


def test_remember_does_not_read_without_end(
    engram: Engram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "_MOST_BYTES", 10)
    assert "more than 10 bytes" in engram.refused("remember", "-", stdin=b"x" * 11)


def test_remember_keeps_to_the_dedup_it_is_given(engram: Engram) -> None:
    first = engram.remember("the same")
    assert engram.remember("The  SAME", "--dedup", "skip") == first
    assert engram.remember("the same", "--dedup", "merge") == first
    assert engram.remember("the same", "--dedup", "allow") != first
    assert engram.remember("the same", "--set", "store.dedup=skip") == first
    assert "already memory" in engram.refused("remember", "the same", "--dedup", "reject")


# recall

BY_WORDS = ("--strategy", "keyword")


@pytest.fixture
def coffee(engram: Engram) -> dict[str, str]:
    """Three memories that a question about coffee finds, best first, and one that it does not."""
    return {
        "best": engram.remember("coffee coffee", "--tag", "taste", "--workspace", "yard"),
        "next": engram.remember("coffee and cake", "--type", "fact", "--scope", "global/org:yard"),
        "last": engram.remember("there was coffee at the end of a long and stormy day"),
        "other": engram.remember("tea"),
    }


def ids(answer: Any) -> list[str]:
    return [hit["memory"]["id"] for hit in answer["hits"]]


def test_recall_prints_the_best_first(engram: Engram, coffee: dict[str, str]) -> None:
    lines = engram("recall", "coffee?", "-k", "2", *BY_WORDS).splitlines()
    score = r"\d\.\d\d"
    assert re.fullmatch(rf"{score}  coffee coffee", lines[0])
    assert lines[1] == f"      {coffee['best']}  note  #taste"
    assert re.fullmatch(rf"{score}  coffee and cake", lines[2])
    assert lines[3] == f"      {coffee['next']}  fact"
    assert len(lines) == 4


def test_recall_as_json(engram: Engram, coffee: dict[str, str]) -> None:
    answer = engram.json("recall", "coffee", *BY_WORDS)
    asked = {"query", "strategy", "reason", "profile", "embedder", "suggestions", "left_out"}
    assert answer.keys() == {*asked, "hits"}
    assert [answer[each] for each in ("query", "strategy", "reason")] == [
        *("coffee", "keyword", "as told")
    ]
    assert [answer[each] for each in ("embedder", "suggestions", "left_out")] == [None, [], 0]
    assert ids(answer) == [coffee["best"], coffee["next"], coffee["last"]]
    hit = answer["hits"][0]
    assert hit.keys() == {"rank", "score", "memory", "explanation"}
    assert hit["memory"].keys() == FIELDS
    said = {"name": "keyword", "rank": 1, "score": hit["score"], "contribution": hit["score"]}
    assert hit["explanation"] == {"arms": [said], "steps": [], "words": None}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-k", "1"], ["best"]),
        (["--set", "retrieval.k=2"], ["best", "next"]),
        (["--filter", '{"type": "fact"}'], ["next"]),
        (["--workspace", "yard"], ["best"]),
        (["--scope", "global/org:yard"], ["next"]),
        (["--filter", "{}"], ["best", "next", "last"]),
    ],
)
def test_recall_among_the_chosen(
    engram: Engram, coffee: dict[str, str], options: list[str], expected: list[str]
) -> None:
    answer = engram.json("recall", "coffee", *options, *BY_WORDS)
    assert ids(answer) == [coffee[name] for name in expected]


def test_recall_finds_archived_ones_when_asked(engram: Engram, coffee: dict[str, str]) -> None:
    engram("update", coffee["best"], "--lifecycle", "archived")
    assert coffee["best"] not in engram("recall", "coffee")
    assert f"{coffee['best']}  note  archived  #taste" in engram("recall", "coffee", "--archived")


def test_recall_explains_each_hit(engram: Engram, coffee: dict[str, str]) -> None:
    printed = engram("recall", "coffee", "--explain", *BY_WORDS)
    assert printed.splitlines()[0] == "keyword: as told"
    because = re.findall(r"^ +(= \S+  keyword  #\d with \S+)$", printed, re.MULTILINE)
    found = [
        hit["explanation"]["arms"] for hit in engram.json("recall", "coffee", *BY_WORDS)["hits"]
    ]
    assert because == [
        f"= {arm['contribution']:.4g}  keyword  #{rank} with {arm['score']:.4g}"
        for rank, (arm,) in enumerate(found, 1)
    ]
    assert len(because) == 3
    assert "**coffee** **coffee**\n" in printed


def test_recall_that_finds_nothing_says_so(engram: Engram, coffee: dict[str, str]) -> None:
    assert engram("recall", "whisky", *BY_WORDS) == "nothing found\n"
    assert engram.json("recall", '"*()[red]', *BY_WORDS)["hits"] == []


def test_recall_keeps_what_was_asked_unless_told_not_to(
    engram: Engram, coffee: dict[str, str]
) -> None:
    engram("recall", "coffee")
    engram("recall", "tea", "--set", "learning.record_recalls=no")
    with Engine.open("notes.db") as engine:
        assert engine.to_polars("events")["query"].to_list() == ["coffee"]


def test_recall_answers_from_a_file_that_may_not_be_written(
    engram: Engram, coffee: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    assert coffee["best"] in engram("recall", "coffee")
    with Engine.open("notes.db") as engine:
        assert engine.to_polars("events").is_empty()


# get


def test_get_shows_what_there_is_to_say(engram: Engram) -> None:
    memory = engram.remember("one\ntwo", "--tag", "a", "--tag", "b", "--metadata", '{"x": [1]}')

    text, fields = engram("get", memory).split("\n\n")

    assert text == "one\ntwo"
    shown = dict(re.split(r"  +", line) for line in fields.splitlines())
    assert shown["id"] == memory
    assert (shown["tags"], shown["metadata"]) == ("a, b", '{"x":[1]}')
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", shown["created_at"])
    assert "event_at" not in shown
    assert "pinned" not in shown


def test_get_as_of_a_moment(engram: Engram) -> None:
    memory = engram.json("remember", "before")
    engram("update", memory["id"], "--content", "after")
    then = ("--as-of", memory["created_at"])
    assert engram.json("get", memory["id"])["content"] == "after"
    assert engram.json("get", memory["id"], *then)["content"] == "before"


def test_get_shows_private_sections_only_when_asked(engram: Engram) -> None:
    memory = engram.remember("the code is <private>4711</private>.")
    assert "4711" not in engram("get", memory)
    assert "4711" in engram("get", memory, "--private")


# list


def listed(page: Any) -> list[str]:
    return [memory["content"] for memory in page["memories"]]


@pytest.fixture
def three(engram: Engram) -> dict[str, str]:
    return {
        "one": engram.remember("one", "--importance", "0.2", "--event-at", "2020-03-03"),
        "two": engram.remember("two", "--importance", "0.9", "--event-at", "2020-02-02"),
        "three": engram.remember("three", "--importance", "0.5", "--event-at", "2020-01-01"),
    }


def test_list_shows_memories_as_they_came(engram: Engram, three: dict[str, str]) -> None:
    lines = engram("list").splitlines()
    assert [line.split("  ")[1] for line in lines[::2]] == ["one", "two", "three"]
    assert lines[1].split() == [three["one"], "note"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["one", "two", "three"]),
        (["--desc"], ["three", "two", "one"]),
        (["--order", "created_at"], ["one", "two", "three"]),
        (["--order", "updated_at", "--desc"], ["three", "two", "one"]),
        (["--order", "event_at"], ["three", "two", "one"]),
        (["--order", "importance"], ["one", "three", "two"]),
        (["--limit", "1"], ["one"]),
        (["--filter", '{"importance": {"gt": 0.4}}'], ["two", "three"]),
        (["--workspace", "harbour"], []),
        (["--scope", "global/org:yard"], []),
        (["--as-of", "2020-01-01"], []),
    ],
)
def test_list_in_order(
    engram: Engram, three: dict[str, str], options: list[str], expected: list[str]
) -> None:
    page = engram.json("list", *options)
    assert page.keys() == {"memories", "next_cursor"}
    assert listed(page) == expected
    assert (page["next_cursor"] is not None) == ("--limit" in options)


@pytest.mark.parametrize(
    ("order", "leads"),
    [
        ("event_at", ["2020-01-01", "2020-02-02", "2020-03-03"]),
        ("importance", ["0.20", "0.50", "0.90"]),
    ],
)
def test_a_listing_is_led_by_what_it_is_ordered_by(
    engram: Engram, three: dict[str, str], order: str, leads: list[str]
) -> None:
    printed = engram("list", "--order", order)
    assert [line.split()[0] for line in printed.splitlines()[::2]] == leads


def test_a_memory_without_an_event_stands_where_it_was_made(engram: Engram) -> None:
    memory = engram.json("remember", "no event")
    assert engram("list", "--order", "event_at").startswith(memory["created_at"][:10])


def test_list_goes_on_where_the_page_before_ended(engram: Engram, three: dict[str, str]) -> None:
    lines = engram("list", "--limit", "2").splitlines()
    assert len(lines) == 5
    assert lines[4].startswith("there are more: add --cursor ")
    rest = engram("list", "--limit", "2", "--cursor", lines[4].split()[-1])
    assert [line.split("  ")[1] for line in rest.splitlines()[::2]] == ["three"]


def test_list_marks_what_is_out_of_the_ordinary(engram: Engram, three: dict[str, str]) -> None:
    engram("forget", three["one"])
    engram("update", three["two"], "--lifecycle", "archived")
    engram("update", three["three"], "--pin", "--lifecycle", "stale", "--tag", "a", "--tag", "b")

    (_, about) = engram("list").splitlines()
    assert about.strip() == f"{three['three']}  note  stale  pinned  #a #b"
    archived = engram("list", "--archived")
    assert f"{three['two']}  note  archived" in archived
    forgotten = engram("list", "--forgotten")
    assert f"{three['one']}  note  forgotten" in forgotten
    assert three["two"] not in forgotten


def test_an_empty_listing_says_so(engram: Engram) -> None:
    engram("forget", engram.remember("gone"))
    assert engram("list") == "nothing found\n"


# update, forget, restore, history


def test_update_changes_every_field(engram: Engram) -> None:
    memory = engram.remember("before", "--tag", "old", "--pin", "--metadata", '{"a": 1}')
    changed = engram.json(
        *("update", memory, "--content", "after", "--tag", "new", "--type", "fact"),
        *("--importance", "0.9", "--metadata", '{"b": 2}', "--workspace", "harbour"),
        *("--scope", "global/org:yard", "--lifecycle", "stale", "--no-pin", "--version", "1"),
        *("--event-at", "2026-01-01", "--expires-at", "2099-01-01", "--reason", "all of it"),
    )
    assert changed["content"] == "after"
    assert (changed["tags"], changed["metadata"]) == (["new"], {"b": 2})
    assert (changed["type"], changed["importance"]) == ("fact", 0.9)
    assert (changed["workspace"], changed["scope"]) == ("harbour", "global/org:yard")
    assert (changed["lifecycle"], changed["pinned"]) == ("stale", False)
    assert changed["event_at"] == "2026-01-01T00:00:00Z"
    assert changed["expires_at"] == "2099-01-01T00:00:00Z"
    assert (changed["version"], changed["id"]) == (2, memory)


def test_update_clears_fields_and_reads_standard_input(engram: Engram) -> None:
    memory = engram.remember("text", "--tag", "a", "--metadata", '{"b": 1}')
    said = engram("update", memory, "--clear", "tags", "--clear", "metadata")
    assert said == f"{memory} is now at version 2\n"
    cleared = engram.json("update", memory, "--content", "-", stdin=b"typed\n")
    assert (cleared["tags"], cleared["metadata"], cleared["content"]) == ([], {}, "typed")


def test_update_refuses_to_overwrite_a_newer_version(engram: Engram) -> None:
    memory = engram.remember("text")
    engram("update", memory, "--content", "newer")
    why = engram.refused("update", memory, "--content", "stale", "--version", "1")
    assert why == f"memory {memory} is at version 2, not 1: read it again and retry"


def test_forget_and_restore(engram: Engram) -> None:
    memory = engram.remember("text")
    said = engram("forget", memory, "--reason", "a test")
    assert said == f"{memory} is forgotten; `engram restore` undoes that\n"
    assert "there is no memory" in engram.refused("get", memory)
    assert engram("restore", memory, "--reason", "done") == f"{memory} is back, at version 3\n"
    assert engram.json("forget", memory) == {"id": memory, "forgotten": True}
    assert engram.json("restore", memory)["version"] == 5
    assert [each["reason"] for each in engram.json("history", memory)][1:3] == ["a test", "done"]


def test_restore_goes_back_to_an_earlier_version(engram: Engram) -> None:
    memory = engram.remember("first")
    engram("update", memory, "--content", "second")
    assert engram.json("restore", memory, "--version", "1")["content"] == "first"
    assert "version" in engram.refused("restore", memory, "--version", "9")


def test_history_tells_when_who_why_and_what(engram: Engram) -> None:
    memory = engram.remember("first\nline", "--tag", "a")
    engram("update", memory, "--content", "second", "--reason", "it [bold]changed[/bold]")
    engram("update", memory, "--importance", "0.9", "--pin", "--clear", "tags")

    printed = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", engram("history", memory))

    assert printed.splitlines() == [
        "1  TIME  remember by owner",
        "   first",
        "   line",
        "2  TIME  update by owner: it [bold]changed[/bold]",
        "   second",
        "3  TIME  update by owner",
        "   tags: a → nothing",
        "   importance: 0.5 → 0.9",
        "   pinned: no → yes",
    ]
    first, *_, last = engram.json("history", memory)
    names = {"memory", "action", "author", "reason", "recorded_at", "superseded_at"}
    assert first.keys() == names
    assert (first["memory"]["version"], first["action"], first["author"]) == (
        1,
        "remember",
        "owner",
    )
    assert last["superseded_at"] is None


# purge


def test_purge_asks_first(engram: Engram) -> None:
    memory = engram.remember("text")

    refused = engram.run("purge", memory, stdin=b"n\n")
    assert (refused.code, refused.out.strip()) == (1, "")
    assert refused.err.startswith("Purge 1 memory for good? [y/N]:")
    unanswered = engram.run("purge", memory, stdin=b"")
    assert (unanswered.code, unanswered.out.strip()) == (2, "")
    assert unanswered.err.splitlines()[-1] == (
        "engram: nothing was purged, for the input ended without an answer: say --yes"
    )
    assert engram.json("get", memory)["id"] == memory

    done = engram.run("purge", memory, stdin=b"y\n")
    assert (done.code, done.out.strip()) == (0, "purged 1 memory")
    assert "there is no memory" in engram.refused("restore", memory)


def test_purge_many_without_asking(engram: Engram) -> None:
    gone = [engram.remember("one"), engram.remember("two")]
    report = engram.json("purge", *gone, "--yes", "--reason", "a wish")
    assert report == {"ids": gone, "erased": True}


def test_purge_removes_all_or_none(engram: Engram) -> None:
    memory = engram.remember("text")
    assert NOBODY in engram.refused("purge", memory, NOBODY, "--yes")
    assert engram.json("get", memory)["id"] == memory


def test_purge_says_when_bytes_stay_behind(engram: Engram) -> None:
    memory = engram.remember("text")
    with closing(apsw.Connection("notes.db")) as reader:
        reader.execute("BEGIN; SELECT count(*) FROM memories").fetchall()
        said = engram("purge", memory, "--yes")
    assert said.startswith("purged 1 memory\nanother program still reads the file")


# What is printed


@pytest.mark.parametrize(
    "content",
    [
        "[red]no markup[/red]",
        "[/] [[ \\[ ]",
        ":coffee: is no emoji",
        "https://example.org/?a=1&b=[2]",
        "ünï©ödé 日本語 🦭",
        "**bold** `code` 12345 'text'",
    ],
)
def test_a_text_is_printed_as_it_is(engram: Engram, content: str) -> None:
    memory = engram.remember(content, "--tag", content)
    assert content in engram("list")
    assert engram("get", memory).startswith(f"{content}\n\n")
    assert f"\n   {content}\n" in engram("history", memory)


def test_a_text_cannot_steer_the_terminal(engram: Engram) -> None:
    memory = engram.remember("evil \x1b[31mred\x1b[0m\x1b]0;title\x07 true\rfalse")
    for command in (["list"], ["get", memory], ["history", memory], ["recall", "evil"]):
        printed = engram(*command)
        assert not set(printed) & {"\x1b", "\x07", "\r"}


def test_a_listing_shortens_what_is_long_and_joins_lines(engram: Engram) -> None:
    memory = engram.remember("word\n\n" * 1000)
    printed = engram("list")
    assert "word word word" in printed
    assert "…" in printed
    assert len(printed.splitlines()) < 10
    assert engram("get", memory).count("word") == 1000


@pytest.mark.parametrize("columns", ["1", "20", "80", "120", "500"])
def test_lines_fit_and_ids_are_whole(
    engram: Engram, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    memory = engram.remember("word " * 100, *(f"--tag=tag{number}" for number in range(9)))
    printed = engram("list")
    assert max(map(len, printed.splitlines())) <= max(int(columns), 40)
    assert memory in re.sub(r"\s", "", printed)
    assert not re.search(r"[ \t]$", printed, re.MULTILINE)
