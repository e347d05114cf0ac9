"""The whole chain with Debian's programs: our two are scraped, rules are evaluated, an alert arrives, dashboards are drawn."""

import http.server
import json
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dashboards
from cases.prometheus import told
from programs import INSTALLED, LOOPBACK, PATIENCE_SECONDS, REFLECTOR, SENDER, Program
from report import Mismatch, Unavailable, case, expect, expect_true

DEBIAN = INSTALLED / "prometheus" / "usr" / "bin"
TEMPLATES = Path("/usr/share/prometheus/alertmanager/default.tmpl")
PICTURES = INSTALLED / "pictures"
PAGE = Path(__file__).resolve().parents[1] / "panels.html"
# What the shipped files have for people is too slow here.
HURRY = [(r"for: \d+[ms]", "for: 1s"), (r"(group_wait|group_interval): \w+", r"\1: 1s"), (r"interval: 15s", "interval: 1s")]

SENDER_FILE = """
web = {{ listen = "127.0.0.1:0", histograms = "classic" }}
clock = {{ synchronized = true, error = "1us" }}
[defaults]
interval = "10ms"
window = "1s"
stateful = true
te = {{ spacing = "1s" }}
delay-threshold = {{ forward = "20ms", backward = "20ms", round-trip = "45ms", count = 3 }}
loss-threshold = "3/100"
[[session]]
name = "ams-lon"
target = "127.0.0.1:{port}"
[[session]]
name = "ams-par"
target = "127.0.0.1:{port}"
interval = "20ms"
[[session]]
name = "ams-nowhere"
target = "127.0.0.2:1"
"""


def free_tcp_port():
    with socket.socket() as probe:
        probe.bind((LOOPBACK[4], 0))
        return probe.getsockname()[1]


def hurried(path):
    text = path.read_text()
    for pattern, other in HURRY:
        text = re.sub(pattern, other, text)
    return text


