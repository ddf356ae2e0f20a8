from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.errors import ConflictError, InvalidInputError
from engram_lab.core.registry import STORES, Registry
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Install = Callable[..., None]


@pytest.fixture
def embedders() -> Registry[int]:
    registry: Registry[int] = Registry("embedder")
    registry.add("minilm", 384)
    registry.add("bge", 768)
    return registry


def test_what_is_added_is_found_by_its_name(embedders: Registry[int]) -> None:
    assert embedders.get("minilm") == 384
    assert embedders.names() == ("bge", "minilm")


def test_adding_gives_the_thing_back(embedders: Registry[int]) -> None:
    assert embedders.add("large", 1024) == 1024


def test_a_name_has_one_owner(embedders: Registry[int]) -> None:
    with pytest.raises(ConflictError, match="already is a embedder 'bge': choose another name"):
        embedders.add("bge", 1024)
    assert embedders.get("bge") == 768


def test_an_unknown_name_is_refused_with_the_known_ones(embedders: Registry[int]) -> None:
    with pytest.raises(InvalidInputError, match="no embedder 'word2vec': known are bge, minilm"):
        embedders.get("word2vec")


def test_a_name_that_is_nearly_right_is_met_with_the_right_one(embedders: Registry[int]) -> None:
    with pytest.raises(InvalidInputError, match=r"'minilm2' \(did you mean 'minilm'\?\): known"):
        embedders.get("minilm2")


def test_registries_are_apart(embedders: Registry[int]) -> None:
    other: Registry[int] = Registry("embedder")
    assert other.names() == ()


def test_the_store_of_this_package_is_known() -> None:
    assert STORES.get("sqlite") is SqliteStore


def test_a_decorator_registers_what_it_is_put_before() -> None:
    registry: Registry[Callable[[int], int]] = Registry("measure")

    @registry.register("twice")
    def twice(number: int) -> int:
        return 2 * number

    assert registry.get("twice") is twice
    assert twice(4) == 8


def test_a_decorator_refuses_a_taken_name(embedders: Registry[int]) -> None:
    with pytest.raises(ConflictError, match="already is a embedder 'bge'"):
        embedders.register("bge")(7)


GROUP = "engram_lab.tests_of_the_registry"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package with a module of this source, and entry points."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(package: str, source: str, **entries: str) -> None:
        (tmp_path / f"{package}.py").write_text(source, encoding="utf-8")
        info = tmp_path / f"{package}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n", encoding="utf-8"
        )
        lines = [f"[{GROUP}]", *(f"{name} = {value}" for name, value in entries.items())]
        (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.delitem(sys.modules, package, raising=False)

    return install


def test_an_installed_package_adds_its_own(install: Install) -> None:
    install("plug_of_one", "thing = 768", mine="plug_of_one:thing")
    registry: Registry[int] = Registry("embedder", group=GROUP)
    registry.add("minilm", 384)

    assert registry.names() == ("mine", "minilm")
    assert registry.get("mine") == 768


def test_a_package_is_imported_only_when_its_thing_is_asked_for(install: Install) -> None:
    install("plug_unasked", "raise SystemExit", mine="plug_unasked:thing")
    registry: Registry[int] = Registry("embedder", group=GROUP)
    registry.add("minilm", 384)

    assert registry.get("minilm") == 384
    assert registry.names() == ("mine", "minilm")
    with pytest.raises(InvalidInputError, match=r"did you mean 'mine'\?\): known are mine, minilm"):
        registry.get("minee")
    assert "plug_unasked" not in sys.modules


def test_packages_are_looked_through_only_when_a_name_is_unknown(install: Install) -> None:
    registry: Registry[int] = Registry("embedder", group=GROUP)
    registry.add("minilm", 384)
    assert registry.get("minilm") == 384

    install("plug_late", "thing = 768", mine="plug_late:thing")

    assert registry.get("mine") == 768


def test_what_the_program_registers_comes_before_a_package(install: Install) -> None:
    install("plug_over", "thing = 768", minilm="plug_over:thing")
    registry: Registry[int] = Registry("embedder", group=GROUP)
    registry.add("minilm", 384)

    assert registry.get("minilm") == 384
    assert registry.names() == ("minilm",)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import a_module_that_is_not_there", "ModuleNotFoundError: No module named"),
        ("other = 1", "AttributeError: module 'plug_broken' has no attribute 'thing'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_broken_package_is_named(source: str, why: str, install: Install) -> None:
    install("plug_broken", source, mine="plug_broken:thing")
    registry: Registry[int] = Registry("embedder", group=GROUP)

    with pytest.raises(InvalidInputError) as caught:
        registry.get("mine")

    message = str(caught.value)
    assert message.startswith("the embedder 'mine' of the package plug_broken 1.2 cannot be loaded")
    assert why in message
    assert message.endswith("repair or uninstall that package")


def test_a_name_that_two_packages_declare_is_refused_with_both(install: Install) -> None:
    install("plug_first", "thing = 1", mine="plug_first:thing")
    install("plug_second", "thing = 2", mine="plug_second:thing")
    registry: Registry[int] = Registry("embedder", group=GROUP)

    with pytest.raises(
        ConflictError,
        match=r"'mine' is declared by the package plug_first 1\.2 and the package plug_second 1\.2",
    ):
        registry.get("mine")
    assert registry.names() == ("mine",)


def test_without_a_group_no_package_is_asked(embedders: Registry[int], install: Install) -> None:
    install("plug_unwanted", "thing = 1", mine="plug_unwanted:thing")
    assert embedders.names() == ("bge", "minilm")


def test_the_group_of_a_plug_point_is_of_this_package() -> None:
    assert STORES.group == "engram_lab.stores"


def test_knowing_the_stores_asks_no_package() -> None:
    program = (
        "import sys; from engram_lab.core.registry import STORES; STORES.get('sqlite')\n"
        "print(STORES._installed)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "None"
