"""The texts of lifecycle hooks: what payloads say, what agents are told, what sessions leave."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.text import estimated_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from engram_lab.core.types import Memory

__all__ = ["Payload", "digest_of", "read_payload", "start_text", "tool_text"]

_SENTENCE: Final = re.compile(r"(?<=[.!?…])\s+|\n+")
_LONGEST_LINE: Final = 400
_LONGEST_SENTENCE: Final = 200
_HEAD: Final = 0.6
_LEFT: Final = "Left for this session:"
_KNOWN: Final = "Known of this workspace:"
_TEXTS: Final = ("hook_event_name", "session_id", "cwd", "source", "tool_name")


@dataclass(frozen=True, kw_only=True, slots=True)
class Payload:
    """What a hook was sent, as far as it is known here."""

    session_id: str | None = None
    cwd: str | None = None
    source: str | None = None
    tool_name: str | None = None
    tool_input: Any = None
    tool_response: Any = None


def read_payload(payload: object, *, event: str) -> Payload:
    """Return the known part of a payload.

    Raises:
        InvalidInputError: It is no object, a known text is none, it is of another event, or what
            the event needs is missing.
    """
    if not isinstance(payload, Mapping):
        raise InvalidInputError(
            f"the payload is a {type(payload).__name__}: give an object such as "
            '{"session_id": "…"}'
        )
    texts: dict[str, str] = {}
    for name in _TEXTS:
        value = payload.get(name)
        if value is None:
            continue
        if not isinstance(value, str) or not value:
            raise InvalidInputError(f"{name} is {shown(value)}: give a text that is not empty")
        texts[name] = value
    of = texts.pop("hook_event_name", event)
    if of != event:
        raise InvalidInputError(f"the payload is of {shown(of)}, not of {event}: name that event")
    needed = {"SessionEnd": "session_id", "PostToolUse": "tool_name"}.get(event)
    if needed is not None and needed not in texts:
        raise InvalidInputError(f"the payload has no {needed}: {event} needs one")
    return Payload(
        **texts,
        tool_input=payload.get("tool_input"),
        tool_response=payload.get("tool_response"),
    )


def start_text(
    left: Sequence[str], known: Sequence[Memory], *, budget: int
) -> tuple[str, tuple[str, ...]]:
    """Return what is put before an agent, and the ids of the memories in it.

    What was left is told whole, as nobody gets it again; memories fill what the budget has left
    for them, the first of them first, and one that is too long makes room for the next.
    """
    lines, ids, tokens = [], [], 0
    for memory in known:
        line = f"- {_cut(' '.join(memory.content.split()), _LONGEST_LINE)}"
        cost = estimated_tokens(line)
        if tokens + cost <= budget:
            lines.append(line)
            ids.append(memory.id)
            tokens += cost
    blocks = [_LEFT, *left] if left else []
    if lines:
        blocks += ["", _KNOWN, *lines] if blocks else [_KNOWN, *lines]
    return "\n".join(blocks), tuple(ids)


def digest_of(memories: Sequence[Memory], *, budget: int, ended_at: datetime) -> str:
    """Return the first sentences of what matters most, in the order in which it was remembered.

    Pinned memories go first, then the most important, then the newest; the same text counts once.
    Nothing is written that no memory says.

    Returns:
        The digest; an empty text where nothing fits the budget.
    """
    heading = f"From the session that ended on {ended_at:%Y-%m-%d}:"
    ordered = sorted(
        memories,
        key=lambda each: (each.pinned, each.importance, each.created_at, each.id),
        reverse=True,
    )
    tokens, kept, known = estimated_tokens(heading), [], set()
    for memory in ordered:
        line = f"- {_first_sentence(memory.content)}"
        cost = estimated_tokens(line)
        if line == "- " or memory.content_hash in known or tokens + cost > budget:
            continue
        known.add(memory.content_hash)
        kept.append((memory.created_at, memory.id, line))
        tokens += cost
    return "\n".join([heading, *(line for *_, line in sorted(kept))]) if kept else ""


def tool_text(given: Payload, *, most: int) -> str:
    """Return what a tool was asked and what it answered, cut in the middle where it is too long."""
    parts = [_plain(each) for each in (given.tool_input, given.tool_response)]
    asked, answered = parts
    text = f"{given.tool_name}({asked})"
    return _cut_middle(f"{text}\n{answered}" if answered else text, most)


def _first_sentence(content: str) -> str:
    for part in _SENTENCE.split(content.strip()):
        if sentence := " ".join(part.split()):
            return _cut(sentence, _LONGEST_SENTENCE)
    return ""


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"the payload holds {shown(value)}, which is no JSON: give texts, numbers and lists"
        ) from None


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 2].rstrip()} …"


def _cut_middle(text: str, most: int) -> str:
    """Return the beginning and the end of a text: errors stand at either."""
    if len(text) <= most:
        return text
    gap = " … "
    room = max(most - len(gap), 1)
    head = int(room * _HEAD)
    return f"{text[:head]}{gap}{text[len(text) - (room - head) :]}"
