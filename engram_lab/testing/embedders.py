"""Whether an embedder is one: the laws of `engram_lab.retrieval.embedders.Embedder`, each tried."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import numpy as np

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.embedders.protocol import ImageEmbedder, Kind, TokenEmbedder
from engram_lab.testing.trial import ConformanceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Embedder

__all__ = ["EMBEDDER_TEXTS", "check_embedder"]

EMBEDDER_TEXTS: Final = (
    "The lighthouse keeper painted the door blue.",
    "Who painted the door?",
    "Melanie plays the violin in the harbour orchestra on Thursdays.",
    "a",
    "Die Brücke über den Fluß ist gesperrt.",
    "灯台守はドアを青く塗った。",
    "naïve café 🎻 — 1,024 x 3",
    "one line\nand another\tone",
    "Melanie plays the violin in the harbour orchestra on Thursdays.",
    "The harbour master writes down every ship that comes and goes. " * 8,
)
"""What is embedded: short and long, of several scripts, one of them twice."""

_KINDS: Final[tuple[Kind, ...]] = ("query", "document")
_UNIT: Final = 1e-4


def check_embedder(embedder: Embedder, *, tolerance: float = 1e-5) -> None:
    """Check that an embedder keeps the contract of `engram_lab.retrieval.embedders.Embedder`.

    What else it says it can do, token vectors or images, is checked as well.

    Args:
        embedder: It embeds some hundred texts, most of them short.
        tolerance: By how much a number of a vector may differ when the same text is embedded again,
            alone or among others. A provider that computes in half precision needs 1e-2.

    Raises:
        ConformanceError: A law is broken; says which, and what was seen instead.
    """
    laws: list[tuple[str, Callable[[_Trial], None]]] = [
        ("a fingerprint says something, and stays as it is", _fingerprint),
        ("a vector of `dim` float32 numbers, of length 1, is given for each text", _shape),
        ("no text at all gives [0, dim]", _nothing),
        ("a text gives the same vector alone, among others, again and in any order", _the_same),
        ("texts that differ are told apart", _apart),
        ("what is no list of texts is refused", _refusals),
        ("a kind that is neither query nor document is refused", _kinds),
    ]
    if isinstance(embedder, TokenEmbedder):
        laws.append(("each token of a text has a vector of `dim` numbers, of length 1", _tokens))
    if isinstance(embedder, ImageEmbedder):
        laws.append(("a file that is missing is refused, and none at all gives [0, dim]", _images))
    for sentence, law in laws:
        try:
            law(_Trial(sentence, embedder, tolerance))
        except ConformanceError:
            raise
        except Exception as error:
            seen = f"{type(error).__name__} was raised: {error}"
            raise ConformanceError(sentence, seen) from error


@dataclass(frozen=True, slots=True)
class _Trial:
    law: str
    embedder: Embedder
    tolerance: float

    def fail(self, seen: str) -> NoReturn:
        raise ConformanceError(self.law, seen)

    def demand(self, condition: object, otherwise: str) -> None:
        if not condition:
            self.fail(otherwise)

    def embed(self, texts: Sequence[str], kind: Kind) -> NDArray[np.float32]:
        return self.embedder.embed(texts, kind=kind)

    @contextmanager
    def refuses(self, deed: str) -> Iterator[None]:
        try:
            yield
        except InvalidInputError:
            return
        self.fail(f"{deed} was not refused with InvalidInputError")

    def close(self, seen: NDArray[Any], wanted: NDArray[Any], what: str) -> None:
        apart = float(np.abs(seen - wanted).max(initial=0.0))
        self.demand(
            apart <= self.tolerance, f"{what} differ by {apart:.2g}, more than {self.tolerance:.2g}"
        )

    def unit(self, values: NDArray[Any], n: int, what: str) -> None:
        self.demand(isinstance(values, np.ndarray), f"{what} gave a {type(values).__name__}")
        self.demand(values.dtype == np.float32, f"{what} gave numbers of type {values.dtype}")
        wanted = (n, self.embedder.dim)
        self.demand(values.shape == wanted, f"{what} gave the shape {values.shape}, not {wanted}")
        self.demand(np.isfinite(values).all(), f"{what} gave a number that is not finite")
        lengths = np.linalg.norm(values.astype(np.float64), axis=1)
        off = np.abs(lengths - 1)
        worst = int(np.argmax(off)) if n else 0
        self.demand(
            (off <= _UNIT).all(), f"{what} gave row {worst} the length {lengths[worst : worst + 1]}"
        )


def _fingerprint(trial: _Trial) -> None:
    before: Any = trial.embedder.fingerprint
    trial.demand(isinstance(before, str) and before.strip(), f"it is {before!r}")
    trial.embed(EMBEDDER_TEXTS[:1], "query")
    after = trial.embedder.fingerprint
    trial.demand(after == before, f"it was {before!r} and is {after!r} after a text was embedded")


def _shape(trial: _Trial) -> None:
    dim: Any = trial.embedder.dim
    trial.demand(isinstance(dim, int) and dim > 0, f"`dim` is {dim!r}")
    for kind in _KINDS:
        given = list(EMBEDDER_TEXTS)
        values = trial.embed(given, kind)
        trial.unit(values, len(given), f"{len(given)} texts of the kind {kind}")
        trial.demand(given == list(EMBEDDER_TEXTS), "the list of texts was changed")
    blank = trial.embed(["", "   "], "document")
    trial.demand(blank.shape == (2, dim), f"two blank texts gave the shape {blank.shape}")
    lengths = np.linalg.norm(blank, axis=1)
    good = (np.abs(lengths - 1) <= _UNIT) | (lengths == 0)
    trial.demand(good.all(), f"blank texts gave vectors of the lengths {lengths.tolist()}")


def _nothing(trial: _Trial) -> None:
    for kind in _KINDS:
        trial.unit(trial.embed([], kind), 0, "no text")


def _the_same(trial: _Trial) -> None:
    for kind in _KINDS:
        together = trial.embed(EMBEDDER_TEXTS, kind)
        again = trial.embed(EMBEDDER_TEXTS, kind)
        trial.close(again, together, "the vectors of a second time")
        turned = trial.embed(EMBEDDER_TEXTS[::-1], kind)[::-1]
        trial.close(turned, together, "the vectors in the other order")
        for row, text in enumerate(EMBEDDER_TEXTS):
            alone = trial.embed([text], kind)
            trial.close(alone, together[row : row + 1], f"alone and among others, those of {row}")


def _apart(trial: _Trial) -> None:
    first, second, third = trial.embed(EMBEDDER_TEXTS[:3], "document")
    cosines = [float(first @ second), float(first @ third), float(second @ third)]
    trial.demand(max(cosines) < 1 - _UNIT, f"the cosines of three of them are {cosines}")


def _refusals(trial: _Trial) -> None:
    for wrong, deed in (
        ("a single text", "a single text"),
        (b"bytes", "bytes"),
        (7, "a number"),
        (["a text", None], "None among texts"),
        (["a text", b"bytes"], "bytes among texts"),
    ):
        with trial.refuses(deed):
            trial.embed(cast("Any", wrong), "document")


def _kinds(trial: _Trial) -> None:
    for wrong in ("passage", "", None):
        with trial.refuses(f"the kind {wrong!r}"):
            trial.embed(["a text"], cast("Any", wrong))


def _tokens(trial: _Trial) -> None:
    embedder = cast("TokenEmbedder", trial.embedder)
    for kind in _KINDS:
        found = embedder.embed_tokens(EMBEDDER_TEXTS, kind=kind)
        trial.demand(
            len(found) == len(EMBEDDER_TEXTS), f"{len(EMBEDDER_TEXTS)} texts gave {len(found)}"
        )
        for row, each in enumerate(found):
            trial.unit(each.values, len(each.tokens), f"text {row}, of {len(each.tokens)} tokens,")
        alone = embedder.embed_tokens(EMBEDDER_TEXTS[1:2], kind=kind)[0]
        trial.demand(alone.tokens == found[1].tokens, "a text alone gave other tokens")
        trial.close(alone.values, found[1].values, "alone and among others, the token vectors")
    trial.demand(embedder.embed_tokens([], kind="query") == [], "no text gave some tokens")


def _images(trial: _Trial) -> None:
    embedder = cast("ImageEmbedder", trial.embedder)
    trial.unit(embedder.embed_images([]), 0, "no image")
    with trial.refuses("a file that is missing"):
        embedder.embed_images(["there-is-no-such-file.png"])
