"""The sender's pages on a phone, in the dark, and for whoever sees no colours."""

import re
import tempfile
from contextlib import ExitStack
from pathlib import Path

from browser import Tab, browser
from cases.landing import fetched, policies
from cases.monitoring_chain import PICTURES, until
from cases.prometheus import told
from programs import SENDER, Program, reflector
from report import case, expect, expect_between, expect_true

LEGIBLE = (Path(__file__).resolve().parents[1] / "legible.js").read_text()
PHONE, TABLET, DESK = (360, 740), (820, 740), (1200, 500)

# One of each kind; names and addresses are as long as they get.
SENDER_FILE = """
web.listen = "127.0.0.1:0"
[defaults]
interval = "10ms"
timeout = "100ms"
window = "1s"
clock = {{ synchronized = true, error = "1us" }}
delay-threshold = {{ forward = "20ms", backward = "20ms", round-trip = "45ms", count = 3 }}
loss-threshold = "3/100"
[[session]]
name = "ams-lon"
target = "127.0.0.1:{port}"
far-clock = "synchronized,error=1us"
[[session]]
name = "ams-fra-by-way-of-brussels-and-cologne"
target = "127.0.0.1:{port}"
far-clock = "synchronized,error=1us"
delay-threshold = {{ round-trip = "1us", count = 3 }}
[[session]]
name = "ams-par"
target = "[::1]:{port_of_6}"
[[session]]
name = "ams-nowhere"
target = "127.0.0.2:1"
[[session]]
name = "ams-waits"
target = "[2001:db8:ffff:ffff:ffff:ffff:ffff:fffe]:65535"
"""
ORDER = ["ams-nowhere", "ams-waits", "ams-fra-by-way-of-brussels-and-cologne"]
SIGNS = {"bad": "✕ init", "bad waits": "✕ waits", "over": "▲ up limits exceeded: 1", "good": "✓ up"}

# Of each session what its cells say, which of these are not all in sight, and the lines that are drawn.
ROWS = """Array.from(document.querySelectorAll("tbody tr"), row => {
  row.scrollIntoView({ block: "center" });
  const text = cell => cell.checkVisibility() ? cell.innerText.trim() : "", cells = Array.from(row.cells).filter(text);
  const isOutside = box => box.left < 0 || box.right > innerWidth || box.top < 0 || box.bottom > innerHeight;
  return { name: row.dataset.name, kind: row.className, texts: Array.from(row.cells, text),
    outside: cells.filter(cell => isOutside(cell.getBoundingClientRect())).length, lines: row.querySelectorAll("polyline").length };
})"""


def opened(stack, folder, address, way):
    """A tab whose page is looked at in each size, light and dark, with nothing hard to read in any."""
    tab = Tab(stack.enter_context(browser(folder)))
    for width, height in (PHONE, TABLET, DESK):
        for scheme in ("dark", "light"):
            tab.resize(width, height, mobile=(width, height) != DESK)
            tab.prefer(prefers_color_scheme=scheme)
            tab.open(address)
            found = tab.value(LEGIBLE)
            expect(found["complaints"], [], f"{way} of {width} pixels, {scheme}")
            expect_between(found["texts"], 10, 1000, "texts that were looked at")
    return tab


def expect_own(tab, base):
    """It asks nobody else for anything, and its own policy forbids nothing."""
    asked = [request["request"]["url"] for request in tab.told("Network.requestWillBeSent")]
    expect([url for url in asked if not url.startswith(f"{base}/")], [], "assets of others")
    expect_true({f"{base}/landing.css", f"{base}/landing.js"} <= set(asked), f"only these were asked for: {asked}")
    expect(tab.complaints(), [], "complaints of the browser")


def expect_cards(rows):
    """Each session with all that it has to say; without colours, signs and words tell the kinds apart."""
    for row in rows:
        name, _, state, *numbers = row["texts"]
        expect(name, row["name"], "name")
        expect(" ".join(state.split())[: len(SIGNS[row["kind"]])], SIGNS[row["kind"]], f"state of {row['name']}, which is {row['kind']}")
        expect(row["outside"], 0, f"cells of {row['name']} that are not in sight: {row['texts']}")
        if row["kind"] in ("good", "over"):
            for at, what in enumerate(("forward", "backward", "round trip")):
                expect_true(" / " in numbers[at], f"{row['name']} has no p50 and p99 {what}: {numbers[at]}")
            expect(row["lines"], 1, f"lines of the course of {row['name']}")
        if row["kind"] != "bad waits":
            expect_true(" %" in numbers[4] and bool(re.search("synchronized|±", numbers[5])), f"no loss or no clocks of {name}: {numbers}")
        expect("▲" in "".join(numbers), row["kind"] in ("over", "bad"), f"numbers of {row['name']} show a limit that is exceeded")


@case("chromium", "browser", "page of stamp-sender on a phone, a tablet and a desk, dark and light, without colour")
def phone():
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        port, port_of_6 = (stack.enter_context(reflector("--rate-limit", "off", version=version)) for version in (4, 6))
        (folder / "sender.toml").write_text(SENDER_FILE.format(port=port, port_of_6=port_of_6))
        sender = stack.enter_context(Program([SENDER, "run", "sender.toml"], folder=folder))
        base = stack.enter_context(told(sender))
        until(lambda: len(re.findall(r'data-us="(?:\d+,){7}', fetched(f"{base}/"))) == 3, "no eight windows")
        tab = opened(stack, folder, f"{base}/", "page")
        expect_own(tab, base)
        for size, name in ((DESK, "landing"), (PHONE, "landing-phone")):
            tab.resize(*size, mobile=size == PHONE)
            tab.open(f"{base}/")
            tab.picture(PICTURES / f"{name}.png")
        rows = tab.value(ROWS)
        expect([row["name"] for row in rows[:3]], ORDER, "the worst first")
        expect(sorted({row["kind"] for row in rows}), sorted(SIGNS), "kinds")
        expect_cards(rows)
        tab.prefer(forced_colors="active")
        expect(tab.value("getComputedStyle(document.querySelector('tr.bad td:nth-child(3)')).color"),
               tab.value("getComputedStyle(document.querySelector('tr.good td:nth-child(3)')).color"), "colour of states without colours")
        expect_cards(tab.value(ROWS))


@case("chromium", "browser", "page of policies on a phone, a tablet and a desk, dark and light")
def phone_of_policies():
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        base = policies(folder, stack)
        expect_own(opened(stack, folder, f"{base}/paths", "page of policies"), base)
