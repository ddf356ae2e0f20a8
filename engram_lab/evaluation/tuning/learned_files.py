"""What was learned, as files: a configuration to use, and a system to judge without a leak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.config import EngineConfig
from engram_lab.config.sections import nest
from engram_lab.evaluation.tuning.report import own_settings, settings_yaml
from engram_lab.retrieval.grouping import DEFAULT_SCORE

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.evaluation.systems.unseen import Record
    from engram_lab.evaluation.tuning.learning import Learned

__all__ = ["write_config", "write_learned"]

_WEIGHTS: Final = "retrieval.learned"
_PLACE: Final = "store.path"


def write_learned(
    learned: Learned,
    folder: Path,
    *,
    store_as: str = "memories",
    session_score: str = DEFAULT_SCORE,
) -> None:
    """Write `config.yaml`, and `system.toml` with `folds.json`, which is judged without a leak.

    Args:
        learned: See `learn_suite`.
        folder: Made where it is not there.
        store_as: See `SystemSpec`.
        session_score: Likewise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_config(learned.config, folder / "config.yaml")
    records: list[Record] = [each.to_dict() for each in (learned.record, *learned.folds)]
    lines = b",\n".join(orjson.dumps(each, option=orjson.OPT_SORT_KEYS) for each in records)
    (folder / "folds.json").write_bytes(b"[\n" + lines + b"\n]\n")
    head = {
        "title": "learned; each part judged by weights that never saw it",
        "folds": "folds.json",
        "store_as": store_as,
        "session_score": session_score,
    }
    settings = {name: value for name, value in _told(learned.config).items() if name != _WEIGHTS}
    parts = [_toml(head)]
    parts += [f"[settings.{name}]\n{_toml(some)}" for name, some in nest(settings).items()]
    (folder / "system.toml").write_text("\n".join(parts), encoding="utf-8", newline="\n")


def write_config(config: EngineConfig, file: Path) -> None:
    """Write the settings of a configuration that are not the default.

    What is secret is left out, and so is where the database lies.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(settings_yaml(_told(config)), encoding="utf-8", newline="\n")


def _told(config: EngineConfig) -> dict[str, Any]:
    known = EngineConfig.settings()
    own = own_settings(config)
    return {name: value for name, value in own.items() if name != _PLACE and not known[name].secret}


def _toml(values: dict[str, Any]) -> str:
    """Return lines of TOML; texts, numbers and truths are written there as in JSON.

    A setting that is off has no place in TOML, and is left at its default.
    """
    return "".join(
        f"{name} = {orjson.dumps(value).decode()}\n"
        for name, value in values.items()
        if value is not None
    )
