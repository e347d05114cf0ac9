"""The sender's page of ten thousand sessions: what it costs, beside the same page of a hundred."""

import gzip
import json
import shutil
import tempfile
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

from browser import Tab, browser
from cases.landing import fetched
from cases.monitoring_chain import until
from cases.prometheus import told
from dashboards import REPOSITORY
from programs import SENDER, Program, free_port, reflector
from report import case, expect, expect_between, expect_true

FEW, MANY, LISTED = 100, 10_000, 500
PROBING = MANY - MANY // 100
# All of them change within an interval, which a busy machine makes longer.
WHOLE = 180
NETWORK = REPOSITORY / "stamp-lab" / "reference" / "three-paths.toml"

# A session takes two descriptors, and 20 000 are often all there are: one of a hundred waits, for this host is none of the network
# that these are to be steered through.
SENDER_FILE = """
topology = "network.toml"
web.listen = "127.0.0.1:0"
[defaults]
interval = "10s"
timeout = "500ms"
packet-loss-count = 1
window = "{window}"
[[discovery]]
files = ["waiting.json"]
"""

# Nodes that came or went below the part of the page that is kept up to date.
WATCH = """
window.touched = 0;
new MutationObserver(all => { for (const it of all) touched += it.addedNodes.length + it.removedNodes.length; })
  .observe(document.querySelector("main"), { childList: true, subtree: true });
"""


@contextmanager
def senders(folder, port, window, *counts):
    """Where each of them tells, once its sessions are in force."""
    with ExitStack() as stack:
        running = []
        for count in counts:
            below = folder / str(count)
            below.mkdir()
            shutil.copy(NETWORK, below / "network.toml")
            names = [f"s{number}" for number in range(count)]
            waiting = [{"targets": [f"127.0.0.1:{port}"], "labels": {"name": name, "segments": "r"}} for name in names[::100]]
            (below / "waiting.json").write_text(json.dumps(waiting))
            probing = (f'[[session]]\nname = "{name}"\ntarget = "127.0.0.1:{port}"\n' for name in names if name not in set(names[::100]))
            (below / "sender.toml").write_text(SENDER_FILE.format(window=window) + "".join(probing))
            program = stack.enter_context(Program([SENDER, "run", "sender.toml"], folder=below))
            running.append((stack.enter_context(told(program)), count))
        for base, count in running:
            until(lambda: f"{count} sessions, " in fetched(f"{base}/"), f"{count} sessions are not in force")
        yield [base for base, _ in running]


def milliseconds(address):
    """How long its server takes at least: whatever else this machine does only adds."""
    spent = []
    for _ in range(25):
        began = time.perf_counter()
        fetched(address)
        spent.append(time.perf_counter() - began)
    return 1000 * min(spent)


def octets(address):
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        packed = answer.read()
    return len(gzip.decompress(packed)), len(packed)


def opened(browser, address):
    """Processor time, so that a busy machine counts for nothing."""
    tab = Tab(browser)
    tab.ask("Performance.enable", timeDomain="threadTicks")
    tab.open(address)
    return tab


def cost(tab):
    return tab.metrics()["TaskDuration"]


def cost_of_looks(tab):
    """Of some at a page where nothing changes, so that nothing may be touched."""
    # One that lies behind another does not look.
    tab.ask("Page.bringToFront")
    until(lambda: tab.value("!document.hidden && !looks"), "it stays behind")
    tab.value(WATCH)
    before, seen = cost(tab), len(tab.told("Network.loadingFinished"))
    for _ in range(5):
        tab.value("look()")
    expect_between(len(tab.told("Network.loadingFinished")) - seen, 5, 7, "answers that were looked at")
    expect(tab.value("touched"), 0, "nodes that were touched though nothing had changed")
    return cost(tab) - before


def looks(tab, base):
    """How often the page was fetched."""
    return sum(request["request"]["url"] == f"{base}/" for request in tab.told("Network.requestWillBeSent"))


