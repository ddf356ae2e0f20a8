"""What a server looks at to say whether it can do its work, and what is asked for when scraped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.core.errors import EmbedderError
from engram_lab.serve.observing import (
    Check,
    CheckFailedError,
    Health,
    folder_check,
    lag_check,
    simple_check,
)

if TYPE_CHECKING:
    from engram_lab.serve.limits import Limiter
    from engram_lab.serve.making import Making
    from engram_lab.serve.services import Services

__all__ = ["follow", "health"]


def health(made: Making, limiter: Limiter) -> Health:
    """Return the checks of a server."""

    def redis() -> str:
        if limiter.degraded:
            raise CheckFailedError("cannot be reached")
        return "reached"

    def embedder() -> str:
        try:
            return made.configurations.own_embedder() or "none by choice"
        except EmbedderError:
            raise CheckFailedError("cannot be had: what is asked is answered by words") from None

    def bundles() -> str:
        tenants = made.plane.as_operator().tenants(state="active")
        if not {each.bundle for each in tenants} <= {None, *made.configurations.names}:
            raise CheckFailedError(
                "a tenant has a bundle that is not served here, and is refused: start with "
                "--bundle NAME=FILE, or choose another for it; `engram tenant list` shows them"
            )
        return "all that tenants have are served"

    checks: list[Check] = [
        simple_check("control_plane", lambda: made.plane.tenant_by_slug("health")),
        folder_check(made.places.root),
        lag_check(made.watch.recent_s),
        Check(name="bundles", look=bundles, otherwise="degraded"),
        Check(name="embedder", look=embedder, otherwise="degraded"),
    ]
    if made.config.limits.redis_url is not None:
        checks.append(Check(name="redis", look=redis, otherwise="degraded"))
    return Health(checks, timer=made.timer)


def follow(made: Making, services: Services) -> None:
    """Have the metrics ask for what is not counted but is."""
    metrics, watch = services.metrics, made.watch
    metrics.follow("engines_open", lambda: services.pool.open_count)
    metrics.follow("engines_leased", lambda: services.pool.in_use)
    metrics.follow("requests_waiting", lambda: services.engines.within)
    metrics.follow("loop_lag_seconds", lambda: watch.recent_s(60))
    metrics.follow("loop_lag_max_seconds", lambda: watch.longest_s)
    metrics.follow("log_lines_dropped", lambda: services.log.dropped)
    metrics.follow("audit_waiting", lambda: services.audit.waiting)
