from __future__ import annotations

import contextlib
import io
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engram_lab import Engine
from engram_lab.config import BackupSettings
from engram_lab.core.clock import ManualClock
from engram_lab.serve.backups.tenant_backups import TenantBackups


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 5, 1, 12, tzinfo=UTC))


@pytest.fixture
def engine(tmp_path: Path, clock: ManualClock) -> Iterator[Engine]:
    (tmp_path / "live").mkdir()
    with Engine.open(tmp_path / "live" / "engram.db", clock=clock) as engine:
        engine.remember_many([{"content": f"memory {number} of the sea"} for number in range(20)])
        yield engine


@pytest.fixture
def settings(tmp_path: Path) -> BackupSettings:
    return BackupSettings(
        place=str(tmp_path / "kept"), key_file=str(tmp_path / "keys" / "backup.key"), keep=3
    )


@pytest.fixture
def open_backups(
    tmp_path: Path, settings: BackupSettings, clock: ManualClock
) -> Callable[[], TenantBackups]:
    return lambda: TenantBackups(settings, clock=clock, scratch=tmp_path / "scratch")


@pytest.fixture
def backups(open_backups: Callable[[], TenantBackups]) -> TenantBackups:
    return open_backups()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[BackupSettings]:
    """A server that speaks S3, on loopback, and the settings of a bucket there."""
    pytest.importorskip("moto", reason="an S3 server to test with: moto[server]")
    boto3 = pytest.importorskip("boto3", reason="comes with moto")
    from moto.server import ThreadedMotoServer

    for name, value in (
        ("AWS_ACCESS_KEY_ID", "somebody"),
        ("AWS_SECRET_ACCESS_KEY", "something"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)
    with contextlib.redirect_stderr(io.StringIO()):
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            bucket = f"backups-{secrets.token_hex(8)}"  # servers of one process share all buckets
            address = f"http://{host}:{port}"
            client = boto3.client("s3", endpoint_url=address, region_name="us-east-1")
            client.create_bucket(Bucket=bucket)
            client.close()
            yield BackupSettings(
                place=f"s3://{bucket}/of/engram",
                s3_endpoint=address,
                s3_region="us-east-1",
                key_file="unset",
            )
        finally:
            server.stop()
