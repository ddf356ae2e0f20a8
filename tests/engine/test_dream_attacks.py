"""What goes wrong between a plan and its deed, budgets that cut, and steps that plan nonsense."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab import Engine, EngineConfig, ManualClock
from engram_lab.config import DreamSettings, EmbeddingSettings, RetrievalSettings, StoreSettings
from engram_lab.core.dreams import Change
from engram_lab.core.errors import InvalidInputError, UndoConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from engram_lab.consolidation import Scene, View

    Plan = Callable[[View, Scene], Any]

COPIES = (
    "Ada pays 40 euros a month for the gym",
    "Ada pays 40 euros a month for the gym.",
    "ada pays 40 euros a month for the gym",
)


@dataclass
class Planning:
    """Plans whatever it is told."""

    planned: Plan
    name: str = "mine"
    parameters: dict[str, Any] = field(default_factory=dict)

    def plan(self, view: View, scene: Scene) -> Iterable[Change]:
        told: Iterable[Change] = self.planned(view, scene)
        return told


def meanwhile(write: Callable[[], Any]) -> Planning:
    """Plan nothing, but let somebody write before the dream is carried out."""

    def plan(_: View, __: Scene) -> list[Change]:
        write()
        return []

    return Planning(plan, name="meanwhile")


def config(**dream: Any) -> EngineConfig:
    return replace(
        EngineConfig(),
        store=StoreSettings(seed=7),
        embedding=EmbeddingSettings(model="hashing"),
        retrieval=RetrievalSettings(profile="neutral"),
        dream=DreamSettings(**{"most_removed": 1.0, "steps": "merge", **dream}),
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Iterator[Engine]:
    settings = config(abstract_min_days=0, abstract_least=2)
    with Engine.open(":memory:", config=settings, clock=clock) as opened:
        yield opened


def merging(engine: Engine) -> tuple[str, list[str]]:
    """Remember the copies; return which will stand for the others, and these."""
    ids = [engine.remember(text).id for text in COPIES]
    (survivor,) = {
        str(each.fields["to_id"]) for each in engine.dream(dry_run=True) if each.action == "link"
    }
    return survivor, [each for each in ids if each != survivor]


def hidden(engine: Engine) -> set[str]:
    columns = engine.store.dreams.columns("default")
    return {id_ for id_, gone in zip(columns.ids, columns.archived, strict=True) if gone}


def led_on(engine: Engine) -> set[str]:
    """Return what leads to something that stands for it."""
    columns, links = engine.store.dreams.columns("default"), engine.store.dreams.links("default")
    ids = dict(zip(columns.keys.tolist(), columns.ids, strict=True))
    pairs = zip(links.from_keys.tolist(), links.types, strict=True)
    return {ids[key] for key, type_ in pairs if type_ == "merged_into"}


def graph(engine: Engine) -> set[tuple[str, str, str]]:
    columns, links = engine.store.dreams.columns("default"), engine.store.dreams.links("default")
    ids = dict(zip(columns.keys.tolist(), columns.ids, strict=True))
    ends = zip(links.from_keys.tolist(), links.to_keys.tolist(), links.types, strict=True)
    return {(ids[start], ids[end], type_) for start, end, type_ in ends}


@pytest.mark.parametrize(
    "write",
    [
        lambda engine, id_: engine.forget(id_),
        lambda engine, id_: engine.purge([id_]),
        lambda engine, id_: engine.update(id_, content="Bob likes green tea"),
        lambda engine, id_: engine.update(id_, lifecycle="archived"),
        lambda engine, id_: engine.update(id_, scope="global/org:a"),
    ],
    ids=["forget", "purge", "rewrite", "archive", "move"],
)
def test_nothing_is_merged_into_what_was_written_meanwhile(
    engine: Engine, write: Callable[[Engine, str], Any]
) -> None:
    survivor, others = merging(engine)
    report = engine.dream(steps=["merge", meanwhile(lambda: write(engine, survivor))])
    assert (report.run.steps[0].counts, report.run.steps[0].skipped) == ({}, 4)
    assert report.run.memories_after == report.run.memories_before
    assert not hidden(engine) & set(others)
    engine.dream()  # which looks at the others again, though they did not change
    assert len(hidden(engine) & set(others)) == 1
    assert hidden(engine) & set(others) <= led_on(engine)


def test_of_a_merge_that_is_partly_overtaken_the_rest_is_done(engine: Engine) -> None:
    survivor, (one, other) = merging(engine)
    report = engine.dream(steps=["merge", meanwhile(lambda: engine.update(one, tags=["kept"]))])
    assert report.run.steps[0].skipped == 2
    assert hidden(engine) == led_on(engine) == {other}
    engine.dream()
    assert hidden(engine) == led_on(engine) == {one, other}
    assert survivor not in hidden(engine)


def test_no_gist_is_made_of_what_was_forgotten_meanwhile(
    engine: Engine, clock: ManualClock
) -> None:
    ids = [
        engine.remember(f"The heron of mill {number} keeps the copper key by the river").id
        for number in range(4)
    ]
    clock.advance(days=1)
    engine.dream(steps=["abstract", meanwhile(lambda: engine.forget(ids[0]))])
    assert not [each for each in engine.select() if each.type == "summary"]
    engine.dream(steps=["abstract"])
    (gist,) = [each for each in engine.select() if each.type == "summary"]
    assert "mill 0" not in gist.content


@pytest.mark.parametrize("steps", ["merge", "link-temporal,merge,fade", "merge,abstract"])
@pytest.mark.parametrize("most", [1, 2, 3])
def test_many_small_dreams_end_where_one_does_and_open_no_hole(steps: str, most: int) -> None:
    ends = []
    for budget in (None, most):
        clock = ManualClock()
        settings = config(steps=steps, abstract_min_days=0)
        with Engine.open(":memory:", config=settings, clock=clock) as engine:
            for number, place in enumerate(("gym", "choir", "club", "train")):
                for text in COPIES:
                    engine.remember(text.replace("40", str(40 + number)).replace("gym", place))
                clock.advance(days=1)
            for _ in range(60):
                report = engine.dream(max_changes=budget)
                assert hidden(engine) == led_on(engine)
                if report.run.stopped is None:
                    break
            assert report.run.stopped is None, "it comes to an end"
            ends.append((hidden(engine), graph(engine)))
    assert ends[0] == ends[1]


def change(**given: Any) -> Change:
    return Change(**{"step": "mine", "reason": "to see", **given})


def linking(scene: Scene, **fields: Any) -> list[Change]:
    return [change(action="link", id=scene.new_id("link"), fields=fields)]


NONSENSE: dict[str, Plan] = {
    "no changes": lambda _, __: None,
    "numbers": lambda _, __: [1],
    "heavy": lambda v, s: linking(
        s, from_id=v.columns.ids[0], to_id=v.columns.ids[1], type="near", weight=2
    ),
    "no ends": lambda _, s: linking(s, type="near", weight=0.5),
    "to itself": lambda v, s: linking(
        s, from_id=v.columns.ids[0], to_id=v.columns.ids[0], type="near", weight=0.5
    ),
    "no time": lambda v, _: [
        change(action="update", id=v.columns.ids[0], fields={"valid_to": "yesterday"})
    ],
    "too important": lambda v, _: [
        change(action="update", id=v.columns.ids[0], fields={"importance": 5})
    ],
    "elsewhere": lambda _, s: [
        change(action="remember", id=s.new_id("x"), fields={"content": "x", "workspace": "other"})
    ],
    "across scopes": lambda v, s: [
        change(
            action="remember",
            id=s.new_id("x"),
            fields={"content": "x", "workspace": "default", "scope": "global/org:a"},
            sources=(v.columns.ids[0],),
        )
    ],
    "no reason": lambda v, _: [
        change(action="update", id=v.columns.ids[0], fields={"importance": 0.1}, reason="")
    ],
}


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_is_refused_by_name_in_a_dry_run_too(
    engine: Engine, kind: str, *, dry_run: bool
) -> None:
    engine.remember("one thing")
    engine.remember("another matter")
    before = [*engine.select()]
    with pytest.raises(InvalidInputError, match=r"step 'mine'|reason has 0 characters"):
        engine.dream(steps=[Planning(NONSENSE[kind])], dry_run=dry_run)
    assert [*engine.select()] == before
    assert engine.store.dreams.locks() == []


def test_what_stays_archived_after_an_undo_still_leads_on(engine: Engine) -> None:
    survivor, (one, other) = merging(engine)
    done = engine.dream()
    engine.update(one, tags=["kept"])
    with pytest.raises(UndoConflictError):
        engine.undo(done.run_id)
    engine.undo(done.run_id, keep_later=True)
    assert hidden(engine) == led_on(engine) == {one}
    assert survivor not in hidden(engine)
    assert other not in hidden(engine)


def test_private_sections_of_what_was_left_are_not_told(engine: Engine) -> None:
    engine.store.injections.put("Mind the <private>copper key</private> tide", workspace="default")
    answer = engine.hook("SessionStart", {"session_id": "one"})
    assert "Mind the" in answer.text
    assert "copper" not in answer.text


@pytest.mark.parametrize("link", ["link-semantic", "link-temporal", "link-sessions", "merge"])
def test_what_a_dream_made_gives_the_next_one_nothing_to_do(
    engine: Engine, clock: ManualClock, link: str
) -> None:
    for number in range(12):
        place = ("mill", "weir", "lock")[number % 3]
        text = f"The {place} {number} grinds rye for the town by the river"
        engine.remember(text, session_id="one")
    clock.advance(days=1)
    first = engine.dream(steps=["abstract", link])
    assert any(each.action == "remember" for each in first)
    assert not engine.dream(steps=["abstract", link]).changes
    assert not engine.dream(steps=["abstract", link], full=True).changes


@pytest.mark.parametrize("expiring", range(3))
def test_what_expires_never_stands_for_what_stays(
    engine: Engine, clock: ManualClock, expiring: int
) -> None:
    for number, text in enumerate(COPIES):
        when: dict[str, Any] = {"expires_at": "2026-01-10T00:00:00Z", "importance": 0.8}
        engine.remember(text, **(when if number == expiring else {}))
    engine.dream()
    clock.advance(days=3650)
    assert engine.recall("gym", k=1)
