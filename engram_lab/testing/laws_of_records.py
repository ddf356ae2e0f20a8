"""The laws of what is kept beside memories: links, vectors, sessions, recalls, names."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import ConflictError, InvalidInputError, NotFoundError
from engram_lab.core.types import RecalledMemory, RecallEvent
from engram_lab.testing.trial import law

if TYPE_CHECKING:
    from engram_lab.testing.trial import Trial

__all__ = ["LAWS"]

_DAY: Final = timedelta(days=1)


@law("between two memories one link of a type is open at a time, and closed ones stay as history")
def links(trial: Trial) -> None:
    store = trial.open()
    a, b, c = (store.memories.remember({"content": each}).id for each in "abc")
    first = store.links.put(a, b, weight=0.5)
    changed = store.links.put(a, b, weight=0.25)
    trial.equal((changed.id, changed.weight), (first.id, 0.25), "a link that was put twice")
    other = store.links.put(a, c, type="supersedes", weight=0.75)
    trial.equal(store.links.of(a), [other, changed], "the list of links, the heaviest first,")
    trial.equal(store.links.of(a, direction="in"), [], "the list of links that lead to their start")
    trial.equal(store.links.of(c, direction="in"), [other], "the list of links that lead to an end")
    trial.equal(store.links.of(a, types=["supersedes"]), [other], "the list of links of a type")
    ended = store.links.close(first.id, at=first.created_at - _DAY)
    trial.equal(store.links.of(b), [], "the list of links that still hold after closing one")
    trial.equal(store.links.of(b, closed=True), [ended], "the list of links with the closed one")
    again = store.links.put(a, b)
    trial.demand(again.id != first.id, "a closed link was opened again, and its history lost")
    held = store.links.of(b, valid_at=first.created_at - 2 * _DAY)
    trial.equal([each.id for each in held], [again.id, first.id], "the list of what held before")
    around = [each.id for each in store.links.around([b, c, b])]
    trial.equal(around, [again.id, other.id], "the list of links of either of two memories")
    around = [each.id for each in store.links.around([b, c], direction="out")]
    trial.equal(around, [], "the list of links from either of two memories")
    with trial.refuses(InvalidInputError, "a link from a memory to itself"):
        store.links.put(a, a)


@law("a vector is kept to the last bit, and goes when the content of its memory changes")
def vectors(trial: Trial) -> None:
    store = trial.open()
    a, b = (store.memories.remember({"content": each}).id for each in "ab")
    values = np.array([[0.1, -0.0, 3e38], [1e-45, 1 / 3, -7.0]], dtype=np.float32)
    store.vectors.put("model", [a, b], values)
    found = [each.values.tobytes() if each else None for each in store.vectors.get("model", [b, a])]
    trial.equal(found, [values[1].tobytes(), values[0].tobytes()], "the list of vectors got back")
    trial.equal(store.vectors.missing("model"), [], "the list of memories without a vector")
    trial.equal(store.vectors.embedders(), {"model": 3}, "the dimension by embedder")
    store.memories.update(a, {"tags": ["new"]})
    trial.demand(store.vectors.get("model", [a])[0], "a new tag dropped the vector of the content")
    store.memories.update(a, {"content": "changed"})
    trial.equal(store.vectors.get("model", [a]), [None], "the list of vectors of a changed content")
    trial.equal(store.vectors.missing("model"), [a], "the list of memories without a vector")
    with trial.refuses(InvalidInputError, "a vector of another dimension"):
        store.vectors.put("model", [a], values[:1, :2])
    with trial.refuses(InvalidInputError, "a vector that holds NaN"):
        store.vectors.put("model", [a], np.full((1, 3), np.nan, dtype=np.float32))


@law("a recorded recall counts as an access of what it found, and makes no version")
def recalls(trial: Trial) -> None:
    store = trial.open()
    memory = store.memories.remember({"content": "a"})
    events = [
        RecallEvent(
            id=store.new_id(),
            at=memory.created_at + n * _DAY,
            query=f"question {n}",
            hits=(RecalledMemory(memory_id=memory.id, rank=1, score=0.5),),
            strategy="any",
        )
        for n in (2, 1)
    ]
    store.events.record(events)
    trial.equal(store.events.since(), events, "the list of events")
    trial.equal(store.events.since(events[0].id), events[1:], "the list of events since the first")
    found = store.memories.get(memory.id)
    seen = (found.access_count, found.last_accessed_at, found.version)
    trial.equal(seen, (2, events[0].at, 1), "the count, time and version of the memory")
    with trial.refuses(ConflictError, "an event that is already stored"):
        store.events.record(events[:1])


@law("the turns of a session are memories, in the order in which they were spoken")
def sessions(trial: Trial) -> None:
    store = trial.open()
    session = store.sessions.start("one", title="A talk", metadata={"room": 1})
    trial.equal(store.sessions.get("one"), session, "the session got back")
    spoken = ("hello", "hello", "goodbye")
    for half in (spoken[:1], spoken[1:]):
        store.sessions.add_turns("one", [{"speaker": "ada", "content": each} for each in half])
    turns = store.sessions.turns("one")
    memories = [store.memories.get(turn.memory_id) for turn in turns]
    said = [(turn.position, each.content) for turn, each in zip(turns, memories, strict=True)]
    trial.equal(said, list(enumerate(spoken)), "the list of turns")
    kinds = {(each.type, each.session_id) for each in memories}
    trial.equal(kinds, {("transcript_chunk", "one")}, "the set of their types and sessions")
    try:
        store.sessions.add_turns("one", [{"speaker": "ada", "content": "x"}, {"content": "y"}])
    except InvalidInputError as error:
        trial.equal(error.row, 1, "the row of the turn without a speaker")
    else:
        trial.fail("a turn without a speaker was not refused")
    store.memories.forget(turns[1].memory_id)
    trial.equal(store.sessions.turns("one"), [turns[0], turns[2]], "the list without the forgotten")
    with trial.refuses(ConflictError, "a second session of the same id"):
        store.sessions.start("one")
    with trial.refuses(NotFoundError, "turns of an unknown session"):
        store.sessions.turns("two")


@law("an alias means one identity, and a name one entity, whatever the case and spacing")
def names(trial: Trial) -> None:
    store = trial.open()
    ada = store.identities.add("Ada Lovelace", aliases=["Countess"])
    trial.equal(store.identities.resolve("ada  LOVELACE"), ada, "who is meant by the name")
    trial.equal(store.identities.resolve("countess"), ada, "who is meant by the alias")
    trial.equal(store.identities.resolve("Byron"), None, "who is meant by an unknown name")
    with trial.refuses(ConflictError, "an alias of somebody else"):
        store.identities.add("Anne", aliases=["COUNTESS"])
    trial.equal(store.identities.all(), [ada], "the list of identities after the refusal")
    store.identities.remove_alias("Countess")
    trial.equal(store.identities.resolve("Countess"), None, "who is meant by a removed alias")
    memory = store.memories.remember({"content": "a"})
    first = store.entities.mention(memory.id, "Analytical Engine", kind="machine", confidence=0.5)
    again = store.entities.mention(memory.id, "analytical  ENGINE", kind="machine")
    trial.equal(again, first, "the entity mentioned twice")
    trial.equal(store.entities.find("ANALYTICAL engine"), [first], "the list of its name")
    trial.equal(store.entities.memories(first.id), [memory.id], "the list of what mentions it")
    mentions = [(entity, mention.confidence) for entity, mention in store.entities.of(memory.id)]
    trial.equal(mentions, [(first, 1.0)], "the list of mentions")


LAWS: Final = (links, vectors, recalls, sessions, names)
"""The laws of this module, in the order in which they are tried."""
