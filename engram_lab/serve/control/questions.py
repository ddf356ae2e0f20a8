"""The questions before it is known who asks: a name, a key, a token and a membership.

In SQLite each is the statement below. In PostgreSQL, where nobody sees a row without saying whose
it is, each is a function of the database with the same name, arguments and columns, which is all
that the server's role may call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.sql import column

from engram_lab.serve.control.tables import SCHEMA, api_keys, audit, invites, members, tenants

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Select, TextualSelect

__all__ = ["QUESTIONS", "Question"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One question: as a statement, and as a call of the function of its name."""

    statement: Select[Any]
    call: TextualSelect


def _question(name: str, statement: Select[Any], *arguments: str) -> Question:
    columns: list[ColumnElement[Any]] = list(statement.selected_columns)
    names = ", ".join(each.name for each in statement.selected_columns)
    given = ", ".join(f"{each} => :{each}" for each in arguments)
    call = text(f"SELECT {names} FROM {SCHEMA}.{name}({given})")
    return Question(statement=statement, call=call.columns(*columns))


_KNOWN_IDS = func.json_each(bindparam("ids")).table_valued(column("value"))

QUESTIONS: Final[Mapping[str, Question]] = {
    "tenant_by_slug": _question(
        "tenant_by_slug", select(tenants).where(tenants.c.slug == bindparam("of_slug")), "of_slug"
    ),
    "tenant_by_id": _question(
        "tenant_by_id", select(tenants).where(tenants.c.id == bindparam("of_id")), "of_id"
    ),
    "keys_by_prefix": _question(
        "keys_by_prefix",
        select(api_keys)
        .where(api_keys.c.prefix == bindparam("of_prefix"))
        .order_by(api_keys.c.created_at, api_keys.c.id),
        "of_prefix",
    ),
    "membership": _question(
        "membership",
        select(members).where(
            members.c.tenant_id == bindparam("of_tenant"),
            members.c.user_id == bindparam("of_user"),
        ),
        "of_tenant",
        "of_user",
    ),
    "invite_by_hash": _question(
        "invite_by_hash",
        select(invites).where(invites.c.token_hash == bindparam("of_hash")),
        "of_hash",
    ),
    "audit_known": _question(
        "audit_known",
        select(audit.c.id).where(
            audit.c.tenant_id == bindparam("of_tenant"),
            audit.c.id.in_(select(_KNOWN_IDS.c.value)),
        ),
        "of_tenant",
        "ids",
    ),
}
