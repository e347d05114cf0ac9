"""Prometheus' own checks: metrics of both programs, and the file of TLS and users that all exporters share."""

import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path

from programs import INSTALLED, LOOPBACK, PATIENCE_SECONDS, REFLECTOR, SENDER, Program, reflector
from report import Mismatch, Unavailable, case, expect

PROMTOOL = INSTALLED / "prometheus" / "usr" / "bin" / "promtool"

SESSIONS = """
web = {{ listen = "127.0.0.1:0"{web} }}

[[session]]
name = "counted"
target = "127.0.0.1:{port}"
interval = "10ms"
window = "1s"
stateful = true
delay-threshold = {{ round-trip = "20ms", percent = 25, count = 3 }}
loss-threshold = {{ lost = 3, of = 100, direction = "forward" }}
labels = {{ site = "ams" }}

[[session]]
name = "in vain"
target = "127.0.0.2:1"
"""

# alice, secret
WEB = """
http_server_config:
  headers:
    X-Frame-Options: deny
basic_auth_users:
  alice: $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
"""


def promtool(*arguments, text=None):
    """Its exit status and all that it wrote."""
    if not PROMTOOL.exists():
        raise Unavailable(f"{PROMTOOL} is not installed")
    ended = subprocess.run(
        [PROMTOOL, *arguments], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    return ended.returncode, (ended.stdout + ended.stderr).strip()


def page(base, path="/metrics", credentials=None):
    request = urllib.request.Request(base + path)
    if credentials:
        request.add_header("Authorization", "Basic " + b64encode(credentials.encode()).decode())
    with urllib.request.urlopen(request, timeout=20) as response:
        return response.read().decode()


def complete(base):
    """Metrics once a window is complete: all there can be."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "stamp_session_window_delay_seconds{" not in (text := page(base)):
        if time.monotonic() > deadline:
            raise Mismatch(f"no window was complete: {text}")
    return text


@contextmanager
def told(program):
    """Where a program tells its metrics."""
    found = program.wait_for_line(r"metrics are told over HTTP.* address=(\S+)")
    yield "http://" + found.group(1)


@contextmanager
def sender(port, web="", files=()):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files:
            (Path(folder) / name).write_text(text)
        (Path(folder) / "sender.toml").write_text(SESSIONS.format(port=port, web=web))
        with Program([SENDER, "run", "sender.toml"], folder=folder) as program:
            with told(program) as base:
                program.wait_for_line(r'msg="session is up" session=counted')
                yield base


def expect_clean(text, *wanted):
    for series in wanted:
        if f"\n{series}" not in text:
            raise Mismatch(f"no {series} in {text}")
    expect(promtool("check", "metrics", text=text), (0, ""), "promtool check metrics")


@case("promtool", "Prometheus", "metrics of stamp-sender: clean")
def metrics_of_the_sender():
    with reflector("--stateful") as port, sender(port) as base:
        expect_clean(
            complete(base),
            'stamp_session_info{session="counted",target="127.0.0.1:',
            'stamp_session_packets_rejected_total{session="in vain",reason="source"} 0',
            "stamp_build_info{",
        )


@case("promtool", "Prometheus", "web.config-file of stamp-sender: taken by both, users and all")
def web_config_of_the_sender():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "web.yml"
        file.write_text(WEB)
        status, text = promtool("check", "web-config", str(file))
        expect(status, 0, f"promtool check web-config: {text}")
    with reflector() as port:
        with sender(port, web=', config-file = "web.yml"', files=[("web.yml", WEB)]) as base:
            expect_clean(page(base, credentials="alice:secret"), "stamp_build_info{")
            try:
                page(base)
            except urllib.error.HTTPError as error:
                expect(error.code, 401, "status without a password")
            else:
                raise Mismatch("nobody was asked for a password")


@case("promtool", "Prometheus", "metrics of stamp-reflector: clean")
def metrics_of_the_reflector():
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "reflector.toml").write_text(
            f'listen = ["{LOOPBACK[4]}:0"]\nstateful = true\nweb.listen = "127.0.0.1:0"\n'
        )
        with Program([REFLECTOR, "--config.file", "reflector.toml"], folder=folder) as program:
            with told(program) as base:
                received = f'stamp_reflector_packets_received_total{{listener="{LOOPBACK[4]}:'
                expect_clean(page(base), received, "stamp_build_info{")
