"""What a statement claims of what: subject and attribute as a key, and the value it gives them.

Two claims with one key and other values cannot both hold at a time, where the attribute has but one
value: where somebody lives, what something costs, who leads it, when it is due, how it is set. That
somebody likes tea, has a cat, or did something on some day claims nothing of that kind.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.consolidation.merge.alike import LIGHT
from engram_lab.consolidation.merge.roots import root, stem
from engram_lab.consolidation.supersede.times import Found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engram_lab.consolidation.merge.statements import Statement
    from engram_lab.consolidation.supersede.times import Times

__all__ = ["Claim", "claims", "contradictions"]


class Claim(NamedTuple):
    """One value of one attribute of one subject.

    Attributes:
        key: The kind of claim, and the roots that say of what.
        value: What it says; equal where two say the same.
        sure: How sure it is that there is but one value at a time, 0 to 1.
    """

    key: tuple[object, ...]
    value: tuple[object, ...]
    sure: float


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CHANGING: Final = _set(
    "now move moved moves moving changed change changes switched switch switches updated update "
    "updates new current currently recently latest became becomes become rescheduled postponed "
    "raised rose rises increased increases decreased dropped drops lowered reduced reduces "
    "correction corrected actually correct set extended shortened transferred replaced meanwhile "
    "again back still instead"
)
_CUES: Final = _set(
    "now moved changed switched updated became rescheduled postponed raised rose increased "
    "decreased dropped lowered reduced correction corrected actually instead since transferred "
    "replaced extended recently longer anymore new latest"
)
_SEVERAL: Final = _set(
    "brother sister friend son daughter child children cousin colleague hobby hobbies pet "
    "language skill interest member example part one uncle aunt neighbour neighbor cat dog idea "
    "reason problem advantage goal task step ingredient feature customer client partner student "
    "employee book film song trip visit allergy symptom"
)
_FIGURED: Final = _set(
    "cost due rent number email address port timeout limit budget salary earn version status "
    "price age weigh weight height deadline start begin end close open release launch schedule "
    "password capacity temperature quota threshold interval size birthday score balance count "
    "total rate target flight train departure departs arrival arrives appointment standup "
    "review exam wedding session backup backups phone pin code fee duration length width depth "
    "speed distance population stock supply inventory level ratio share percentage retention "
    "expiry expires pressure dose dosage runtime window term contract subscription premium tax "
    "discount bonus meeting holds employs contains lasts kickoff call lunch dinner workshop "
    "demo party concert lesson class ends"
)
_STATES: Final = _set(
    "enabled disabled open closed resolved unresolved pending blocked done finished unfinished "
    "completed incomplete cancelled canceled approved rejected merged active inactive paused "
    "running stopped online offline locked unlocked available unavailable public private "
    "deprecated archived live broken fixed working married divorced single engaged widowed "
    "retired employed unemployed green red yellow delayed ready planned started halted "
    "postponed full empty sold vacant occupied operational down up draft published overdue paid "
    "unpaid stalled shipped delivered"
)
_PLACES: Final = _set("in at on to near into within from")
_WORKING: Final = _set("at for with in to")
_LIKED: Final = {"like": True, "dislik": False, "hate": False, "loath": False, "detest": False}


@lru_cache(maxsize=1)
def _tables() -> dict[str, frozenset[str]]:
    """Return the roots of the words above."""
    told = {
        "changing": _CHANGING | LIGHT,
        "several": _SEVERAL,
        "figured": _FIGURED,
        "states": _STATES,
    }
    roots = {name: frozenset(root(word) for word in words) for name, words in told.items()}
    kept = roots["figured"] | roots["several"] | {root("work"), root("live")}
    roots["changing"] -= kept - {root("set")}
    roots["states"] |= frozenset(stem(word) for word in _STATES)
    return roots


def claims(told: Statement) -> list[Claim]:
    """Return what a statement claims, most telling first."""
    return list(_claims(told))


def _claims(told: Statement) -> Iterator[Claim]:
    changing = _tables()["changing"]
    core = told.content - changing
    figures = _figures(told)
    moods = told.moods - {"nolonger", "once", "must"}
    past = bool(told.moods & {"nolonger", "once"})
    if len(core) > 1:
        denied = past or told.negations % 2 == 1
        sure = 0.85 if told.lasting or past else 0.4
        yield Claim(("holds", core, figures, moods), (denied,), sure)
    if moods or past or told.negations:
        return
    cued = bool(told.words & _CUES)
    yield from _liked(told, core, figures)
    if figures and len(core) > 1 and (told.lasting or cued):
        yield _figured(told, core, figures)
    yield from _of_attribute(told, figures)
    yield from _of_state(told, cued=cued)
    yield from _of_relation(told)


def _figures(told: Statement) -> tuple[object, ...]:
    """Return numbers, dates and times, without those that something changed from."""
    were = {value for _, value, marker in told.order if marker == "from"}
    return (
        (
            tuple(each for each in told.numbers if each[0] not in were),
            tuple(each for each in told.dates if each not in were),
            tuple(each for each in told.times if each not in were),
            told.codes,
            tuple(sorted(told.classes.get("weekday", ()))),
        )
        if (told.order or told.codes or "weekday" in told.classes)
        else ()
    )


def _figured(told: Statement, core: frozenset[str], figures: tuple[object, ...]) -> Claim:
    kinds = tuple(bool(each) for each in figures)
    known = _tables()["figured"] & core
    counted = "own" in core or {"has", "have"} & told.words
    sure = 0.9 if known else 0.75 if counted and kinds[0] and sum(kinds) == 1 else 0.3
    if len(figures[0]) > 1:  # type: ignore[arg-type]
        sure = 0.3  # `the heating of house 3 is at 20 degrees`: one of them says of what
    if "meet" in core and not (told.copula >= 0 or told.words & _CUES):
        sure = 0.3  # people meet on many days; a meeting is on one
    return Claim(("figure", core, kinds, told.rhythm), figures, sure)


def _of_attribute(told: Statement, figures: tuple[object, ...]) -> Iterator[Claim]:
    """Yield what `A's B is C`, `the B of A is C` and `C is the B of A` claim."""
    several = bool(figures) and len(figures[0]) > 1  # type: ignore[arg-type]
    if told.copula < 0 or told.passive or several:
        return
    tables = _tables()
    left, right = told.roots[: told.copula], told.roots[told.copula :]
    owned = [{each for each in half if told.marked.get(each) == "of"} for half in (left, right)]
    if bool(owned[0]) == bool(owned[1]):
        return
    of, said = (left, right) if owned[0] else (right, left)
    known = frozenset(of) - tables["changing"]
    attributes = known - (owned[0] or owned[1]) - told.named
    value = frozenset(said) - tables["changing"]
    if not attributes or attributes & tables["several"] or not (value or figures):
        return
    yield Claim(("of", known, told.codes if value else ()), (value, figures), 0.9)


def _of_state(told: Statement, *, cued: bool) -> Iterator[Claim]:
    """Yield what `A is C` claims: a state, a place, or anything where a change is told."""
    if told.copula < 1 or told.passive or (not told.lasting and not told.words & {"is", "are"}):
        return
    tables = _tables()
    subject = frozenset(told.roots[: told.copula]) - tables["changing"], told.codes, told.numbers
    said = told.roots[told.copula :]
    value = frozenset(said) - tables["changing"] - subject[0]
    if not subject[0] or any(told.marked.get(each) == "of" for each in said):
        return
    states = frozenset(said) & tables["states"]
    if states and value <= states | tables["changing"]:
        yield Claim(("state", *subject), (states,), 0.85)
    elif value and all(told.marked.get(each) in {"in", "at"} for each in value):
        yield Claim(("where", *subject), (value,), 0.8 if cued else 0.6)
    elif value and not any(each in told.marked for each in value):
        yield Claim(("is", *subject), (value,), 0.75 if cued else 0.45)


def _liked(told: Statement, core: frozenset[str], figures: tuple[object, ...]) -> Iterator[Claim]:
    """Yield what is liked or not; who likes it on Monday need not like it on Friday."""
    for word, likes in _LIKED.items():
        if word in core and len(core) > 2 and not told.copula >= 0:  # noqa: PLR2004
            yield Claim(("likes", core - {word}, figures), (likes,), 0.85)


def _of_relation(told: Statement) -> Iterator[Claim]:
    """Yield what verbs of place, work and leading claim."""
    changing = _tables()["changing"]
    if "lead" in told.content:
        yield from _led(told, changing)
    for verb, kind, markers in (
        ("live", "live", _PLACES),
        ("move", "live", frozenset({"to"})),
        ("work", "work", _WORKING),
        ("join", "work", frozenset({""})),
        ("capit", "live", _PLACES),
        ("capital", "live", _PLACES),
    ):
        if verb not in told.content:
            continue
        at = told.roots.index(verb)
        subject = frozenset(told.roots[:at]) - changing
        after = [each for each in told.roots[at + 1 :] if each not in changing]
        value = frozenset(each for each in after if told.marked.get(each, "") in markers)
        named = value & told.named
        if subject and (named or (value and verb == "live")):
            yield Claim(("of", subject | {kind}, ()), (named or value, ()), 0.9)
        job = frozenset(each for each in after if told.marked.get(each) == "as")
        if verb == "work" and subject and job:
            yield Claim(("of", subject | {"job"}, ()), (job, ()), 0.8)


def _led(told: Statement, changing: frozenset[str]) -> Iterator[Claim]:
    """Yield who leads what: `A leads B`, `B is led by A`; one thing has one lead."""
    at = told.roots.index("lead")
    before = frozenset(told.roots[:at]) - changing
    after = frozenset(told.roots[at + 1 :]) - changing
    if told.passive:
        leader = frozenset(each for each in after if told.marked.get(each) == "by")
        thing = before
    elif told.copula < 0:
        leader, thing = before, after
    elif told.copula >= 0 and before and at >= told.copula:  # `A is the lead of B`
        leader = before
        thing = frozenset(each for each in after if told.marked.get(each) == "of")
    else:
        return
    if leader & told.named and thing & told.named and not leader & thing:
        yield Claim(("of", thing | {"lead"}, (*told.codes, *told.numbers)), (leader, ()), 0.9)


def contradictions(
    told: Mapping[int, Sequence[Claim]], times: Times, scopes: Sequence[str]
) -> Iterator[Found]:
    """Yield for each claim the next one of its key and scope that has another value.

    Args:
        told: Claims by row.
        times: When what was told.
        scopes: Of all rows.
    """
    groups: dict[tuple[object, ...], list[tuple[int, Claim]]] = {}
    for row in sorted(told, key=lambda each: int(times.ranks[each])):
        for claim in told[row]:
            groups.setdefault((scopes[row], *claim.key), []).append((row, claim))
    for group in groups.values():
        after: tuple[int, Claim] | None = None
        for (row, claim), following in zip(group[-2::-1], group[:0:-1], strict=True):
            if claim.value != following[1].value:
                after = following
            if after is None or after[0] == row:
                continue
            sure = after[1].sure  # that it tells of a change is the newer one's to say
            if claim.key[0] not in {"is", "where"}:
                sure = min(sure, claim.sure)
            yield Found(sure, after[0], row)
