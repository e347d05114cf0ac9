"""The sender's page while it is open: what happens shows in it, without a reload and without waiting for the end of a window."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from browser import Tab, browser
from cases.monitoring_chain import until
from cases.prometheus import told
from programs import SENDER, Program, free_port, reflector
from report import Mismatch, case, expect, expect_true

# No window ends while anybody watches: events alone can tell.
SENDER_FILE = """
web.listen = "127.0.0.1:0"
[defaults]
interval = "20ms"
timeout = "200ms"
window = "1h"
loss-threshold = "3/50"
[[session]]
name = "ams-lon"
target = "127.0.0.1:{stays}"
[[session]]
name = "ams-par"
target = "127.0.0.1:{breaks}"
"""

# The page looks every few seconds whatever happens. Without these looks it has its events alone, and a page that was loaded
# again has no name.
QUIET = """
const waits = window.setTimeout;
window.setTimeout = (what, ms, ...more) => ms < 5000 ? waits(what, ms, ...more) : 0;
"""
ROWS = "Array.from(document.querySelectorAll('tbody tr'), row => [row.dataset.name, row.cells[2].textContent, row.className])"
SUM = "document.querySelector('#sum').textContent"
GOOD = [["ams-lon", "✓ up", "good"], ["ams-par", "✓ up", "good"]]


def shown(tab, rows, summary, what):
    """Waits for rows, in this order, and for what is said of all of them."""
    wanted = [rows, f"2 sessions, {summary}; the worst first"]
    seen = []

    def is_so():
        seen[:] = [tab.value(f"[{ROWS}, {SUM}]")]
        return seen[0] == wanted

    try:
        until(is_so, what)
    except Mismatch:
        expect(seen[0], wanted, what)


def seen_twice(tab, address):
    """It was loaded, has looked once since, and has nothing left to look for."""
    asked = [request for request in tab.told("Network.requestWillBeSent") if request["request"]["url"] == address]
    return len(asked) > 1 and not tab.value("looks")


@case("chromium", "browser", "page of stamp-sender left open: events change state, sum and order, and back")
def live():
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        breaks = free_port()
        stays = stack.enter_context(reflector())
        far = stack.enter_context(ExitStack())
        far.enter_context(reflector(port=breaks))
        (folder / "sender.toml").write_text(SENDER_FILE.format(stays=stays, breaks=breaks))
        sender = Program([SENDER, "run", "sender.toml"], folder=folder)
        ending = stack.enter_context(ExitStack())
        ending.enter_context(sender)
        base = stack.enter_context(told(sender))
        tab = Tab(stack.enter_context(browser(folder)))
        tab.ask("Page.addScriptToEvaluateOnNewDocument", source=QUIET)
        tab.open(f"{base}/")
        shown(tab, GOOD, "0 down or waiting, 0 over a limit", "both are up")
        until(lambda: seen_twice(tab, f"{base}/"), "it does not look when it begins to listen")
        tab.value("window.first = document.querySelector('tr[data-name=ams-lon]'); getSelection().selectAllChildren(first.cells[1])")

        far.close()
        down = [["ams-par", "✕ down", "bad"], GOOD[0]]
        shown(tab, down, "1 down or waiting, 1 over a limit", "the one without a reflector comes first")
        far.enter_context(reflector(port=breaks))
        # Of so many probes too many were lost, though they come again.
        over = [["ams-par", "▲ up limits exceeded: 1", "over"], GOOD[0]]
        shown(tab, over, "0 down or waiting, 1 over a limit", "its limit on loss is still exceeded")
        shown(tab, GOOD, "0 down or waiting, 0 over a limit", "it is as before")

        messages = {message["eventName"] for message in tab.told("Network.eventSourceMessageReceived")}
        expect_true({"state", "loss"} <= messages, f"server-sent events of other kinds only: {messages}")
        expect(len(tab.told("Page.frameNavigated")), 1, "pages that were loaded")
        expect_true(tab.value("first === document.querySelector('tr[data-name=ams-lon]')"), "a row that stays as it was is another")
        expect(tab.value("getSelection().toString()"), f"127.0.0.1:{stays}", "what was selected meanwhile")
        expect(tab.complaints(), [], "complaints of the browser")

        ending.close()
        until(lambda: tab.value(SUM).startswith("no answer since "), "nothing says that nobody answers")
        expect(tab.value(ROWS), GOOD, "rows of a page that nobody answers")
