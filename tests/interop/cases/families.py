"""Metrics of every family, of real programs in a small network: all that the list of names promises, and nothing else."""

import json
import os
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

from cases.monitoring_chain import DEBIAN, until
from cases.prometheus import promtool
from cases.select import ASK, PROMETHEUS, SCRAPES, TOPOLOGY, at_s, lab, network
from expositions import Scrape, mistakes, unseen
from programs import REFLECTOR, SENDER, Program
from report import Mismatch, Unavailable, case, expect, expect_true

# What cannot be seen here, and why. What is seen after all fails: it is no exception.
EXCEPTIONS = {}
if not os.environ.get("STAMP_REVISION"):
    EXCEPTIONS["stamp_build_info", "revision"] = "left out when empty: the programs were not told which revision they are"

# One file for `run`, `select` and `write`. All sessions are `stateful` where the far end is one: the series that count
# losses one way are there from the start then.
FILE = """
topology = "three-paths.toml"
from = "s"
web = { listen = "127.0.0.1:9862", histograms = "classic" }
write = { listen = "127.0.0.1:9864" }
events = { file = "events.ndjson" }
[defaults]
port = 8620
interval = "20ms"
window = "1s"
clock = { synchronized = true, error = "1us" }
[profile.gold]
stateful = true
te = { spacing = "1s" }
delay-threshold = { forward = "20ms", backward = "20ms", round-trip = "45ms", count = 3 }
loss-threshold = "3/100"
[[webhook]]
name = "nobody"
url = "http://127.0.0.1:9/"
[probe]
targets = ["192.0.2.2"]
profile = "gold"
count = 5
[[discovery]]
files = ["targets.json"]
profile = "gold"
[class.gaming]
require = { forward-p99 = "500ms" }
profile = "gold"
[[policy]]
name = "gaming"
color = 100
endpoint = "r"
class = "gaming"
candidate = [{ name = "past-c", preference = 200, segments = ["c", "r"] }, { name = "past-b", segments = ["b", "r"] }]
[[session]]
name = "direct"
target = "192.0.2.2"
profile = "gold"
policy = "told by sessions"
labels = { site = "ams" }
[[session]]
name = "around"
target = "r"
mode = "loopback"
segments = ["c", "r"]
return-segments = ["b", "s"]
[[session]]
name = "stamped"
target = "r"
mode = "enhanced-loopback"
segments = ["c", "r"]
[[session]]
name = "in vain"
target = "nobody.invalid"
profile = "gold"
[[writer]]
kind = "file"
file = "paths.json"
dry-run = false
[select]
prometheus = "http://127.0.0.1:9090"
interval = "500ms"
"""
REFLECTOR_FILE = """
listen = [":8620"]
stateful = true
workers = 1
clock = { synchronized = true, error = "1us" }
packet-loss-count = 3
event-export = "events-of-r.ndjson"
web.listen = "127.0.0.1:9863"
[[timestamp]]
extended = 240
interfaces = ["a-r", "b-r", "c-r"]
"""
# The second one can be no session.
TARGETS = [{"targets": ["192.0.2.2", "r:0"], "labels": {"name": "discovered", "rack": "7"}}]
SESSIONS = {"direct", "around", "stamped", "in vain", "discovered", "gaming/past-c/0", "gaming/past-b/0"}
OPERATORS = {"site", "rack"}

PAGES = {
    "reflector": ("r", "http://127.0.0.1:9863/metrics"),
    "run": ("s", "http://127.0.0.1:9862/metrics"),
    "write": ("s", "http://127.0.0.1:9864/metrics"),
    "select": ("s", "http://127.0.0.1:9865/metrics"),
    "probe": ("s", "http://127.0.0.1:9862/probe?target=192.0.2.2"),
}


def scrape(name):
    """What a page tells now; nothing while nobody answers."""
    node, address = PAGES[name]
    command = lab("exec", node, "python3", "-c", ASK, address)
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    return checked(name, text + "\n") if text.startswith("# HELP ") else None


def checked(name, text):
    told = Scrape(text)
    expect(mistakes(told, OPERATORS), [], f"what {name} tells against metrics.txt")
    expect(promtool("check", "metrics", text=text), (0, ""), f"promtool check metrics of {name}")
    return told


