"""What libraries log, in the same form and through the same door as our own lines."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Protocol

from engram_lab.serve.observing.rendering import error_fields

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Foreign"]

_SAYING: Final = ("uvicorn", "opentelemetry")
"""Libraries that speak of ports, processes and connections: their words are written."""

_PLACING: Final = ("mcp", "asyncio", "sse_starlette", "sqlalchemy", "psycopg", "redis", "httpx2")
"""Libraries that quote what they were sent: written is where they spoke, and not what they said.

From warnings on, as some have a note for each request.
"""

_SILENT: Final = ("uvicorn.access",)
"""Its lines have the raw path, and a request has a line of ours."""

_LONGEST: Final = 500
_MINUTE_S: Final = 60.0


class Says(Protocol):
    """The part of our logger that is needed here."""

    debug: Callable[..., None]
    info: Callable[..., None]
    warning: Callable[..., None]
    error: Callable[..., None]


class Foreign:
    """Leads the loggers of libraries to ours, and gives them back as they were."""

    def __init__(self, logger: Says) -> None:
        self._logger = logger
        self._before: dict[str, tuple[list[logging.Handler], bool, int, bool]] = {}

    def install(self) -> None:
        """Take over; what is less than a note is not asked for, as it has whole messages in it."""
        for names, handler, level in (
            (_SAYING, _Handler(self._logger, quoting=True), logging.INFO),
            (_PLACING, _Handler(self._logger, quoting=False), logging.WARNING),
            (_SILENT, None, logging.INFO),
        ):
            for name in names:
                self._take(name, handler, level)
        self._take("uvicorn.error", None, logging.INFO, propagate=True)

    def remove(self) -> None:
        """Give back."""
        for name, (handlers, propagate, level, disabled) in self._before.items():
            theirs = logging.getLogger(name)
            theirs.handlers, theirs.propagate = handlers, propagate
            theirs.disabled = disabled
            theirs.setLevel(level)
        self._before.clear()

    def _take(
        self,
        name: str,
        handler: logging.Handler | None,
        level: int,
        *,
        propagate: bool = False,
    ) -> None:
        theirs = logging.getLogger(name)
        self._before[name] = (theirs.handlers, theirs.propagate, theirs.level, theirs.disabled)
        theirs.handlers = [] if handler is None else [handler]
        theirs.propagate = propagate
        theirs.disabled = handler is None and not propagate
        theirs.setLevel(level)


class _Handler(logging.Handler):
    def __init__(self, logger: Says, *, quoting: bool) -> None:
        super().__init__()
        self._logger = logger
        self._quoting = quoting
        self._told: dict[tuple[str, int], tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as a line."""
        message = record.msg if isinstance(record.msg, str) else ""
        if "WebSocket" in message:  # with the raw path
            return
        repeated = self._repeated(record)
        if repeated is None:
            return
        fields: dict[str, Any] = {"logger": record.name}
        if repeated:
            fields["repeated"] = repeated
        if not self._quoting:
            fields["at"] = f"{record.module}:{record.funcName}:{record.lineno}"
        elif not record.exc_info:
            fields["says"] = _said(record)
        if record.exc_info and record.exc_info[1] is not None:
            fields |= error_fields(record.exc_info[1])
        self._level(record.levelno)("library", **fields)

    def _repeated(self, record: logging.LogRecord) -> int | None:
        """Return how often a warning was left out since it was told; None: leave this out too.

        A collector that is away, or a client that sends nonsense, is told of once a minute.
        """
        if record.levelno < logging.WARNING or record.exc_info:
            return 0
        place = (record.name, record.lineno)
        at, left_out = self._told.get(place, (-_MINUTE_S, 0))
        if 0 <= record.created - at < _MINUTE_S:
            self._told[place] = (at, left_out + 1)
            return None
        self._told[place] = (record.created, 0)
        return left_out

    def _level(self, number: int) -> Callable[..., None]:
        if number >= logging.ERROR:
            return self._logger.error
        return self._logger.warning if number >= logging.WARNING else self._logger.info


def _said(record: logging.LogRecord) -> str:
    try:
        return record.getMessage().strip()[:_LONGEST]
    except (TypeError, ValueError):  # arguments that do not fit: not ours to raise
        return "a message that cannot be put together"
