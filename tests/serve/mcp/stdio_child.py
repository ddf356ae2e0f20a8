"""A program that serves one database over standard input and output."""

from __future__ import annotations

import sys

from engram_lab.config import EngineConfig
from engram_lab.engine import Engine
from engram_lab.serve.mcp.stdio import serve_stdio

HASHING = EngineConfig.from_dict({"embedding": {"model": "hashing", "dim": 64}})

if __name__ == "__main__":
    with Engine.open(sys.argv[1], config=HASHING) as engine:
        if "--noisy" in sys.argv:
            recall = engine.recall

            def noisy(*args: object, **kwargs: object) -> object:
                print("noise on the wire")  # noqa: T201 - what must not reach the client
                return recall(*args, **kwargs)  # type: ignore[arg-type]

            engine.recall = noisy  # type: ignore[method-assign, assignment]
        serve_stdio(engine, author="local", version="1.2")
    print("closed", file=sys.stderr)  # noqa: T201 - what the test waits for
