"""A real kernel, for tests that send it cells and interrupt it."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import start_new_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE_S = 60

_UNFORMATTED = re.compile(r"^(\w+)\n\nDuring handling of the above exception", re.MULTILINE)
"""What IPython prints in the place of an error of which a frame is at no line.

Python 3.11 has instructions of no line, and an interrupt may come at one of them.
"""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What became of a cell."""

    error: str | None
    text: str
    bars: tuple[str, ...] = ()
    """What was shown below it one after the other, in one place that is written anew."""

    places: int = 0
    """In how many places."""

    after_interrupt_s: float = 0.0
    """How long it went on after it was interrupted."""


@dataclass(frozen=True)
class Kernel:
    """A kernel and who speaks to it."""

    manager: Any
    client: Any

    def run(self, cell: str, *, interrupt_at: str | None = None, after_s: float = 0.0) -> Ran:
        """Run a cell to its end, and interrupt it some time after it has printed a word."""
        request = self.client.execute(cell)
        told: list[str] = []
        bars: list[str] = []
        places: set[str] = set()
        error = None
        interrupted = 0.0
        while True:
            message = self.client.get_iopub_msg(timeout=_PATIENCE_S)
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "error":
                error = str(content["ename"])
            elif message["msg_type"] == "execute_result":
                told.append(content["data"]["text/plain"])
            elif message["msg_type"] == "stream":
                told.append(content["text"])
            elif message["msg_type"] in {"display_data", "update_display_data"}:
                bars.append(content["data"]["text/plain"])
                places.add(content["transient"]["display_id"])
            elif content.get("execution_state") == "idle":
                text = "".join(told)
                if error is None and (unformatted := _UNFORMATTED.search(text)):
                    error = unformatted[1]
                return Ran(
                    error=error,
                    text=text,
                    bars=tuple(bars),
                    places=len(places),
                    after_interrupt_s=time.perf_counter() - interrupted,
                )
            if interrupt_at is not None and interrupt_at in "".join(told):
                interrupt_at = None
                time.sleep(after_s)
                interrupted = time.perf_counter()
                self.manager.interrupt_kernel()


@contextmanager
def kernel_in(folder: Path) -> Iterator[Kernel]:
    """Lend a kernel that works in a folder."""
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))
    try:
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
