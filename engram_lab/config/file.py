"""A configuration file: YAML in which `${VAR}` stands for a variable of the environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["expand", "parse_yaml"]

# Read from the left: an escaped `${`, a variable, and any other `${`, which is a mistake.
_VARIABLE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}|\$\{")


def parse_yaml(text: str) -> tuple[Any, list[str]]:
    """Return the content of a YAML text (`{}` for an empty one), and what is wrong with it."""
    try:
        content = yaml.safe_load(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else "YAML"
        return {}, [f"{line}: {', '.join(filter(None, (error.context, error.problem)))}"]
    except (yaml.YAMLError, ValueError) as error:
        return {}, [" ".join(str(error).split())]
    return {} if content is None else content, list(_repeated_names(root))


def _repeated_names(root: yaml.Node | None) -> Iterator[str]:
    """Yield what stands twice, sections and the names in each: YAML would keep the last one."""
    yield from _repeated_keys(root, prefix="")
    if isinstance(root, yaml.MappingNode):
        for key, section in root.value:
            yield from _repeated_keys(section, prefix=f"{key.value}.")


def _repeated_keys(node: yaml.Node | None, *, prefix: str) -> Iterator[str]:
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, _ in node.value:
        name, line = f"{prefix}{key.value}", key.start_mark.line + 1
        if name in lines:
            yield f"line {line}: {name} stands already on line {lines[name]}"
        lines.setdefault(name, line)


def expand(text: str, environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the text with its variables put in, and what is wrong with it.

    `$${` gives a plain `${`. What a variable holds is not expanded again.
    """
    faults: list[str] = []

    def value_of(match: re.Match[str]) -> str:
        name = match["name"]
        if match[0] == "$${":
            return "${"
        if name is None:
            faults.append("holds a ${ that begins no variable: write $${ for a plain one")
        elif name not in environ:
            faults.append(f"needs the variable {name}, which is not set")
        else:
            return environ[name]
        return match[0]

    return _VARIABLE.sub(value_of, text), faults
