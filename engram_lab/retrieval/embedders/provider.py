"""An embedder that asks a provider over HTTP, patiently: what all providers have in common."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import orjson

from engram_lab.core.checks import check_limit
from engram_lab.core.clock import SystemClock
from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders.answers import Fault, Malformed, Refusal, fault_of, json_of
from engram_lab.retrieval.embedders.patience import MAX_WAIT_S, Backoff, Pace, asked_wait_s
from engram_lab.retrieval.embedders.transport import Answer, Line, Unanswered
from engram_lab.retrieval.embedders.vectors import check_kind, check_texts, unit_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engram_lab.core.clock import Clock
    from engram_lab.retrieval.embedders.protocol import Kind
    from engram_lab.retrieval.embedders.registry import EmbedderOptions

__all__ = ["Dialect", "ProviderEmbedder"]

_PROBE: Final = "a"  # the shortest text there is, to learn how long a vector is
_SHORT: Final = 256  # characters: a text of so few is not refused for its length
_ROOM: Final = 1 << 20  # bytes of an answer beside its vectors
_ROOM_A_TEXT: Final = 1 << 19  # bytes: 16,384 numbers of 32 characters
_MOST_BYTES: Final = 1 << 28
_OK: Final = 200


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one provider is spoken to.

    Attributes:
        name: The embedder's name, which its fingerprints begin with.
        title: The provider's name, as an error says it.
        origin: Where it answers unless told.
        root: What goes between an address without a path and `path`.
        path: What is asked for.
        key_variable: The variable that usually holds the key.
        needs_key: Whether it refuses whoever has none, at `origin`.
        default_model: The model where none is named.
        max_batch: The most texts of one request.
        body: What to send, of model, texts, kind and the dimensions wanted.
        vectors: The vectors, float64 [n, dim], of an answer to n texts; raises `Malformed`.
        prefix: What a model wants to stand before a text of a kind.
        missing_model: How the provider is given a model that it lacks, as an error says it.
    """

    name: str
    title: str
    origin: str
    root: str
    path: str
    key_variable: str
    needs_key: bool = True
    default_model: str
    max_batch: int
    body: Callable[[str, Sequence[str], Kind, int | None], dict[str, Any]]
    vectors: Callable[[dict[str, Any], int], NDArray[np.float64]]
    prefix: Callable[[str, Kind], str] = lambda _model, _kind: ""
    missing_model: str = ""


