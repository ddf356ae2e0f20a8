from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.checks import check_label, check_number, check_workspace
from engram_lab.core.drafts import DRAFT_FIELDS, Drafter, fields_of
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.ids import IdSource
from engram_lab.core.settings import StoreSettings
from engram_lab.core.text import content_hash
from engram_lab.core.types import LIFECYCLES, MEMORY_TYPES, TIERS, Memory

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
DRAFTER = Drafter(
    StoreSettings(max_content_chars=20, max_metadata_bytes=50, max_tags=3, daily_ttl_hours=24.0)
)


def draft(**given: Any) -> Memory:
    return Memory(**DRAFTER.draft({"content": "tea", **given}, id=ID, scope="global/org:a", at=NOW))


def refused(**given: Any) -> str:
    with pytest.raises(InvalidInputError) as raised:
        draft(**given)
    return str(raised.value)


def test_a_draft_needs_no_more_than_content() -> None:
    expected = Memory(
        id=ID,
        content="tea",
        type="note",
        tags=(),
        metadata={},
        importance=0.5,
        workspace="default",
        scope="global/org:a",
        tier="permanent",
        created_at=NOW,
        updated_at=NOW,
        access_count=0,
        lifecycle="active",
        pinned=False,
        version=1,
        content_hash=content_hash("tea"),
    )
    assert expected == draft()
    assert expected == draft(tags=None, importance=None, expires_at=None)


def test_every_field_a_user_may_give_is_kept() -> None:
    given_fields = {
        "id": IdSource(1).new(NOW),
        "content": "green tea",
        "type": "recipe",
        "tags": ("b", "a"),
        "metadata": {"cups": 2},
        "importance": 1.0,
        "workspace": "kitchen",
        "scope": "global/org:b",
        "tier": "daily",
        "event_at": NOW - DAY,
        "valid_from": NOW - DAY,
        "valid_to": NOW,
        "expires_at": NOW + DAY,
        "lifecycle": "stale",
        "pinned": True,
        "media_url": "https://example.org/tea.png",
        "session_id": "s",
        "agent_id": "a",
        "source": "chat",
        "snapshot_origin": "old.egm",
        "snapshot_loaded_at": NOW,
    }
    assert set(DRAFT_FIELDS) == set(given_fields)
    memory = draft(**given_fields)
    assert given_fields == {name: getattr(memory, name) for name in given_fields}


@pytest.mark.parametrize("name", ["content", "type", "tags", "metadata", "importance", "pinned"])
@pytest.mark.parametrize("value", [object(), 1j, b"x"])
def test_another_type_is_refused_with_the_fields_name(name: str, value: object) -> None:
    assert name in refused(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("contents", "x"), ("", "x"), ("id; DROP", "x")])
def test_an_unknown_field_is_refused_with_the_known_ones(name: str, value: object) -> None:
    assert f"{name!r} is no field of a memory: allowed are id, content," in refused(**{name: value})


@pytest.mark.parametrize(
    "name", ["created_at", "updated_at", "version", "access_count", "content_hash", "forgotten_at"]
)
def test_what_the_store_keeps_cannot_be_given(name: str) -> None:
    assert f"{name} is kept by the store" in refused(**{name: 1})


@pytest.mark.parametrize("content", ["", "   ", "\n\t", "\x00\x01", "\u2003"])
def test_content_is_not_empty(content: str) -> None:
    assert refused(content=content) == "content is empty: a memory needs a text"


def test_content_may_not_be_left_out() -> None:
    with pytest.raises(InvalidInputError, match="content is missing"):
        DRAFTER.draft({"type": "note"}, id=ID, scope="global", at=NOW)


def test_content_has_a_limit_in_characters() -> None:
    assert draft(content="é" * 20).content == "é" * 20
    assert "content has 21 characters: at most 20 are allowed" in refused(content="é" * 21)


def test_control_characters_leave_content_and_line_breaks_stay() -> None:
    assert draft(content="a\x00b\tc\r\nd\x85").content == "ab\tc\r\nd"


def test_private_sections_are_kept_in_content() -> None:
    memory = draft(content="<private>x</private>")
    assert memory.content == "<private>x</private>"
    assert DRAFTER.prepare(fields_of(memory)).public_content == ""
    assert DRAFTER.prepare(fields_of(draft())).public_content is None


def test_tags_keep_their_order_without_repetition() -> None:
    assert draft(tags=["b", "a", "b"]).tags == ("b", "a")
    assert draft(tags=("b", "a")).tags == ("b", "a")


def test_a_set_of_tags_has_one_order() -> None:
    assert draft(tags={"b", "c", "a"}).tags == ("a", "b", "c")
    assert draft(tags=frozenset({"b", "a"})).tags == ("a", "b")


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ("taste", "tags is 'taste': give a list of texts"),
        ({"a": 1}, "give a list of texts"),
        ([""], "tag has 0 characters: allowed are 1 to 128"),
        (["  "], "allowed are 1 to 128"),
        (["a" * 129], "tag has 129 characters: allowed are 1 to 128"),
        (["a\nb\x00"], "tag holds control characters"),
        ([1], "tag is a int: give a text"),
        ([None], "tag is a NoneType: give a text"),
        ({1, "a"}, "tag is a int"),
        (["\ud800"], "tag holds a lone surrogate"),
        (["a", "b", "c", "d"], "there are 4 tags: at most 3 are allowed"),
    ],
)
def test_tags_are_short_texts(tags: object, reason: str) -> None:
    assert reason in refused(tags=tags)


