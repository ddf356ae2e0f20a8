"""The tables of the control plane, as statements see them; `migrations` makes them.

In PostgreSQL they lie in the schema `engram`; in SQLite, which has no schemas, in none.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Column, Date, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator

from engram_lab.core.clock import from_us, to_us

if TYPE_CHECKING:
    from sqlalchemy import Dialect

__all__ = [
    "SCHEMA",
    "api_keys",
    "audit",
    "audit_heads",
    "invites",
    "members",
    "metadata",
    "tenants",
    "usage_daily",
    "usage_events",
    "versions",
    "workspaces",
]

SCHEMA: Final = "engram"


class Moment(TypeDecorator[datetime]):
    """A moment as microseconds since 1970 in UTC: the same number in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return what is written."""
        del dialect
        return None if value is None else to_us(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return what was read."""
        del dialect
        return None if value is None else from_us(value)


class Words(TypeDecorator[tuple[str, ...]]):
    """A few words with spaces between them, as scopes are written in a token."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        """Return what is written."""
        del dialect
        return None if value is None else " ".join(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...] | None:
        """Return what was read."""
        del dialect
        return None if value is None else tuple(value.split())


metadata: Final = MetaData(schema=SCHEMA)

versions: Final = Table(
    "versions",
    metadata,
    Column("number", BigInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

tenants: Final = Table(
    "tenants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("bundle", Text),
    Column("created_at", Moment, nullable=False),
    Column("deleted_at", Moment),
)

members: Final = Table(
    "members",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("email", Text),
    Column("joined_at", Moment, nullable=False),
)

invites: Final = Table(
    "invites",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("accepted_at", Moment),
    Column("accepted_by", Text),
)

workspaces: Final = Table(
    "workspaces",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("db_path", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("scopes", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
)

usage_events: Final = Table(
    "usage_events",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("workspace", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("day", Date, nullable=False),
    Column("route", Text, nullable=False),
    Column("status", BigInteger, nullable=False),
    Column("api_calls", BigInteger, nullable=False),
    Column("searches", BigInteger, nullable=False),
    Column("memories_created", BigInteger, nullable=False),
)

usage_daily: Final = Table(
    "usage_daily",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("api_calls", BigInteger, nullable=False),
    Column("searches", BigInteger, nullable=False),
    Column("memories_created", BigInteger, nullable=False),
    Column("memories_stored", BigInteger, nullable=False),
    Column("storage_bytes", BigInteger, nullable=False),
)

usage_bounds: Final = Table(
    "usage_bounds",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("since", Date, nullable=False),
)
"""One row: from which day on every event of usage is there; sums are there of all days."""

audit: Final = Table(
    "audit",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("id", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("target", Text),
    Column("outcome", Text, nullable=False),
    Column("request_id", Text),
    Column("details", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
"""The operator's own chain has '' for a tenant."""

audit_heads: Final = Table(
    "audit_heads",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)
"""The last entry of each chain, told apart, so that a chain cut short is seen."""
