"""The runbooks of `deploy/`, carried out: every block, in order, beside a running server."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import pytest

ROOT = Path(__file__).parents[2]
RUNBOOKS = sorted((ROOT / "deploy" / "runbooks").glob("*.md"))
BLOCK = re.compile(r"^( *)```bash\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^(\d+)\. ", re.MULTILINE)
FACT = "the lighthouse keeper is called Ada"


def blocks(file: Path) -> list[str]:
    found = BLOCK.findall(file.read_text(encoding="utf-8"))
    return [textwrap.dedent(text) for _, text in found]


@dataclass(frozen=True, kw_only=True)
class Site:
    """A server with one tenant, and what whoever runs it has in their environment."""

    environ: Mapping[str, str]
    data: Path

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env=self.environ,
            cwd=self.data.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )

    def ask(self, path: str, body: object = None) -> dict[str, object]:
        request = urllib.request.Request(  # noqa: S310 - our own server
            self.environ["ENGRAM_URL"] + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.environ['ENGRAM_KEY']}",
                "X-Engram-Tenant": "acme",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            found: dict[str, object] = json.load(answer)
        return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    for program in ("bash", "jq", "curl"):
        if shutil.which(program) is None:
            pytest.skip(f"the runbooks are written for a machine with {program}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "safe").mkdir()
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ENGRAM_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SAFE": str(tmp_path / "safe"),
        "ENGRAM_URL": f"http://127.0.0.1:{port}",
        "ENGRAM_SERVE_PORT": str(port),
        "ENGRAM_AUTH_ENABLED": "true",
        "ENGRAM_TENANCY_DATA": str(tmp_path / "data"),
        "ENGRAM_BACKUPS_PLACE": str(tmp_path / "kept"),
        "ENGRAM_BACKUPS_KEY_FILE": str(tmp_path / "keys" / "backup.key"),
        "ENGRAM_EMBEDDING_MODEL": "none",
        "ENGRAM_SCHEDULE_ENABLED": "false",
    }
    before = Site(environ=environ, data=tmp_path / "data")
    made = before.run("engram tenant create acme && engram key create acme")
    assert made.returncode == 0, made.stderr
    site = Site(environ={**environ, "ENGRAM_KEY": made.stdout.split()[-1]}, data=tmp_path / "data")
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            ["engram", "serve"], env=environ, cwd=tmp_path, stdout=log, stderr=log
        )
    try:
        end = monotonic() + 60
        while True:
            try:
                site.ask("/health")
            except (urllib.error.URLError, ConnectionError):
                said = (tmp_path / "log").read_text()
                assert server.poll() is None, said
                assert monotonic() < end, said
                sleep(0.05)
            else:
                break
        site.ask("/v1/memories", {"content": FACT})
        assert FACT in json.dumps(site.ask("/v1/search", {"query": "lighthouse keeper"}))
        done = site.run("engram tenant backup acme")
        assert done.returncode == 0, done.stderr
        yield site
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.slow  # each command starts a Python of its own
@pytest.mark.parametrize("file", RUNBOOKS, ids=lambda file: file.stem)
def test_a_runbook_does_what_it_says(file: Path, site: Site) -> None:
    if file.stem == "restore":  # what was added by mistake is gone afterwards
        site.ask("/v1/memories", {"content": "a lighthouse keeper that never was"})

    done = site.run("\n".join(["set -x", *blocks(file)]))

    assert done.returncode == 0, done.stderr
    match file.stem:
        case "restore":
            found = json.dumps(site.ask("/v1/search", {"query": "lighthouse keeper"}))
            assert FACT in found
            assert "never was" not in found
            assert list(site.data.glob("tenants/*/engram.db.before-restore-1"))
        case "key-rotation":
            with pytest.raises(urllib.error.HTTPError, match="401"):
                site.ask("/v1/stats")
        case "tenant-deletion":
            here = [each for each in site.data.parent.rglob("*") if each.is_file()]
            holding = [each.name for each in here if b"lighthouse" in each.read_bytes()]
            assert holding == ["acme.db"]  # what they were given
        case _:
            assert (site.data.parent / "safe" / "backup.key").is_file()


@pytest.mark.parametrize("file", RUNBOOKS, ids=lambda file: file.stem)
def test_a_runbook_is_numbered_and_short(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert [int(number) for number in STEP.findall(text)] == list(
        range(1, len(STEP.findall(text)) + 1)
    )
    assert len(blocks(file)) == text.count("```bash")
    assert len(text.splitlines()) < 100


def test_there_is_a_runbook_of_each_kind() -> None:
    assert [file.stem for file in RUNBOOKS] == [
        "backup",
        "key-rotation",
        "restore",
        "tenant-deletion",
    ]
