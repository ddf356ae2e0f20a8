from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import EvaluationError, InvalidInputError
from engram_lab.evaluation.datasets.locomo import read_locomo
from engram_lab.evaluation.systems import Corpus, corpora_of
from engram_lab.evaluation.systems.unseen import (
    SeenError,
    choose_unseen,
    corpus_hash,
    has_seen,
    read_folds,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

DATA = Path(os.environ.get("ENGRAM_DATA", "")) / "locomo"


def corpus_of(name: str, texts: Sequence[str]) -> Corpus:
    memories = [
        {"id": f"{name}-{number}", "content": text, "session": name, "fields": {}}
        for number, text in enumerate(texts)
    ]
    return Corpus(name=name, memories=memories, moment=datetime(2026, 1, 1, tzinfo=UTC))


def talk(seed: int, turns: int = 200) -> list[str]:
    """Return turns of 5 to 20 words out of a thousand, so that rows of 5 hardly ever repeat."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    words = [f"w{number}" for number in range(1000)]
    return [" ".join(chance.choices(words, k=chance.randint(5, 20))) for _ in range(turns)]


def record_of(*corpora: Corpus, **more: object) -> dict[str, Any]:
    return {**more, "saw": {"corpora": {each.name: corpus_hash(each) for each in corpora}}}


YARD, LOFT, MILL = (corpus_of(name, talk(n)) for n, name in enumerate(("yard", "loft", "mill")))


def test_the_first_that_did_not_see_a_conversation_is_chosen() -> None:
    everything = record_of(YARD, LOFT, MILL, model="all")
    folds = [record_of(LOFT, MILL, model="not yard"), record_of(YARD, MILL, model="not loft")]
    records = [everything, *folds]

    assert choose_unseen(records, YARD)["model"] == "not yard"
    assert choose_unseen(records, LOFT)["model"] == "not loft"
    assert choose_unseen(records, corpus_of("quay", talk(9)))["model"] == "all"


def test_where_all_saw_it_nothing_is_judged() -> None:
    records = [record_of(YARD, LOFT), record_of(replace(LOFT, name="attic"))]

    with pytest.raises(SeenError, match="learned on this conversation: 'loft' is known to all 2"):
        choose_unseen(records, LOFT)
    with pytest.raises(EvaluationError, match=r"'loft' \(as 'attic'\) is known to the record"):
        choose_unseen(records[1:], LOFT)


def test_what_was_set_by_hand_saw_nothing() -> None:
    assert choose_unseen([record_of(YARD), {"model": "by hand"}], YARD) == {"model": "by hand"}


LINES = talk(0)
READINGS = {
    "turns with names": [f"{'Ada' if n % 2 else 'Ben'}: {line}" for n, line in enumerate(LINES)],
    "sessions of lines": ["\n".join(LINES[at : at + 20]) for at in range(0, 200, 20)],
    "sessions with names": [
        "\n".join(f"Ada: {line}" for line in LINES[at : at + 20]) for at in range(0, 200, 20)
    ],
    "sessions in one line": [" ".join(LINES[at : at + 20]) for at in range(0, 200, 20)],
    "dated": [f"(3 June 2021) {line}" for line in LINES],
    "in another order": LINES[::-1],
    "in other letters": [line.upper() + "!" for line in LINES],
    "its first half": LINES[:100],
    "with a month more": LINES + talk(77, turns=100),
    "without each third turn": [line for n, line in enumerate(LINES) if n % 3],
}


@pytest.mark.parametrize("how", READINGS)
def test_a_conversation_is_known_however_it_is_read(how: str) -> None:
    other = corpus_of("another name", READINGS[how])

    assert has_seen(record_of(YARD), other) == "yard"
    assert has_seen(record_of(other), YARD) == "another name"
    assert has_seen(record_of(LOFT, MILL), other) is None


def test_a_few_common_sessions_make_no_conversation_the_same() -> None:
    common = talk(50, turns=20)
    one, other = (corpus_of(name, talk(n) + common) for n, name in ((51, "one"), (52, "other")))

    assert has_seen(record_of(one), other) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "seen"),
    [
        (["hello"], ["hello"], True),
        (["hello"], ["good morning"], False),
        (["the tide turns at six"], [*talk(1), "the tide turns at six"], False),
        (talk(1, turns=40), talk(1), True),
        ([], ["hello"], False),
        ([], [], False),
        (["?!"], ["..."], True),
    ],
)
def test_small_corpora(ours: list[str], theirs: list[str], *, seen: bool) -> None:
    found = has_seen(record_of(corpus_of("theirs", theirs)), corpus_of("ours", ours))

    assert (found is not None) is seen


TEXTS = st.lists(st.text("abc é\n", max_size=30), max_size=12)


@given(TEXTS, st.randoms(use_true_random=False))
def test_order_ids_and_repetition_do_not_count(texts: list[str], chance: random.Random) -> None:
    other = [*texts, *texts[:3]]
    chance.shuffle(other)

    assert corpus_hash(corpus_of("a", texts)) == corpus_hash(corpus_of("b", other))


@given(TEXTS)
def test_a_sketch_is_short_and_no_text_can_be_read_in_it(texts: list[str]) -> None:
    sketch = corpus_hash(corpus_of("a", texts))

    assert len(sketch) <= 512
    assert json.loads(json.dumps(sketch)) == sketch
    assert len(corpus_hash(YARD)) == 512


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"saw": {}}, "an object with `corpora`"),
        ({"saw": {"corpora": ["yard"]}}, "an object with `corpora`"),
        ({"saw": "yard"}, "an object with `corpora`"),
        ({"saw": {"corpora": {"yard": "e3b0"}}}, "the hash of 'yard' is 'e3b0'"),
        ({"saw": {"corpora": {"yard": "?"}}}, "what corpus_hash returns"),
        ({"saw": {"corpora": {"yard": None}}}, "what corpus_hash returns"),
    ],
)
def test_a_record_that_does_not_say_what_it_saw_is_no_proof(
    record: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        choose_unseen([record], YARD)


def test_no_record_at_all_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="give one record"):
        choose_unseen([], YARD)


def test_records_are_read_from_a_file(tmp_path: Path) -> None:
    records = [record_of(YARD, LOFT), record_of(LOFT)]
    (tmp_path / "folds.json").write_text(json.dumps(records), encoding="utf-8")

    assert choose_unseen(read_folds(tmp_path / "folds.json"), YARD) == records[1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, r"there is no file .*folds\.json"),
        ("{", "is no JSON"),
        ("{}", "must hold a list of records"),
        ("[1]", "must hold a list of records"),
        ("[]", "holds no record"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "folds.json").write_text(content, encoding="utf-8")

    with pytest.raises(InvalidInputError, match=said):
        read_folds(tmp_path / "folds.json")


@pytest.mark.skipif(
    not (DATA / "locomo10.json").is_file(), reason="ENGRAM_DATA has no locomo/locomo10.json"
)
def test_each_published_conversation_is_known_in_each_unit_and_no_other_is() -> None:
    turns, sessions = (
        [corpus for corpus, _ in corpora_of(read_locomo(DATA, id="locomo", options=options))]
        for options in ({"unit": "turn"}, {"unit": "session", "text": "text"})
    )
    seen = [record_of(each) for each in turns]

    found = [[has_seen(record, each) for record in seen] for each in sessions]

    assert found == [
        [each.name if each.name == session.name else None for each in turns] for session in sessions
    ]
