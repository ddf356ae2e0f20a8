"""How hits are shown to people: the words of the question, what made each score, and a page."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from engram_lab.retrieval.marking import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.retrieval.hits import Arm, Explanation, Hit, Hits

__all__ = ["embedder_name", "lines_of", "page_of", "parts_of"]

_OF_A_MACHINE: Final = re.compile(r"\d+|[0-9a-f]{12,}|.*=.*")
"""Parts of a fingerprint that tell a person little: numbers, checksums, options."""

_LEFT: Final = "style='text-align:left;white-space:pre-wrap'"


def embedder_name(fingerprint: str) -> str:
    """Return the part of a fingerprint that a person knows, such as `minilm/all-MiniLM-L6-v2`."""
    first, *others = fingerprint.split("/")
    known = [first]
    for part in others:
        if _OF_A_MACHINE.fullmatch(part):
            break
        known.append(part)
    return "/".join(known)


def parts_of(text: str, marked: str | None) -> Iterator[tuple[str, bool]]:
    """Yield a text in parts, each with whether it is a word of the question.

    Args:
        text: As it is stored, asterisks of its own included; the parts make it again.
        marked: The same with `**` around words, as `Explanation.words` is; None for no marks.
    """
    if marked is None:
        yield text, False
        return
    part, within = "", False
    at = place = 0
    while at < len(marked):
        if marked.startswith(MARK, at) and not text.startswith(MARK, place):
            if part:
                yield part, within
            part, within = "", not within
            at += len(MARK)
        else:
            part += marked[at]
            at, place = at + 1, place + 1
    if part:
        yield part, within


def lines_of(explanation: Explanation) -> list[str]:
    """Return an explanation as lines: one for what each arm adds, one for each reranker."""
    amounts = [f"{arm.contribution:.4g}" for arm in explanation.arms]
    amount_width = max(map(len, amounts), default=0)
    name_width = max((len(arm.name) for arm in explanation.arms), default=0)
    lines = [
        f"{'+' if number else '='} {amount:<{amount_width}}  {arm.name:<{name_width}}  {_said(arm)}"
        for number, (amount, arm) in enumerate(zip(amounts, explanation.arms, strict=True))
    ]
    return [*lines, *(f"then {each.name}: {each.score:.4g} = {each}" for each in explanation.steps)]


def _said(arm: Arm) -> str:
    return "not found" if arm.rank is None else f"#{arm.rank} with {arm.score:.4g}"


def page_of(hits: Hits) -> str:
    """Return hits as HTML: a column for each arm and each reranker; all text is escaped."""
    arms = list(dict.fromkeys(arm.name for hit in hits for arm in hit.explanation.arms))
    steps = list(dict.fromkeys(step.name for hit in hits for step in hit.explanation.steps))
    titles = ["#", "score", "memory", *arms, *(f"then {name}" for name in steps)]
    head = "".join(f"<th>{html.escape(title)}</th>" for title in titles)
    rows = "".join(f"<tr>{_row(hit, arms, steps)}</tr>" for hit in hits)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in _notes(hits))
    return (
        f"<table><caption>{len(hits)} hits for <b>{html.escape(hits.query)}</b> "
        f"({html.escape(_how(hits))})</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{notes}"
    )


def _how(hits: Hits) -> str:
    vectors = f"; vectors by {embedder_name(hits.embedder)}" if hits.embedder else ""
    return f"{hits.strategy}: {hits.reason}{vectors}" if hits.reason else hits.strategy + vectors


def _row(hit: Hit, arms: list[str], steps: list[str]) -> str:
    parts = parts_of(hit.memory.content, hit.explanation.words)
    text = "".join(
        f"<b>{html.escape(part)}</b>" if found else html.escape(part) for part, found in parts
    )
    tags = html.escape(" ".join(f"#{tag}" for tag in hit.memory.tags))
    by_arm = {arm.name: _cell(arm.contribution, _said(arm)) for arm in hit.explanation.arms}
    by_step = {step.name: _cell(step.score, str(step)) for step in hit.explanation.steps}
    return "".join(
        [
            f"<td>{hit.rank}</td><td>{hit.score:.4g}</td>",
            f"<td {_LEFT}>{text}{f'<br><small>{tags}</small>' if tags else ''}</td>",
            *(by_arm.get(name, "<td></td>") for name in arms),
            *(by_step.get(name, "<td></td>") for name in steps),
        ]
    )


def _cell(amount: float, why: str) -> str:
    return f"<td>{amount:.4g}<br><small>{html.escape(why)}</small></td>"


def _notes(hits: Hits) -> Iterator[str]:
    if hits.suggestions:
        yield f"did you mean: {', '.join(map(str, hits.suggestions))}"
    if hits.left_out:
        yield f"left out by the token budget: {hits.left_out}"
