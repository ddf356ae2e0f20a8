"""Where and with what something was measured: code, packages, machine."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np

__all__ = ["code_of_this_package", "environment"]

_PACKAGE: Final = Path(__file__).resolve().parents[2]

_PACKAGES: Final = (
    "apsw",
    "bm25s",
    "faiss-cpu",
    "ir-measures",
    "numpy",
    "onnxruntime",
    "open-clip-torch",
    "polars",
    "pyarrow",
    "pystemmer",
    "pytrec-eval-terrier",
    "scipy",
    "sentence-transformers",
    "tokenizers",
    "torch",
)
"""Those whose version may change a figure."""


def environment() -> dict[str, Any]:
    """Return the versions, the processor and the linear algebra that figures come from."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "blas": _blas(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
    }


def code_of_this_package() -> dict[str, Any]:
    """Return which code this is: version, revision where it is a checkout, hash of its sources."""
    digest = hashlib.sha256()
    for file in sorted(_PACKAGE.rglob("*.py")):
        digest.update(file.relative_to(_PACKAGE).as_posix().encode())
        digest.update(file.read_bytes())
    revision = _git("rev-parse", "HEAD")
    return {
        "version": _version("engram-lab"),
        "revision": revision,
        "dirty": None if revision is None else bool(_git("status", "--porcelain")),
        "sources": digest.hexdigest(),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(*words: str) -> str | None:
    """Return what git says of the checkout this package runs from; None where there is none."""
    if not (_PACKAGE.parent / ".git").exists():
        return None
    try:
        done = subprocess.run(  # noqa: S603 - words of our own
            ["git", "-C", str(_PACKAGE.parent), *words],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _blas() -> str | None:
    found: Any = np.show_config(mode="dicts")
    blas = found.get("Build Dependencies", {}).get("blas", {})
    return " ".join(filter(None, (blas.get("name"), blas.get("version")))) or None
