from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from engram_lab.config import EngineConfig, ServerConfig
from engram_lab.core.errors import ConfigError
from engram_lab.core.settings import StoreSettings, check_section, setting, settings_of

SETTINGS = settings_of(StoreSettings)
NUMBERS = [name for name, each in SETTINGS.items() if math.isfinite(each.ge)]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A section with what the store's has not: a flag, a secret and a number without bounds."""

    url: str = setting("http://localhost", help="where it listens")
    api_key: str | None = setting(None, help="who may ask", secret=True)
    verbose: bool = setting(default=False, help="say more")
    weight: float = setting(1.0, help="how much it counts")
    admin_token: str = setting("t", help="secret by its name alone")

    def __post_init__(self) -> None:
        check_section("server", self)


SERVER = settings_of(Server)


def problems_of(section: type[Any] = StoreSettings, /, **values: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        section(**values)
    return raised.value.problems


def test_the_defaults_are_allowed() -> None:
    assert StoreSettings() == StoreSettings(path="~/.engram/engram.db", seed=None)


def test_a_value_out_of_range_is_refused_with_the_range() -> None:
    assert problems_of(busy_timeout_ms=-5) == (
        "store.busy_timeout_ms is -5: allowed is 0 to 600000",
    )


def test_a_value_that_is_no_choice_is_refused_with_the_choices() -> None:
    assert problems_of(dedup="drop") == (
        "store.dedup is 'drop': allowed is one of allow, reject, skip, merge",
    )


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("readers", "8", "is '8': allowed is a whole number"),
        ("readers", 8.0, "is 8.0: allowed is a whole number"),
        ("readers", True, "is True: allowed is a whole number"),
        ("readers", None, "is None: allowed is a whole number"),
        ("seed", "x", "is 'x': allowed is a whole number or none"),
        ("seed", False, "is False: allowed is a whole number or none"),
        ("daily_ttl_hours", True, "is True: allowed is a finite number"),
        ("daily_ttl_hours", "24", "is '24': allowed is a finite number"),
        ("path", 7, "is 7: allowed is a text that is not empty"),
        ("path", "", "is '': allowed is a text that is not empty"),
        ("synchronous", None, "is None: allowed is one of full, normal"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_the_right_one(
    name: str, value: object, problem: str
) -> None:
    assert problems_of(**{name: value}) == (f"store.{name} {problem}",)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_only_finite_numbers_are_numbers(value: float) -> None:
    assert "allowed is a finite number" in problems_of(daily_ttl_hours=value)[0]
    assert "allowed is a finite number" in problems_of(Server, weight=value)[0]


def test_a_flag_is_true_or_false_and_nothing_else() -> None:
    assert Server(verbose=True).verbose
    assert problems_of(Server, verbose=1) == ("server.verbose is 1: allowed is true or false",)


def test_a_whole_number_is_a_good_float() -> None:
    assert StoreSettings(daily_ttl_hours=24) == StoreSettings(daily_ttl_hours=24.0)
    assert repr(SETTINGS["daily_ttl_hours"].plain(24)) == "24.0"


def test_a_number_without_bounds_may_be_as_large_as_it_likes() -> None:
    huge = 10**400
    assert StoreSettings(seed=-huge).seed == -huge
    assert Server(weight=-1e300).weight == -1e300


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_are_allowed_and_what_lies_beyond_them_is_not(name: str) -> None:
    least, greatest = SETTINGS[name].ge, SETTINGS[name].le
    for bound in (least, greatest):
        values: dict[str, Any] = {name: bound}
        assert getattr(StoreSettings(**values), name) == bound
    for beyond in (math.floor(least) - 1, greatest + 1):
        assert f"store.{name} is {beyond}" in problems_of(**{name: beyond})[0]


def test_a_daily_memory_lives_for_a_second_at_least() -> None:
    assert StoreSettings(daily_ttl_hours=1 / 3600).daily_ttl_hours == 1 / 3600
    assert problems_of(daily_ttl_hours=0) == (
        "store.daily_ttl_hours is 0: allowed is 0.000277777778 to 87600",
    )


def test_all_problems_are_reported_at_once() -> None:
    bad: dict[str, Any] = dict.fromkeys(SETTINGS, object())
    problems = problems_of(**bad)
    assert [problem.split()[0] for problem in problems] == [f"store.{name}" for name in SETTINGS]


def test_the_error_is_also_a_value_error_and_shows_its_problems() -> None:
    with pytest.raises(ValueError, match=r"2 problems:\n  - store\.readers is 0.*\n  - store"):
        StoreSettings(readers=0, cache_mib=0)


@pytest.mark.parametrize("name", SETTINGS)
def test_choices_are_those_of_the_type(name: str) -> None:
    hint = get_type_hints(StoreSettings)[name]
    assert SETTINGS[name].choices == (get_args(hint) if get_origin(hint) is Literal else None)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_says_in_one_short_line_what_it_is_for(name: str) -> None:
    assert 10 <= len(SETTINGS[name].help) <= 110
    assert not SETTINGS[name].help.endswith(".")


def test_only_where_the_file_lies_is_not_behaviour() -> None:
    assert [name for name, each in SETTINGS.items() if not each.identity] == ["path"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("readers", " 12 ", 12),
        ("daily_ttl_hours", "1e3", 1000.0),
        ("daily_ttl_hours", "24", 24.0),
        ("seed", "none", None),
        ("seed", "None", None),
        ("seed", "", None),
        ("seed", "-7", -7),
        ("path", "none", "none"),
        ("path", "", ""),
        ("readers", "many", "many"),
        ("readers", "1.5", "1.5"),
    ],
)
def test_a_text_is_read_by_the_type_of_its_setting(name: str, text: str, value: object) -> None:
    parsed = SETTINGS[name].parse(text)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize("text", ["true", "Yes", "ON", "1"])
def test_words_for_true(text: str) -> None:
    assert SERVER["verbose"].parse(text) is True


@pytest.mark.parametrize("text", ["false", "No", "OFF", "0"])
def test_words_for_false(text: str) -> None:
    assert SERVER["verbose"].parse(text) is False


def test_another_word_is_no_flag() -> None:
    assert SERVER["verbose"].fault(SERVER["verbose"].parse("maybe")) == (
        "is 'maybe': allowed is true or false"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("postgresql://u:pw@h", "postgresql://u:***@h"),
        ("postgresql://u:p@s/s:w@h/db", "postgresql://u:***@h/db"),
        ("redis://:pw@h:6379/0", "redis://:***@h:6379/0"),
        ("postgresql://u@h:5432/db", "postgresql://u@h:5432/db"),
        ("postgresql://h/db?password=pw&a=b", "postgresql://h/db?password=***&a=b"),
        ("https://h/?api_key=k", "https://h/?api_key=***"),
        ("host=h password=pw dbname=d", "host=h password=*** dbname=d"),
        (r"password = 'p w\'s' host=h", "password = *** host=h"),
        ("~/notes.db", "~/notes.db"),
    ],
)
def test_a_password_inside_a_url_is_masked(value: str, shown: str) -> None:
    assert SERVER["url"].masked(value) == shown


