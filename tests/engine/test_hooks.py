"""Lifecycle hooks of coding agents: told at the start, left at the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import AccessDeniedError, ConfigError, InvalidInputError
from engram_lab.core.text import estimated_tokens
from engram_lab.engine.hooks import HOOK_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab import Engine, ManualClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
START = {
    "session_id": "s1",
    "transcript_path": "/tmp/t.jsonl",  # noqa: S108 - as agents send it
    "cwd": "/home/ada/mill",
    "hook_event_name": "SessionStart",
    "source": "startup",
}
TOOL: dict[str, Any] = {
    "session_id": "s1",
    "tool_name": "Bash",
    "tool_input": {"command": "make"},
    "tool_response": {"stdout": "built", "code": 0},
}


@pytest.fixture
def make(opened: Callable[..., Engine], clock: ManualClock) -> Iterator[Callable[..., Engine]]:
    made: list[Engine] = []

    def make_one(**hooks: Any) -> Engine:
        made.append(opened(clock=clock, embedding={"model": "none"}, hooks=hooks))
        return made[-1]

    yield make_one
    for each in made:
        each.close()


@pytest.fixture
def engine(make: Callable[..., Engine]) -> Engine:
    return make()


def end(engine: Engine, session_id: str = "s1", **options: Any) -> Any:
    return engine.hook("SessionEnd", {"session_id": session_id, "reason": "exit"}, **options)


# the start


def test_a_new_session_is_started_and_an_old_one_goes_on(
    engine: Engine, clock: ManualClock
) -> None:
    answer = engine.hook("SessionStart", START)
    clock.advance(hours=1)
    again = engine.hook("SessionStart", {**START, "source": "resume"})
    (session,) = engine.store.sessions.all()
    assert (session.id, session.workspace, session.started_at) == ("s1", "default", NOON)
    assert session.metadata == {"cwd": "/home/ada/mill", "source": "startup"}
    assert answer.session_id == again.session_id == "s1"
    assert (answer.text, again.text) == ("", "")


def test_a_session_without_a_name_gets_one(engine: Engine) -> None:
    answer = engine.hook("SessionStart", {})
    (session,) = engine.store.sessions.all()
    assert answer.session_id == session.id


def test_what_waits_is_told_once_first_in_first_out(engine: Engine) -> None:
    for text in ("the mill is closed", "the quay is open"):
        engine.store.injections.put(text)
    answer = engine.hook("SessionStart", START)
    assert answer.text == "Left for this session:\nthe mill is closed\nthe quay is open"
    assert [each.content for each in answer.taken] == ["the mill is closed", "the quay is open"]
    assert engine.hook("SessionStart", {"session_id": "s2"}).text == ""


def test_what_waits_too_long_is_told_to_nobody(engine: Engine, clock: ManualClock) -> None:
    engine.store.injections.put("soon", ttl_s=60)
    clock.advance(seconds=60)
    assert engine.hook("SessionStart", START).text == ""


def test_what_waits_for_another_workspace_is_left_there(engine: Engine) -> None:
    engine.store.injections.put("for cooks", workspace="kitchen")
    assert engine.hook("SessionStart", START).text == ""
    told = engine.hook("SessionStart", {"session_id": "s2"}, workspace="kitchen")
    assert told.text.endswith("for cooks")
    assert engine.store.sessions.get("s2").workspace == "kitchen"


def test_pinned_and_important_memories_are_told(engine: Engine) -> None:
    engine.remember("small talk", importance=0.5)
    important = engine.remember("the dam\nleaks", importance=0.9).id
    more = engine.remember("the dam is old", importance=0.95).id
    pinned = engine.remember("tabs, no spaces", importance=0.1, pinned=True).id
    engine.remember("for cooks", importance=1, workspace="kitchen")
    engine.remember("the dam held", importance=1, valid_to=NOON)
    engine.remember("put away", importance=1, lifecycle="archived")
    engine.remember("known <private>code 4711</private>", importance=0.8)
    answer = engine.hook("SessionStart", START)
    assert answer.text.splitlines() == [
        "Known of this workspace:",
        "- tabs, no spaces",
        "- the dam is old",
        "- the dam leaks",
        "- known",
    ]
    assert answer.shown[:3] == (pinned, more, important)
    assert "4711" not in answer.text


def test_only_what_all_of_the_workspace_may_read_is_told(engine: Engine) -> None:
    engine.store.workspaces.put("shared", scope="global/org:a")
    for scope in ("global", "global/org:a", "global/org:ab", "global/org:a/agent:x"):
        engine.remember(f"in {scope}", pinned=True, workspace="shared", scope=scope)
    answer = engine.hook("SessionStart", START, workspace="shared")
    assert sorted(answer.text.splitlines()[1:]) == ["- in global", "- in global/org:a"]
    left = end(engine).left
    assert left is None or "org:ab" not in left.content


def test_memories_fill_the_tokens_that_are_set_and_no_more(make: Callable[..., Engine]) -> None:
    engine = make(start_budget=20)
    for number in range(9):
        engine.remember(f"fact {number} about the mill on the river", importance=0.9)
    engine.remember("long " * 50, importance=1)
    answer = engine.hook("SessionStart", START)
    lines = answer.text.splitlines()[1:]
    assert 1 <= len(lines) == len(answer.shown)
    assert sum(map(estimated_tokens, lines)) <= 20
    assert not any("long" in line for line in lines)


def test_what_was_left_is_told_whole_however_long(make: Callable[..., Engine]) -> None:
    engine = make(start_budget=0)
    engine.remember("pinned", pinned=True)
    engine.store.injections.put("word " * 500)
    assert engine.hook("SessionStart", START).text.count("word") == 500


def test_what_cannot_be_told_is_not_taken(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.store.injections.put("precious")

    def fail(**_: Any) -> Any:
        raise KeyError

    with monkeypatch.context() as patched:
        patched.setattr(engine, "select", fail)
        with pytest.raises(KeyError):
            engine.hook("SessionStart", START)
    assert engine.store.sessions.all() == []
    assert "precious" in engine.hook("SessionStart", START).text


# the end


def test_a_session_leaves_a_digest_to_the_next(engine: Engine, clock: ManualClock) -> None:
    engine.remember("before the session", importance=1)
    clock.advance(minutes=1)
    engine.hook("SessionStart", START)
    clock.advance(minutes=1)
    engine.remember("The gate opens at six. It is oiled weekly.", importance=0.6)
    engine.remember("Bo has the key", session_id="s1")
    engine.remember("of another session", session_id="s2", importance=1)
    engine.remember("for cooks", workspace="kitchen")
    answer = end(engine)
    assert answer.left.content.splitlines() == [
        "From the session that ended on 2026-01-01:",
        "- The gate opens at six.",
        "- Bo has the key",
    ]
    assert answer.left.source == "hook:SessionEnd"
    assert answer.left.expires_at - answer.left.created_at == timedelta(days=7)
    assert engine.store.sessions.get("s1").ended_at == NOON + timedelta(minutes=2)

    told = engine.hook("SessionStart", {"session_id": "s3"})
    assert "The gate opens at six." in told.text
    assert "The gate opens at six." not in engine.hook("SessionStart", {"session_id": "s4"}).text


def test_a_session_in_which_nothing_was_remembered_leaves_nothing(engine: Engine) -> None:
    engine.hook("SessionStart", START)
    assert end(engine).left is None
    assert engine.store.injections.waiting() == []


def test_a_session_that_ends_twice_tells_what_is_new_alone(
    engine: Engine, clock: ManualClock
) -> None:
    engine.hook("SessionStart", START)
    engine.remember("first")
    assert "first" in end(engine).left.content
    assert end(engine).left is None
    clock.advance(minutes=1)
    engine.remember("second")
    assert end(engine).left.content.splitlines()[1:] == ["- second"]


def test_a_session_that_nobody_started_ends(engine: Engine) -> None:
    engine.remember("in it", session_id="s1")
    engine.remember("not in it")
    assert "in it" in end(engine).left.content
    assert engine.store.sessions.get("s1").ended_at == NOON


def test_the_end_is_told_to_the_workspace_of_the_session(engine: Engine) -> None:
    engine.hook("SessionStart", START, workspace="kitchen")
    engine.remember("soup", workspace="kitchen")
    assert end(engine).left.workspace == "kitchen"


def test_a_digest_keeps_to_its_tokens_and_takes_what_matters(make: Callable[..., Engine]) -> None:
    engine = make(digest_budget=30, digest_days=0.5)
    engine.hook("SessionStart", START)
    for number in range(10):
        engine.remember(f"number {number} of ten", importance=number / 10)
    engine.remember("pinned though small", importance=0, pinned=True)
    left = end(engine).left
    lines = left.content.splitlines()[1:]
    assert sum(map(estimated_tokens, left.content.splitlines())) <= 30
    assert lines == ["- number 8 of ten", "- number 9 of ten", "- pinned though small"]
    assert left.expires_at == NOON + timedelta(hours=12)


def test_the_same_words_are_digested_once(engine: Engine) -> None:
    engine.hook("SessionStart", START)
    engine.remember("twice", dedup="allow")
    engine.remember("Twice", dedup="allow")
    assert len(end(engine).left.content.splitlines()) == 2


def test_no_digest_where_it_is_switched_off(make: Callable[..., Engine]) -> None:
    engine = make(digest_budget=0)
    engine.hook("SessionStart", START)
    engine.remember("anything")
    assert end(engine).left is None


def test_a_digest_says_nothing_private(engine: Engine) -> None:
    engine.hook("SessionStart", START)
    engine.remember("<private>4711</private> is the code")
    engine.remember("<private>all of it</private>")
    assert end(engine).left.content.splitlines()[1:] == ["- is the code"]


# tools


def test_tools_are_remembered_only_if_that_is_wished(engine: Engine) -> None:
    answer = engine.hook("PostToolUse", TOOL)
    assert (answer.remembered, engine.count()) == ((), 0)


def test_what_a_tool_answered_is_an_episode_of_the_day(
    make: Callable[..., Engine], clock: ManualClock
) -> None:
    engine = make(remember_tools=True)
    (id_,) = engine.hook("PostToolUse", TOOL).remembered
    memory = engine.get(id_)
    assert memory.content == 'Bash({"command":"make"})\n{"stdout":"built","code":0}'
    assert (memory.type, memory.tier, memory.session_id) == ("episodic", "daily", "s1")
    assert (memory.source, memory.metadata["tool"]) == ("hook:PostToolUse", "Bash")
    assert engine.hook("PostToolUse", TOOL).remembered == (id_,)
    clock.advance(days=2)
    assert engine.count() == 0


def test_a_long_answer_keeps_its_beginning_and_its_end(make: Callable[..., Engine]) -> None:
    engine = make(remember_tools=True, tool_chars=100)
    given = {**TOOL, "tool_response": f"begin {'x' * 500} error: no wheel"}
    (id_,) = engine.hook("PostToolUse", given).remembered
    content = engine.get(id_).content
    assert len(content) <= 100
    assert content.startswith('Bash({"command":"make"})\nbegin')
    assert content.endswith("error: no wheel")


def test_a_tool_without_input_or_answer(make: Callable[..., Engine]) -> None:
    engine = make(remember_tools=True)
    (id_,) = engine.hook("PostToolUse", {"tool_name": "Clock"}).remembered
    assert engine.get(id_).content == "Clock()"


def test_a_tool_s_answer_stands_in_the_scope_of_its_session(make: Callable[..., Engine]) -> None:
    engine = make(remember_tools=True)
    engine.store.sessions.start("s1", workspace="kitchen", scope="global/org:a")
    (id_,) = engine.hook("PostToolUse", TOOL).remembered
    memory = engine.get(id_)
    assert (memory.workspace, memory.scope) == ("kitchen", "global/org:a")


# the rest


def test_stopping_stores_what_waits(engine: Engine) -> None:
    engine.remember("tea")
    engine.recall("tea")
    assert engine.store.events.since() == []
    answer = engine.hook("Stop", {"session_id": "s1", "stop_hook_active": False})
    assert len(engine.store.events.since()) == 1
    assert (answer.text, answer.session_id) == ("", "s1")


@pytest.mark.parametrize(
    ("event", "payload", "said"),
    [
        ("Start", {}, "event is 'Start': allowed are SessionStart, SessionEnd, PostToolUse, Stop"),
        ("Stop", [], "the payload is a list: give an object"),
        ("Stop", None, "the payload is a NoneType: give an object"),
        ("Stop", {"session_id": 7}, "session_id is '7': give a text that is not empty"),
        ("Stop", {"session_id": ""}, "session_id is '': give a text that is not empty"),
        ("Stop", {"session_id": "a\0b"}, "session_id holds control characters"),
        ("SessionStart", {"cwd": ["/"]}, "cwd is .*: give a text"),
        ("SessionEnd", START, "the payload is of 'SessionStart', not of SessionEnd"),
        ("SessionEnd", {}, "the payload has no session_id: SessionEnd needs one"),
        ("PostToolUse", {}, "the payload has no tool_name: PostToolUse needs one"),
    ],
)
def test_a_malformed_hook_is_refused_in_a_sentence(
    engine: Engine, event: str, payload: Any, said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        engine.hook(event, payload)
    assert engine.store.sessions.all() == []


def test_a_tool_s_answer_that_is_no_json_is_refused(make: Callable[..., Engine]) -> None:
    engine = make(remember_tools=True)
    with pytest.raises(InvalidInputError, match="which is no JSON"):
        engine.hook("PostToolUse", {**TOOL, "tool_response": object()})


def test_a_malformed_workspace_is_refused(engine: Engine) -> None:
    for event in HOOK_EVENTS:
        with pytest.raises(InvalidInputError, match="workspace is 'A B'"):
            engine.hook(event, {**TOOL}, workspace="A B")


def test_hooks_are_answered_to_the_owner(engine: Engine) -> None:
    agent = engine.as_agent("coder", "global/org:a")
    with pytest.raises(AccessDeniedError):
        agent.hook("SessionStart", START)


def test_impossible_settings_are_refused(make: Callable[..., Engine]) -> None:
    for name, value in {"start_budget": -1, "digest_days": 0, "tool_chars": 0}.items():
        with pytest.raises(ConfigError, match=f"hooks.{name} is {value}: allowed"):
            make(**{name: value})
