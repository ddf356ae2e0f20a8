"""Several threads and processes on one control plane."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import ConflictError, EngramError, NotFoundError
from tests.serve.control.beside import ENTRIES, EVENTS, in_processes
from tests.serve.control.made import NOON, TODAY, entry, furnished, invite, tenant, usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.serve.control import ControlPlane
    from tests.serve.control.conftest import Making

OWNERS = {"ann", "bob"}


def at_once(*works: Callable[[], object]) -> list[object]:
    """Do all at the same moment; return what each returned or raised of our own errors."""
    together = threading.Barrier(len(works))

    def begin(work: Callable[[], object]) -> object:
        together.wait(10)
        try:
            return work()
        except EngramError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begin, works))


def test_two_processes_count_each_request_once_and_fork_no_chain(
    making: Making, plane: ControlPlane
) -> None:
    for name in ("acme", "beta"):
        plane.as_operator().add_tenant(tenant(name))
    assert sum(in_processes(making, 2)) == EVENTS * 2
    operator = plane.as_operator()
    for name in ("acme", "beta"):
        days = plane.within(f"id-of-{name}").usage(TODAY, TODAY)
        assert [(each.workspace, each.api_calls) for each in days] == [
            (f"w{number}", EVENTS // 3) for number in range(3)
        ]
        assert operator.roll_up(TODAY) == 6
        assert plane.within(f"id-of-{name}").usage(TODAY, TODAY) == days
    for chain in ("id-of-acme", "id-of-beta", None):
        assert operator.broken_chain(chain) is None
        written = operator.audit(chain, limit=1_000)
        assert [each.number for each in written] == list(range(2 * ENTRIES, 0, -1))
        for number in range(2):  # each process told its own in order
            own = [each.id for each in written if each.id.startswith(f"entry-{number}-")]
            assert own == [f"entry-{number}-{n}" for n in reversed(range(ENTRIES))]


def test_threads_share_a_plane(plane: ControlPlane) -> None:
    furnished(plane, "acme")
    view = plane.within("id-of-acme", user_id="owner-of-acme")

    def work(number: int) -> None:
        for n in range(5):
            plane.record_usage([usage(100 + n), usage(200 + number * 5 + n)])
            plane.record_audit([entry(f"{number}-{n}"), entry(f"{number}-{n}", None)])
            view.put_member(f"user-{number}-{n}", "viewer", at=NOON)
            assert plane.member("id-of-acme", f"user-{number}-{n}") is not None
            plane.revision()

    assert at_once(*(lambda number=n: work(number) for n in range(6))) == [None] * 6
    assert view.usage(TODAY, TODAY)[0].api_calls == 3 + 5 + 30
    assert len(view.members()) == 31
    assert plane.as_operator().broken_chain("id-of-acme") is None
    assert plane.as_operator().audit(None, limit=1)[0].number == 30


@pytest.mark.parametrize("way", ["leave", "step down", "both"])
def test_of_two_owners_who_go_at_once_one_stays(
    making: Making, plane: ControlPlane, way: str
) -> None:
    plane.as_operator().add_tenant(tenant("acme"))
    views = [plane.within("id-of-acme"), making().within("id-of-acme")]
    leave: list[Callable[[], Any]] = [
        lambda: views[0].remove_member("ann"),
        lambda: views[1].remove_member("bob"),
    ]
    step_down: list[Callable[[], Any]] = [
        lambda: views[0].put_member("ann", "viewer", at=NOON),
        lambda: views[1].put_member("bob", "viewer", at=NOON),
    ]
    goes = {"leave": leave, "step down": step_down, "both": [leave[0], step_down[1]]}[way]
    for _ in range(8):
        for name in OWNERS:
            views[0].put_member(name, "owner", at=NOON)
        told = at_once(*goes)
        assert sum(isinstance(each, ConflictError) for each in told) == 1
        owners = [each.user_id for each in views[0].members() if each.role == "owner"]
        assert len(owners) == 1


def test_an_invitation_is_accepted_once_however_many_try(
    making: Making, plane: ControlPlane
) -> None:
    plane.as_operator().add_tenant(tenant("acme"))
    views = [plane.within("id-of-acme"), making().within("id-of-acme")]
    for number in range(6):
        views[0].add_invite(invite(f"i{number}"))
        told = at_once(
            *(
                lambda view=view, name=name: view.accept_invite(f"invite-i{number}", name, at=NOON)  # noqa: B023
                for name, view in (("eve", views[0]), ("mal", views[1]))
            )
        )
        assert sum(isinstance(each, ConflictError) for each in told) == 1
        (joined,) = views[0].members()
        views[0].remove_member(joined.user_id)


def test_a_slug_is_taken_by_one_of_two(making: Making, plane: ControlPlane) -> None:
    operators = [plane.as_operator(), making().as_operator()]
    for number in range(6):
        told = at_once(
            *(
                lambda of=of, id_=id_: of.add_tenant(tenant(f"t{number}", id=f"{id_}{number}"))  # noqa: B023
                for id_, of in zip("ab", operators, strict=True)
            )
        )
        assert sorted(isinstance(each, ConflictError) for each in told) == [False, True]


def test_a_roll_up_meanwhile_loses_nothing(making: Making, plane: ControlPlane) -> None:
    plane.as_operator().add_tenant(tenant("acme"))
    other = making()

    def tell() -> None:
        for number in range(40):
            other.record_usage([usage(number)])

    def sum_up() -> None:
        for _ in range(20):
            plane.as_operator().roll_up(TODAY)

    assert at_once(tell, sum_up) == [None, None]
    assert plane.within("id-of-acme").usage(TODAY, TODAY)[0].api_calls == 40


def test_a_purge_meanwhile_leaves_no_part_of_a_tenant(making: Making, plane: ControlPlane) -> None:
    other = making()
    for number in range(4):
        name = f"t{number}"
        furnished(plane, name)
        plane.as_operator().update_tenant(f"id-of-{name}", state="deleted")

        def tell(name: str = name) -> None:
            for n in range(10, 20):
                other.record_usage([usage(n, name)])

        def join(name: str = name) -> None:
            other.within(f"id-of-{name}").put_member("eve", "viewer", at=NOON)

        def purge(name: str = name) -> None:
            plane.as_operator().purge_tenant(f"id-of-{name}")

        told = at_once(tell, join, purge)
        assert told[0] is told[2] is None
        assert told[1] is None or isinstance(told[1], NotFoundError)
        view = plane.within(f"id-of-{name}")
        assert plane.tenant(f"id-of-{name}") is None
        assert view.members() == []
        assert view.usage(TODAY, TODAY) == []


def test_two_that_open_at_once_make_one_schema(making: Making) -> None:
    told = at_once(making, making, making)
    assert not [each for each in told if isinstance(each, Exception)]
    furnished(making.opened[0], "acme")
    assert [each.tenant_by_slug("acme") for each in making.opened] == [tenant("acme")] * 3
