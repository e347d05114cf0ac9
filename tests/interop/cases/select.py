"""Decisions over what two senders measured, by a real Prometheus, beside the decisions of the senders themselves."""

import json
import signal
import subprocess
import tempfile
import urllib.parse
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dashboards
from cases.monitoring_chain import DEBIAN, answers, hurried, picture, until
from programs import REFLECTOR, REPOSITORY, SENDER, Program
from report import Unavailable, case, expect, expect_true

LAB = "interop-select"
TOPOLOGY = REPOSITORY / "stamp-lab" / "reference" / "three-paths.toml"
# Everything runs at node s, whose loopback nobody else has.
SHARDS = {0: 9862, 1: 9863}
PROMETHEUS, SELECT = 9090, 9865

FILE = """
topology = "three-paths.toml"
from = "s"
web = {{ listen = "127.0.0.1:{web}" }}
[defaults]
port = 8620
interval = "20ms"
timeout = "1100ms"
window = "2s"
clock = {{ synchronized = true, error = "1us" }}
[class.gaming]
require = {{ forward-p99 = "500ms" }}
hold = "1s"
[class.bulk]
require = {{ forward-p99 = "500ms" }}
hold = "1s"
[[policy]]
name = "gaming"
color = 100
endpoint = "r"
class = "gaming"
candidate = [{{ name = "past-c", preference = 200, segments = ["c", "r"] }}, {{ name = "past-b", segments = ["b", "r"] }}]
[[policy]]
name = "{bulk}"
color = 200
endpoint = "r"
class = "bulk"
candidate = [{{ name = "past-a", preference = 200, segments = ["a", "r"] }}, {{ name = "past-b", segments = ["b", "r"] }}]
"""
SELECT_TABLE = """
[select]
prometheus = "http://127.0.0.1:9090"
interval = "500ms"
timeout = "3s"
stale-after = "10s"
match = ["job=\\"stamp-sender\\""]
"""
WRITER = """
[[writer]]
kind = "file"
file = "paths.json"
from = "http://127.0.0.1:9865"
dry-run = false
"""
SCRAPES = """
rule_files: [recording.yml]
scrape_configs:
  - job_name: stamp-sender
    scrape_interval: 1s
    scrape_timeout: 900ms
    static_configs:
      - targets: ["127.0.0.1:9862", "127.0.0.1:9863"]
"""
ASK = """
import sys, urllib.request, urllib.error
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
except OSError:
    pass
"""


def lab(*arguments):
    return [SENDER, "lab", "--name", LAB, *arguments]


def at_s(*command):
    return lab("exec", "s", *command)


def ask(port, path):
    """What is answered at node s; nothing where nobody answers."""
    command = at_s("python3", "-c", ASK, f"http://127.0.0.1:{port}{path}")
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