@case("chromium", "browser", "page of 10 000 sessions: what server, wire and browser take, beside that of 100")
def cheap():
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        # Nobody is there: what waits, waits, and the others run.
        few, many = stack.enter_context(senders(folder, free_port(), "1h", FEW, MANY))
        ratio = milliseconds(f"{many}/") / milliseconds(f"{few}/")
        expect_between(ratio, 0, 20, "time of the server for a hundred times as many sessions, in times")
        plain, packed = octets(f"{many}/")
        expect_between(plain, LISTED * 100, 256 * 1024, "octets of the page")
        expect_between(packed, 1, 32 * 1024, "octets of it on the wire")

        running = stack.enter_context(browser(folder))
        small, large = opened(running, f"{few}/"), opened(running, f"{many}/")
        expect_true(f"and {MANY - LISTED} better ones" in large.value("document.body.textContent"), "nobody says how many are not listed")
        expect(large.value("document.querySelectorAll('tbody tr').length"), LISTED, "rows")
        expect_between(large.value("document.querySelectorAll('*').length"), LISTED * 10, LISTED * 14, "elements")
        ratio = cost_of_looks(large) / cost_of_looks(small)
        # Five times the rows: no more than that, and some for chance.
        expect_between(ratio, 0, 1.5 * LISTED / FEW, "time of the browser for a look, in times that of 100 sessions")
        large.open(f"{many}/?find=s8765")
        found = large.value("Array.from(document.querySelectorAll('tbody tr'), row => row.dataset.name)")
        expect(found, ["s8765"], "what is looked for")


class Changes:
    """Sessions by the states that the page was told they came into; each message is read once."""

    def __init__(self, tab):
        self.tab = tab
        self.read = 0
        self.sessions = {"up": set(), "down": set()}

    def __call__(self, to):
        messages = self.tab.told("Network.eventSourceMessageReceived")
        for message in messages[self.read :]:
            event = json.loads(message["data"])
            if message["eventName"] == "state":
                self.sessions[event["to"]].add(event["session"])
        self.read = len(messages)
        return len(self.sessions[to])


@case("chromium", "browser", "page of 10 000 sessions, all of which come up and go down while it is open")
def storm():
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        (base,) = stack.enter_context(senders(folder, port, "10s", MANY))
        tab = opened(stack.enter_context(browser(folder)), f"{base}/")
        until(lambda: looks(tab, base) > 1, "no look follows the first")
        tab.value(WATCH)
        looked, before, changed = looks(tab, base), cost(tab), Changes(tab)
        with reflector("--rate-limit", "off", port=port):
            until(lambda: changed("up") == PROBING, "not all of them came up", WHOLE)
            until(lambda: fetched(f"{base}/").count(" / ") > 2 * LISTED, "few have numbers", WHOLE)
            plain, packed = octets(f"{base}/")
        until(lambda: changed("down") == PROBING, "not all of them went down", WHOLE)
        until(lambda: f"{MANY} sessions, {MANY} down or waiting, " in tab.value("document.body.textContent"), "the page does not follow")
        expect(tab.value("document.querySelectorAll('tbody tr.bad').length"), LISTED, "rows that say so")
        count, looked, spent = 2 * PROBING, looks(tab, base) - looked, cost(tab) - before
        expect_between(looked, 1, count // 500, f"looks that {count} events are answered with")
        # Each row comes and goes at most once in a look, and so does each of its cells, of which one has a drawing.
        expect_between(tab.value("touched"), LISTED, 22 * LISTED * looked, f"nodes that came or went in {looked} looks")
        expect_between(1e6 * spent / count, 0, 1000, "microseconds of the browser for an event")
        expect_between(plain, LISTED * 200, 512 * 1024, "octets of the page with numbers in most rows")
        expect_between(packed, 1, 64 * 1024, "octets of it on the wire")
