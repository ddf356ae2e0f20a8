from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.serve.control.ordering import page, place
from engram_lab.serve.control.records import UsageDay
from tests.serve.control.made import NOON, TODAY, api_key, furnished, tenant

if TYPE_CHECKING:
    from engram_lab.serve.control import ControlPlane
    from engram_lab.serve.control.records import Tenant

NUMBERS = st.sets(st.integers(0, 40))


def named(numbers: set[int]) -> list[Tenant]:
    return sorted((tenant(f"t{each}", name=str(each % 3)) for each in numbers), key=place)


@given(NUMBERS, NUMBERS, st.integers(1, 5))
def test_pages_show_what_stayed_once_whatever_comes_and_goes(
    before: set[int], after: set[int], limit: int
) -> None:
    first = page(named(before), limit=limit)
    shown = list(first.records)
    at = first.after
    while at is not None:
        at = tuple(json.loads(json.dumps(at)))  # as a cursor would carry it
        following = page(named(after), limit=limit, after=at)
        shown += following.records
        at = following.after
    assert len({each.slug for each in shown}) == len(shown)
    if first.after is not None:
        assert {each.slug for each in named(before & after)} <= {each.slug for each in shown}


def test_keys_are_paged_from_the_newest() -> None:
    keys = [api_key(f"k{n}", created_at=NOON + timedelta(seconds=n // 2)) for n in range(7)]
    keys.sort(key=place, reverse=True)
    first = page(keys, limit=4)
    assert [*first.records, *page(keys, limit=4, after=first.after).records] == keys
    assert page(keys, limit=7).after is None


def test_a_place_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        page(named({1, 2}), limit=1, after=(1, 2))
    with pytest.raises(InvalidInputError):
        page(named({1, 2}), limit=1, after=())
    with pytest.raises(InvalidInputError):
        place("a text")
    assert page([], limit=1, after=("anything",)).records == []


def test_every_list_comes_in_the_order_of_its_places(plane: ControlPlane) -> None:
    furnished(plane, "b", "a-b", "ab")
    view = plane.within("id-of-b")
    for number in range(12):
        view.put_member(f"user-{number}", "viewer", at=NOON + timedelta(seconds=number // 3))
        view.add_key(api_key(f"{number}", "b", created_at=NOON + timedelta(seconds=number // 3)))
    ascending = (
        plane.as_operator().tenants(),
        view.members(),
        view.invites(),
        view.workspaces(),
        view.usage(TODAY, TODAY),
    )
    for listed in ascending:
        assert [place(each) for each in listed] == sorted(place(each) for each in listed)
    for newest_first in (view.keys(), view.audit()):
        places = [place(each) for each in newest_first]
        assert places == sorted(places, reverse=True)
    assert place(UsageDay(tenant_id="t", workspace="w", day=TODAY)) == ("2026-05-01", "w")
