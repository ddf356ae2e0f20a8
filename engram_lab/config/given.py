"""What may be given where an engine's configuration is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from engram_lab.config.load import LoadedConfig
from engram_lab.config.model import EngineConfig
from engram_lab.core.errors import ConfigError, shown

__all__ = ["config_of"]


def config_of(given: EngineConfig | LoadedConfig | Mapping[str, object] | None) -> EngineConfig:
    """Return the configuration of an engine that was given, in whichever form.

    Args:
        given: An `EngineConfig`, what `load_config` gave, values by section and by name, or None
            for the defaults.

    Raises:
        ConfigError: It is none of these, or a value is refused; lists every problem.
    """
    match given:
        case None:
            return EngineConfig()
        case EngineConfig():
            return given
        case LoadedConfig():
            return given.config
        case Mapping():
            return EngineConfig.from_dict(given)
    said = f"the text {shown(given)}" if isinstance(given, str) else f"a {type(given).__name__}"
    problem = (
        f"config is {said}: give an EngineConfig, what load_config(path) returns, or a dict of "
        "values by section such as {'retrieval': {'k': 5}}"
    )
    raise ConfigError([problem])
