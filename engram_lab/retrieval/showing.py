"""How hits are shown to people: the words of the question, what made each score, and a page."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from engram_lab.core.markup import MOST_CHARS, MOST_ROWS, note, text
from engram_lab.retrieval.marking import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from engram_lab.retrieval.hits import Arm, Explanation, Hit, Hits

__all__ = ["embedder_name", "lines_of", "page_of", "parts_of"]

_OF_A_MACHINE: Final = re.compile(r"\d+|[0-9a-f]{12,}|.*=.*")
"""Parts of a fingerprint that tell a person little: numbers, checksums, options."""

_LEFT: Final = "style='text-align:left;white-space:pre-wrap;min-width:16em'"

_SHORT: Final = 30
"""Characters that stand on one line of a cell."""

_MOST: Final = 6
"""Arms that are shown one by one; of features there are twenty, and most of them say little."""


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
    """Return an explanation as lines: one for what each arm adds, one for each reranker.

    Of many arms those that add or take most come first, and a last line has the sum of the others;
    the explanation itself has them all.
    """
    arms = explanation.arms
    names = _largest([explanation])
    by_name = {arm.name: arm for arm in arms}
    parts = [(by_name[name].contribution, name, _said(by_name[name])) for name in names]
    if rest := [arm for arm in arms if arm.name not in names]:
        parts.append((_sum_of(rest), f"{len(rest)} others", ""))
    # The first stands beside the equals sign, so it keeps its own.
    signs = ["=", *("-" if amount < 0 else "+" for amount, _, _ in parts[1:])]
    amounts = [
        f"{abs(amount) if number else amount + 0.0:.4g}"
        for number, (amount, _, _) in enumerate(parts)
    ]
    amount_width = max(map(len, amounts), default=0)
    name_width = max((len(name) for _, name, _ in parts), default=0)
    lines = [
        f"{sign} {amount:<{amount_width}}  {name:<{name_width}}  {said}".rstrip()
        for sign, amount, (_, name, said) in zip(signs, amounts, parts, strict=False)
    ]
    return [*lines, *(f"then {each.name}: {each.score:.4g} = {each}" for each in explanation.steps)]


def _largest(explanations: Sequence[Explanation]) -> list[str]:
    """Return the arms to be shown: all as they come if few, else those that move scores most."""
    moved: dict[str, float] = {}
    for explanation in explanations:
        for arm in explanation.arms:
            moved[arm.name] = moved.get(arm.name, 0.0) + abs(arm.contribution)
    names = list(moved)
    return names if len(names) <= _MOST else sorted(names, key=moved.__getitem__)[: -_MOST - 1 : -1]


def _sum_of(arms: Iterable[Arm]) -> float:
    return sum((arm.contribution for arm in arms), 0.0)


def _said(arm: Arm) -> str:
    return "not found" if arm.rank is None else f"#{arm.rank} with {arm.score:.4g}"


def page_of(hits: Hits) -> str:
    """Return hits as HTML: a column for each arm and each reranker; all text is escaped.

    Of many arms those that move the scores most have a column each, and the others one together.
    """
    arms = _largest([hit.explanation for hit in hits])
    others = len({arm.name for hit in hits for arm in hit.explanation.arms}) - len(arms)
    steps = list(dict.fromkeys(step.name for hit in hits for step in hit.explanation.steps))
    titles = ["#", "score", "memory", *arms]
    titles += [f"{others} others"] * bool(others)
    titles += [f"then {name}" for name in steps]
    head = "".join(
        f"<th{f' {_LEFT}' * (title == 'memory')}>{html.escape(title)}</th>" for title in titles
    )
    shown = hits[:MOST_ROWS]
    rows = "".join(f"<tr>{_row(hit, arms, steps, others=others)}</tr>" for hit in shown)
    notes = "".join(map(note, _notes(hits)))
    return (
        f"<table><caption style='text-align:left'>{len(hits)} hits for <b>{text(hits.query)}</b> "
        f"({html.escape(_how(hits))})</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{notes}"
    )


def _how(hits: Hits) -> str:
    vectors = f"; vectors by {embedder_name(hits.embedder)}" if hits.embedder else ""
    return f"{hits.strategy}: {hits.reason}{vectors}" if hits.reason else hits.strategy + vectors


def _row(hit: Hit, arms: list[str], steps: list[str], *, others: int) -> str:
    parts = _bounded(parts_of(hit.memory.content, hit.explanation.words))
    said = "".join(
        f"<b>{html.escape(part)}</b>" if found else html.escape(part) for part, found in parts
    )
    tags = html.escape(" ".join(f"#{tag}" for tag in hit.memory.tags))
    by_arm = {arm.name: _cell(arm.contribution, _said(arm)) for arm in hit.explanation.arms}
    rest = _sum_of(arm for arm in hit.explanation.arms if arm.name not in arms)
    by_step = {step.name: _cell(step.score, str(step)) for step in hit.explanation.steps}
    return "".join(
        [
            f"<td>{hit.rank}</td><td>{hit.score:.4g}</td>",
            f"<td {_LEFT}>{said}{f'<br><small>{tags}</small>' if tags else ''}</td>",
            *(by_arm.get(name, "<td></td>") for name in arms),
            _cell(rest, "") if others else "",
            *(by_step.get(name, "<td></td>") for name in steps),
        ]
    )


def _bounded(parts: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a text as far as a page has room for it."""
    room = MOST_CHARS
    for part, found in parts:
        if len(part) > room:
            yield f"{part[:room]}…", found
            return
        yield part, found
        room -= len(part)


def _cell(amount: float, why: str) -> str:
    # 0.0 is added so that none reads -0.
    below = f"<br><small>{html.escape(why)}</small>" if why else ""
    style = " style='white-space:nowrap'" if len(why) < _SHORT else ""
    return f"<td{style}>{amount + 0.0:.4g}{below}</td>"


def _notes(hits: Hits) -> Iterator[str]:
    if hits.suggestions:
        yield f"did you mean: {', '.join(map(str, hits.suggestions))}"
    if hits.left_out:
        yield f"left out by the token budget: {hits.left_out}"
    if len(hits) > MOST_ROWS:
        yield f"and {len(hits) - MOST_ROWS:,} more"
