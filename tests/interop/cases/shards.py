"""Four senders that divide one file, and a real Prometheus over them."""

import json
import re
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import dashboards
from cases.monitoring_chain import DEBIAN, Api, free_tcp_port, hurried, until
from programs import LOOPBACK, REFLECTOR, SENDER, Program
from report import Unavailable, case, expect, expect_between

SHARDS = 4
SESSIONS = 100
HEAD = """
[defaults]
interval = "1s"
window = "1s"
"""
SESSION = """
[[session]]
name = "session-{number}"
target = "127.0.0.1:{port}"
"""


def start(folder, number, of):
    """One of the senders, and where it tells its metrics."""
    web = free_tcp_port()
    text = (folder / "sessions.toml").read_text()
    # One file for all but for where each listens.
    (folder / f"shard-{number}-{of}.toml").write_text(f'web = {{ listen = "127.0.0.1:{web}" }}\n{text}')
    return Program([SENDER, "run", "--shard", f"{number}/{of}", f"shard-{number}-{of}.toml"], folder=folder), web


def sessions(web):
    """Names of the sessions that it measures."""
    with urllib.request.urlopen(f"http://127.0.0.1:{web}/api/v1/sessions", timeout=20) as answer:
        return {session["name"] for session in json.load(answer)["sessions"]}


def measured(web):
    """The same once it answers."""

    def found():
        try:
            return sessions(web)
        except OSError:
            return None

    return until(found, f"nobody tells sessions at {web}")


def prometheus(folder, webs, reflector):
    for name in ("recording.yml", "alerts.yml"):
        (folder / name).write_text(hurried(dashboards.FOLDER / "prometheus" / name))
    config = hurried(dashboards.FOLDER / "prometheus" / "prometheus.yml")
    targets = ", ".join(f'"127.0.0.1:{web}"' for web in webs)
    config, replaced = re.subn(r'"127\.0\.0\.1:9862"', targets, config)
    expect(replaced, 1, "places for senders in the shipped configuration")
    config = config.replace("127.0.0.1:9863", f"127.0.0.1:{reflector}")
    (folder / "prometheus.yml").write_text(config)
    port = free_tcp_port()
    arguments = [DEBIAN / "prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    return port, Program([*arguments, f"--web.listen-address=127.0.0.1:{port}"], folder=folder)


@case("prometheus", "Prometheus", "four shards of one file: each session once; a fifth moves a fifth; one is killed and comes back")
def shards():
    if not (DEBIAN / "prometheus").exists():
        raise Unavailable(f"{DEBIAN / 'prometheus'} is not installed")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        web = free_tcp_port()
        reflector = [REFLECTOR, "--listen", f"{LOOPBACK[4]}:0", "--web.listen-address", f"127.0.0.1:{web}"]
        reflector = stack.enter_context(Program(reflector))
        far = int(reflector.wait_for_line(r'msg="listening on \S+:(\d+)"').group(1))
        every = "".join(SESSION.format(number=number, port=far) for number in range(SESSIONS))
        (folder / "sessions.toml").write_text(HEAD + every)
        started = [start(folder, number, SHARDS) for number in range(SHARDS)]
        senders = [stack.enter_context(program) for program, _ in started]
        webs = [web for _, web in started]
        port, program = prometheus(folder, webs, web)
        stack.enter_context(program)
        api = Api(port)
        everybody = f"count(session:stamp_session_running:senders == 1) == {SESSIONS}"
        api.until(everybody, "not every session is measured by one sender")
        expect(api.ask("query", query="session:stamp_session_running:senders > 1")["result"], [], "sessions that are measured twice")
        parts = [measured(web) for web in webs]
        expect(sum(map(len, parts)), SESSIONS, "sessions of all shards")
        # What a fifth shard would take, told by five that run for a moment.
        moved = 0
        for number in range(SHARDS):
            with ExitStack() as moment:
                program, web = start(folder, number, SHARDS + 1)
                moment.enter_context(program)
                kept = measured(web)
            expect(kept - parts[number], set(), f"sessions that shard {number} takes from others")
            moved += len(parts[number] - kept)
        expect_between(moved, SESSIONS // 10, SESSIONS * 3 // 10, "sessions that a fifth shard takes")
        senders[1].process.kill()
        senders[1].process.wait()
        alert = api.until('ALERTS{alertname="StampExporterAbsent",alertstate="firing"}', "the alert never fired")
        expect(alert[0]["metric"]["instance"], f"127.0.0.1:{webs[1]}", "instance of the alert")
        again = [SENDER, "run", "--shard", f"1/{SHARDS}", f"shard-1-{SHARDS}.toml"]
        stack.enter_context(Program(again, folder=folder))
        api.until('absent(ALERTS{alertname="StampExporterAbsent"})', "the alert never went")
        expect(measured(webs[1]), parts[1], "sessions of the shard that came back")
        api.until(everybody, "not every session is measured by one sender again")
