"""Tier, expiry, validity, and what a revision may change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engram_lab.core.drafts import DRAFT_FIELDS, Drafter
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.settings import StoreSettings
from engram_lab.core.text import content_hash
from engram_lab.core.types import Memory

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
OTHER_ID = "01890a5d-ac96-774b-bcce-b302099a8058"
DRAFTER = Drafter(StoreSettings(daily_ttl_hours=24.0))
MAY_BE_CLEARED = {
    "tags", "metadata", "event_at", "valid_from", "valid_to", "media_url", "session_id",
    "agent_id", "source", "snapshot_origin", "snapshot_loaded_at",
}  # fmt: skip


def draft(**given: Any) -> Memory:
    return Memory(**DRAFTER.draft({"content": "tea", **given}, id=ID, scope="global", at=NOW))


def revise(memory: Memory, **changes: Any) -> Memory:
    return DRAFTER.revise(memory, changes, at=NOW)


def test_a_permanent_memory_never_expires() -> None:
    assert draft(tier="permanent").expires_at is None
    with pytest.raises(InvalidInputError, match="a permanent memory never expires"):
        draft(tier="permanent", expires_at=NOW + DAY)


def test_a_daily_memory_expires_after_a_day_unless_told() -> None:
    assert draft(tier="daily").expires_at == NOW + DAY
    assert draft(tier="daily", expires_at=NOW + 2 * DAY).expires_at == NOW + 2 * DAY


def test_an_expiry_makes_a_memory_daily() -> None:
    assert draft(expires_at=NOW + DAY).tier == "daily"


@pytest.mark.parametrize("expires_at", [NOW, NOW - DAY, "2020-01-01"])
def test_nobody_would_see_what_has_expired_already(expires_at: object) -> None:
    with pytest.raises(InvalidInputError, match="is not after the present"):
        draft(expires_at=expires_at)
    with pytest.raises(InvalidInputError, match="is not after the present"):
        revise(draft(), expires_at=expires_at)


def test_a_validity_ends_after_it_begins() -> None:
    assert draft(valid_from=NOW, valid_to=NOW).valid_to == NOW
    with pytest.raises(InvalidInputError, match=r"valid_to \(2026-01-01 00:00\) is before"):
        draft(valid_from=NOW + DAY, valid_to=NOW)


def test_times_come_in_any_zone_and_as_text() -> None:
    memory = draft(event_at="2026-01-01T02:00:00+02:00", valid_from="2026-01-01")
    assert (memory.event_at, memory.valid_from) == (NOW, NOW)


def test_a_revision_changes_what_is_given_and_nothing_else() -> None:
    memory = draft(tags=["a"], metadata={"cups": 2}, source="chat")
    changed = revise(memory, tags=["b"], importance=1)

    assert changed.tags == ("b",)
    assert changed.importance == 1.0
    assert memory == revise(changed, tags=["a"], importance=0.5)


def test_new_content_has_a_new_hash() -> None:
    assert content_hash("coffee") == revise(draft(), content="coffee").content_hash


@pytest.mark.parametrize("name", sorted(set(DRAFT_FIELDS) - {"id", "expires_at"}))
def test_none_clears_what_may_be_empty(name: str) -> None:
    full = draft(tags=["a"], metadata={"a": 1}, source="chat", event_at=NOW)
    if name in MAY_BE_CLEARED:
        assert not getattr(revise(full, **{name: None}), name)
    else:
        with pytest.raises(InvalidInputError, match=f"{name} cannot be cleared"):
            revise(full, **{name: None})


def test_the_id_never_changes() -> None:
    memory = draft()
    assert memory == revise(memory, id=ID)
    with pytest.raises(InvalidInputError, match="the id of a memory never changes"):
        revise(memory, id=OTHER_ID)


def test_promotion_clears_the_expiry() -> None:
    promoted = revise(draft(tier="daily"), tier="permanent")
    assert (promoted.tier, promoted.expires_at) == ("permanent", None)


def test_a_memory_made_daily_expires_a_day_from_then() -> None:
    later = NOW + 5 * DAY
    demoted = DRAFTER.revise(draft(), {"tier": "daily"}, at=later)
    assert ("daily", later + DAY) == (demoted.tier, demoted.expires_at)


def test_a_daily_memory_that_stays_daily_keeps_its_expiry() -> None:
    memory = draft(expires_at=NOW + 9 * DAY)
    assert revise(memory, tier="daily").expires_at == NOW + 9 * DAY
    assert revise(memory, content="coffee").expires_at == NOW + 9 * DAY


def test_a_permanent_memory_given_an_expiry_becomes_daily() -> None:
    assert revise(draft(), expires_at=NOW + DAY).tier == "daily"


@pytest.mark.parametrize(
    "changes",
    [{"expires_at": None}, {"tier": "daily", "expires_at": None}],
)
def test_a_daily_memory_does_not_lose_its_expiry(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="a daily memory expires"):
        revise(draft(tier="daily"), **changes)


def test_tier_and_expiry_may_not_contradict_in_a_revision() -> None:
    with pytest.raises(InvalidInputError, match="a permanent memory never expires"):
        revise(draft(), tier="permanent", expires_at=NOW + DAY)


def test_a_validity_is_checked_against_the_end_that_stays() -> None:
    memory = draft(valid_from=NOW)
    with pytest.raises(InvalidInputError, match="is before valid_from"):
        revise(memory, valid_to=NOW - DAY)
    assert revise(memory, valid_to=NOW - DAY, valid_from=None).valid_to == NOW - DAY


@pytest.mark.parametrize("changes", ["content", [("content", "x")], None, 7])
def test_changes_are_an_object(changes: Any) -> None:
    with pytest.raises(InvalidInputError, match="changes are an object"):
        DRAFTER.revise(draft(), changes, at=NOW)
