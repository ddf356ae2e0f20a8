"""Optional packages: imported where they are first used, and missed with the command that helps."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from engram_lab.core.errors import MissingDependencyError

__all__ = ["optional"]


def optional(module: str, *, package: str, feature: str, extra: str) -> Any:
    """Return an optional module.

    Args:
        module: What to import, such as `onnx.helper`.
        package: The package that brings it, as one installs it.
        feature: What needs it, as an error says it.
        extra: The extra of this project that brings it.

    Raises:
        MissingDependencyError: The package is absent.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise  # the package is there, and it is one of its own parts that is not
        raise MissingDependencyError(package, feature=feature, extra=extra) from error
