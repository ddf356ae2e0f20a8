"""The weights that come along: learned on LoCoMo, kept as plain numbers beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from engram_lab.retrieval.learned.record import LearnedRecord

__all__ = ["SHIPPED_FILE", "shipped_record"]

SHIPPED_FILE: Final = Path(__file__).with_name("conversation.json")


@cache
def shipped_record() -> LearnedRecord:
    """Return the weights for conversations, learned with all-MiniLM-L6-v2 on all of LoCoMo."""
    return LearnedRecord.from_json(SHIPPED_FILE.read_text(encoding="utf-8"))
