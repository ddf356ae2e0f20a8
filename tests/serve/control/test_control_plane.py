"""The laws of a control plane, in SQLite and in a real PostgreSQL as a role that owns nothing."""

from __future__ import annotations

from engram_lab.serve.control import ControlPlane


def test_what_is_not_there_is_told_as_none(plane: ControlPlane) -> None:
    assert plane.tenant_by_slug("nobody") is None
    assert plane.tenant("nobody") is None
    assert plane.keys_by_prefix("ek_live_none") == []
    assert plane.member("nobody", "ann") is None
    assert plane.invite_by_hash("none") is None
