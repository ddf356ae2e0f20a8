from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config import (
    EngineConfig,
    InterchangeSettings,
    LearningSettings,
    LoadedConfig,
    RetrievalSettings,
    ServerConfig,
    StoreSettings,
    load_config,
    show,
)
from engram_lab.config.load import variable_of
from engram_lab.config.sections import nest
from engram_lab.core.errors import ConfigError

if TYPE_CHECKING:
    from engram_lab.core.settings import Setting

OF_ENGINE = tuple(EngineConfig.settings())
KNOWN = {**EngineConfig.settings(), **ServerConfig.settings()}
NAMES = tuple(KNOWN)
DEFAULTS = {**EngineConfig().flat(), **ServerConfig().flat()}
NO_BEHAVIOUR = {
    "store.path",
    "embedding.url",
    "embedding.api_key",
    "embedding.batch",
    "embedding.threads",
    "embedding.timeout_s",
    "embedding.retries",
    "embedding.requests_per_minute",
    "embedding.cache",
    "embedding.defer",
    "index.keep",
}
"""What hits do not depend on."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def two_values(name: str) -> tuple[Any, Any]:
    """Return two unlike allowed values, the first of which is not the default."""
    about = KNOWN[name]
    by_type = {
        bool: (True, False),
        int: (5, 6, 4, 8, 9, 5_000, 6_000),
        float: (5.0, 6.5, 0.25, 0.5, 0.75),
        str: ("one", "two"),
    }
    allowed = about.choices or [
        value for value in by_type[about.value_type] if about.fault(value) is None
    ]
    first, second, *_ = sorted(allowed, key=lambda value: value == DEFAULTS[name])
    return first, second


def flat(loaded: LoadedConfig) -> dict[str, Any]:
    return {**loaded.config.flat(), **loaded.server.flat()}


def written(folder: Path, text: str) -> Path:
    path = folder / "given.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def as_yaml(name: str, value: object) -> str:
    return yaml.safe_dump(nest({name: value}))


def problems_of_dict(mapping: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        EngineConfig.from_dict(mapping)
    return raised.value.problems


def problems_of(path: Path | None = None, **sources: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        load_config(path, **{"environ": {}, **sources})
    return raised.value.problems


# The order of precedence


@pytest.mark.parametrize("name", NAMES)
def test_unless_told_a_setting_has_its_default(name: str) -> None:
    loaded = load_config(environ={})
    assert flat(loaded)[name] == DEFAULTS[name]
    assert loaded.sources[name] == "default"


@pytest.mark.parametrize("name", NAMES)
def test_the_file_overrules_the_default(name: str, tmp_path: Path) -> None:
    low, _ = two_values(name)
    path = written(tmp_path, as_yaml(name, low))
    loaded = load_config(path, environ={})
    assert flat(loaded) == {**DEFAULTS, name: low}
    assert loaded.sources == {**dict.fromkeys(NAMES, "default"), name: str(path)}


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_overrules_the_file(name: str, tmp_path: Path) -> None:
    low, high = two_values(name)
    path = written(tmp_path, as_yaml(name, low))
    loaded = load_config(path, environ={variable_of(name): str(high)})
    assert flat(loaded) == {**DEFAULTS, name: high}
    assert loaded.sources[name] == variable_of(name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("as_text", [True, False])
def test_a_flag_overrules_a_variable(name: str, tmp_path: Path, *, as_text: bool) -> None:
    low, high = two_values(name)
    loaded = load_config(
        written(tmp_path, as_yaml(name, low)),
        environ={variable_of(name): str(high)},
        overrides={name: (str(low) if as_text else low, "--flag")},
    )
    assert flat(loaded) == {**DEFAULTS, name: low}
    assert loaded.sources[name] == "--flag"


def test_each_setting_has_its_own_source(tmp_path: Path) -> None:
    path = written(tmp_path, "{store: {path: a.db, readers: 2}, retrieval: {k: 3}}")
    loaded = load_config(
        path,
        environ={"ENGRAM_RETRIEVAL_K": "4", "ENGRAM_STORE_SEED": "1"},
        overrides={"store.path": ("notes.db", "--db")},
    )
    told = {name: source for name, source in loaded.sources.items() if source != "default"}
    assert told == {
        "store.path": "--db",
        "store.readers": str(path),
        "store.seed": "ENGRAM_STORE_SEED",
        "retrieval.k": "ENGRAM_RETRIEVAL_K",
    }


# Where the file is


def test_the_file_at_home_is_read_if_no_other_is_named(home: Path, tmp_path: Path) -> None:
    at_home = home / ".engram" / "config.yaml"
    at_home.parent.mkdir()
    at_home.write_text("retrieval: {k: 3}")
    assert load_config(environ={}).config.retrieval.k == 3
    assert load_config(environ={}).sources["retrieval.k"] == str(at_home)
    assert load_config(written(tmp_path, ""), environ={}).config.retrieval.k == 10


def test_a_named_file_may_lie_below_home(home: Path) -> None:
    written(home, "retrieval: {k: 3}")
    assert load_config("~/given.yaml", environ={}).config.retrieval.k == 3


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    path = tmp_path / "absent.yaml"
    assert problems_of(path) == (f"{path}: no such file",)


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    assert problems_of(tmp_path) == (f"{tmp_path}: cannot be read: Is a directory",)


def test_a_file_is_text_in_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("store: {path: Österreich.db}".encode("latin-1"))
    assert problems_of(path) == (f"{path}: is not text in UTF-8",)


def test_the_environment_of_the_process_is_read_unless_one_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENGRAM_RETRIEVAL_K", "7")
    assert load_config().config.retrieval.k == 7
    assert load_config(environ={}).config.retrieval.k == 10


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "store:\nretrieval:\n", "{}"])
def test_an_empty_file_or_section_changes_nothing(text: str, tmp_path: Path) -> None:
    loaded = load_config(written(tmp_path, text), environ={})
    assert loaded.config == EngineConfig()
    assert set(loaded.sources.values()) == {"default"}


def test_the_home_sign_in_the_store_path_is_kept_for_its_use() -> None:
    assert load_config(environ={}).config.store.path == "~/.engram/engram.db"


# Variables inside the file


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("${DATA}", "/data"),
        ("${DATA}/x.db", "/data/x.db"),
        ("${DATA}/${NAME}.db", "/data/notes.db"),
        ("$${DATA}/x.db", "${DATA}/x.db"),
        ("$$${DATA}", "$${DATA}"),
        ("$DATA/x.db", "$DATA/x.db"),
        ("${NESTED}", "${DATA}"),
    ],
)
def test_variables_are_put_into_texts(text: str, path: str, tmp_path: Path) -> None:
    environ = {"DATA": "/data", "NAME": "notes", "NESTED": "${DATA}"}
    file = written(tmp_path, as_yaml("store.path", text))
    assert load_config(file, environ=environ).config.store.path == path


def test_what_was_text_is_read_by_the_type_of_its_setting(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "store: {readers: '${READERS}', daily_ttl_hours: 1e2, seed: '${SEED}'}\n"
        "learning: {record_recalls: '${RECORD}'}\n",
    )
    config = load_config(path, environ={"READERS": "3", "SEED": "", "RECORD": "off"}).config
    assert config.store == StoreSettings(readers=3, daily_ttl_hours=100.0, seed=None)
    assert not config.learning.record_recalls


def test_a_missing_variable_is_a_problem(tmp_path: Path) -> None:
    path = written(tmp_path, "store: {path: '${HERE}/${THERE}.db', kind: '${}'}")
    assert problems_of(path) == (
        f"{path}: store.path needs the variable HERE, which is not set",
        f"{path}: store.path needs the variable THERE, which is not set",
        f"{path}: store.kind holds a ${{ that begins no variable: write $${{ for a plain one",
    )


# Problems, each with its source


def test_all_problems_of_all_sources_are_reported_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "store:\n"
        "  pth: x.db\n"
        "  readers: many\n"
        "  busy_timeout_ms: -5\n"
        "  path: ${MISSING}\n"
        "  seed: 1\n"
        "  seed: 2\n"
        "retreival:\n"
        "  k: 3\n"
        "learning: 3\n",
    )
    environ = {"ENGRAM_RETRIEVAL_K": "0", "ENGRAM_STORE_PTH": "x.db"}
    overrides = {"store.dedup": ("drop", "--dedup"), "stor.path": ("x.db", "--set")}
    assert problems_of(path, environ=environ, overrides=overrides) == (
        f"{path}: line 7: store.seed stands already on line 6",
        f"{path}: retreival is unknown: did you mean retrieval?",
        f"{path}: learning is a int: give names with values",
        f"{path}: store.pth is unknown: did you mean store.path?",
        f"{path}: store.readers is 'many': allowed is a whole number",
        f"{path}: store.busy_timeout_ms is -5: allowed is 0 to 600000",
        f"{path}: store.path needs the variable MISSING, which is not set",
        "ENGRAM_RETRIEVAL_K: retrieval.k is 0: allowed is 1 to 1000",
        "ENGRAM_STORE_PTH is unknown: did you mean ENGRAM_STORE_PATH?",
        "--dedup: store.dedup is 'drop': allowed is one of allow, reject, skip, merge",
        "--set: stor.path is unknown: did you mean store.path?",
    )


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("retrieval.k1", "retrieval.bm25_k1"),
        ("dream.tokens", "dream.prune_most_tokens"),
        ("retrieval.kk", "retrieval.k"),
    ],
)
def test_a_part_of_a_name_leads_to_it(name: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name} is unknown: did you mean {nearest}\?"):
        load_config(overrides={name: ("2", "--set")}, environ={})


def test_a_wrong_value_is_a_problem_even_where_it_is_overruled(tmp_path: Path) -> None:
    path = written(tmp_path, "retrieval: {k: 0}")
    overrides = {"retrieval.k": (5, "-k")}
    assert problems_of(path, overrides=overrides) == (
        f"{path}: retrieval.k is 0: allowed is 1 to 1000",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("store:\n  path: [", "line 2: while parsing a flow node, expected the node content"),
        ("store:\n\treaders: 1", "line 2: while scanning for the next token, found character"),
        ("store: {}\n--- \nstore: {}", "line 2: expected a single document in the stream"),
        ("store: {? [a] : 1}", "line 1: while constructing a mapping, found unhashable key"),
        ("store: {path: !!python/name:os.system }", "line 1: could not determine a constructor"),
        ("store: {path: \x00}", "unacceptable character #x0000"),
        ("store: {path: 2026-13-01}", "month must be in 1..12"),
        ("store: {path: " + "9" * 5000 + "}", "Exceeds the limit"),
    ],
)
def test_a_file_that_is_no_yaml_is_a_problem(text: str, problem: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    (only,) = problems_of(path)
    assert only.startswith(f"{path}: {problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{retrieval: {k: 1, k: 2}}", "line 1: retrieval.k stands already on line 1"),
        ("store:\nstore:\n", "line 2: store stands already on line 1"),
    ],
)
def test_a_name_written_twice_is_a_problem(text: str, problem: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    assert problems_of(path) == (f"{path}: {problem}",)


def test_a_file_holds_sections(tmp_path: Path) -> None:
    path = written(tmp_path, "- store")
    assert problems_of(path) == (f"{path}: the whole is a list: give sections such as store",)


def test_a_name_that_is_no_text_is_unknown(tmp_path: Path) -> None:
    path = written(tmp_path, "{1: 2, store: {true: 3}}")
    first, second = problems_of(path)
    assert first == f"{path}: 1 is unknown: `engram config show` lists those that are known"
    assert second.startswith(f"{path}: store.True is unknown: did you mean store.")


def test_a_list_is_no_value(tmp_path: Path) -> None:
    path = written(tmp_path, "store: {path: [a, b]}")
    assert problems_of(path) == (
        f"{path}: store.path is ['a', 'b']: allowed is a text that is not empty",
    )


def test_variables_of_other_concerns_are_left_alone() -> None:
    environ = {"ENGRAM_DATA": "/d", "ENGRAM_ONNX_MODEL_DIR": "/m", "ENGRAM_STORE": "x", "PATH": ""}
    assert load_config(environ=environ).config == EngineConfig()


def test_an_empty_variable_is_no_path() -> None:
    assert problems_of(environ={"ENGRAM_STORE_PATH": ""}) == (
        "ENGRAM_STORE_PATH: store.path is '': allowed is a text that is not empty",
    )


# The record itself


def test_a_dictionary_makes_a_configuration_and_the_other_way_round() -> None:
    config = EngineConfig.from_dict({"store": {"seed": 7}, "retrieval": {"k": 3}})
    assert config == EngineConfig(store=StoreSettings(seed=7), retrieval=RetrievalSettings(k=3))
    assert EngineConfig.from_dict(config.to_dict()) == config
    assert config.to_dict()["interchange"] == {"batch_rows": 16_384, "compression": "zstd"}


def test_a_dictionary_holds_values_not_texts() -> None:
    assert problems_of_dict({"store": {"readers": "8", "path": "${HOME}"}, "memory": {}}) == (
        (
            "memory is unknown: known are store, embedding, index, retrieval, learning, dream, "
            "hooks, interchange"
        ),
        "store.readers is '8': allowed is a whole number",
    )


def test_a_configuration_is_made_of_sections() -> None:
    sections: dict[str, Any] = {"store": {"path": "x.db"}, "retrieval": LearningSettings()}
    with pytest.raises(ConfigError) as raised:
        EngineConfig(**sections)
    assert raised.value.problems == (
        "store is a dict: give StoreSettings(...)",
        "retrieval is a LearningSettings: give RetrievalSettings(...)",
    )


@pytest.mark.parametrize(
    ("section", "values", "problem"),
    [
        (RetrievalSettings, {"k": 0}, "retrieval.k is 0: allowed is 1 to 1000"),
        (LearningSettings, {"event_batch": 0}, "learning.event_batch is 0: allowed is 1 to 10000"),
        (
            LearningSettings,
            {"record_recalls": 1},
            "learning.record_recalls is 1: allowed is true or false",
        ),
        (
            InterchangeSettings,
            {"compression": None},
            "interchange.compression is None: allowed is one of zstd, snappy, none",
        ),
    ],
)
def test_a_section_checks_itself(section: type[Any], values: Any, problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        section(**values)
    assert raised.value.problems == (problem,)


def test_a_configuration_cannot_be_changed_and_can_be_a_key() -> None:
    config = EngineConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.retrieval.k = 3  # type: ignore[misc]
    assert {config: 1}[EngineConfig()] == 1


# The hash


def test_the_hash_can_be_computed_by_hand() -> None:
    values = {name: DEFAULTS[name] for name in OF_ENGINE if name not in NO_BEHAVIOUR}
    text = json.dumps(values, sort_keys=True)
    assert EngineConfig().content_hash == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("name", OF_ENGINE)
def test_every_setting_that_changes_behaviour_changes_the_hash(name: str) -> None:
    value, _ = two_values(name)
    config = EngineConfig.from_dict(nest({name: value}))
    changed = config.content_hash != EngineConfig().content_hash
    assert changed == KNOWN[name].identity


def test_the_spelling_of_a_number_does_not_change_the_hash() -> None:
    whole = EngineConfig(store=StoreSettings(daily_ttl_hours=24))
    assert whole.content_hash == EngineConfig().content_hash
    assert whole.to_yaml() == EngineConfig().to_yaml()


def test_the_source_of_a_value_does_not_change_the_hash(tmp_path: Path) -> None:
    in_file = load_config(written(tmp_path, "retrieval: {k: 3}"), environ={})
    in_variable = load_config(environ={"ENGRAM_RETRIEVAL_K": "3"})
    in_flag = load_config(environ={}, overrides={"retrieval.k": (3, "-k")})
    built = EngineConfig(retrieval=RetrievalSettings(k=3))
    hashes = {each.config.content_hash for each in (in_file, in_variable, in_flag)}
    assert hashes == {built.content_hash}


# Saved and loaded again


def allowed_values(about: Setting) -> st.SearchStrategy[Any]:
    if about.choices is not None:
        return st.sampled_from(about.choices)
    least = None if about.ge == float("-inf") else about.ge
    greatest = None if about.le == float("inf") else about.le
    strategies: dict[type, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(least, greatest),  # type: ignore[arg-type]
        float: st.floats(least, greatest, allow_nan=False, allow_infinity=False),
        str: st.text(min_size=1) | st.text("${}A_ \n\t'\"#:-~\u2028", min_size=1),
    }
    values = strategies[about.value_type].filter(lambda value: about.fault(value) is None)
    return st.none() | values if about.optional else values


configs = (
    st.fixed_dictionaries(
        {name: allowed_values(each) for name, each in EngineConfig.settings().items()}
    )
    .map(nest)
    .map(EngineConfig.from_dict)
)


@given(config=configs)
def test_a_saved_configuration_loads_as_itself(
    config: EngineConfig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "saved.yaml"
    config.save(path)
    loaded = load_config(path, environ={"A": "expanded"})
    assert loaded.config == config
    assert loaded.config.content_hash == config.content_hash
    assert {loaded.sources[name] for name in OF_ENGINE} == {str(path)}


@given(config=configs)
def test_a_configuration_survives_the_environment(config: EngineConfig) -> None:
    environ = {variable_of(name): str(value) for name, value in config.flat().items()}
    assert load_config(environ=environ).config == config


@pytest.mark.parametrize("path", ["Ö.db", "a\x85b", "\u2028", os.fsdecode(b"\xff.db")])
def test_a_strange_path_survives_too(path: str, tmp_path: Path) -> None:
    config = EngineConfig(store=StoreSettings(path=path))
    config.save(tmp_path / "saved.yaml")
    loaded = load_config(tmp_path / "saved.yaml", environ={})
    assert loaded.config == config
    assert loaded.config.content_hash == config.content_hash


def test_a_saved_configuration_reads_well() -> None:
    lines = EngineConfig(store=StoreSettings(path="${X}/notes.db")).to_yaml().splitlines()
    assert lines[:3] == ["store:", "  kind: sqlite", "  path: $${X}/notes.db"]
    assert lines[-3:] == ["interchange:", "  batch_rows: 16384", "  compression: zstd"]


# Shown


def test_every_setting_is_shown_once_with_its_source_and_meaning() -> None:
    loaded = load_config(environ={"ENGRAM_RETRIEVAL_K": "3"})
    rows = {row.name: row for row in show(loaded)}
    assert tuple(rows) == NAMES
    assert (rows["retrieval.k"].value, rows["retrieval.k"].source) == (3, "ENGRAM_RETRIEVAL_K")
    assert rows["retrieval.k"].help == "how many hits recall returns unless told"
    assert rows["store.path"].source == "default"


def test_a_password_is_not_shown() -> None:
    loaded = load_config(environ={"ENGRAM_STORE_PATH": "postgresql://u:pw@h"})
    assert "postgresql://u:***@h" in [row.value for row in show(loaded)]
    assert "pw" not in str(show(loaded))
