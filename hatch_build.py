"""Puts the data of this project into its wheel; an editable installation has them in its checkout.

Folders inside an editable installation's own `engram_lab` would hide the package itself.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = (
    "datasets",
    "evals/schemas",
    "evals/spaces",
    "evals/suites",
    "evals/systems",
    "notebooks",
)


class ShippedData(BuildHookInterface[Any]):
    """Adds the folders that `engram_lab.evaluation.shipped` looks for."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the folders, unless the wheel is that of an editable installation."""
        if version != "editable":
            build_data["force_include"] |= {
                folder: f"engram_lab/_shipped/{folder}" for folder in SHIPPED
            }
