"""Whose audit is meant by a name: a tenant's, or that of one which was purged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engram_lab.serve.control.protocol import ControlPlane

__all__ = ["whose_chain"]


def whose_chain(plane: ControlPlane, name: str) -> str | None:
    """Return the id of a tenant by its name; an id, too, that has an audit; None where it is none.

    The rows of a purged tenant are gone, its name with them: its audit is had by its id.
    """
    tenant = plane.tenant_by_slug(name)
    if tenant is not None:
        return tenant.id
    return name if name and plane.as_operator().audit(name, limit=1) else None
