"""What `deploy/` holds is read by the programs that it is for, and says what the server knows."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import typer
import yaml

from engram_lab.cli import app
from engram_lab.config import load_config
from engram_lab.config.load import variable_of
from engram_lab.config.model import EngineConfig
from engram_lab.config.serving import ControlSettings, ServerConfig
from engram_lab.core.clock import SystemClock
from engram_lab.serve.auth.exposure import check_exposure
from engram_lab.serve.control.opening import open_control_plane
from tests.serve.conftest import PASSWORD

if TYPE_CHECKING:
    from tests.serve.conftest import PostgresServer

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "engram.service"
KNOWN = {variable_of(name) for name in {**EngineConfig.settings(), **ServerConfig.settings()}}
OURS_ALONE = {"ENGRAM_DOMAIN", "ENGRAM_URL", "ENGRAM_KEY"}  # of env.example and the runbooks
VARIABLE = re.compile(r"\bENGRAM_[A-Z0-9_]+\b")
COMMAND = re.compile(r"(?:^|[`(\s]|/bin/)engram ((?:[a-z][a-z-]*)(?: [^`\n)|;]*)?)", re.MULTILINE)


def texts() -> list[Path]:
    return sorted(each for each in DEPLOY.rglob("*") if each.is_file())


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def unit_settings() -> dict[str, str]:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    said = (line.removeprefix("Environment=") for line in lines if line.startswith("Environment="))
    pairs = (each.split("=", 1) for each in said)
    return {name: value.replace("%S", "/var/lib") for name, value in pairs}


def image() -> list[Any]:
    dockerfile = pytest.importorskip("dockerfile", reason="the parser that images are built with")
    found: list[Any] = list(dockerfile.parse_file(str(DEPLOY / "Dockerfile")))
    return found


def image_settings() -> dict[str, str]:
    words = [each for line in image() if line.cmd.upper() == "ENV" for each in line.value]
    names = [each for each in words if VARIABLE.fullmatch(each)]
    return {name: words[words.index(name) + 1] for name in names}


@pytest.mark.parametrize("file", texts(), ids=lambda file: str(file.relative_to(DEPLOY)))
def test_every_variable_is_a_setting(file: Path) -> None:
    used = set(VARIABLE.findall(file.read_text(encoding="utf-8")))
    assert used - KNOWN - OURS_ALONE == set()


@pytest.mark.parametrize("file", texts(), ids=lambda file: str(file.relative_to(DEPLOY)))
def test_every_command_is_one(file: Path) -> None:
    whole: Any = typer.main.get_command(app)
    for text in COMMAND.findall(file.read_text(encoding="utf-8")):
        command = whole
        for word in shlex.split(text.split("#")[0], posix=True):
            if not hasattr(command, "commands"):
                options = {name for each in command.params for name in each.opts}
                assert not word.startswith("--") or word in options, f"engram {text}"
            elif not word.startswith("-"):
                assert word in command.commands, f"engram {text}"
                command = command.commands[word]


def test_the_image_is_one_that_the_settings_accept() -> None:
    loaded = load_config(environ=image_settings())
    check_exposure(loaded.server.serve, loaded.server.auth)


def test_the_unit_is_one_that_the_settings_accept() -> None:
    loaded = load_config(environ=unit_settings())
    check_exposure(loaded.server.serve, loaded.server.auth)
    assert loaded.server.backups.place == "/var/lib/engram/backups"
    unit = UNIT.read_text(encoding="utf-8")
    waits = int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0])
    assert waits > loaded.server.serve.drain_s


def test_the_composition_is_one_that_the_settings_accept() -> None:
    given = {
        name: re.sub(r"\$\{[^}]+\}", "x" * 40, str(value))
        for name, value in compose()["services"]["engram"]["environment"].items()
    }
    loaded = load_config(environ={**image_settings(), **given})

    check_exposure(loaded.server.serve, loaded.server.auth)
    assert loaded.server.control.dsn is not None
    assert float(compose()["services"]["engram"]["stop_grace_period"][:-1]) > (
        loaded.server.serve.drain_s
    )


def test_the_image_is_built_in_two_stages_and_runs_as_nobody() -> None:
    lines = image()
    stages = [line.value for line in lines if line.cmd.upper() == "FROM"]
    last = [line.cmd.upper() for line in lines]
    final = lines[len(last) - 1 - last[::-1].index("FROM") :]
    said = {line.cmd.upper(): line for line in final}

    assert len(stages) == 2
    assert not any("latest" in " ".join(each) for each in stages)
    user = said["USER"].value[0]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "as a number, so that others can check it"
    assert said["HEALTHCHECK"].value[0] == "CMD"
    assert said["ENTRYPOINT"].json
    assert said["CMD"].json
    assert not {"ADD", "MAINTAINER"} & set(last)
    copied = [line for line in final if line.cmd.upper() == "COPY"]
    assert all("--from=build" in line.flags for line in copied), "no source in the image"
    runs = " ".join(" ".join(line.value) for line in lines if line.cmd.upper() == "RUN")
    assert not re.search(r"sudo|curl |wget |torch|cuda", runs)


def test_the_image_gets_all_that_it_is_built_from_and_no_more() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        each
        for line in image()
        if line.cmd.upper() == "COPY" and not line.flags
        for each in line.value[:-1]
    }
    built_of = re.findall(r'"([a-z]+)(?:/[a-z]+)?"', (ROOT / "hatch_build.py").read_text())
    needed = {name for name in built_of if (ROOT / name).is_dir()}

    assert "*" in ignored
    assert let_in == copied
    assert needed <= copied
    assert all((ROOT / each).exists() for each in copied)


def test_the_compose_schema_accepts_the_composition() -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    if not program.exists():
        pytest.skip("check-jsonschema, which has the schema, is not installed")
    done = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_composition_keeps_its_promises() -> None:
    whole = compose()
    services = whole["services"]
    engram = services["engram"]

    assert engram["read_only"] is True
    assert engram["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in engram["ports"])
    assert "ports" not in services["postgres"]
    assert "ports" not in services["redis"]
    for name, service in services.items():
        for needed in service.get("depends_on", {}):
            assert "healthcheck" in services[needed], name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in whole["volumes"] or (DEPLOY / source).exists(), volume
    asked = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text()))
    example = (DEPLOY / "env.example").read_text(encoding="utf-8")
    assert asked == set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def test_the_role_that_the_composition_makes_is_one_that_the_control_plane_accepts(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    psql = shutil.which("psql") or next(Path("/usr/lib/postgresql").glob("*/bin/psql"), None)
    if psql is None:
        pytest.skip("PostgreSQL's own client is not installed")
    database, password = postgres.new_database(), 'it\'s of "the" server'
    subprocess.run(
        ["sh", DEPLOY / "postgres" / "role.sh"],
        env={
            "PATH": f"{Path(psql).parent}:/usr/bin:/bin",
            "PGHOST": str(postgres.folder),
            "PGPASSWORD": PASSWORD,
            "POSTGRES_USER": "superuser",
            "POSTGRES_DB": database,
            "SERVER_PASSWORD": password,
        },
        check=True,
        capture_output=True,
    )
    dsn = f"postgresql://engram_server:{quote(password)}@/{database}?host={postgres.folder}"
    settings = ControlSettings(dsn=dsn, admin_dsn=postgres.dsn("superuser", database))
    try:
        with closing(open_control_plane(settings, tmp_path, clock=SystemClock())) as plane:
            assert list(plane.as_operator().tenants()) == []
    finally:
        postgres.drop(database)
        with postgres.connected("superuser") as connection:
            connection.execute("DROP ROLE engram_server")


def test_systemd_accepts_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/engram/bin/engram", sys.executable))
    for command in (["verify"], ["security", "--offline=true", "--threshold=15"]):
        done = subprocess.run(
            [program, *command, unit], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Unknown" not in done.stderr, done.stderr
