"""A question in the forms in which it is compared, all made into vectors in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from engram_lab.core.selection import Selection
from engram_lab.retrieval.conversation import first_person, sight_of
from engram_lab.retrieval.embedders import SentenceAndTokenEmbedder
from engram_lab.retrieval.embedders.checked import embed_both_checked, embed_checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.core.protocols import Corpus
    from engram_lab.retrieval.conversation import Mention, Sight
    from engram_lab.retrieval.embedders import Embedder, TokenVectors
    from engram_lab.retrieval.features.known import Known

__all__ = ["Embedded", "Forms", "embedded"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Forms:
    """A question as asked, and in the first person.

    Attributes:
        asked: The question.
        first_person: As the speaker whom it is about would put it; the same where it names none.
        mentions: Where it names speakers.
        named: Whom.
        known: The conversations that it was read with.
        reach: Which turns whoever asks may reach; None for all.
    """

    asked: str
    first_person: str
    mentions: tuple[Mention, ...]
    named: frozenset[str]
    known: Known
    reach: Sight | None

    @classmethod
    def of(cls, question: str, known: Known, corpus: Corpus) -> Forms:
        """Return the forms of a question.

        Args:
            question: Free text.
            known: The conversations of the store.
            corpus: The store as whoever asks may reach it.
        """
        reach = sight_of(known.turns, corpus, Selection(archived=True))
        mentions = known.people.mentions(question, reach)
        named = known.people.named(question, reach)
        return cls(
            asked=question,
            first_person=first_person(question, mentions),
            mentions=mentions,
            named=named,
            known=known,
            reach=reach,
        )


class Embedded(NamedTuple):
    """The forms of a question as vectors.

    Attributes:
        vectors: float32 [dim] by the name of the form: `asked`, `first_person`.
        tokens: Those of the question in the first person, where the model gives any.
    """

    vectors: Mapping[str, NDArray[np.float32]]
    tokens: TokenVectors | None


def embedded(forms: Forms, embedder: Embedder, *, with_tokens: bool) -> Embedded:
    """Return the forms as vectors: two short texts at once cost less than one by one.

    Args:
        forms: Of the question.
        embedder: Makes the vectors.
        with_tokens: Also give tokens, where it can.

    Raises:
        EmbedderError: The model failed.
    """
    texts = list(dict.fromkeys((forms.asked, forms.first_person)))
    tokens: TokenVectors | None = None
    giving: Any = embedder
    if with_tokens and isinstance(giving, SentenceAndTokenEmbedder):
        values, made = embed_both_checked(giving, texts, kind="query")
        tokens = dict(zip(texts, made, strict=True))[forms.first_person]
    else:
        values = embed_checked(embedder, texts, kind="query")
    rows = dict(zip(texts, values, strict=True))
    vectors = {"asked": rows[forms.asked], "first_person": rows[forms.first_person]}
    return Embedded(vectors, tokens)
