"""The chain of the audit: what it seals, and which tampering is seen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram_lab.core.clock import to_us
from engram_lab.serve.control.chain import GENESIS, Head, first_fault, hash_of, sealed, storable
from engram_lab.serve.control.records import AuditEntry
from tests.serve.control.made import NOON, entry, tenant

if TYPE_CHECKING:
    from engram_lab.serve.control import ControlPlane

TEXTS = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ENTRIES = st.builds(
    AuditEntry,
    id=TEXTS,
    tenant_id=st.just("t"),
    at=st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)).map(  # noqa: DTZ001
        lambda naive: naive.replace(tzinfo=NOON.tzinfo)
    ),
    kind=TEXTS,
    actor=TEXTS,
    target=st.none() | TEXTS,
    outcome=TEXTS,
    request_id=st.none() | TEXTS,
    details=st.dictionaries(TEXTS, JSON, max_size=3),
)
CHAINS = st.lists(ENTRIES, min_size=1, max_size=6)
OTHER: dict[str, Any] = {
    "id": "another",
    "tenant_id": "another",
    "at": NOON - timedelta(days=30_000),
    "kind": "another kind of it",
    "actor": "another",
    "target": "another thing than it was",
    "outcome": "another",
    "request_id": "another request",
    "details": {"another": "thing"},
    "number": 99,
    "previous": "f" * 64,
    "hash": "f" * 64,
}


def chained(entries: list[AuditEntry]) -> tuple[list[AuditEntry], Head]:
    head: Head = (0, GENESIS)
    made = []
    for each in entries:
        made.append(sealed(storable(each), head))
        head = (made[-1].number, made[-1].hash)
    return made, head


@given(CHAINS)
def test_a_chain_that_nobody_touched_holds(entries: list[AuditEntry]) -> None:
    assert first_fault(*chained(entries)) is None
    assert first_fault([], (0, GENESIS)) is None


@given(CHAINS, st.data())
def test_any_edit_is_seen_where_it_was_made(entries: list[AuditEntry], data: st.DataObject) -> None:
    made, head = chained(entries)
    place = data.draw(st.integers(0, len(made) - 1))
    what = data.draw(st.sampled_from(sorted(OTHER)))
    made[place] = replace(made[place], **{what: OTHER[what]})
    assert first_fault(made, head) == place + 1


@given(CHAINS, st.data())
def test_an_entry_that_was_edited_and_sealed_anew_breaks_the_next_or_the_head(
    entries: list[AuditEntry], data: st.DataObject
) -> None:
    made, head = chained(entries)
    place = data.draw(st.integers(0, len(made) - 1))
    edited = replace(made[place], actor="another who never was")
    made[place] = replace(edited, hash=hash_of(edited))
    last = place == len(made) - 1
    assert first_fault(made, head) == (place + 1 if last else place + 2)


@given(CHAINS, st.data())
def test_what_was_taken_out_is_missed(entries: list[AuditEntry], data: st.DataObject) -> None:
    made, head = chained(entries)
    place = data.draw(st.integers(0, len(made) - 1))
    assert first_fault(made[:place] + made[place + 1 :], head) == place + 1
    assert first_fault(made[:place], head) == place + 1


@given(CHAINS, ENTRIES)
def test_what_was_put_at_the_end_without_the_head_is_seen(
    entries: list[AuditEntry], more: AuditEntry
) -> None:
    made, head = chained(entries)
    assert first_fault([*made, sealed(storable(more), head)], head) == len(made) + 1


@given(ENTRIES)
def test_any_entry_has_a_form_that_reads_back_the_same(entry: AuditEntry) -> None:
    kept = storable(entry)
    assert json.loads(json.dumps(kept.details, allow_nan=False)) == kept.details
    assert storable(kept) == kept
    assert "\0" not in kept.actor + kept.kind
    (kept.actor + kept.kind + (kept.target or "")).encode("utf-8")


def test_the_hash_is_the_one_that_is_written_down() -> None:
    made = sealed(entry(1, target="é", details={"b": [1, 2.5], "a": None}), (0, GENESIS))
    text = (
        '{"actor":"user:ann","at":1777636800000000,"details":{"a":null,"b":[1,2.5]},'
        '"id":"entry-1","kind":"memory.create","number":1,"outcome":"ok",'
        f'"previous":"{"0" * 64}","request_id":null,"target":"\\u00e9","tenant":"id-of-acme"}}'
    )
    assert to_us(NOON) == 1_777_636_800_000_000
    assert made.hash == sha256(text.encode("ascii")).hexdigest()


def test_entries_are_chained_by_tenant_as_they_are_told(plane: ControlPlane) -> None:
    plane.as_operator().add_tenant(tenant("acme"))
    told = [entry(number, of) for number in range(4) for of in ("acme", None, "beta")]
    assert plane.record_audit(told) == 12
    assert plane.record_audit(told) == 0
    assert plane.record_audit([*told, entry(4), entry(4)]) == 1
    assert plane.record_audit([]) == 0
    operator = plane.as_operator()
    found = plane.within("id-of-acme").audit()
    assert [each.number for each in found] == [5, 4, 3, 2, 1]
    assert [each.id for each in found] == [f"entry-{number}" for number in (4, 3, 2, 1, 0)]
    assert [each.previous for each in found] == [*(each.hash for each in found[1:]), GENESIS]
    assert found[-1].hash == hash_of(found[-1])
    assert found == operator.audit("id-of-acme")
    assert [each.number for each in operator.audit(None)] == [4, 3, 2, 1]
    assert operator.audit(None)[0].tenant_id is None
    for chain in ("id-of-acme", "id-of-beta", None, "nobody"):
        assert operator.broken_chain(chain) is None


def test_an_audit_is_read_in_pages_from_its_newest_entry(plane: ControlPlane) -> None:
    plane.as_operator().add_tenant(tenant("acme"))
    plane.record_audit([entry(number) for number in range(7)])
    view = plane.within("id-of-acme")
    pages, before = [], None
    while page := view.audit(limit=3, before=before):
        pages.append([each.number for each in page])
        before = page[-1].number
        plane.record_audit([entry(f"during-{before}")])  # what is added meanwhile shifts nothing
    assert pages == [[7, 6, 5], [4, 3, 2], [1]]
    assert view.audit(limit=0) == []


def test_whatever_is_told_is_written_and_read_back(plane: ControlPlane) -> None:
    odd: dict[Any, Any] = {
        "nan": float("nan"),
        "big": 10**5000,
        "half": "\ud800",
        "nul": "\0",
        "set": {1},
        "tuple": (1, None, True),
        7: "seven",
    }
    told = entry(1, None, actor="user:\ud800", target="a\0b", details=odd, request_id="\0")
    assert plane.record_audit([told]) == 1
    assert plane.record_audit([told]) == 0
    (found,) = plane.as_operator().audit(None)
    assert (found.actor, found.target, found.request_id) == ("user:?", "a?b", "?")
    assert found.details["nan"] == "nan"
    assert found.details["tuple"] == [1, None, True]
    assert found.details["nul"] == found.details["half"] == "?"
    assert plane.as_operator().broken_chain(None) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # one chain that grows
@given(entries=CHAINS)
def test_a_chain_survives_its_database(entries: list[AuditEntry], plane: ControlPlane) -> None:
    told = [replace(each, tenant_id=None, id=f"{each.id} of {n}") for n, each in enumerate(entries)]
    plane.record_audit(told)
    assert plane.record_audit(told) == 0
    assert plane.as_operator().broken_chain(None) is None