@contextmanager
def taking(what, answer=b""):
    """A server that answers whatever is posted to it: what came, as `what` makes it of path, headers and octets, and the port."""
    came = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            octets = self.rfile.read(int(self.headers["Content-Length"]))
            came.append(what(self.path, self.headers, octets))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer((LOOPBACK[4], 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield came, server.server_address[1]
    finally:
        server.shutdown()


def webhook():
    """Where alerts go: what came, and the port."""
    return taking(lambda _path, _headers, octets: json.loads(octets))


class Api:
    """Prometheus as a dashboard asks it."""

    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}/api/v1/"

    def ask(self, path, **parameters):
        with urllib.request.urlopen(self.base + path + "?" + urllib.parse.urlencode(parameters), timeout=20) as answer:
            return json.load(answer)["data"]

    def until(self, query, what):
        deadline = time.monotonic() + 3 * PATIENCE_SECONDS
        while True:
            try:
                if result := self.ask("query", query=query)["result"]:
                    return result
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise Mismatch(f"{what}: {query} stayed empty")
            time.sleep(0.2)


def until(found, what, seconds=3 * PATIENCE_SECONDS):
    deadline = time.monotonic() + seconds
    while not (result := found()):
        if time.monotonic() > deadline:
            raise Mismatch(what)
        time.sleep(0.1)
    return result


@contextmanager
def programs(folder, stack):
    """Both of ours; where each tells its metrics."""
    (folder / "reflector.toml").write_text(
        f'listen = ["{LOOPBACK[4]}:0"]\nstateful = true\nrate-limit = "off"\nworkers = 1\nweb.listen = "127.0.0.1:0"\n'
    )
    reflector = stack.enter_context(Program([REFLECTOR, "--config.file", "reflector.toml"], folder=folder))
    port = int(reflector.wait_for_line(r'msg="listening on \S+:(\d+)"').group(1))
    (folder / "sender.toml").write_text(SENDER_FILE.format(port=port))
    sender = stack.enter_context(Program([SENDER, "run", "sender.toml"], folder=folder))
    with told(reflector) as of_reflector, told(sender) as of_sender:
        yield of_sender.removeprefix("http://"), of_reflector.removeprefix("http://")


def prometheus(folder, targets, alertmanager, file="prometheus.yml", others=()):
    """Prometheus with the shipped rules and one of the shipped configurations; the port it listens on."""
    for name in ("recording.yml", "alerts.yml"):
        (folder / name).write_text(hurried(dashboards.FOLDER / "prometheus" / name))
    config = hurried(dashboards.FOLDER / "prometheus" / file)
    for shipped, here in (("127.0.0.1:9862", targets[0]), ("127.0.0.1:9863", targets[1]), *others):
        expect(config.count(shipped), 1, f"{shipped} in the shipped configuration")
        config = config.replace(shipped, here)
    (folder / "prometheus.yml").write_text(config.replace("127.0.0.1:9093", f"127.0.0.1:{alertmanager}"))
    port = free_tcp_port()
    arguments = [DEBIAN / "prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    return port, Program([*arguments, f"--web.listen-address=127.0.0.1:{port}"], folder=folder)


def alertmanager(folder, receiver):
    shipped = hurried(dashboards.FOLDER / "alertmanager" / "alertmanager.yml")
    (folder / "alertmanager.yml").write_text(shipped.replace("127.0.0.1:9094", f"127.0.0.1:{receiver}"))
    port = free_tcp_port()
    arguments = [DEBIAN / "prometheus-alertmanager", "--config.file=alertmanager.yml", "--cluster.listen-address="]
    arguments += [f"--storage.path={folder}/silences", f"--web.listen-address=127.0.0.1:{port}"]
    return port, Program(arguments, folder=folder)


def answers(api, name, dashboard, **variables):
    """What each panel is told; none may be left without, and no variable without a choice."""
    variables = {"job": ".+", "instance": ".+", **variables}
    empty, found = [], {}
    end = time.time()
    for variable, selector, label in dashboards.variables(dashboard):
        match = {"match[]": dashboards.substituted(selector, variables)}
        values = api.ask(f"label/{label}/values", start=end - 40, end=end, **match)
        chosen = variables[variable["name"]]
        if not values or chosen not in (".+", *values):
            empty.append(f"{name}: variable {variable['name']}: {match} has {values}")
    for panel, target in dashboards.queries(dashboard):
        query = dashboards.substituted(target["expr"], variables, "10s")
        if target.get("instant"):
            result = api.ask("query", query=query)["result"]
        else:
            result = api.ask("query_range", query=query, start=end - 40, end=end, step=1)["result"]
        if not result:
            empty.append(f"{name}: {panel['title']}: {query}")
        found.setdefault(panel["id"], []).append(result)
    expect(empty, [], "queries without an answer")
    return found


def picture(folder, name, dashboard, found):
    """Draws it in a browser without a screen."""
    chromium = shutil.which("chromium")
    if not chromium:
        raise Unavailable("chromium is not installed")
    PICTURES.mkdir(exist_ok=True)
    data = json.dumps({"dashboard": dashboard, "answers": found}).replace("</", "<\\/")
    page = folder / f"{name}.html"
    page.write_text(PAGE.read_text().replace("/*DATA*/null", data))
    height = 80 + 30 * max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    browser = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/browser"]
    browser += [f"--window-size=1280,{height}"]
    shot = [*browser, f"--screenshot={PICTURES / name}.png", page.as_uri()]
    subprocess.run(shot, capture_output=True, check=True, timeout=120)
    dom = subprocess.run([*browser, "--dump-dom", page.as_uri()], capture_output=True, text=True, check=True, timeout=120)
    expect(re.search(r"<title>(\d+) drawn", dom.stdout).group(1), str(len(dashboard["panels"])), f"panels drawn of {name}")


@case("prometheus", "Prometheus", "scrape, rules, Alertmanager, webhook; every panel has data and is drawn")
def chain():
    for program in ("prometheus", "prometheus-alertmanager"):
        if not (DEBIAN / program).exists():
            raise Unavailable(f"{DEBIAN / program} is not installed")
    if not TEMPLATES.exists():
        raise Unavailable(f"{TEMPLATES} is missing: Alertmanager of Debian wants it there")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        came, receiver = stack.enter_context(webhook())
        targets = stack.enter_context(programs(folder, stack))
        manager, routing = alertmanager(folder, receiver)
        stack.enter_context(routing)
        port, program = prometheus(folder, targets, manager)
        stack.enter_context(program)
        api = Api(port)
        api.until('ALERTS{alertname="StampSessionDown",alertstate="firing"}', "the alert never fired")
        alert = until(
            lambda: [alert for message in came for alert in message["alerts"] if alert["labels"]["alertname"] == "StampSessionDown"],
            f"no alert came to the webhook but {came}: {routing.output()}",
        )[0]
        expect(alert["labels"]["session"], "ams-nowhere", "session of the alert")
        expect(came[0]["version"], "4", "version of what the webhook was told")
        expect_true("runbooks/StampSessionDown.md" in alert["annotations"]["runbook_url"], "no runbook in the alert")
        # Those rates need a while of scrapes, and announcements two windows.
        api.until('stamp_te_delay_min_seconds{session="ams-lon"}', "nothing is announced")
        api.until('session:stamp_session_packets_lost:ratio_rate5m{session="ams-lon"}', "no recording rule")
        api.until('count_over_time(stamp_session_up{session="ams-lon"}[1m]) > 25', "no scrapes")
        firing = {result["metric"]["session"] for result in api.ask("query", query='ALERTS{alertname="StampSessionDown"}')["result"]}
        expect(firing, {"ams-nowhere"}, "sessions with an alert that they are down")
        # Policies have a case of their own, which draws what concerns them.
        for name, dashboard in dashboards.dashboards().items():
            if name != "paths":
                picture(folder, name, dashboard, answers(api, name, dashboard, session="ams-lon"))
