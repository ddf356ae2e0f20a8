"""Bundles: a configuration with the evidence that it was good, in one file that can be served.

    with read_bundle("tuned.bundle").open("memory.db") as engine: ...

A bundle is a ZIP file of `config.yaml`, `record.json`, `evidence.json` and a `manifest.json` with
the checksum of each. Equal evidence makes equal bytes. No secret is in it: those come from the
environment of whoever serves.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engram_lab.config.file import expand, parse_yaml
from engram_lab.config.given import config_of
from engram_lab.config.model import EngineConfig
from engram_lab.config.sections import nest
from engram_lab.core.checksums import json_sha256
from engram_lab.core.errors import ConfigError, InvalidRunError, PromotionRefusedError
from engram_lab.engine.engine import Engine

if TYPE_CHECKING:
    from engram_lab.config.load import LoadedConfig
    from engram_lab.core.clock import Clock

__all__ = ["Bundle", "bundled", "read_bundle"]

_FORMAT: Final = "engram-bundle"
_VERSION: Final = 1

_CONFIG: Final = "config.yaml"
_RECORD: Final = "record.json"
_EVIDENCE: Final = "evidence.json"
_MANIFEST: Final = "manifest.json"
_MEMBERS: Final = (_CONFIG, _EVIDENCE, _RECORD)

_LARGEST: Final = 256 * 1024 * 1024
"""Bytes of a member: evidence has the queries that moved, and never so many."""

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_READABLE: Final = 0o644 << 16


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A configuration with its evidence.

    Attributes:
        config: What to open an engine with; without secrets.
        manifest: Format, system, suite, hash of the configuration, embedder, checksums.
        evidence: What the system reached, the verdict over it, and where the baseline came from.
        record: How that was found.
    """

    config: EngineConfig
    manifest: Mapping[str, Any]
    evidence: Mapping[str, Any]
    record: Mapping[str, Any]

    @property
    def system(self) -> str:
        """Name of the system."""
        return str(self.manifest["system"])

    @property
    def embedder(self) -> str | None:
        """Fingerprint of what made the vectors, or None where there were none."""
        found = self.manifest["embedder"]
        return None if found is None else str(found)

    def open(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Clock | None = None,
        config: EngineConfig | LoadedConfig | Mapping[str, Any] | None = None,
    ) -> Engine:
        """Return an engine of this configuration over a database.

        Args:
            path: The database, which is made where it is missing.
            clock: Tells the time; else the machine's.
            config: This configuration with what belongs to the place, such as a credential; in
                any form that `Engine.open` takes.

        Raises:
            PromotionRefusedError: `config` behaves otherwise, or the vectors would be made by
                another model than that of the evidence.
            EmbedderError: The model cannot be loaded.
        """
        chosen = self.config if config is None else config_of(config)
        if chosen.content_hash != self.config.content_hash:
            raise PromotionRefusedError(
                "the configuration given behaves otherwise than that of the bundle, so that the "
                "evidence is not about it: change only what belongs to the place, such as "
                "embedding.api_key"
            )
        engine = Engine.open(path, config=chosen, clock=clock)
        try:
            found = engine.embedder.fingerprint if self.embedder is not None else None
        except BaseException:
            engine.close()
            raise
        if found != self.embedder:
            engine.close()
            raise PromotionRefusedError(
                f"the evidence is of vectors made by {self.embedder!r}, and here they are made by "
                f"{found!r}: install that model, or evaluate anew with this one"
            )
        return engine


