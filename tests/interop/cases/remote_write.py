"""A long-term store behind a real Prometheus: what the shipped configuration sends it, and what it does not."""

import json
import re
import subprocess
import tempfile
import urllib.parse
from contextlib import ExitStack
from pathlib import Path

import dashboards
from cases.monitoring_chain import DEBIAN, Api, free_tcp_port, programs, prometheus, taking, until
from programs import REPOSITORY, SENDER
from remote_write import series
from report import Unavailable, case, expect, expect_true

SHIPPED = dashboards.FOLDER / "prometheus" / "prometheus-remote-write.yml"
STORE = "https://mimir.example.net/api/v1/push"
HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
# What a store is to have of two programs, in words of this file and not of the rule that is judged.
WANTED = {
    "stamp_te_delay_min_seconds", "stamp_te_loss_ratio", "stamp_session_info", "stamp_session_up", "stamp_session_running",
    "stamp_session_window_delay_seconds", "stamp_session_window_loss_ratio", "stamp_session_packets_sent_total",
    "stamp_session_packets_lost_total", "session:stamp_session_packets_lost:ratio_rate5m", "fleet:stamp_session_up:ratio",
    "session_direction:stamp_session_delay_seconds:p99_5m", "session_direction:stamp_session_window_delay_seconds:p99",
}
# What there is to be left out.
UNWANTED = {
    "up", "scrape_samples_scraped", "process_open_fds", "stamp_build_info", "stamp_reflector_sessions",
    "stamp_session_delay_seconds_bucket", "stamp_session_delay_limit_seconds", "ALERTS",
}
POLICY = """
topology = "three-paths.toml"
from = "s"
[[policy]]
name = "gaming"
color = 100
endpoint = "r"
candidate = [{{ segments = ["c", "r"] }}]
[select]
prometheus = "http://127.0.0.1:{port}"
"""


def is_wanted(name):
    begins = ("stamp_te_", "stamp_policy_", "stamp_session_window_", "stamp_session_packets_")
    return name.startswith(begins) or ":stamp_" in name or name in WANTED | {"stamp_session_down"}


def store():
    """Takes whatever is sent to it; each request as path, headers and octets, and the port."""
    answer = b'{"status": "success", "data": {"resultType": "vector", "result": []}}'
    return taking(lambda *request: request, answer)


class Arrived:
    """Series by their labels, with the samples that came; requests are read once."""

    def __init__(self, came):
        self.came = came
        self.read = 0
        self.series = {}

    def latest(self):
        while self.read < len(self.came):
            path, headers, octets = self.came[self.read]
            self.read += 1
            expect(path, "/api/v1/push", "path of a request")
            expect({name: headers[name] for name in HEADERS}, HEADERS, "headers of a request")
            for labels, samples in series(octets):
                expect(labels.pop("cluster", None), "ams", f"which Prometheus sends {labels}")
                self.series.setdefault(frozenset(labels.items()), {}).update(samples)
        return self.series

    def names(self):
        return {dict(labels)["__name__"] for labels in self.latest()}


def known(api):
    """Labels of each series that Prometheus has itself."""
    return {frozenset(labels.items()) for labels in api.ask("series", **{"match[]": '{__name__!=""}'})}


@case("prometheus", "Prometheus", "remote_write: a store gets every series that the rule names and no other")
def remote_write():
    if not (DEBIAN / "prometheus").exists():
        raise Unavailable(f"{DEBIAN / 'prometheus'} is not installed")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        came, receiver = stack.enter_context(store())
        targets = stack.enter_context(programs(folder, stack))
        here = f"http://127.0.0.1:{receiver}/api/v1/push"
        port, program = prometheus(folder, targets, free_tcp_port(), SHIPPED.name, [(STORE, here)])
        stack.enter_context(program)
        api, arrived = Api(port), Arrived(came)
        for wanted in sorted(WANTED):
            until(lambda: wanted in arrived.names(), f"{wanted} never came: {program.output()}")
        for unwanted in sorted(UNWANTED):
            api.until(unwanted, "nothing is there to be left out")

        def complete():
            wanted = {labels for labels in known(api) if is_wanted(dict(labels)["__name__"])}
            return wanted <= set(arrived.latest())

        until(complete, "a series that is wanted never came")
        expect(sorted(filter(lambda name: not is_wanted(name), arrived.names())), [], "what came and is not wanted")
        expect(set(arrived.latest()) - known(api), set(), "series that came and that Prometheus does not have")
        up = {
            dict(labels)["session"]: list(dict(sorted(samples.items())).values())[-1]
            for labels, samples in arrived.latest().items()
            if ("__name__", "stamp_session_up") in labels
        }
        expect(up, {"ams-lon": 1, "ams-par": 1, "ams-nowhere": 0}, "the latest values of stamp_session_up")


@case("prometheus", "Prometheus", "remote_write: the rule keeps what select asks for; the file is the other example and a store")
def remote_write_and_select():
    try:
        import yaml
    except ImportError:
        raise Unavailable("kubernetes-validate is not installed") from None
    config = yaml.safe_load(SHIPPED.read_text())
    rules = config["remote_write"][0]["write_relabel_configs"]
    expect([(rule["source_labels"], rule["action"]) for rule in rules], [(["__name__"], "keep")], "rules of what is sent")
    with tempfile.TemporaryDirectory() as name, store() as (came, port):
        folder = Path(name)
        (folder / "three-paths.toml").write_text((REPOSITORY / "stamp-lab" / "reference" / "three-paths.toml").read_text())
        (folder / "select.toml").write_text(POLICY.format(port=port))
        asking = [SENDER, "select", "--once", "select.toml"]
        ended = subprocess.run(asking, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
        expect(len(came), 1, f"questions of select ({ended.stderr})")
        question = urllib.parse.parse_qs(came[0][2].decode())["query"][0]
    asked = set(re.findall(r"stamp_[a-z_]+", question)) - {"stamp_reading"}
    expect_true({"stamp_session_window_delay_seconds", "stamp_policy_segment_list_info"} <= asked, f"select asks {question}")
    expect(sorted(name for name in asked if not re.fullmatch(rules[0]["regex"], name)), [], "what select asks for and no store has")
    del config["remote_write"], config["global"]["external_labels"]
    other = yaml.safe_load((SHIPPED.parent / "prometheus.yml").read_text())
    expect(config, other, "the example with a store, but for that")
