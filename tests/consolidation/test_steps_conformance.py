"""Every step that there is keeps the laws of steps, and none that breaks one passes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.config import DreamSettings
from engram_lab.consolidation import STEPS
from engram_lab.core.dreams import Change
from engram_lab.testing import ConformanceError, check_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from engram_lab.consolidation import Scene, View

    Sabotage = Callable[["Tagging", View, Scene], Any]

SETTINGS: dict[str, dict[str, Any]] = {
    "fade": {"fade_archives": "unused"},
    "prune": {"prune_most_memories": 40},
}


@pytest.mark.parametrize("name", STEPS.names())
def test_every_step_keeps_the_laws(name: str) -> None:
    check_step(STEPS.get(name)(DreamSettings(**SETTINGS.get(name, {}))))


def test_the_steps_are_all_there() -> None:
    assert {"hebbian", "merge", "supersede"} <= set(STEPS.names())


@dataclass
class Tagging:
    """Tags what has no tag, and joins the first two memories of a scope."""

    sabotage: Sabotage | None = None
    name: str = "tagging"
    parameters: dict[str, Any] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def plan(self, view: View, scene: Scene) -> Any:
        if self.sabotage is not None:
            return self.sabotage(self, view, scene)
        return self.planned(view, scene)

    def planned(self, view: View, scene: Scene) -> list[Change]:
        return [*self.tagged(view), *self.joined(view, scene)]

    def tagged(self, view: View) -> list[Change]:
        rows = np.flatnonzero(~view.protected)
        details = zip(rows.tolist(), view.details(rows), strict=True)
        return [self.tag(view, row) for row, each in details if "seen" not in each.tags]

    def tag(self, view: View, row: int, *, tag: str = "seen") -> Change:
        (were,) = view.details(np.array([row]))
        return Change(
            step=self.name,
            action="update",
            id=view.columns.ids[row],
            fields={"tags": [*were.tags, tag]},
            reason="it has no tag",
            seen=int(view.columns.version[row]),
        )

    def joined(self, view: View, scene: Scene, **fields: Any) -> list[Change]:
        rows = [row for row, scope in enumerate(view.columns.scopes) if scope == "global"][:2]
        if len(rows) < 2 or "tagging" in view.links().types:
            return []
        one, other = (view.columns.ids[row] for row in rows)
        told = {"from_id": one, "to_id": other, "type": "tagging", "weight": 0.5, **fields}
        id_ = scene.new_id("tagging", one, other)
        return [Change(step=self.name, action="link", id=id_, fields=told, reason="they are first")]


def changed(
    step: Tagging, view: View, scene: Scene, alter: Callable[[Change], Change]
) -> Sequence[Change]:
    return [alter(each) for each in step.planned(view, scene)]


def fails_on_nothing(step: Tagging, view: View, scene: Scene) -> Any:
    return [step.tag(view, 0), *step.planned(view, scene)][1:]


def needs_vectors(step: Tagging, view: View, scene: Scene) -> Any:
    assert scene.nearest is not None
    return step.planned(view, scene)


def never_has_enough(step: Tagging, view: View, _scene: Scene) -> Any:
    rows = np.flatnonzero(~view.protected).tolist()
    return [step.tag(view, row, tag=f"v{view.columns.version[row]}") for row in rows]


def by_lot(step: Tagging, view: View, scene: Scene) -> Any:
    return changed(step, view, scene, lambda each: replace(each, reason=f"{next(step.numbers)}"))


def writes_in_the_view(step: Tagging, view: View, scene: Scene) -> Any:
    planned = step.planned(view, scene)
    view.columns.importance[:] = 0
    return planned


def tags_what_is_protected(step: Tagging, view: View, scene: Scene) -> Any:
    rows = np.flatnonzero(view.protected)[:1].tolist()
    return [*step.planned(view, scene), *(step.tag(view, row) for row in rows)]


def joins_scopes(step: Tagging, view: View, scene: Scene) -> Any:
    others = [
        id_ for id_, s in zip(view.columns.ids, view.columns.scopes, strict=True) if s != "global"
    ]
    return step.joined(view, scene, to_id=others[0]) if others else []


def joins_itself(step: Tagging, view: View, scene: Scene) -> Any:
    joined = step.joined(view, scene)
    return step.joined(view, scene, to_id=joined[0].fields["from_id"]) if joined else []


def weighs_too_much(step: Tagging, view: View, scene: Scene) -> Any:
    return step.joined(view, scene, weight=1.5)


def quotes(step: Tagging, view: View, scene: Scene) -> Any:
    texts = view.texts(np.arange(min(1, len(view))))
    return changed(step, view, scene, lambda each: replace(each, reason=f"like {texts[0]!r}"))


def says_not_why(step: Tagging, view: View, scene: Scene) -> Any:
    return changed(step, view, scene, lambda each: replace(each, reason=""))


def goes_by_another_name(step: Tagging, view: View, scene: Scene) -> Any:
    return changed(step, view, scene, lambda each: replace(each, step="another"))


def sees_what_was(step: Tagging, view: View, scene: Scene) -> Any:
    return [replace(each, seen=99) for each in step.planned(view, scene)[:1]]


def remembers(step: Tagging, view: View, scene: Scene, *, of: str, workspace: str) -> list[Change]:
    rows = [row for row, scope in enumerate(view.columns.scopes) if scope == of][:1]
    if not rows or "tagging" in view.columns.types:
        return []
    source = view.columns.ids[rows[0]]
    return [
        Change(
            step=step.name,
            action="remember",
            id=scene.new_id("tagging", source),
            fields={"content": "there are some", "type": "tagging", "workspace": workspace},
            reason="there are some",
            sources=(source,),
        )
    ]


def remembers_here(step: Tagging, view: View, scene: Scene) -> Any:
    return remembers(step, view, scene, of="global", workspace=view.workspace)


def remembers_elsewhere(step: Tagging, view: View, scene: Scene) -> Any:
    return remembers(step, view, scene, of="global", workspace="elsewhere")


def remembers_in_another_scope(step: Tagging, view: View, scene: Scene) -> Any:
    return remembers(step, view, scene, of="global/org:a", workspace=view.workspace)


SABOTAGES = [
    (fails_on_nothing, "a step plans whatever the memories are"),
    (needs_vectors, "a step plans whatever the memories are"),
    (never_has_enough, "what was planned, once carried out, leaves nothing more to plan"),
    (by_lot, "the same view and scene give the same changes in the same order"),
    (writes_in_the_view, "planning leaves the view as it is"),
    (tags_what_is_protected, "nothing protected is changed"),
    (joins_scopes, "nothing crosses workspaces or scopes"),
    (remembers_elsewhere, "nothing crosses workspaces or scopes"),
    (remembers_in_another_scope, "nothing crosses workspaces or scopes"),
    (joins_itself, "nothing is linked with itself"),
    (weighs_too_much, "weights lie from 0 to 1"),
    (quotes, "in words that quote no memory"),
    (says_not_why, "a change says which step planned it, and why"),
    (goes_by_another_name, "a change says which step planned it, and why"),
    (sees_what_was, "what was planned can be carried out"),
]


@pytest.mark.parametrize("way", [None, remembers_here])
def test_a_step_of_ones_own_keeps_the_laws(way: Sabotage | None) -> None:
    check_step(Tagging(way))


@pytest.mark.parametrize(
    ("sabotage", "law"), SABOTAGES, ids=lambda each: getattr(each, "__name__", "")
)
def test_a_step_that_breaks_a_law_is_found_out_by_that_law(sabotage: Sabotage, law: str) -> None:
    with pytest.raises(ConformanceError) as caught:
        check_step(Tagging(sabotage))

    assert law in caught.value.law


@pytest.mark.parametrize("step", [Tagging(name=""), Tagging(parameters={"least": float("nan")})])
def test_a_step_says_what_it_is_and_how_it_is_set(step: Tagging) -> None:
    with pytest.raises(ConformanceError, match="plain JSON"):
        check_step(step)
