"""The sender's page for people, in a browser."""

import re
import shutil
import subprocess
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from cases.monitoring_chain import PICTURES, programs, until
from report import Unavailable, case, expect, expect_true


def browse(chromium, folder, address, *options):
    browser = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"]
    browser += [f"--user-data-dir={folder}/browser", "--timeout=12000"]
    return subprocess.run([*browser, *options, address], capture_output=True, text=True, check=True, timeout=120)


@case("chromium", "browser", "page of stamp-sender: the worst first, nothing but its own files, desk and phone")
def landing():
    chromium = shutil.which("chromium")
    if not chromium:
        raise Unavailable("chromium is not installed")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        sender, _ = stack.enter_context(programs(folder, stack))
        address = f"http://{sender}/"

        def text():
            with urllib.request.urlopen(address, timeout=20) as answer:
                return answer.read().decode()

        until(lambda: text().count("not synchronized") + text().count("<td>✓") >= 3, "no windows")
        dom = browse(chromium, folder, address, "--dump-dom")
        names = re.findall(r'data-name="([^"]+)"', dom.stdout)
        expect(names[0], "ams-nowhere", "the worst session")
        expect(sorted(names), ["ams-lon", "ams-nowhere", "ams-par"], "sessions")
        expect_true("3 sessions, 1 down or waiting" in dom.stdout, f"no summary in {dom.stdout}")
        expect_true("Content Security Policy" not in dom.stderr, f"its own policy forbids something: {dom.stderr}")
        expect(re.findall(r'(?:src|href)="(?!/)([^"]*)"', dom.stdout), [], "assets of others")
        PICTURES.mkdir(parents=True, exist_ok=True)
        for name, size in (("landing", "1200,360"), ("landing-phone", "500,760")):
            browse(chromium, folder, address, f"--window-size={size}", f"--screenshot={PICTURES / name}.png")
