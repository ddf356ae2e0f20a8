"""Which settings a search may change, and how far: declared in a file, checked by the engine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from engram_lab.config import EngineConfig
from engram_lab.config.sections import nest, unknown
from engram_lab.core.errors import ConfigError, InvalidInputError, shown
from engram_lab.evaluation.declared import check_keys, read_declared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engram_lab.core.settings import Setting

__all__ = ["Choice", "Parameter", "Range", "Space", "parse_space", "read_space"]

_RANGE_KEYS: Final = frozenset({"name", "kind", "low", "high", "log", "step", "when"})
_CHOICE_KEYS: Final = frozenset({"name", "kind", "choices", "when"})
_KEYS: Final = frozenset({"title", "fixed", "parameters"})
_LEAST_CHOICES: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """A setting that is a number.

    Attributes:
        name: The setting, such as `retrieval.bm25_k1`.
        kind: `float`, or `int` for whole numbers.
        low: The least value, itself allowed.
        high: The greatest, likewise.
        log: Search the order of magnitude rather than the number.
        step: Only `low`, `low + step`, … are tried; None is any number, and 1 for whole ones.
        when: Values of other settings that this one does something with: `{name: allowed values}`.
    """

    name: str
    kind: Literal["float", "int"]
    low: float
    high: float
    log: bool = False
    step: float | None = None
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InvalidInputError(
                f"{self.name} goes from {self.low} to {self.high}: low must be less than high"
            )
        if self.log and (self.low <= 0 or self.step is not None):
            raise InvalidInputError(
                f"{self.name} is searched by its logarithm: it takes a low above 0 and no step"
            )
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise InvalidInputError(
                f"{self.name} has the step {self.step}: it must be above 0, and fit into the range"
            )

    def extremes(self) -> tuple[Any, ...]:
        """Return values such that the setting allows all where it allows these."""
        return (self.low, self.high)

    def holds(self, value: Any) -> bool:
        """Tell whether a value may be tried."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if not self.low <= value <= self.high:
            return False
        if self.step is None:
            return True
        places = (value - self.low) / self.step
        return math.isclose(places, round(places), abs_tol=1e-9)

    def to_dict(self) -> dict[str, Any]:
        """Return what the file says."""
        said: dict[str, Any] = {
            "name": self.name,
            "kind": self.kind,
            "low": self.low,
            "high": self.high,
        }
        said |= {"log": True} if self.log else {}
        said |= {} if self.step is None else {"step": self.step}
        return said | _when_said(self.when)


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A setting that is one of several values.

    Attributes:
        name: The setting, such as `retrieval.fusion`.
        choices: What is tried, at least two.
        when: See `Range`.
    """

    name: str
    choices: tuple[Any, ...]
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if len({repr(each) for each in self.choices}) < max(len(self.choices), _LEAST_CHOICES):
            raise InvalidInputError(
                f"{self.name} has the choices {list(self.choices)}: give two or more, each once"
            )

    def extremes(self) -> tuple[Any, ...]:
        """Return all values."""
        return self.choices

    def holds(self, value: Any) -> bool:
        """Tell whether a value may be tried."""
        return any(value == each and type(value) is type(each) for each in self.choices)

    def to_dict(self) -> dict[str, Any]:
        """Return what the file says."""
        said = {"name": self.name, "kind": "choice", "choices": list(self.choices)}
        return said | _when_said(self.when)


Parameter: TypeAlias = Range | Choice


@dataclass(frozen=True, kw_only=True)
class Space:
    """What a search may change.

    Attributes:
        id: Its name.
        title: One line.
        parameters: In the order of the file; each `when` names one before it, or one that is fixed.
        fixed: Settings that every trial has, by dotted name.

    Raises:
        InvalidInputError: A setting stands twice, a `when` names what is not there, nothing is to
            be searched, or the engine refuses a setting or a value; lists all that it refuses.
    """

    id: str
    title: str
    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        before = set(self.fixed)
        if not self.parameters:
            raise InvalidInputError(f"the space {self.id!r} has no parameters: give one or more")
        for each in self.parameters:
            if each.name in before:
                raise InvalidInputError(f"{each.name} stands twice in the space {self.id!r}")
            if missing := set(each.when) - before:
                raise InvalidInputError(
                    f"{each.name} depends on {min(missing)}, which the space {self.id!r} "
                    "neither fixes nor searches before it"
                )
            before.add(each.name)
        if problems := list(self._problems()):
            raise InvalidInputError(
                f"the space {self.id!r} asks for what the engine refuses: {'; '.join(problems)}"
            )

    def settings(self, sampled: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of a trial: what is fixed, and the sampled values that do something.

        A value whose `when` does not hold is left out, so that settings which make no difference
        make no different trial.
        """
        settings = dict(self.fixed)
        for each in self.parameters:
            if all(settings.get(name) in allowed for name, allowed in each.when.items()):
                settings[each.name] = sampled[each.name]
        return settings

    def start(self, base: EngineConfig) -> dict[str, Any] | None:
        """Return the parameters of a configuration; None where one of them lies outside."""
        flat = base.flat()
        sampled = {each.name: flat[each.name] for each in self.parameters}
        return sampled if all(each.holds(sampled[each.name]) for each in self.parameters) else None

    def to_dict(self) -> dict[str, Any]:
        """Return what the file says."""
        return {
            "title": self.title,
            "fixed": dict(self.fixed),
            "parameters": [each.to_dict() for each in self.parameters],
        }

    def _problems(self) -> Iterator[str]:
        known = EngineConfig.settings()
        asked: list[tuple[str, tuple[Any, ...]]] = [(k, (v,)) for k, v in self.fixed.items()]
        asked += [(each.name, each.extremes()) for each in self.parameters]
        for name, values in asked:
            if name not in known:
                yield unknown(name, known)
            elif known[name].secret or not known[name].identity:
                yield f"{name} does not change what is found, so it cannot be tuned"
            elif faults := [fault for value in values if (fault := known[name].fault(value))]:
                yield f"{name} {faults[0]}"
            else:
                yield from _misnamed(name, values)
        for each in self.parameters:
            if isinstance(each, Range) and each.name in known:
                yield from _mismatched(each, known[each.name])