class AtS:
    """Prometheus as a dashboard asks it, at node s."""

    def ask(self, path, **parameters):
        return json.loads(ask(PROMETHEUS, f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}"))["data"]


def paths(port):
    """The table of paths, by policy."""
    text = ask(port, "/api/v1/paths")
    return {path["policy"]: path for path in json.loads(text)["paths"]} if text.startswith("{") else {}


def chosen(path):
    """What a decision comes to, whoever made it: not why it was the first, for a sender began before there was all of it."""
    return {key: path[key] for key in ("active", "standing", "preference", "lists")}


@contextmanager
def network():
    up = subprocess.run(lab("up", TOPOLOGY), capture_output=True, text=True, check=False, timeout=60)
    if up.returncode:
        raise Unavailable(f"no lab can be built: {up.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(lab("down"), capture_output=True, check=False, timeout=60)


def divided(folder):
    """A name for the second policy by which it falls to another shard than the first; which shard has the first."""
    for number in range(20):
        bulk = f"bulk-{number}"
        text = FILE.format(web=9862, bulk=bulk)
        (folder / "run.toml").write_text(text)
        taken = []
        for shard in SHARDS:
            show = [SENDER, "config", "show", "--shard", f"{shard}/{len(SHARDS)}", "run.toml"]
            shown = subprocess.run(show, cwd=folder, capture_output=True, text=True, check=True, timeout=30).stdout
            taken.append({name for name in ("gaming", bulk) if f'name = "{name}/' in shown})
        if all(len(names) == 1 for names in taken):
            return bulk, next(shard for shard in SHARDS if "gaming" in taken[shard])
    raise Unavailable("no two names that fall to two shards")


def decided(ports):
    """The decisions of the senders themselves, each policy by the one that has it."""
    return {policy: path for port in ports for policy, path in paths(port).items()}


def alike(ports, policies, is_it, what):
    """Waits until `is_it` holds of what was selected, and the senders have chosen the same."""

    def found():
        near, far = decided(ports), paths(SELECT)
        if set(near) != policies or set(far) != policies or not is_it(far):
            return None
        same = all(chosen(near[policy]) == chosen(far[policy]) for policy in policies)
        return (near, far) if same else None

    return until(found, what)


def once(folder):
    """Status and document of one decision from nothing."""
    command = at_s(SENDER, "select", "--once", "--json", "select.toml")
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=30)
    document = json.loads(ended.stdout) if ended.stdout else {"paths": []}
    return ended.returncode, {path["policy"]: path for path in document["paths"]}


@case("prometheus", "Prometheus", "select over two senders decides as they do; frozen without Prometheus or series, and said so")
def select():
    if not (DEBIAN / "prometheus").exists():
        raise Unavailable(f"{DEBIAN / 'prometheus'} is not installed")
    with tempfile.TemporaryDirectory() as name, network(), ExitStack() as stack:
        folder = Path(name)
        (folder / "three-paths.toml").write_text(TOPOLOGY.read_text())
        (folder / "prometheus.yml").write_text(SCRAPES)
        (folder / "recording.yml").write_text(hurried(dashboards.FOLDER / "prometheus" / "recording.yml"))
        bulk, owner = divided(folder)
        policies = {"gaming", bulk}
        reflector = lab("exec", "r", REFLECTOR, "--listen", ":8620", "--clock", "synchronized,error=1us")
        stack.enter_context(Program(reflector))
        senders = {}
        for shard, web in SHARDS.items():
            (folder / f"shard-{shard}.toml").write_text(FILE.format(web=web, bulk=bulk))
            run = at_s(SENDER, "run", "--shard", f"{shard}/{len(SHARDS)}", f"shard-{shard}.toml")
            senders[shard] = stack.enter_context(Program(run, folder=folder))
        (folder / "select.toml").write_text(FILE.format(web=9862, bulk=bulk) + SELECT_TABLE)
        arguments = ["--config.file=prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
        arguments += [f"--web.listen-address=127.0.0.1:{PROMETHEUS}"]
        prometheus = stack.enter_context(Program(at_s(DEBIAN / "prometheus", *arguments), folder=folder))
        selector = stack.enter_context(Program(at_s(SENDER, "select", "select.toml"), folder=folder))
        ports = list(SHARDS.values())

        def is_good(far):
            return all(path["standing"] == "good" for path in far.values())

        _, far = alike(ports, policies, is_good, "what was selected never became what the senders chose")
        expect((far["gaming"]["active"], far[bulk]["active"]), ("past-c", "past-a"), "paths that are preferred")
        expect(ask(SELECT, "/-/ready").startswith("503"), False, "readiness of select")
        # Decided from nothing, out of the latest window alone: one in which this busy machine slept through probes is not enough.
        document = until(lambda: (it := once(folder))[0] == 0 and it[1], "--once never found a good path for every policy")
        expect({policy: path["active"] for policy, path in document.items()}, {"gaming": "past-c", bulk: "past-a"}, "--once")

        subprocess.run(lab("degrade", "s-c:s>c", "--delay", "650ms"), check=True, capture_output=True, timeout=30)
        moved = alike(ports, policies, lambda far: far["gaming"]["active"] == "past-b", "they did not move alike")
        expect([table["gaming"]["reason"] for table in moved], ["violation", "violation"], "reasons of both")
        selector.wait_for_line(r"traffic moves.*policy=gaming.*to=past-b.*reason=violation")

        expect_true("past-b" in ask(SELECT, "/paths") and "<svg" in ask(SELECT, "/paths.svg"), "no page of paths")
        (folder / "writer.toml").write_text(WRITER)
        write = at_s(SENDER, "write", "--once", "writer.toml")
        subprocess.run(write, cwd=folder, check=True, capture_output=True, timeout=30)
        written = json.loads((folder / "paths.json").read_text())["paths"]
        expect({path["policy"]: path["active"] for path in written}, {"gaming": "past-b", bulk: "past-a"}, "what is written")
        dashboard = dashboards.dashboards()["paths"]
        picture(folder, "paths", dashboard, answers(AtS(), "paths", dashboard, policy=".+"))

        # Rules join what the senders have one policy each of.
        for rule in ("policy:stamp_session_up:ratio", "policy:stamp_policy_active:candidates"):
            joined = {it["metric"]["policy"]: it["value"][1] for it in AtS().ask("query", query=rule)["result"]}
            expect(joined, {"gaming": "1", bulk: "1"}, rule)

        prometheus.process.send_signal(signal.SIGSTOP)
        frozen = until(lambda: (path := paths(SELECT)["gaming"])["frozen"] and path, "a stopped Prometheus is not told")
        expect((frozen["active"], frozen["standing"]), ("past-b", "frozen"), "choice without Prometheus")
        expect_true("\nstamp_select_frozen 1\n" in ask(SELECT, "/metrics"), "stamp_select_frozen is not 1")
        expect(ask(SELECT, "/-/ready").startswith("503 frozen: "), True, "readiness without Prometheus")
        selector.wait_for_line(r"Prometheus does not answer")
        expect(once(folder)[0], 1, "--once without Prometheus")
        prometheus.process.send_signal(signal.SIGCONT)
        alike(ports, policies, is_good, "decisions did not go on")

        senders[owner].process.kill()
        senders[owner].process.wait()
        path = until(
            lambda: (path := paths(SELECT)["gaming"])["standing"] == "frozen" and path, "series that are gone are not told"
        )
        expect((path["active"], path["frozen"]), ("past-b", None), "choice of a policy nobody measures")
        told = json.loads(ask(SELECT, "/api/v1/select"))
        missing = {it["list"] for it in told["lists"] if it["state"] == "missing"}
        expect(missing, {"gaming/past-c/0", "gaming/past-b/0"}, "lists that nobody measures")
        expect(paths(SELECT)[bulk]["standing"], "good", "standing of the other policy")
        expect(once(folder)[0], 1, "--once while nobody measures a policy")