class ProviderEmbedder:
    """Embeds by asking a provider: in batches, at a pace, and again after what passes.

    A request that fails for a while is tried again `options.retries` times, after an exponential
    back-off with jitter and not before the provider's `Retry-After`. Each attempt ends after
    `options.timeout_s`, each wait after 60 s, so that a batch takes at most
    `(retries + 1) * timeout_s + retries * 60` seconds beside what `requests_per_minute` spaces. A
    provider that asks for a longer wait is not waited for: the error says for how long.

    A batch that is too large for the provider is halved. A text that is too long for it, where it
    does not cut by itself, is cut to its first half until it is taken. A text of white space alone
    is not sent: its row is of zeros.

    Threads may share it; it keeps one pool of connections until `close`. Nothing is asked before
    the first text is embedded, or before `dim` or `fingerprint` is needed and `options.dim` is not
    given; these then embed one short text.

    Args:
        dialect: How the provider is spoken to.
        options: Model, url, key, dimensions, batch, and how patient to be.
        clock: Tells how far away the moment is that a `Retry-After` names.
        sleep: Waits so many seconds.
        monotonic: Tells seconds that never run backwards.
        seed: Where the jitter begins; by default each process has its own, so that those that
            failed together do not come back together. No vector depends on it.

    Raises:
        InvalidInputError: An option cannot be used; no message shows the key.
    """

    def __init__(
        self,
        dialect: Dialect,
        options: EmbedderOptions,
        *,
        clock: Clock | None = None,
        sleep: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        seed: int | None = None,
    ) -> None:
        _check_options(options)
        self._dialect = dialect
        self._model = options.model or dialect.default_model
        self._wanted_dim = options.dim
        self._dim = options.dim
        self._most = min(check_limit(options.batch, field="batch"), dialect.max_batch)
        self._retries = options.retries
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._pace = Pace(options.requests_per_minute, sleep=sleep, monotonic=monotonic)
        self._backoff = Backoff(os.getpid() if seed is None else seed)
        self._lock = Lock()
        self._probing = Lock()
        key = _checked_key(options.api_key or os.environ.get(dialect.key_variable, ""))
        self._lacks_key = dialect.needs_key and not key and not options.url
        self._line = Line(
            _address(options.url or dialect.origin, dialect),
            headers={"authorization": f"Bearer {key}"} if key else {},
            timeout_s=options.timeout_s,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._dialect.name}:{self._model}>"

    @property
    def fingerprint(self) -> str:
        """Provider, model, prefix and dimensions, without the url.

        Two gateways to the same model share their vectors. Where two servers give one name to
        different models, name the models apart.

        Raises:
            EmbedderError: See `dim`.
        """
        kinds: tuple[Kind, Kind] = ("query", "document")
        prefixed = any(self._dialect.prefix(self._model, kind) for kind in kinds)
        model = f"{self._model}+prefix" if prefixed else self._model
        return f"{self._dialect.name}:{model}@{self.dim}"

    @property
    def dim(self) -> int:
        """How many numbers a vector has; asked of the provider once where it is not given.

        Raises:
            EmbedderError: The provider failed.
        """
        if self._dim is None:
            with self._probing:
                if self._dim is None:  # another thread may have asked meanwhile
                    self._rows([_PROBE], "document")
        if self._dim is None:
            raise EmbedderError(f"{self._dialect.title} did not say how many dimensions it gives")
        return self._dim

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Return float32 [n, dim]; see `Embedder.embed`.

        Raises:
            InvalidInputError: See `Embedder.embed`.
            EmbedderError: The provider failed; no text is ever part of the message.
            MissingDependencyError: httpx2 is absent.
        """
        given = check_texts(texts)
        kind = check_kind(kind)
        sent = [row for row, text in enumerate(given) if text.strip()]
        found = self._rows([given[row] for row in sent], kind) if sent else None
        rows = np.zeros((len(given), self.dim), np.float32)
        if found is not None:
            rows[sent] = found
        return rows

    def _rows(self, texts: list[str], kind: Kind) -> NDArray[np.float32]:
        """Return float32 [n, dim] of n > 0 texts, in pieces that the provider takes."""
        before = self._dialect.prefix(self._model, kind)
        pieces = [[before + text for text in texts]]
        found = []
        while pieces:
            piece = pieces.pop()
            if len(piece) > (most := self._most):
                pieces += [piece[most:], piece[:most]]
                continue
            answer = self._asked(piece, kind)
            if isinstance(answer, Fault):
                pieces += reversed(self._lessened(piece, answer))
            else:
                found.append(unit_rows(answer, len(piece), answer.shape[1]))
        return np.concatenate(found)

    def _lessened(self, piece: list[str], fault: Fault) -> list[list[str]]:
        """Return what to ask for instead of a piece that was refused for its size."""
        middle = len(piece) // 2
        if middle:
            if fault.refusal is Refusal.MANY:
                with self._lock:  # a limit that holds for what comes after, too
                    self._most = min(self._most, middle)
            return [piece[:middle], piece[middle:]]
        if fault.refusal is Refusal.LONG and len(piece[0]) > _SHORT:
            return [[piece[0][: len(piece[0]) // 2]]]
        raise self._error(fault, 1)

    def _asked(self, texts: list[str], kind: Kind) -> NDArray[np.float64] | Fault:
        """Return the vectors, or the fault of a request that asks for too much at once.

        Raises:
            EmbedderError: The provider failed, and went on failing.
        """
        if self._lacks_key:
            raise EmbedderError(
                f"{self._dialect.title} needs a key: set {self._dialect.key_variable} or api_key"
            )
        body = orjson.dumps(self._dialect.body(self._model, texts, kind, self._wanted_dim))
        attempt = 0
        while True:
            self._pace.take()
            answer = self._attempt(body, len(texts))
            if not isinstance(answer, Fault) or answer.refusal:
                return answer
            wait_s = max(self._backoff.wait_s(attempt), answer.retry_after_s or 0.0)
            attempt += 1
            if not answer.again or attempt > self._retries or wait_s > MAX_WAIT_S:
                raise self._error(answer, attempt)
            self._sleep(wait_s)

    def _attempt(self, body: bytes, n: int) -> NDArray[np.float64] | Fault:
        most = min(_ROOM + n * _ROOM_A_TEXT, _MOST_BYTES)
        try:
            answer = self._line.post(body, most=most)
            if answer.status != _OK:
                return self._fault(answer)
            vectors = self._dialect.vectors(json_of(answer.body), n)
        except Unanswered as fault:
            return Fault(what=str(fault), advice=fault.advice, again=fault.again)
        except Malformed as fault:
            return Fault(
                what=f"answered with {fault}", advice="check the url and the model", again=True
            )
        return self._of_one_length(vectors)

    def _fault(self, answer: Answer) -> Fault:
        return fault_of(
            answer.status,
            answer.body,
            model=self._model,
            key_from=self._dialect.key_variable,
            missing_model=self._dialect.missing_model,
            retry_after_s=asked_wait_s(answer.headers, self._clock),
        )

    def _of_one_length(self, vectors: NDArray[np.float64]) -> NDArray[np.float64] | Fault:
        dim = vectors.shape[1]
        with self._lock:
            if self._dim is None:
                self._dim = dim
        if dim == self._dim:
            return vectors
        return Fault(
            what=f"gave vectors of {dim} dimensions instead of {self._dim}",
            advice=f"check the model {self._model!r} and which dimensions it offers",
            again=False,
        )

    def _error(self, fault: Fault, attempts: int) -> EmbedderError:
        often = f" (after {attempts} attempts)" if attempts > 1 else ""
        return EmbedderError(
            f"{self._dialect.title} {fault.what}{often}: {fault.advice}",
            retryable=fault.again,
            retry_after_s=fault.retry_after_s,
        )

    def close(self) -> None:
        """Close the connections; a second call does nothing, and nothing is embedded after it."""
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_options(options: EmbedderOptions) -> None:
    if options.dim is not None:
        check_limit(options.dim, field="dim")
    if options.retries < 0:
        raise InvalidInputError(f"retries is {options.retries}: give 0 or more")
    if not 0 < options.timeout_s < float("inf"):
        raise InvalidInputError(f"timeout_s is {options.timeout_s}: give seconds above 0")
    pace = options.requests_per_minute
    if pace is not None and not 0 < pace < float("inf"):
        raise InvalidInputError(f"requests_per_minute is {pace}: give a number above 0, or None")


def _checked_key(key: str) -> str:
    key = key.strip()  # a key read from a file often ends in a line break
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise InvalidInputError(
            "api_key holds spaces, control characters or letters beyond ASCII: copy it anew"
        )
    return key


def _address(url: str, dialect: Dialect) -> str:
    """Return where to post: the url with the dialect's path, and its root where it has no path."""
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInputError(
            f"the url of {dialect.title} is no address: give one such as {dialect.origin}"
        )
    if parts.username is not None or parts.password is not None:
        raise InvalidInputError(
            f"the url of {dialect.title} holds a user name or a password: use api_key instead"
        )
    path = parts.path.rstrip("/")
    if not path.endswith(dialect.path):
        path = (path or dialect.root) + dialect.path
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
