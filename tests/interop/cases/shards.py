"""Four senders that divide one file, then five, and a real Prometheus over them."""

import json
import re
import signal
import tempfile
import time
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


def start(folder, number, of, web=None):
    """One of the senders, and where it tells its metrics."""
    web = web or free_tcp_port()
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


def configure(folder, webs, reflector):
    """Writes what Prometheus reads."""
    for name in ("recording.yml", "alerts.yml"):
        (folder / name).write_text(hurried(dashboards.FOLDER / "prometheus" / name))
    config = hurried(dashboards.FOLDER / "prometheus" / "prometheus.yml")
    targets = ", ".join(f'"127.0.0.1:{web}"' for web in webs)
    config, replaced = re.subn(r'"127\.0\.0\.1:9862"', targets, config)
    expect(replaced, 1, "places for senders in the shipped configuration")
    config = config.replace("127.0.0.1:9863", f"127.0.0.1:{reflector}")
    (folder / "prometheus.yml").write_text(config)


def prometheus(folder, webs, reflector):
    configure(folder, webs, reflector)
    port = free_tcp_port()
    arguments = [DEBIAN / "prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    return port, Program([*arguments, f"--web.listen-address=127.0.0.1:{port}"], folder=folder)


def once(api, webs):
    """What each of these senders measures, once Prometheus knows every session to be measured by one of them."""
    of = len(webs)
    shards = f'count(stamp_shard_info{{shards="{of}"}}) == {of}'
    senders = "count by (session) (stamp_session_running == 1)"
    api.until(f"{shards} and count({senders} == 1) == {SESSIONS}", f"not every session is measured by one of {of} senders")
    # What the rule told before this moment is of the senders before these.
    rule, moment = "session:stamp_session_running:senders", time.time()
    api.until(f"count({rule} == 1 and timestamp({rule}) > {moment}) == {SESSIONS}", f"{rule} is not 1 for each session")
    expect(api.ask("query", query=f"{senders} > 1")["result"], [], "sessions that are measured twice")
    parts = [measured(web) for web in webs]
    expect(sum(map(len, parts)), SESSIONS, "sessions of all shards")
    expect(len(set().union(*parts)), SESSIONS, "sessions of any shard")
    told = api.ask("query", query="count by (instance) (stamp_session_running == 1)")["result"]
    expect(
        {it["metric"]["instance"]: int(it["value"][1]) for it in told},
        {f"127.0.0.1:{web}": len(part) for web, part in zip(webs, parts)},
        "sessions of each shard, as Prometheus knows them",
    )
    return parts


@case("prometheus", "Prometheus", "four shards of one file: each session once; a fifth moves a fifth; one is killed and comes back")
def shards():
    if not (DEBIAN / "prometheus").exists():
        raise Unavailable(f"{DEBIAN / 'prometheus'} is not installed")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        far_web = free_tcp_port()
        reflector = [REFLECTOR, "--listen", f"{LOOPBACK[4]}:0", "--web.listen-address", f"127.0.0.1:{far_web}"]
        reflector = stack.enter_context(Program(reflector))
        far = int(reflector.wait_for_line(r'msg="listening on \S+:(\d+)"').group(1))
        every = "".join(SESSION.format(number=number, port=far) for number in range(SESSIONS))
        (folder / "sessions.toml").write_text(HEAD + every)
        started = [start(folder, number, SHARDS) for number in range(SHARDS)]
        four = [stack.enter_context(program) for program, _ in started]
        webs = [web for _, web in started]
        port, program = prometheus(folder, webs, far_web)
        stack.enter_context(program)
        api = Api(port)
        before = once(api, webs)

        # All of them learn at once that there is a fifth.
        for sender in four:
            expect(sender.stop(), 0, "exit status of a sender of four")
        webs.append(free_tcp_port())
        senders = [stack.enter_context(start(folder, number, len(webs), web)[0]) for number, web in enumerate(webs)]
        configure(folder, webs, far_web)
        program.process.send_signal(signal.SIGHUP)
        parts = once(api, webs)
        for number, (had, has) in enumerate(zip(before, parts)):
            expect(has - had, set(), f"sessions that shard {number} takes from others")
        given_up = set().union(*(had - has for had, has in zip(before, parts)))
        expect(parts[SHARDS], given_up, "sessions of the fifth shard, beside what the others gave up")
        expect_between(len(given_up), SESSIONS // 10, SESSIONS * 3 // 10, "sessions that a fifth shard takes")

        # Whoever was away while it started is back.
        api.until('absent(ALERTS{alertname="StampExporterAbsent"})', "an exporter stayed absent")
        senders[1].process.kill()
        senders[1].process.wait()
        alert = api.until('ALERTS{alertname="StampExporterAbsent",alertstate="firing"}', "the alert never fired")
        expect(alert[0]["metric"]["instance"], f"127.0.0.1:{webs[1]}", "instance of the alert")
        stack.enter_context(start(folder, 1, len(webs), webs[1])[0])
        api.until('absent(ALERTS{alertname="StampExporterAbsent"})', "the alert never went")
        expect(once(api, webs), parts, "sessions of each shard once all are back")
