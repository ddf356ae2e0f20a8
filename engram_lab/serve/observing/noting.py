"""What the audit notes of a request: who came in or did not, and what was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict

from engram_lab.serve.observing.kinds import AUTH_DENIED, AUTH_FAILURE, AUTH_SUCCESS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engram_lab.serve.call import Call

__all__ = ["Note", "notes_of"]

_CREDENTIAL: Final = "credential"  # in `Call.extra`: the part of a key that may be shown
_UNBELIEVED: Final = frozenset(("UNAUTHORIZED", "TENANT_NOT_FOUND"))
_SLOWED: Final = "RATE_LIMITED"
_DENIED: Final = frozenset(("FORBIDDEN", "TENANT_SUSPENDED"))


class Note(TypedDict, total=False):
    """What `Audit.note` is told."""

    kind: str
    actor: str
    tenant_id: str | None
    target: str | None
    outcome: str
    request_id: str
    details: Mapping[str, Any] | None
    client: str


def notes_of(call: Call) -> Iterator[Note]:
    """Yield the notes of a request that was answered.

    Reads that succeed leave none but that of their credential; what a handler refused is noted
    with the code of its refusal.
    """
    code, needs, actor = call.error_code, call.needs, call.actor
    # Who is slowed down before it is known who they are, tried too many credentials.
    unbelieved = code in _UNBELIEVED or (code == _SLOWED and actor is None)
    note: Note = {
        "actor": actor.name if actor is not None else "unknown",
        "tenant_id": call.tenant.id if call.tenant is not None else None,
        "request_id": call.request_id,
    }
    if code is not None and (unbelieved or code in _DENIED):
        shown = call.extra.get(_CREDENTIAL)
        yield {
            **note,
            "kind": AUTH_FAILURE if unbelieved else AUTH_DENIED,
            "target": needs.route if needs is not None else None,
            "outcome": code,
            "details": {"credential": shown} if shown else None,
            "client": call.client,
        }
    if actor is not None and actor.kind != "local" and not unbelieved:
        yield {**note, "kind": AUTH_SUCCESS, "client": call.client}
    if needs is not None and needs.audited is not None and call.admitted:
        where = {} if call.chain is not None else {"workspace": call.workspace}
        yield {
            **note,
            "tenant_id": call.chain or note["tenant_id"],
            "kind": needs.audited,
            "target": call.target,
            "outcome": code or "ok",
            "details": {**where, **(call.told or {})},
        }
