"""The settings of lifecycle hooks: what an agent is told, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

from engram_lab.core.settings import check_section, setting

__all__ = ["HookSettings"]


@dataclass(frozen=True, kw_only=True, slots=True)
class HookSettings:
    """What hooks of coding agents do."""

    start_budget: int = setting(
        1000, help="tokens of memories put before an agent as a session starts", ge=0, le=100_000
    )
    start_importance: float = setting(
        0.8, help="memories from this importance on are put before it, beside pinned ones", ge=0
    )
    digest_budget: int = setting(
        300, help="tokens of what a session leaves to the next one; 0 leaves nothing", ge=0
    )
    digest_days: float = setting(
        7.0, help="how long what was left waits for the next session", ge=0.001, le=3650
    )
    remember_tools: bool = setting(
        default=False, help="remember what tools answered, for a day, as episodic memories"
    )
    tool_chars: int = setting(
        2000, help="longest that is remembered of a tool's answer", ge=1, le=1_000_000
    )

    def __post_init__(self) -> None:
        check_section("hooks", self)
