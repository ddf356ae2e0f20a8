"""Pages of a listing: their orders, and the cursors that lead from one to the next."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final, get_args

import orjson

from engram_lab.core.checks import check_limit
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.selection import Order

__all__ = ["ORDERS", "check_page", "read_cursor", "write_cursor"]

ORDERS: Final[dict[Order, str]] = {
    "id": "m.id",
    "created_at": "m.created_at",
    "updated_at": "m.updated_at",
    "event_at": "coalesce(m.event_at, m.created_at)",
    "importance": "m.importance",
}
"""By what a listing is ordered; ties are in the order of ids."""

_MAX_PAGE: Final = 10_000


def check_page(order: object, limit: object) -> None:
    """Refuse an unknown order, or a size that no page has.

    Raises:
        InvalidInputError: See above.
    """
    orders = get_args(Order)
    if order not in orders:
        raise InvalidInputError(f"order is {shown(order)}: allowed are {', '.join(orders)}")
    check_limit(limit, most=_MAX_PAGE)


def write_cursor(order: Order, key: Any, id_: str, *, descending: bool) -> str:
    """Return the cursor that stands behind a memory, `key` being what it is ordered by."""
    return base64.urlsafe_b64encode(orjson.dumps([order, descending, key, id_])).decode()


def read_cursor(cursor: object, order: Order, *, descending: bool) -> tuple[Any, str]:
    """Return the key and the id that a cursor stands behind.

    Raises:
        InvalidInputError: It is no cursor, or one of a listing in another order.
    """
    try:
        its_order, its_way, key, id_ = orjson.loads(base64.urlsafe_b64decode(cursor))  # type: ignore[arg-type]
    except (binascii.Error, ValueError, TypeError):
        its_order = its_way = key = id_ = None
    if (
        (its_order, its_way) != (order, descending)
        or not isinstance(id_, str)
        or not isinstance(key, str | int | float)
    ):
        raise InvalidInputError(
            "the cursor is of another listing: use the next_cursor of a page with the same order"
        )
    return key, id_
