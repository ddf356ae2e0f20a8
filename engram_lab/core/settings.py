"""Settings that know their bounds, and the section of them that the store reads."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

from engram_lab.core.errors import ConfigError
from engram_lab.core.types import DEDUP_MODES, Dedup

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "SYNCHRONOUS_MODES",
    "Setting",
    "StoreSettings",
    "Synchronous",
    "check_section",
    "setting",
    "settings_of",
]

_T = TypeVar("_T")

Synchronous = Literal["full", "normal"]
SYNCHRONOUS_MODES: Final[tuple[Synchronous, ...]] = get_args(Synchronous)

_NOUNS: Final[Mapping[type, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    str: "a text that is not empty",
}
_BOOLEANS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}

# By its last word: `api_key` holds a key, but `key_file` names a file and `max_tokens` counts some.
_SECRET_NAME = re.compile(r"(?:^|_)(?:key|token|secret|password|passphrase)$")
_SECRET_PARAMETER = re.compile(
    r"(\w*(?:key|token|secret|password)\w*\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^&\s]*)", re.IGNORECASE
)
# Up to the last @, as a password may hold one: to hide too much is the safe mistake.
_URL_PASSWORD = re.compile(r"(://[^:@/]*):.*@", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What is known of one setting beside its value.

    `identity` marks what changes behaviour, and so belongs to a configuration's hash.
    """

    name: str
    value_type: type[bool | int | float | str]
    optional: bool
    help: str
    ge: float
    le: float
    choices: tuple[str, ...] | None
    secret: bool
    identity: bool

    def parse(self, text: str) -> object:
        """Return the value that a text stands for, or the text itself if it stands for none."""
        word = text.strip().lower()
        if self.optional and word in {"", "none"}:
            return None
        if self.value_type is bool:
            return _BOOLEANS.get(word, text)
        try:
            return self.value_type(text)
        except ValueError:
            return text

    def _stands_for_none(self, value: object) -> bool:
        """Tell whether a variable or a flag with this text would set nothing."""
        return self.optional and isinstance(value, str) and self.parse(value) is None

    def plain(self, value: Any) -> Any:
        """Return an allowed value in the one spelling of its type, such as 24.0 for 24."""
        return None if value is None else self.value_type(value)

    def masked(self, value: object) -> object:
        """Return the value fit to be shown: `***` for a secret or for a password inside a URL."""
        if value is None:
            return None
        if self.secret or _SECRET_NAME.search(self.name):
            return "***"
        if isinstance(value, str):
            return _SECRET_PARAMETER.sub(r"\1***", _URL_PASSWORD.sub(r"\1:***@", value))
        return value

    def fault(self, value: object) -> str | None:
        """Return what is wrong, as in `is -5: allowed is 0 to 600000`, or `None` if nothing is."""
        allowed = self._broken_rule(value)
        return allowed and f"is {repr(self.masked(value))[:80]}: allowed is {allowed}"

    def _broken_rule(self, value: object) -> str | None:
        if value is None and self.optional:
            return None
        if self.choices is not None:
            return None if value in self.choices else f"one of {', '.join(self.choices)}"
        if not _is_a(value, self.value_type) or self._stands_for_none(value):
            return _NOUNS[self.value_type] + (" or none" if self.optional else "")
        if isinstance(value, int | float) and not self.ge <= value <= self.le:
            return (
                f"{self.ge:.9g} to {self.le:.9g}"
                if self.le < math.inf
                else f"{self.ge:.9g} or more"
            )
        return None


def _is_a(value: object, value_type: type) -> bool:
    """Tell whether the value is of the type; `True` is no number, and 24 is a good float."""
    if isinstance(value, bool) or value_type is bool:
        return isinstance(value, bool) and value_type is bool
    if value_type is float:
        return isinstance(value, int | float) and -math.inf < value < math.inf
    return isinstance(value, value_type) and value != ""


def setting(
    default: _T,
    *,
    help: str,  # noqa: A002 - the word that argparse and Typer use for it
    ge: float | None = None,
    le: float | None = None,
    choices: tuple[str, ...] | None = None,
    secret: bool = False,
    identity: bool = True,
) -> _T:
    """Declare one setting of a section: a dataclass field that carries its bounds and its help.

    Args:
        default: The value unless told.
        help: One short sentence.
        ge: The least value allowed.
        le: The greatest value allowed.
        choices: All values allowed.
        secret: Never shown.
        identity: Part of the configuration's hash; False for what does not change behaviour.
    """
    about = {
        "help": help,
        "ge": -math.inf if ge is None else ge,
        "le": math.inf if le is None else le,
        "choices": choices,
        "secret": secret,
        "identity": identity,
    }
    return field(default=default, repr=not secret, metadata=about)


def settings_of(section: type[Any]) -> Mapping[str, Setting]:
    """Return the settings of a section's dataclass by name, in the order of its fields."""
    hints = get_type_hints(section)
    return MappingProxyType(
        {
            each.name: Setting(
                name=each.name,
                value_type=_value_type(hints[each.name]),
                optional=NoneType in get_args(hints[each.name]),
                **each.metadata,
            )
            for each in fields(section)
        }
    )


def _value_type(hint: Any) -> Any:
    """Return the type that values have: str for a Literal, int for `int | None`."""
    if get_origin(hint) is Literal:
        return str
    (value_type,) = set(get_args(hint) or [hint]) - {NoneType}
    return value_type


def check_section(name: str, section: object) -> None:
    """Check every value of a section.

    Raises:
        ConfigError: Some value is of the wrong type, out of range or no choice; lists them all.
    """
    faults = {
        key: each.fault(getattr(section, key)) for key, each in settings_of(type(section)).items()
    }
    if problems := [f"{name}.{key} {fault}" for key, fault in faults.items() if fault]:
        raise ConfigError(problems)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreSettings:
    """Where memories are kept, how safely, and what is taken in."""

    kind: str = setting("sqlite", help="which registered store keeps the memories")
    path: str = setting("~/.engram/engram.db", help="where the database lies", identity=False)
    synchronous: Synchronous = setting(  # noqa: RUF009 - declares a field
        "full",
        help="full: an acknowledged write survives power loss; "
        "normal: it survives a crash of the process only",
        choices=SYNCHRONOUS_MODES,
    )
    busy_timeout_ms: int = setting(
        10_000, help="how long a write waits for another writer", ge=0, le=600_000
    )
    readers: int = setting(8, help="most reader connections", ge=1, le=64)
    cache_mib: int = setting(64, help="page cache of each connection", ge=1, le=4096)
    max_content_chars: int = setting(
        10_000, help="longest content of a memory", ge=1, le=10_000_000
    )
    max_metadata_bytes: int = setting(
        65_536, help="largest metadata of a memory, as JSON", ge=2, le=1_048_576
    )
    max_tags: int = setting(64, help="most tags of a memory", ge=0, le=1024)
    dedup: Dedup = setting(  # noqa: RUF009 - declares a field
        "allow", help="what to do with content that is already remembered", choices=DEDUP_MODES
    )
    daily_ttl_hours: float = setting(
        24.0, help="how long a memory of the daily tier lives", ge=1 / 3600, le=87_600
    )
    seed: int | None = setting(
        None, help="seeds the ids: the same seed, clock and store give the same ids"
    )

    def __post_init__(self) -> None:
        check_section("store", self)
