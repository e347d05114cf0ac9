"""The sender's page for people, in a browser."""

import re
import shutil
import subprocess
import tempfile
import urllib.request
import xml.etree.ElementTree
from contextlib import ExitStack
from pathlib import Path

from cases.monitoring_chain import PICTURES, programs, until
from cases.prometheus import told
from dashboards import REPOSITORY
from programs import SENDER, Program
from report import Unavailable, case, expect, expect_true


def browse(chromium, folder, address, *options):
    browser = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"]
    browser += [f"--user-data-dir={folder}/browser", "--timeout=12000"]
    return subprocess.run([*browser, *options, address], capture_output=True, text=True, check=True, timeout=120)


def fetched(address):
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.read().decode()


@case("chromium", "browser", "page of stamp-sender: the worst first, nothing but its own files, any of them by a word")
def landing():
    chromium = shutil.which("chromium")
    if not chromium:
        raise Unavailable("chromium is not installed")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        sender, _ = stack.enter_context(programs(folder, stack))
        address = f"http://{sender}/"

        def text():
            return fetched(address)

        until(lambda: text().count("not synchronized") + text().count("<td>✓") >= 3, "no windows")
        until(lambda: re.search(r'data-us="\d+,\d+', text()), "no two windows")
        dom = browse(chromium, folder, address, "--dump-dom")
        names = re.findall(r'data-name="([^"]+)"', dom.stdout)
        expect(names[0], "ams-nowhere", "the worst session")
        expect_true("<polyline" in dom.stdout, "the course since before the page was opened is drawn")
        expect(sorted(names), ["ams-lon", "ams-nowhere", "ams-par"], "sessions")
        expect_true("3 sessions, 1 down or waiting" in dom.stdout, f"no summary in {dom.stdout}")
        expect_true("Content Security Policy" not in dom.stderr, f"its own policy forbids something: {dom.stderr}")
        expect(re.findall(r'(?:src|href)="(?!/)([^"]*)"', dom.stdout), [], "assets of others")
        found = browse(chromium, folder, f"{address}?find=PAR", "--dump-dom").stdout
        expect(re.findall(r'data-name="([^"]+)"', found), ["ams-par"], "what is looked for")
        expect_true("1 session with “PAR”" in found and 'value="PAR"' in found, f"no summary in {found}")


def policies(folder, stack):
    """Where a sender with policies tells, once one of them has a path."""
    shipped = (REPOSITORY / "examples/policies/three-paths.toml").read_text()
    topology = REPOSITORY / "stamp-lab/reference/three-paths.toml"
    # This host is none of the network, so that nothing is measured: what needs nothing carries all the same.
    text = shipped.replace("../../stamp-lab/reference/three-paths.toml", str(topology))
    (folder / "sender.toml").write_text(f'from = "s"\nweb.listen = "127.0.0.1:0"\n{text}')
    sender = stack.enter_context(Program([SENDER, "run", "sender.toml"], folder=folder))
    base = stack.enter_context(told(sender))
    until(lambda: "<td>cheapest<td>" in fetched(f"{base}/paths"), "nothing carries")
    return base


@case("chromium", "browser", "page of policies: the network, the path that carries, and why; nothing but its own files")
def paths():
    chromium = shutil.which("chromium")
    if not chromium:
        raise Unavailable("chromium is not installed")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        base = policies(folder, stack)

        def get(path):
            return fetched(base + path)

        dom = browse(chromium, folder, f"{base}/paths", "--dump-dom")
        expect(re.findall(r'data-name="([^"]+)"', dom.stdout), ["gaming-to-r", "bulk-to-r"], "the worst first")
        expect_true("2 policies, 1 without a path" in dom.stdout, f"no summary in {dom.stdout}")
        for complaint in ("Content Security Policy", "Failed to load"):
            expect_true(complaint not in dom.stderr, f"{complaint}: {dom.stderr}")
        expect(re.findall(r'(?:src|href)="(?!/)([^"]*)"', dom.stdout), [], "assets of others")
        pictures = re.findall(r'src="(/[^"]+\.svg)"', dom.stdout)
        expect(pictures, ["/paths.svg"], "pictures")
        for path in (*pictures, "/paths/gaming%2Dto%2Dr.svg"):
            expect(xml.etree.ElementTree.fromstring(get(path)).tag, "{http://www.w3.org/2000/svg}svg", path)
        expect_true("bulk-to-r: cheapest" in get("/paths.svg"), "the path that carries is drawn")
        PICTURES.mkdir(parents=True, exist_ok=True)
        for name, path, size in (
            ("policies", "/paths", "1200,760"),
            ("policies-phone", "/paths", "500,1000"),
            ("policies-of-one", "/paths/gaming%2Dto%2Dr", "1200,700"),
        ):
            shot = f"--screenshot={PICTURES / name}.png"
            browse(chromium, folder, base + path, f"--window-size={size}", shot)