def _mismatched(parameter: Range, setting: Setting) -> Iterator[str]:
    if setting.value_type not in {int, float}:
        yield f"{parameter.name} is no number: declare it as a choice"
    elif (setting.value_type is int) != (parameter.kind == "int"):
        wanted = setting.value_type.__name__
        yield f"{parameter.name} is declared as {parameter.kind}: the engine has it as {wanted}"


def _misnamed(name: str, values: tuple[Any, ...]) -> Iterator[str]:
    """Yield the names of parts that there are not, or that a configuration cannot describe."""
    if not name.startswith("retrieval."):
        return
    from engram_lab.engine.ordering import check_names, fusion_of

    for value in values:
        try:
            settings = EngineConfig.from_dict(nest({name: value})).retrieval
            check_names(settings)
            fusion_of(settings)
        except (ConfigError, InvalidInputError) as error:
            yield str(error)


def read_space(place: str | Path) -> Space:
    """Return a declared space.

    Args:
        place: The name of one that comes with the package, such as `hybrid`, or a TOML file.

    Raises:
        InvalidInputError: There is no such space, or the file does not declare one.
    """
    id_, content = read_declared("spaces", str(place))
    return parse_space(content, id=id_)


def parse_space(content: Mapping[str, Any], *, id: str) -> Space:  # noqa: A002 - as Suite has it
    """Return the space that a file declares.

    Raises:
        InvalidInputError: A key is unknown or missing, or a value is of another type.
    """
    check_keys(content, _KEYS, where=f"the space {id!r}")
    fixed = content.get("fixed", {})
    listed = content.get("parameters", [])
    if not isinstance(fixed, Mapping) or not isinstance(listed, list):
        raise InvalidInputError(
            f"the space {id!r}: fixed is a table of settings, and each of the parameters a table"
        )
    return Space(
        id=id,
        title=str(content.get("title", id)),
        fixed=_parsed_fixed(fixed),
        parameters=tuple(_parsed(each, id) for each in listed),
    )


def _parsed_fixed(fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Return fixed settings by dotted name, however they were nested."""
    flat: dict[str, Any] = {}
    for name, value in fixed.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{key}": _none(f"{name}.{key}", each) for key, each in value.items()}
        else:
            flat[name] = _none(name, value)
    return flat


def _none(name: str, value: Any) -> Any:
    """Return None for the text that stands for it, as TOML has none."""
    setting = EngineConfig.settings().get(name)
    is_none = setting is not None and setting.optional and value == "none"
    return None if is_none else value


def _parsed(said: Any, space: str) -> Parameter:
    place = f"a parameter of the space {space!r}"
    if not isinstance(said, Mapping) or not isinstance(said.get("name"), str):
        raise InvalidInputError(f"{place} has no name: give name = 'retrieval.…'")
    name, kind = said["name"], said.get("kind")
    allowed = said.get("when", {})
    if not isinstance(allowed, Mapping):
        raise InvalidInputError(f"{name}: when is a table of settings and their values")
    when = {
        key: tuple(value) if isinstance(value, list) else (value,) for key, value in allowed.items()
    }
    if kind == "choice":
        check_keys(said, _CHOICE_KEYS, where=name)
        choices = said.get("choices")
        if not isinstance(choices, list):
            raise InvalidInputError(f"{name} has no list of choices")
        return Choice(name=name, choices=tuple(_none(name, each) for each in choices), when=when)
    if kind not in {"float", "int"}:
        raise InvalidInputError(f"{name} is of kind {shown(kind)}: allowed are float, int, choice")
    check_keys(said, _RANGE_KEYS, where=name)
    numbers = {key: said[key] for key in ("low", "high", "step") if key in said}
    for key, value in numbers.items():
        if type(value) is not int and not (kind == "float" and type(value) is float):
            raise InvalidInputError(f"{name} has the {key} {shown(value)}: give a {kind}")
    if missing := [key for key in ("low", "high") if key not in numbers]:
        raise InvalidInputError(f"{name} has no {missing[0]}")
    if not isinstance(log := said.get("log", False), bool):
        raise InvalidInputError(f"{name} has the log {shown(log)}: give true or false")
    return Range(name=name, kind=kind, log=log, when=when, **numbers)


def _when_said(when: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    return {"when": {key: list(value) for key, value in when.items()}} if when else {}
