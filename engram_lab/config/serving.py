"""What can be set of a server: where it listens, whom it believes, what it keeps and how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from engram_lab.config.sections import Sectioned
from engram_lab.core.settings import check_section, setting

__all__ = [
    "AuditSettings",
    "AuthSettings",
    "BackupSettings",
    "ControlSettings",
    "LimitSettings",
    "ScheduleSettings",
    "ServeSettings",
    "ServerConfig",
    "TelemetrySettings",
    "TenancySettings",
    "UsageSettings",
]

WithoutRedis = Literal["local", "open", "closed"]
WITHOUT_REDIS: Final[tuple[WithoutRedis, ...]] = get_args(WithoutRedis)
LogFormat = Literal["json", "text"]
LOG_FORMATS: Final[tuple[LogFormat, ...]] = get_args(LogFormat)
LogLevel = Literal["debug", "info", "warning", "error"]
LOG_LEVELS: Final[tuple[LogLevel, ...]] = get_args(LogLevel)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServeSettings:
    """Where the server listens, and how much one request may ask of it."""

    host: str = setting("127.0.0.1", help="the address to listen on")
    port: int = setting(8765, help="the port to listen on", ge=0, le=65_535)
    threads: int = setting(4, help="requests that engines answer at a time", ge=1, le=64)
    waiting: int = setting(
        256, help="requests that may wait for one of those; more are refused with 503", ge=1
    )
    body_limit_bytes: int = setting(2_097_152, help="largest body of a request", ge=1_024)
    import_limit_bytes: int = setting(104_857_600, help="largest file of an import", ge=1_024)
    timeout_s: float = setting(30.0, help="how long a request may take", ge=0.1, le=3_600)
    head_s: float = setting(
        10.0, help="how long a connection may take to say what it asks for", ge=0.1, le=600
    )
    drain_s: float = setting(
        10.0, help="how long requests may go on after the server was told to stop", ge=0, le=600
    )
    cors_origins: str | None = setting(
        None, help="origins of web pages that may call, with commas between them"
    )
    trusted_proxies: str | None = setting(
        None, help="networks whose X-Forwarded-For and -Proto count, with commas between them"
    )
    hsts: bool = setting(
        default=False, help="tell browsers to insist on TLS, as behind a proxy that has it"
    )

    def __post_init__(self) -> None:
        check_section("serve", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class TenancySettings:
    """Whose memories are where, and how many databases are open at once."""

    data: str = setting("~/.engram/data", help="the folder of all tenants' databases")
    domain: str | None = setting(
        None, help="a tenant's name is what stands before this domain in the host"
    )
    default: str | None = setting(
        None, help="the tenant of requests that name none; without it they are refused"
    )
    max_open: int = setting(100, help="most databases open at once", ge=1, le=10_000)
    idle_close_s: float = setting(
        900.0, help="close a database after so long without a request", ge=1
    )

    def __post_init__(self) -> None:
        check_section("tenancy", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlSettings:
    """Where tenants, members, keys and usage are recorded."""

    dsn: str | None = setting(
        None, help="a PostgreSQL address, as a role without its own tables; else control.db in data"
    )
    admin_dsn: str | None = setting(
        None, help="the same database as its owner: to set it up, and for the operator's commands"
    )

    def __post_init__(self) -> None:
        check_section("control", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthSettings:
    """Whom the server believes."""

    enabled: bool = setting(default=False, help="ask for a key or a token")
    allow_insecure: bool = setting(
        default=False, help="listen beyond this machine without asking for either"
    )
    key_prefix: str = setting("ek", help="what keys begin with, as in ek_live_")
    jwks_url: str | None = setting(None, help="where the keys of the issuer of tokens are (RS256)")
    jwks_cache_s: float = setting(900.0, help="how long those are kept", ge=1, le=86_400)
    jwt_issuer: str | None = setting(None, help="who must have issued a token")
    jwt_audience: str | None = setting(None, help="for whom a token must be")
    jwt_secret: str | None = setting(
        None, help="for development: a shared secret of 32 bytes or more (HS256)", secret=True
    )
    jwt_leeway_s: float = setting(60.0, help="how far clocks may differ", ge=0, le=600)
    admin_token: str | None = setting(
        None, help="lets the operator in through /v1/admin; 32 bytes or more", secret=True
    )

    def __post_init__(self) -> None:
        check_section("auth", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitSettings:
    """How fast a tenant may ask; how much, its plan says."""

    enabled: bool = setting(default=True, help="keep rates and quotas")
    per_minute: int | None = setting(
        None,
        help="requests of a tenant to a route; else what its plan says",
        ge=1,
        le=100_000_000,
    )
    burst: int | None = setting(
        None, help="how many of those at once; else by plan", ge=1, le=100_000_000
    )
    redis_url: str | None = setting(None, help="count there, for several servers together")
    without_redis: WithoutRedis = setting(  # noqa: RUF009 - declares a field
        "local",
        help="when Redis cannot be reached: count here, let all in, or let nobody in",
        choices=WITHOUT_REDIS,
    )

    def __post_init__(self) -> None:
        check_section("limits", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageSettings:
    """How usage is gathered."""

    flush_s: float = setting(5.0, help="how often usage goes to the control plane", ge=0.05)
    batch: int = setting(500, help="most events of one transaction", ge=1, le=10_000)
    keep_days: int = setting(
        90, help="older events go; the sums of their days stay", ge=62, le=36_500
    )

    def __post_init__(self) -> None:
        check_section("usage", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditSettings:
    """What is written down of who did what."""

    enabled: bool = setting(default=True, help="keep a record, each line of which seals the former")
    auth_window_s: float = setting(
        300.0, help="a credential that is used again within so long is one entry, with its count"
    )

    def __post_init__(self) -> None:
        check_section("audit", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class TelemetrySettings:
    """What the server tells of itself."""

    log_level: LogLevel = setting(  # noqa: RUF009 - declares a field
        "info", help="the least grave lines that are logged", choices=LOG_LEVELS
    )
    log_format: LogFormat = setting(  # noqa: RUF009 - declares a field
        "json", help="one JSON object a line, or text for people", choices=LOG_FORMATS
    )
    slow_ms: float = setting(500.0, help="requests that take longer are logged as slow", ge=0)
    otlp_endpoint: str | None = setting(None, help="where spans are sent (OTLP over HTTP)")
    sample_rate: float = setting(0.1, help="the share of requests that are traced", ge=0, le=1)

    def __post_init__(self) -> None:
        check_section("telemetry", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupSettings:
    """Where copies of tenants' databases go, and how many stay."""

    place: str | None = setting(
        None, help="a folder, or s3://bucket/prefix; without it none are made"
    )
    every_s: float = setting(86_400.0, help="how often; 0 is never", ge=0)
    keep: int = setting(7, help="how many of each tenant stay", ge=1, le=10_000)
    key_file: str = setting(
        "~/.engram/backup.key", help="the key that copies are encrypted with: keep it elsewhere too"
    )
    s3_endpoint: str | None = setting(None, help="of storage that speaks S3 and is not Amazon's")
    s3_region: str | None = setting(None, help="where the bucket is")

    def __post_init__(self) -> None:
        check_section("backups", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleSettings:
    """What the server does by itself."""

    enabled: bool = setting(default=True, help="dream, clean up and copy without being asked")
    concurrency: int = setting(1, help="so many of these at a time", ge=1, le=16)
    tick_s: float = setting(30.0, help="how often to look whether something is due", ge=0.05)
    dream_every_s: float = setting(21_600.0, help="how often a tenant dreams; 0 is never", ge=0)
    dream_idle_s: float = setting(300.0, help="how long nobody must have asked before", ge=0)
    clean_up_every_s: float = setting(3_600.0, help="how often what expired goes", ge=0)

    def __post_init__(self) -> None:
        check_section("schedule", self)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class ServerConfig(Sectioned):
    """Everything that decides how a server behaves, beside the engines that it serves."""

    serve: ServeSettings = field(default_factory=ServeSettings)
    tenancy: TenancySettings = field(default_factory=TenancySettings)
    control: ControlSettings = field(default_factory=ControlSettings)
    auth: AuthSettings = field(default_factory=AuthSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    usage: UsageSettings = field(default_factory=UsageSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    backups: BackupSettings = field(default_factory=BackupSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