def bundled(
    config: EngineConfig,
    about: Mapping[str, Any],
    *,
    evidence: Mapping[str, Any],
    record: Mapping[str, Any],
) -> bytes:
    """Return the bytes of a bundle.

    Args:
        config: What to open an engine with; without secrets.
        about: What the manifest says of it: its system, its suite, its embedder.
        evidence: What the system reached, and the verdict over it.
        record: How that was found.
    """
    members = {
        _CONFIG: config.to_yaml().encode(),
        _RECORD: _json(record),
        _EVIDENCE: _json(evidence),
    }
    manifest = {
        "format": _FORMAT,
        "version": _VERSION,
        **about,
        "config_hash": config.content_hash,
        "members": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
    }
    sealed = _json({**manifest, "checksum": json_sha256(manifest)})
    return _zipped({**members, _MANIFEST: sealed})


def read_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Return the bundle of a file, every checksum of which was found right.

    Raises:
        InvalidRunError: It is none, damaged, of another version, or holds what does not belong.
        ConfigError: Its configuration is not one that this version knows.
    """
    file = Path(path)
    members = _unzipped(file)
    manifest = _parsed(members, _MANIFEST, file)
    if manifest.get("format") != _FORMAT or manifest.get("version") != _VERSION:
        raise _bad(
            file,
            f"is {manifest.get('format')!r} of version {manifest.get('version')!r}, and this "
            f"program reads {_FORMAT!r} of version {_VERSION}",
        )
    told = {key: value for key, value in manifest.items() if key != "checksum"}
    if manifest.get("checksum") != json_sha256(told):
        raise _bad(file, f"has a {_MANIFEST} that does not fit its checksum")
    for name in _MEMBERS:
        if hashlib.sha256(members[name]).hexdigest() != told["members"].get(name):
            raise _bad(file, f"has a {name} that does not fit its checksum")
    return Bundle(
        config=_config_of(members[_CONFIG].decode()),
        manifest=told,
        evidence=_parsed(members, _EVIDENCE, file),
        record=_parsed(members, _RECORD, file),
    )


def _config_of(text: str) -> EngineConfig:
    """Return the configuration of a member; nothing of the environment enters it."""
    content, problems = parse_yaml(text)
    values, strange = EngineConfig.flatten(content)
    problems += strange
    for name, value in values.items():
        if isinstance(value, str):
            values[name], faults = expand(value, {})
            problems += [f"{name} {fault}" for fault in faults]
    if problems:
        raise ConfigError(problems)
    return EngineConfig.from_dict(nest(values))


def _json(content: Any) -> bytes:
    return (json.dumps(content, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()


def _zipped(members: Mapping[str, bytes]) -> bytes:
    """Return a ZIP file of members, stored as they are, without anything of time or place."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            about = zipfile.ZipInfo(name, _EPOCH)
            about.create_system, about.external_attr = 3, _READABLE  # as on Unix, wherever it is
            archive.writestr(about, members[name])
    return buffer.getvalue()


def _unzipped(file: Path) -> dict[str, bytes]:
    """Return the members of a bundle by name: exactly those that belong there, each once."""
    try:
        with zipfile.ZipFile(file) as archive:
            listed = archive.infolist()
            names = sorted(each.filename for each in listed)
            if names != sorted((*_MEMBERS, _MANIFEST)):
                raise _bad(file, f"holds {', '.join(names)[:200]}: not what a bundle holds")
            if large := [each.filename for each in listed if each.file_size > _LARGEST]:
                raise _bad(file, f"has a {large[0]} of more than {_LARGEST:,} bytes")
            return {each.filename: archive.read(each) for each in listed}
    except FileNotFoundError:
        raise _bad(file, "does not exist") from None
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:
        raise _bad(file, f"cannot be read ({error})") from None


def _parsed(members: Mapping[str, bytes], name: str, file: Path) -> dict[str, Any]:
    try:
        content = json.loads(members[name])
    except ValueError as error:
        raise _bad(file, f"has a {name} that is no JSON ({error})") from None
    if not isinstance(content, dict):
        raise _bad(file, f"has a {name} that is no object")
    return content


def _bad(file: Path, fault: str) -> InvalidRunError:
    return InvalidRunError(f"the bundle {fault}: give what `engram promote` wrote", file=str(file))
