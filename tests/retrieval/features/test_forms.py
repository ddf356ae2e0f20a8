from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.retrieval.embedders import TokenVectors
from engram_lab.retrieval.features.forms import Forms, embedded
from engram_lab.retrieval.features.known import Conversations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.core.sqlite import SqliteStore


@pytest.fixture
def talk(store: SqliteStore) -> SqliteStore:
    """Return a store in which Ada and Ben talk."""
    store.sessions.start("one")
    said = [("Ada", "I went to the sea"), ("Ben", "Hi Ada")]
    store.sessions.add_turns("one", [{"speaker": who, "content": what} for who, what in said])
    return store


def forms_of(store: SqliteStore, question: str) -> Forms:
    known = Conversations(store.corpus, store.identities.all).known()
    return Forms.of(question, known, store.corpus)


def test_a_question_about_one_speaker_is_put_as_he_would_have_said_it(talk: SqliteStore) -> None:
    forms = forms_of(talk, "Where did Ada go?")
    assert forms.asked == "Where did Ada go?"
    assert forms.named == {"Ada"}
    assert (forms.first_person, forms.spoken) == ("Where did I go?", "Ada: Where did I go?")
    assert [(each.start, each.stop) for each in forms.mentions] == [(10, 13)]


def test_a_question_about_two_is_spoken_by_nobody(talk: SqliteStore) -> None:
    forms = forms_of(talk, "What did Ada tell Ben?")
    assert forms.named == {"Ada", "Ben"}
    assert forms.spoken == forms.first_person == "What did I tell you?"


def test_a_question_about_nobody_stays_as_it_is(talk: SqliteStore) -> None:
    forms = forms_of(talk, "Where is the sea?")
    assert forms.asked == forms.first_person == forms.spoken
    assert (forms.mentions, forms.named) == ((), frozenset())


class Counting:
    """Embeds a text as its length, and writes down what it is given."""

    fingerprint, dim = "counting", 1

    def __init__(self) -> None:
        self.given: list[list[str]] = []

    def embed(self, texts: Sequence[str], *, kind: str) -> NDArray[np.float32]:
        self.given.append([kind, *texts])
        return np.array([[len(text)] for text in texts], np.float32)


class CountingTokens(Counting):
    """Gives one token a text as well."""

    def embed_tokens(self, texts: Sequence[str], *, kind: str) -> list[TokenVectors]:
        return self.embed_both(texts, kind=kind)[1]

    def embed_both(
        self, texts: Sequence[str], *, kind: str
    ) -> tuple[NDArray[np.float32], list[TokenVectors]]:
        values = self.embed(texts, kind=kind)
        return values, [TokenVectors((text,), values[at : at + 1]) for at, text in enumerate(texts)]


@pytest.mark.parametrize("made", [Counting, CountingTokens])
@pytest.mark.parametrize("question", ["Where did Ada go?", "What did Ada tell Ben?", "Why?"])
def test_all_forms_are_embedded_at_once_and_each_text_once(
    talk: SqliteStore, question: str, made: type[Counting]
) -> None:
    forms, embedder = forms_of(talk, question), made()
    found = embedded(forms, embedder, with_tokens=True)
    texts = {"asked": forms.asked, "first_person": forms.first_person, "spoken": forms.spoken}
    told: dict[str, Any] = {form: values.tolist() for form, values in found.vectors.items()}
    assert told == {form: [len(text)] for form, text in texts.items()}
    ((kind, *given),) = embedder.given
    assert kind == "query"
    assert len(given) == len(set(given)) == len(set(texts.values()))
    if made is CountingTokens:
        assert found.tokens is not None
        assert found.tokens.tokens == (forms.spoken,)
    else:
        assert found.tokens is None


def test_tokens_that_nobody_wants_are_not_made(talk: SqliteStore) -> None:
    assert embedded(forms_of(talk, "Why?"), CountingTokens(), with_tokens=False).tokens is None


def test_a_question_that_is_spoken_already_has_its_own_tokens(talk: SqliteStore) -> None:
    forms = forms_of(talk, "Where did Ada go?")
    strange = Forms(
        asked="b",
        first_person="a",
        spoken="b",
        mentions=(),
        named=frozenset(),
        known=forms.known,
        reach=None,
    )
    tokens = embedded(strange, CountingTokens(), with_tokens=True).tokens
    assert tokens is not None
    assert tokens.tokens == ("b",)
