from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Engram


def sent(event: str, **fields: Any) -> bytes:
    payload = {"hook_event_name": event, "session_id": "s1", "cwd": "/home/ada", **fields}
    return json.dumps(payload).encode()


def test_a_session_leaves_what_the_next_is_told(engram: Engram) -> None:
    assert engram("hook", "SessionStart", stdin=sent("SessionStart")) == ""
    assert Path("notes.db").exists()
    engram("remember", "The gate opens at six.")
    assert engram("hook", "SessionEnd", stdin=sent("SessionEnd")) == ""
    told = engram("hook", "SessionStart", stdin=sent("SessionStart", session_id="s2"))
    assert told.splitlines()[0] == "Left for this session:"
    assert told.splitlines()[-1] == "- The gate opens at six."
    assert engram("hook", "SessionStart", stdin=sent("SessionStart", session_id="s3")) == ""


def test_a_hook_tells_all_as_json(engram: Engram) -> None:
    engram("inject", "mind the gap")
    answer = engram.json("hook", "SessionStart", stdin=sent("SessionStart"))
    assert answer["text"] == "Left for this session:\nmind the gap"
    assert answer["taken"][0]["content"] == "mind the gap"
    assert (answer["session_id"], answer["workspace"]) == ("s1", "default")


def test_a_tool_s_answer_is_remembered_if_that_is_set(engram: Engram) -> None:
    given = sent("PostToolUse", tool_name="Bash", tool_input={}, tool_response="built")
    assert engram.json("hook", "PostToolUse", stdin=given)["remembered"] == []
    on = ("--set", "hooks.remember_tools=true", "--workspace", "kitchen")
    (id_,) = engram.json("hook", "PostToolUse", *on, stdin=given)["remembered"]
    memory = engram.json("get", id_)
    assert (memory["content"], memory["workspace"]) == ("Bash({})\nbuilt", "kitchen")


def test_stop_says_nothing(engram: Engram) -> None:
    assert engram("hook", "Stop", stdin=sent("Stop", stop_hook_active=False)) == ""


@pytest.mark.parametrize(
    ("event", "stdin", "said"),
    [
        ("Stop", b"", "standard input is no JSON: "),
        ("Stop", b"[1]", "the payload is a list: give an object"),
        ("Stop", b'{"session_id": 3}', "session_id is '3': give a text"),
        ("Stop", b"\xff", "standard input is no text in UTF-8"),
        ("Wake", b"{}", "event is 'Wake': allowed are SessionStart"),
        ("Stop", sent("SessionEnd"), "the payload is of 'SessionEnd', not of Stop"),
    ],
)
def test_a_malformed_hook_is_one_sentence(
    engram: Engram, event: str, stdin: bytes, said: str
) -> None:
    assert engram.refused("hook", event, stdin=stdin).startswith(said)


def test_what_is_injected_waits_in_order(engram: Engram) -> None:
    first = engram("inject", "first").strip()
    second = engram.json("inject", "-", "--ttl-hours", "48", stdin=b"second\n")
    engram("inject", "elsewhere", "--workspace", "kitchen")
    waiting = engram.json("injections")
    assert [each["id"] for each in waiting] == [first, second["id"]]
    assert [each["content"] for each in waiting] == ["first", "second"]
    assert [each["source"] for each in waiting] == ["cli", "cli"]
    lines = engram("injections").splitlines()
    assert lines[0].split()[2:] == ["cli", "first"]
    assert "until" in lines[1]
    assert engram("injections", "--workspace", "empty") == "nothing waits\n"


def test_what_is_not_injected(engram: Engram) -> None:
    assert "content is empty" in engram.refused("inject", " ")
    assert "workspace is 'A B'" in engram.refused("inject", "text", "--workspace", "A B")
    assert "ttl_s is" in engram.refused("inject", "text", "--ttl-hours", "0")
    assert "there is no database" in engram.refused("injections", "--db", "none.db")
