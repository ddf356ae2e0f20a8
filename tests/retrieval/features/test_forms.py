"""The forms in which a question is compared, and that they are made into vectors in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engram_lab.retrieval.embedders.hashing import HashingEmbedder
from engram_lab.retrieval.embedders.protocol import TokenVectors
from engram_lab.retrieval.features.forms import Forms, embedded
from engram_lab.retrieval.features.known import Conversations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.core.sqlite import SqliteStore
    from engram_lab.retrieval.embedders.protocol import Kind


class Both(HashingEmbedder):
    """Counts its passes; a text is one token."""

    def __init__(self) -> None:
        super().__init__(24)
        self.passes: list[tuple[str, list[str]]] = []

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        self.passes.append((kind, list(texts)))
        return super().embed(texts, kind=kind)

    def embed_both(
        self, texts: Sequence[str], *, kind: Kind
    ) -> tuple[NDArray[np.float32], list[TokenVectors]]:
        rows = self.embed(texts, kind=kind)
        return rows, [
            TokenVectors((text,), row[np.newaxis]) for text, row in zip(texts, rows, strict=True)
        ]


@pytest.fixture
def talked(store: SqliteStore) -> SqliteStore:
    store.sessions.start("one", scope="global/org:a")
    store.sessions.start("two", scope="global/org:b")
    for session, speaker in (("one", "Ada"), ("one", "Ben"), ("two", "Cy")):
        store.sessions.add_turns(session, [{"speaker": speaker, "content": "hello"}])
    return store


def forms_of(store: SqliteStore, question: str, *, agent: bool = False) -> Forms:
    known = Conversations(store.corpus, store.identities.all).known()
    view = store.as_agent("kim", "global/org:a") if agent else store
    return Forms.of(question, known, view.corpus)


def test_a_question_about_one_is_put_as_he_would_put_it(talked: SqliteStore) -> None:
    forms = forms_of(talked, "What did Ada buy?")
    assert (forms.asked, forms.first_person) == ("What did Ada buy?", "What did I buy?")
    assert forms.named == {"Ada"}
    assert [(each.start, each.stop) for each in forms.mentions] == [(9, 12)]


def test_a_question_about_two_is_put_to_the_other(talked: SqliteStore) -> None:
    forms = forms_of(talked, "What did Ada give Ben?")
    assert forms.named == {"Ada", "Ben"}
    assert forms.first_person == "What did I give you?"


def test_a_question_about_nobody_stays_as_it_is(talked: SqliteStore) -> None:
    forms = forms_of(talked, "What is tea?")
    assert forms.asked == forms.first_person
    assert (forms.named, forms.mentions) == (frozenset(), ())


def test_nobody_is_named_whom_the_agent_may_not_see(talked: SqliteStore) -> None:
    assert forms_of(talked, "What did Cy buy?").named == {"Cy"}
    forms = forms_of(talked, "What did Cy buy?", agent=True)
    assert (forms.named, forms.first_person) == (frozenset(), "What did Cy buy?")
    assert forms_of(talked, "What did Ada buy?", agent=True).named == {"Ada"}


def test_all_forms_are_made_in_one_pass_each_once(talked: SqliteStore) -> None:
    embedder = Both()
    forms = forms_of(talked, "What did Ada give Ben?")
    made = embedded(forms, embedder, with_tokens=True)
    assert embedder.passes == [("query", [forms.asked, forms.first_person])]
    assert made.tokens is not None
    assert made.tokens.tokens == (forms.first_person,)
    for name, vector in made.vectors.items():
        alone = HashingEmbedder(24).embed([getattr(forms, name)], kind="query")[0]
        assert np.array_equal(vector, alone)


def test_tokens_are_made_where_they_are_wanted_and_can_be_had(talked: SqliteStore) -> None:
    forms = forms_of(talked, "What did Ada buy?")
    assert embedded(forms, Both(), with_tokens=False).tokens is None
    assert embedded(forms, HashingEmbedder(24), with_tokens=True).tokens is None
    vectors = embedded(forms, HashingEmbedder(24), with_tokens=True).vectors
    assert list(vectors) == ["asked", "first_person"]
