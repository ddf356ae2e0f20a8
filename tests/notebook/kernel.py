"""A real kernel, for tests that send it cells and interrupt it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import start_new_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE_S = 60


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What became of a cell."""

    error: str | None
    text: str


@dataclass(frozen=True)
class Kernel:
    """A kernel and who speaks to it."""

    manager: Any
    client: Any

    def run(self, cell: str, *, interrupt_at: str | None = None, after_s: float = 0.0) -> Ran:
        """Run a cell to its end, and interrupt it some time after it has printed a word."""
        request = self.client.execute(cell)
        told: list[str] = []
        error = None
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
            elif content.get("execution_state") == "idle":
                return Ran(error=error, text="".join(told))
            if interrupt_at is not None and interrupt_at in "".join(told):
                interrupt_at = None
                time.sleep(after_s)
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
