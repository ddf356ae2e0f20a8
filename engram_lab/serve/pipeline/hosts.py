"""Which names a server answers to, where nobody is asked who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engram_lab.serve.call import Call
    from engram_lab.serve.hosts import HostRules

__all__ = ["HostStage"]


class HostStage:
    """Refuses pages from elsewhere; see `HostRules`.

    Args:
        hosts: What is answered; None is whatever was asked for, as everybody shows a key. A web
            page may let a name of its own point to this machine, and ask it from within.
    """

    def __init__(self, hosts: HostRules | None) -> None:
        self._hosts = hosts

    async def __call__(self, call: Call) -> None:
        """Pass what was sent to a name of this server, by no page or by one of its own.

        Raises:
            ForbiddenError: It was not.
        """
        if self._hosts is not None:
            self._hosts.check(call.header("host"), call.header("origin"))