def test_a_secret_is_masked_by_its_mark_or_by_its_name() -> None:
    assert SERVER["api_key"].masked("hush") == "***"
    assert SERVER["admin_token"].masked("hush") == "***"
    assert SERVER["api_key"].masked(None) is None
    assert SERVER["verbose"].masked(value=False) is False


@pytest.mark.parametrize("name", ["auth.key_prefix", "backups.key_file", "dream.prune_most_tokens"])
def test_what_only_speaks_of_a_key_or_of_tokens_is_shown(name: str) -> None:
    known = {**EngineConfig.settings(), **ServerConfig.settings()}
    assert known[name].masked("ek") == "ek"


def test_what_opens_a_door_is_never_shown() -> None:
    known = {**EngineConfig.settings(), **ServerConfig.settings()}
    hidden = {name for name, each in known.items() if each.masked("hush") == "***"}
    assert hidden == {"embedding.api_key", "auth.jwt_secret", "auth.admin_token"}
    for name in ("control.dsn", "control.admin_dsn", "limits.redis_url", "embedding.url"):
        assert known[name].masked("postgresql://u:hush@h/d") == "postgresql://u:***@h/d"


def test_neither_an_error_nor_a_repr_tells_a_secret() -> None:
    assert problems_of(Server, api_key=12345) == (
        "server.api_key is '***': allowed is a text that is not empty or none",
    )
    assert "hush" not in repr(Server(api_key="hush"))


def test_an_error_shows_no_more_than_the_beginning_of_a_long_value() -> None:
    (problem,) = problems_of(readers="x" * 10_000)
    assert len(problem) < 150