@pytest.mark.parametrize("importance", [0, 1, 0.0, 0.25, 1.0, 5e-324])
def test_importance_goes_from_0_to_1(importance: float) -> None:
    assert importance == draft(importance=importance).importance
    assert type(draft(importance=importance).importance) is float


@pytest.mark.parametrize(
    "importance", [-0.1, 1.01, math.nan, math.inf, -math.inf, True, "0.5", [0.5], 10**400]
)
def test_other_importance_is_refused(importance: object) -> None:
    assert "importance is" in refused(importance=importance)
    assert "give a number from 0 to 1" in refused(importance=importance)


@pytest.mark.parametrize("workspace", ["default", "a", "a-b_c", "0", "-", "a" * 64])
def test_a_workspace_has_a_plain_name(workspace: str) -> None:
    assert workspace == check_workspace(workspace)
    assert workspace == draft(workspace=workspace).workspace


@pytest.mark.parametrize(
    "workspace",
    ["", "_x", "_system", "_archive", "A", "a b", "a/b", "ä", "a\n", "a" * 65, 7, ["a"], {"a": 1}],
)
def test_another_workspace_is_refused_with_the_rule(workspace: object) -> None:
    assert "give 1 to 64 of a-z, 0-9, _ and -" in refused(workspace=workspace)


@pytest.mark.parametrize("choices", [("tier", TIERS), ("lifecycle", LIFECYCLES)])
@pytest.mark.parametrize("value", ["weekly", "", "Active", 1, ["daily"]])
def test_a_choice_is_refused_with_the_choices(choices: tuple[str, Any], value: object) -> None:
    name, allowed = choices
    assert f"allowed are {', '.join(allowed)}" in refused(**{name: value})


@pytest.mark.parametrize("pinned", [0, 1, "true", "no", []])
def test_pinned_is_true_or_false(pinned: object) -> None:
    assert "give true or false" in refused(pinned=pinned)


@pytest.mark.parametrize("name", [*MEMORY_TYPES, "recipe", "a type of my own"])
def test_the_type_is_open_text(name: str) -> None:
    assert name == draft(type=name).type


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("type", 64),
        ("session_id", 256),
        ("agent_id", 256),
        ("source", 1024),
        ("snapshot_origin", 1024),
        ("media_url", 4096),
    ],
)
def test_a_label_has_a_limit_and_is_not_empty(name: str, limit: int) -> None:
    assert getattr(draft(**{name: "x" * limit}), name) == "x" * limit
    too_long = f"{name} has {limit + 1} characters: allowed are 1 to {limit}"
    assert too_long == refused(**{name: "x" * (limit + 1)})
    assert "has 0 characters" in refused(**{name: ""})
    assert "holds control characters" in refused(**{name: "a\x1bb"})


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"])).filter(str.strip))
def test_a_label_is_kept_exactly(label: str) -> None:
    assert label == check_label(label, field="source", limit=len(label))


def test_metadata_may_come_as_json_text() -> None:
    assert draft(metadata='{"cups": 2}').metadata == {"cups": 2}
    assert "metadata is a text but no JSON" in refused(metadata="{cups: 2}")
    assert "metadata is a list: give an object" in refused(metadata="[1]")
    assert "metadata is a list: give an object" in refused(metadata=[("a", 1)])


def test_metadata_is_measured_when_it_is_made_ready_to_store() -> None:
    memory = draft(metadata={"a": "x" * 50})
    with pytest.raises(InvalidInputError, match="at most 50 are allowed"):
        DRAFTER.prepare(fields_of(memory))


def test_a_draft_does_not_share_its_metadata_with_the_giver() -> None:
    mine = {"cups": 2}
    memory = draft(metadata=mine)
    mine["cups"] = 3
    assert memory.metadata == {"cups": 2}


@given(st.floats() | st.integers() | st.booleans())
def test_check_number_takes_what_lies_from_0_to_1(value: float) -> None:
    fits = not isinstance(value, bool) and 0 <= value <= 1
    try:
        assert check_number(value, field="weight") == value
    except InvalidInputError:
        assert not fits
    else:
        assert fits


@pytest.mark.parametrize("text", ['{"n": 1180591620717411303424}', '{"n": NaN}', '{"n": 1e999}'])
def test_a_number_in_metadata_text_is_kept_exactly_or_refused(text: str) -> None:
    fields = DRAFTER.draft({"content": "tea", "metadata": text}, id=ID, scope="global", at=NOW)
    with pytest.raises(InvalidInputError, match=r"metadata\.n is"):
        DRAFTER.prepare(fields)
