"""Children of the benchmark of the server, and wrk, which sends them requests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

__all__ = ["Child", "Load", "load"]

HERE: Final = Path(__file__).parent
_MS: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3}
_SCRIPT: Final = """
local asked = {}
for line in io.lines("%s") do asked[#asked + 1] = line end
local headers = {["Authorization"] = "Bearer %s", ["X-Engram-Tenant"] = "bench",
                 ["Content-Type"] = "application/json"}
local place = 0
request = function()
  place = place %% #asked + 1
  return wrk.format("POST", "/v1/search", headers, asked[place])
end
"""
"""Each request asks the next question of a file."""


class Child:
    """A process that does what it is asked, a word a line, and answers in JSON."""

    def __init__(self, role: str, folder: Path, size: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, str(HERE / "serve_child.py"), role, str(folder), str(size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.about: dict[str, Any] = self._answer()

    def ask(self, word: str) -> dict[str, Any]:
        """Return what the child found."""
        if self._process.stdin is None:
            raise RuntimeError("the child has no input")
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"a child ended with {self._process.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What wrk found: answers a second, and how long they took."""

    rate: float
    p50_ms: float
    p99_ms: float


def load(child: Child, body: Path, *, together: int, seconds: float) -> Load:
    """Send questions to a child for so long, over so many connections.

    Raises:
        RuntimeError: An answer was no success.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT % (body, child.about["key"]))
        script.flush()
        duration = f"{max(1, round(seconds))}s"
        words = ["wrk", "-t1", f"-c{together}", f"-d{duration}", "--latency", "-s", script.name]
        done = subprocess.run(  # noqa: S603 - a tool, with our own words
            [*words, child.about["url"]], check=True, capture_output=True, text=True
        )
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise RuntimeError(done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    times = dict(re.findall(r"(50|99)%\s+([\d.]+\w+)", done.stdout))
    if rate is None:
        raise RuntimeError(done.stdout)
    return Load(rate=float(rate[1]), p50_ms=_ms(times["50"]), p99_ms=_ms(times["99"]))


def _ms(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * _MS[unit]
