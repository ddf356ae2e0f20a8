"""What is known of one request on its way through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from engram_lab.serve.errors import ForbiddenError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engram_lab.serve.control.records import Role, Scope, Tenant

__all__ = ["Actor", "Call", "Needs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who asks.

    Attributes:
        kind: `key`; `user` by a token; `operator` by the admin token; `local` where nobody is
            asked who they are.
        id: The id of the key, the `sub` of the token.
        role: In the tenant: what a user's membership says; a key with `admin` counts as admin.
        scopes: What may be done.
        tenant_id: Of a key, the tenant that it belongs to.
    """

    kind: Literal["key", "user", "operator", "local"]
    id: str
    role: Role | None = None
    scopes: frozenset[Scope] = frozenset()
    tenant_id: str | None = None
    email: str | None = None

    @property
    def name(self) -> str:
        """As the audit and the log name them: `key:…`, `user:…`, `operator`, `local`."""
        return f"{self.kind}:{self.id}" if self.kind in {"key", "user"} else self.kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """What a route asks of whoever calls it.

    Attributes:
        route: Its name in limits, usage, logs and metrics, such as `POST /v1/search`.
        scope: The scope that it takes; None where any known actor of the tenant will do.
        also: One more scope that it takes, such as that to read what it lets out.
        meter: Which sum of the plan it adds to, beside calls.
        adds_memories: Refused with 402 where the plan has no room for more; for so many, where it
            is known how many that will be.
        makes: Workspaces that it makes where they are missing, as the arguments of a tool say.
        grows: Refused with 402 where the plan has no room for a larger database.
        audited: The kind of its entry in the audit; None for reads.
        tenant: False for the operator's own routes, which belong to no tenant.
        newcomers: Also for people who are no members yet, as to accept an invitation.
    """

    route: str
    scope: Scope | None
    also: Scope | None = None
    meter: Literal["searches"] | None = None
    adds_memories: int = False
    makes: frozenset[str] = frozenset()
    grows: bool = False
    audited: str | None = None
    tenant: bool = True
    newcomers: bool = False


@dataclass(kw_only=True, slots=True)
class Call:
    """One request, filled in step by step: each piece of the pipeline adds what it found out.

    Attributes:
        headers: By lower-case name; of a repeated one, all values in order.
        client: The address that it came from, a trusted proxy's word included.
        secure: Whether it came by TLS, a trusted proxy's word included.
        began: By the timer, in seconds.
        admitted: Whether it passed all that comes before a handler: it counts as usage then.
        chain: In whose audit it stands, by the id of a tenant; else that of `tenant`. For what the
            operator does to a tenant, which the request itself belongs to none of.
        told: What the audit says beside who and to what, such as what changed; never a secret.
        used: Usage beside the call itself: `searches`, `memories_created`.
        answer_headers: To be sent with whatever is answered.
    """

    request_id: str
    method: str
    path: str
    headers: Mapping[str, list[str]]
    client: str
    secure: bool
    at: datetime
    began: float
    needs: Needs | None = None
    tenant: Tenant | None = None
    actor: Actor | None = None
    workspace: str = "default"
    target: str | None = None
    chain: str | None = None
    told: Mapping[str, Any] | None = None
    used: dict[str, int] = field(default_factory=dict)
    answer_headers: dict[str, str] = field(default_factory=dict)
    admitted: bool = False
    error_code: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def header(self, name: str) -> str | None:
        """Return the one value of a header, None where it is absent or given twice."""
        values = self.headers.get(name, ())
        return values[0] if len(values) == 1 else None

    @property
    def within(self) -> Tenant:
        """The tenant of a request that has one."""
        if self.tenant is None:
            raise ForbiddenError("this asks for a tenant: name one")
        return self.tenant
