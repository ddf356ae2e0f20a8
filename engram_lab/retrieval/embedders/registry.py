"""The embedders by name: what `embedding.model` may say, and how it is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from engram_lab.core.registry import Registry

if TYPE_CHECKING:
    from engram_lab.retrieval.embedders.protocol import Embedder

__all__ = ["AUTO", "EMBEDDERS", "REMOTE", "EmbedderFactory", "EmbedderOptions", "resolve"]

AUTO: Final = "auto"
"""The name that stands for the best of those that need no network: MiniLM, else hashing."""

REMOTE: Final = frozenset({"cohere", "ollama", "openai", "voyage"})
"""The names of those that ask a provider, which may be slow or away."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbedderOptions:
    """What a factory is given; each takes what concerns it.

    Attributes:
        model: Which of the models, where there are several: what follows the colon of a name, such
            as `text-embedding-3-small` in `openai:text-embedding-3-small`; empty for the default.
        path: Where a local model lies.
        url: Where a provider answers.
        api_key: The provider's key; None for what its usual variable holds.
        dim: How many dimensions are wanted, where there is a choice.
        batch: How many texts are given to the model at a time.
        timeout_s: How long one request may take, in seconds.
        retries: How often a request that failed for a while is tried again.
        requests_per_minute: The most that are sent; None for no bound.
        threads: How many threads a local model computes with.
    """

    model: str = ""
    path: str | None = None
    url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    dim: int | None = None
    batch: int = 32
    timeout_s: float = 30.0
    retries: int = 5
    requests_per_minute: float | None = None
    threads: int = 1


EmbedderFactory = Callable[[EmbedderOptions], "Embedder"]


def resolve(model: str, options: EmbedderOptions | None = None) -> Embedder:
    """Return the embedder of a name, such as `minilm`, or `openai:text-embedding-3-small`.

    `auto` is MiniLM where its packages and weights are found, else hashing, which needs nothing. A
    `path` that lacks the weights is an error even so: someone meant it.

    Args:
        model: A name, or a name and which of its models after a colon.
        options: The rest of what is set; its `model` stands where the name has no colon.

    Raises:
        InvalidInputError: There is no such name; the message lists those that are known.
        EmbedderError: The model cannot be loaded.
        MissingDependencyError: A package is absent.
    """
    chosen = options or EmbedderOptions()
    if model == AUTO:
        from engram_lab.retrieval.embedders.minilm import is_available

        model = "minilm" if is_available(chosen.path) else "hashing"
    name, colon, which = model.partition(":")
    return EMBEDDERS.get(name)(replace(chosen, model=which) if colon else chosen)


def _at_first_use(module: str) -> EmbedderFactory:
    """Return a factory that imports its module, and the packages it stands on, when called."""

    def factory(options: EmbedderOptions) -> Embedder:
        made = cast("EmbedderFactory", import_module(module).from_options)
        return made(options)

    return factory


EMBEDDERS: Registry[EmbedderFactory] = Registry("embedder", group="engram_lab.embedders")
"""What `embedding.model` may name: functions of `EmbedderOptions` that return an `Embedder`."""

_HERE: Final = "engram_lab.retrieval.embedders"
# A name, and the module whose `from_options(options)` makes the embedder.
for _name, _module in (
    ("clip", "open_clip"),
    ("cohere", "cohere"),
    ("hashing", "hashing"),
    ("minilm", "minilm"),
    ("ollama", "ollama"),
    ("onnx", "onnx_folder"),
    ("openai", "openai"),
    ("sentence-transformers", "sentence_transformers"),
    ("voyage", "voyage"),
):
    EMBEDDERS.add(_name, _at_first_use(f"{_HERE}.{_module}"))