def first(name, sessions=frozenset()):
    """The first scrape with these sessions: they are there a moment after a program answers."""

    def found():
        told = scrape(name)
        pairs = [labels for metric, labels in told.series if metric == "stamp_session_info"] if told else []
        is_whole = told and sessions <= {dict(labels)["session"] for labels in pairs}
        return told if is_whole else None

    return until(found, f"{name} does not tell its metrics")


def textfile(folder):
    """What a check writes for the textfile collector, whatever its verdict."""
    check = at_s(SENDER, "check", "192.0.2.2:8620", "--textfile", "far.prom")
    subprocess.run(check, cwd=folder, capture_output=True, check=False, timeout=30)
    return checked("check --textfile", (folder / "far.prom").read_text())


def expect_from_the_start(name, before, after):
    """All that counts was there in the first scrape, and has not gone or gone back."""
    then, now = before.counting(), after.counting()
    expect(sorted(map(str, now.keys() ^ then.keys())), [], f"series of {name} that count and were not always there")
    expect([str(series) for series in then if now[series] < then[series]], [], f"series of {name} that went back")


@case("promtool", "Prometheus", "every family: each name of metrics.txt has a sample, its type and labels; no other name")
def families():
    if not (DEBIAN / "prometheus").exists():
        raise Unavailable(f"{DEBIAN / 'prometheus'} is not installed")
    with tempfile.TemporaryDirectory() as name, network(), ExitStack() as stack:
        folder = Path(name)
        (folder / "three-paths.toml").write_text(TOPOLOGY.read_text())
        (folder / "prometheus.yml").write_text(SCRAPES)
        (folder / "sender.toml").write_text(FILE)
        (folder / "reflector.toml").write_text(REFLECTOR_FILE)
        (folder / "targets.json").write_text(json.dumps(TARGETS))

        def start(*command):
            stack.enter_context(Program(command, folder=folder))

        before = {}
        start(*lab("exec", "r", REFLECTOR, "reflector.toml"))
        before["reflector"] = first("reflector")
        counted = [series for series, value in before["reflector"].counting().items() if value]
        expect([str(it) for it in counted if not it[0].startswith("process_")], [], "what a reflector counts before a probe")
        start(*at_s(SENDER, "run", "--shard", "0/1", "sender.toml"))
        before["run"] = first("run", SESSIONS)
        start(*at_s(SENDER, "select", "sender.toml"))
        before["select"] = first("select")
        until(lambda: scrape("select").total("stamp_select_queries_total", result="failed"), "a question without Prometheus is not told")
        start(*at_s(SENDER, "write", "sender.toml"))
        before["write"] = first("write")
        arguments = ["--config.file=prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
        start(*at_s(DEBIAN / "prometheus", *arguments, f"--web.listen-address=127.0.0.1:{PROMETHEUS}"))

        others = [textfile(folder)]
        after = {}
        missing = []

        def complete():
            after.update({name: scrape(name) for name in PAGES})
            told = [it for it in after.values() if it]
            missing[:] = unseen(told + others, EXCEPTIONS)
            return not missing and len(told) == len(PAGES)

        def silent():
            return [page for page, told in after.items() if told is None]

        try:
            until(complete, "")
        except Mismatch:
            raise Mismatch(f"in metrics.txt and not told, or told and an exception: {missing}; no answer: {silent()}") from None
        for name, told in before.items():
            expect_from_the_start(name, told, after[name])
        vain = [value for (_, labels), value in after["run"].counting().items() if ("session", "in vain") in labels]
        expect_true(len(vain) > 10 and not any(vain), f"a session that never ran counts {vain}")
        # Not names alone: what was made to happen is what is told.
        expect(after["run"].total("stamp_discovery_targets", state="refused"), 1, "targets that are refused")
        expect(after["run"].total("stamp_session_info", session="discovered", rack="7"), 1, "label of whoever names targets")
        until(lambda: scrape("run").total("stamp_policy_active", policy="gaming"), "no choice is told")
        # A reflector reads what its node has counted every ten seconds.
        until(lambda: scrape("reflector").total("stamp_timestamp_packets_total", result="stamped"), "no probe was stamped")
