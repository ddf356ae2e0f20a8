"""The control plane: tenants, members, keys, usage and audit, in SQLite or PostgreSQL."""

from engram_lab.serve.control.lookups import Lookups
from engram_lab.serve.control.opening import open_control_plane
from engram_lab.serve.control.ordering import Page, Place, page, place
from engram_lab.serve.control.protocol import ControlPlane, OperatorView, TenantView

__all__ = [
    "ControlPlane",
    "Lookups",
    "OperatorView",
    "Page",
    "Place",
    "TenantView",
    "open_control_plane",
    "page",
    "place",
]
