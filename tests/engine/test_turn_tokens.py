"""Token vectors are kept of turns and of nothing else, beside the database, until a purge."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.tokens import TokenTable, keeping_tokens
from engram_lab.retrieval.tokens.table import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab import Engine, ManualClock

    Opened = Callable[..., Engine]

SAID = ("Ada: shall we go to the sea", "Ben: yes, the kettle is on", "Ada: good")
NOTES = ("a note of the sea", "a kettle")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "talk.db"


def talk(engine: Engine, *said: str, **fields: Any) -> list[str]:
    """Say something in the session `one`, and embed it."""
    if not engine.store.sessions.all():
        engine.store.sessions.start("one")
    turns = [{"speaker": text.partition(":")[0], "content": text, **fields} for text in said]
    ids = [turn.memory_id for turn in engine.store.sessions.add_turns("one", turns)]
    engine.took_in()
    return ids


def held(engine: Engine, *texts: str) -> list[bool]:
    table = engine._indexes._tokens._held
    assert table is not None
    return [text in table for text in texts]


def token_files(place: Path) -> list[Path]:
    return sorted(Path(f"{place}.index").glob("tokens-*"))


def on_disk(place: Path, text: str, embedder: Any) -> bool:
    """Tell whether any index file has the digest of a text, or its codes."""
    (codes,) = TokenTable(embedder).of([text])
    data = b"".join(file.read_bytes() for file in Path(f"{place}.index").glob("*"))
    return digest_of(text) in data or bytes(codes) in data


def test_those_of_turns_are_made_in_one_pass_and_none_of_notes(
    opened: Opened, pair_words: Any
) -> None:
    embedder = pair_words()
    with opened(embedder=embedder) as engine:
        engine.remember_many({"content": text} for text in NOTES)
        assert embedder.pairs == []
        talk(engine, *SAID)
        engine.remember("one more note")
        assert embedder.pairs == [(text, "document") for text in SAID]
        assert held(engine, *SAID, *NOTES, "one more note") == [True] * 3 + [False] * 3
        embedder.pairs.clear()
        embedder.asked.clear()
        engine.recall("the kettle")
        assert not {text for text, kind in embedder.asked if kind == "document"} & set(SAID)


def test_a_batch_of_both_keeps_those_of_its_turns(opened: Opened, pair_words: Any) -> None:
    with opened(embedder=pair_words()) as engine:
        engine.store.memories.remember_many([{"content": text} for text in NOTES])
        talk(engine, *SAID)
        assert held(engine, *SAID, *NOTES) == [True] * 3 + [False] * 2
        assert engine.embed().pending == 0


def test_a_store_of_notes_pays_nothing(opened: Opened, pair_words: Any, place: Path) -> None:
    embedder = pair_words()
    with opened(place, embedder=embedder) as engine:
        engine.remember_many({"content": f"tea {number}"} for number in range(300))
        engine.recall("tea 7")
        engine.reindex()
        table = engine._indexes._tokens._held
        assert table is not None
        assert (len(table), table.held_bytes) == (0, 0)
    assert {kind for _, kind in embedder.pairs} <= {"query"}
    assert token_files(place) == []


def test_where_turns_make_no_order_none_is_made(opened: Opened, pair_words: Any) -> None:
    embedder = pair_words()
    with opened(embedder=embedder, retrieval={"profile": "neutral"}) as engine:
        talk(engine, *SAID)
        engine.recall("the kettle")
        assert embedder.pairs == []
        assert engine._indexes._tokens.table() is None


def test_an_embedder_without_tokens_is_as_good_as_before(opened: Opened, words: Any) -> None:
    with opened(embedder=words()) as engine:
        talk(engine, *SAID)
        assert engine._indexes._tokens.table() is None
        assert engine.recall("the kettle").profile == "by-hand"


def answers(engine: Engine) -> list[Any]:
    hits = engine.recall("What did Ben say of the kettle?", 10)
    return [(hit.memory.content, hit.score, hit.explanation) for hit in hits]


def test_they_are_kept_though_nobody_asked_and_found_again(
    opened: Opened, pair_words: Any, place: Path
) -> None:
    with opened(place, embedder=pair_words()) as engine:
        talk(engine, *SAID)
    assert len(token_files(place)) == 1
    embedder = pair_words()
    with opened(place, embedder=embedder) as engine:
        first = answers(engine)
        assert held(engine, *SAID) == [True] * 3
        assert [text for text, kind in embedder.asked if kind == "document"] == []
    for file in token_files(place):
        file.unlink()
    with opened(place, embedder=embedder) as engine:
        assert answers(engine) == first  # to the bit, now that they were made anew
        assert held(engine, *SAID) == [True] * 3


def test_who_reads_only_uses_them_and_writes_none(
    opened: Opened, pair_words: Any, place: Path
) -> None:
    with opened(place, embedder=pair_words()) as engine:
        talk(engine, *SAID)
        wanted = answers(engine)
    before = {file: file.read_bytes() for file in token_files(place)}
    with opened(place, embedder=pair_words(), read_only=True) as engine:
        assert answers(engine) == wanted
    assert {file: file.read_bytes() for file in token_files(place)} == before


def purge(engine: Engine, clock: ManualClock, memory_id: str) -> None:
    del clock
    engine.purge([memory_id])


def let_expire(engine: Engine, clock: ManualClock, memory_id: str) -> None:
    del memory_id
    clock.advance(hours=2)
    assert engine.clean_up().expired == 1


@pytest.mark.parametrize("deed", [purge, let_expire])
def test_what_is_purged_is_gone_from_memory_and_files(
    opened: Opened,
    pair_words: Any,
    clock: ManualClock,
    place: Path,
    deed: Callable[..., None],
) -> None:
    embedder, rare = pair_words(), "Ada: the quokka plays a xylophone"
    with opened(place, clock=clock, embedder=embedder) as engine:
        talk(engine, *SAID)
        (gone,) = talk(engine, rare, expires_at=clock.now() + timedelta(hours=1))
        answers(engine)
        engine.reindex()
        assert on_disk(place, rare, embedder)
        deed(engine, clock, gone)
        assert held(engine, rare, *SAID) == [False, True, True, True]
        assert token_files(place) == []
        assert rare not in repr(engine._indexes._conversations._turns.turns.contents.tolist())
        answers(engine)
    assert not on_disk(place, rare, embedder)
    assert on_disk(place, SAID[0], embedder)


def test_a_former_version_of_what_is_purged_is_gone_too(
    opened: Opened, pair_words: Any, place: Path
) -> None:
    embedder = pair_words()
    with opened(place, embedder=embedder) as engine:
        (changed, _, _) = talk(engine, *SAID)
        engine.update(changed, content="Ada: never mind")
        assert held(engine, SAID[0], "Ada: never mind") == [True, True]
        engine.purge([changed])
        assert held(engine, SAID[0], "Ada: never mind", SAID[1]) == [False, False, True]
    assert not on_disk(place, SAID[0], embedder)


def test_what_one_process_purged_another_does_not_keep(
    opened: Opened, pair_words: Any, place: Path
) -> None:
    embedder = pair_words()
    with opened(place, embedder=embedder) as engine:
        gone, *_ = talk(engine, *SAID)
        with opened(place, embedder=pair_words()) as other:
            other.purge([gone])
        answers(engine)
    assert not on_disk(place, SAID[0], embedder)
    assert on_disk(place, SAID[1], embedder)


def test_what_is_purged_while_it_is_embedded_is_not_held(
    opened: Opened, pair_words: Any, place: Path
) -> None:
    embedder = pair_words()
    with opened(place, embedder=embedder) as engine:
        talk(engine, *SAID)
        (gone,) = [
            turn.memory_id
            for turn in engine.store.sessions.add_turns(
                "one", [{"speaker": "Ada", "content": "a secret"}]
            )
        ]

        def purge_amid(texts: Any) -> None:
            if "a secret" in texts and engine.store.corpus.find([gone])[0]:
                engine.purge([gone])

        embedder.fault = purge_amid
        engine.took_in()
        assert held(engine, "a secret", SAID[1]) == [False, True]
    assert not on_disk(place, "a secret", embedder)


def test_to_index_anew_makes_those_that_are_missing(
    opened: Opened, pair_words: Any, place: Path
) -> None:
    with opened(place, embedder=pair_words(), retrieval={"profile": "neutral"}) as engine:
        talk(engine, *SAID)
        engine.remember_many({"content": text} for text in NOTES)
    assert token_files(place) == []
    embedder = pair_words()
    with opened(place, embedder=embedder) as engine:
        engine.reindex()
        assert held(engine, *SAID, *NOTES) == [True] * 3 + [False] * 2
        embedder.asked.clear()
        engine.reindex()
        assert embedder.asked == []
    assert len(token_files(place)) == 1


def test_a_table_of_ones_own_is_used_and_is_put_into_no_file(
    opened: Opened, pair_words: Any, place: Path
) -> None:
    inner = pair_words()
    table = TokenTable(inner)
    with opened(place, embedder=keeping_tokens(inner, table)) as engine:
        talk(engine, *SAID)
        engine.remember(NOTES[0])
        assert len(table) == 4  # it keeps whatever it embeds
        assert engine._indexes._tokens.table() is table
        answers(engine)
    assert token_files(place) == []


def test_a_failing_embedder_stops_no_write_and_keeps_no_tokens(
    opened: Opened, pair_words: Any, clock: ManualClock
) -> None:
    def fail(_: Any) -> None:
        raise EmbedderError("away", retryable=True)

    embedder = pair_words(fault=fail)
    with opened(clock=clock, embedder=embedder) as engine:
        talk(engine, *SAID)
        assert held(engine, *SAID) == [False] * 3
        embedder.fault = lambda _: None
        clock.advance(hours=1)
        assert engine.embed().pending == 0
        assert held(engine, *SAID) == [True] * 3
