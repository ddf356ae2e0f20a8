"""One configuration as it is served, and how it is fitted to its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from engram_lab.config import EngineConfig
from engram_lab.config.sections import nest
from engram_lab.core.errors import PromotionRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.engine import Bundle
    from engram_lab.engine.loading import LoadedEmbedder

__all__ = ["Served", "settled", "with_values"]

_OF_THE_PROVIDER: Final = frozenset({"embedding.url", "embedding.api_key"})


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Served:
    """One configuration that is served.

    Attributes:
        name: Of the bundle; None for the server's own.
        config: With what belongs to the place.
        number: Another one for each that was ever served, so that a change is seen.
    """

    name: str | None
    config: EngineConfig
    bundle: Bundle | None
    loaded: LoadedEmbedder
    number: int

    def check(self) -> None:
        """Check that vectors are made as they were where the evidence comes from.

        Raises:
            PromotionRefusedError: They are not.
            EmbedderError: The embedder cannot be loaded.
        """
        if self.bundle is None:
            return
        found = self.loaded.get().fingerprint if self.loaded.exists else None
        if self.bundle.embedder is not None and found != self.bundle.embedder:
            raise PromotionRefusedError(
                f"the evidence is of vectors made by {self.bundle.embedder!r}, and here they are "
                f"made by {found!r}: install that model, or evaluate anew with this one"
            )


def settled(config: EngineConfig, own: EngineConfig) -> EngineConfig:
    """Return a configuration with what belongs to the place, as the server's own has it.

    The address and the credential of a provider are passed on only where both ask the same one:
    another one's must never see it.
    """
    values = own.flat()
    places = {
        name: values[name]
        for name, setting in EngineConfig.settings().items()
        if not setting.identity
    }
    if _provider(config) != _provider(own):
        places |= {name: config.flat()[name] for name in _OF_THE_PROVIDER}
    return with_values(config, places)


def _provider(config: EngineConfig) -> str:
    return config.embedding.model.partition(":")[0]


def with_values(config: EngineConfig, values: Mapping[str, Any]) -> EngineConfig:
    """Return a configuration with other values, by their dotted names."""
    return EngineConfig.from_dict(nest({**config.flat(), **values}))
