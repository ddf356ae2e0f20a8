"""A corpus into an engine's store: turns as turns, sessions whole or as the turns they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from engram_lab.engine import Engine
    from engram_lab.evaluation.systems.corpora import Corpus

__all__ = ["STORED_AS", "StoreAs", "fill"]

StoreAs = Literal["memories", "turns"]

STORED_AS: Final[tuple[StoreAs, ...]] = ("memories", "turns")
"""Whether a memory that is a session of turns is kept whole, or as these turns."""

_NO_MODEL: Final = "none"
_PLACES: Final = frozenset({"scope", "workspace"})


def fill(engine: Engine, corpus: Corpus, store_as: StoreAs = "memories") -> dict[str, str]:
    """Store a corpus; return the ids of the data set by those of the store.

    Turns of a conversation go in as turns, in their order; the rest as plain memories. Stored as
    turns, a session is so many memories, whose ids all lead to it.
    """
    ids: dict[str, str] = {}
    alone: list[dict[str, Any]] = []
    spoken: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for row in corpus.memories:
        apart = _PLACES & set(row["fields"])  # a turn lies where its session does
        parts = corpus.parts.get(row["id"]) if store_as == "turns" else None
        session = row["session"] or row["id"]
        if parts and not apart:
            turns = [(row["id"], {**part, "fields": row["fields"]}) for part in parts]
            spoken.setdefault(session, []).extend(turns)
        elif row["session"] is not None and row["speaker"] is not None and not apart:
            spoken.setdefault(session, []).append((row["id"], row))
        else:
            alone.append(row)
    for session, told in spoken.items():
        engine.store.sessions.start(session, started_at=told[0][1]["event_at"])
        given = [
            {
                "speaker": turn["speaker"],
                "content": turn["content"],
                "spoken_at": turn["event_at"],
                **turn["fields"],
            }
            for _, turn in told
        ]
        added = engine.store.sessions.add_turns(session, given)
        ids |= {turn.memory_id: id_ for turn, (id_, _) in zip(added, told, strict=True)}
    drafts = [
        {"content": row["content"], "event_at": row["event_at"], **row["fields"]} for row in alone
    ]
    report = engine.remember_many(drafts)
    ids |= {id_: row["id"] for id_, row in zip(report.ids, alone, strict=True)}
    if engine.config.embedding.model != _NO_MODEL:
        engine.embed()
    return ids
