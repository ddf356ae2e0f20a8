"""The nginx of `deploy/`, run as it is but for its ports and paths, before a server that echoes."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"


class Echo(BaseHTTPRequestHandler):
    """Stands in for the server: says what reached it, and streams two events."""

    protocol_version = "HTTP/1.1"
    go_on = threading.Event()

    def do_GET(self) -> None:
        if self.path.endswith("mcp"):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"data: one\n\n")
            self.wfile.flush()
            self.go_on.wait(20)
            self.wfile.write(b"data: two\n\n")
            self.close_connection = True
            return
        told = "\n".join(f"{name.lower()}: {value}" for name, value in self.headers.items())
        self._answer(f"path: {self.path}\n{told}\n".encode())

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        while length:
            length -= len(self.rfile.read(min(length, 65_536)))
        self._answer(b"taken\n")

    def _answer(self, text: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Strict-Transport-Security", "max-age=1")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class ToLoopback(HTTPSConnection):
    """Asks 127.0.0.1, whatever the name of the host."""

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), 30)
        try:
            self.sock = unchecked().wrap_socket(plain, server_hostname=self.host)
        except ssl.SSLError:
            plain.close()
            raise


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The nginx of `deploy/`, on ports of its own, before a server that echoes."""

    plain: int
    tls: int

    @contextmanager
    def ask(
        self,
        path: str,
        host: str = "acme.engram.example.com",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Iterator[HTTPResponse]:
        connection = ToLoopback(host, self.tls)
        told = {"Host": host, **(headers or {})}
        try:
            connection.request("GET" if body is None else "POST", path, body, told)
            with connection.getresponse() as answer:
                yield answer
        finally:
            connection.close()


def unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it was made for this test, by this test
    return context


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def echoing() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    program, openssl = shutil.which("nginx"), shutil.which("openssl")
    if program is None or openssl is None:
        pytest.skip("nginx and openssl are not both installed")
    folder = tmp_path_factory.mktemp("nginx")
    name = "engram.example.com"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},DNS:*.{name}"],
        check=True, capture_output=True,
    )  # fmt: skip
    made = Proxy(plain=free_port(), tls=free_port())
    with echoing() as upstream:
        text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
        who = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        for old, new in (
            ("user www-data;", who),
            ("worker_processes auto;", "worker_processes 1;"),
            ("/run/nginx.pid", f"{folder}/pid"),
            ("/var/log/nginx", str(folder)),
            ("/etc/nginx/tls", str(folder)),
            ("127.0.0.1:8765", f"127.0.0.1:{upstream}"),
            ("listen 80 ", f"listen 127.0.0.1:{made.plain} "),
            ("listen 443 ", f"listen 127.0.0.1:{made.tls} "),
        ):
            assert old in text, old
            text = text.replace(old, new)
        text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
        for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
            text = text.replace("http {\n", f"http {{\n    {each}_temp_path {folder}/{each};\n", 1)
        (folder / "nginx.conf").write_text(text)
        command = f"{program} -p {folder} -c {folder}/nginx.conf -e {folder}/early.log".split()
        tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stderr
        assert "[warn]" not in tested.stderr, tested.stderr
        with subprocess.Popen([*command, "-g", "daemon off;"]) as server:
            try:
                end = monotonic() + 20
                while True:
                    try:
                        socket.create_connection(("127.0.0.1", made.tls), 1).close()
                        break
                    except OSError:
                        assert server.poll() is None
                        assert monotonic() < end
                        sleep(0.02)
                yield made
            finally:
                server.terminate()


def test_every_tenants_host_reaches_the_server_under_its_own_name(proxy: Proxy) -> None:
    for host in ("engram.example.com", "acme.engram.example.com"):
        with proxy.ask("/v1/memories?limit=1", host=host) as answer:
            told = answer.read().decode()
        assert f"host: {host}\n" in told
        assert "path: /v1/memories?limit=1\n" in told
        assert "x-forwarded-proto: https\n" in told


def test_what_a_client_says_of_its_address_is_not_believed(proxy: Proxy) -> None:
    forged = {"X-Forwarded-For": "10.1.2.3", "Forwarded": "for=10.1.2.3", "X-Forwarded-Proto": "x"}
    with proxy.ask("/", headers=forged) as answer:
        told = answer.read().decode()
    assert "x-forwarded-for: 127.0.0.1\n" in told
    assert "10.1.2.3" not in told


def test_browsers_are_told_once_to_insist_on_tls(proxy: Proxy) -> None:
    with proxy.ask("/") as answer:
        said = answer.headers.get_all("Strict-Transport-Security")
    assert said == ["max-age=31536000; includeSubDomains"]


def test_plain_http_is_sent_to_tls(proxy: Proxy) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    asked = urllib.request.Request(
        f"http://127.0.0.1:{proxy.plain}/v1/x?y=1", headers={"Host": "acme.engram.example.com"}
    )
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.build_opener(Stay).open(asked, timeout=10)
    with told.value as error:
        assert error.code == 301
        assert error.headers["Location"] == "https://acme.engram.example.com/v1/x?y=1"


def test_another_host_gets_not_even_a_certificate(proxy: Proxy) -> None:
    with pytest.raises(ssl.SSLError), proxy.ask("/", host="elsewhere.example.org"):
        pytest.fail("somebody answered")


@pytest.mark.parametrize("path", ["/metrics", "/v1/admin", "/v1/admin/tenants", "/v1//admin/x"])
def test_the_operators_routes_are_not_for_the_world(proxy: Proxy, path: str) -> None:
    with proxy.ask(path) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("path", ["/mcp", "/v1/mcp"])
def test_an_event_arrives_before_the_next_one_is_made(proxy: Proxy, path: str) -> None:
    Echo.go_on.clear()
    with proxy.ask(path) as answer:
        first = answer.readline()
        Echo.go_on.set()
        rest = answer.read()
    assert first == b"data: one\n"
    assert rest.endswith(b"data: two\n\n")


@pytest.mark.parametrize(
    ("path", "megabytes", "status"),
    [("/v1/memories", 1, 200), ("/v1/memories", 3, 413), ("/v1/import", 3, 200)],
)
def test_large_bodies_are_for_imports(proxy: Proxy, path: str, megabytes: int, status: int) -> None:
    headers = {"Expect": "100-continue"} if status == 413 else {}
    with proxy.ask(path, headers=headers, body=bytes(megabytes << 20)) as answer:
        assert answer.status == status
