"""Debian's Chromium without a screen, driven over the two pipes of its DevTools protocol: pages stay open, are resized, looked at."""

import base64
import fcntl
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import defaultdict
from contextlib import contextmanager

from programs import PATIENCE_SECONDS
from report import Mismatch, Unavailable

# It reads messages from the first and writes them to the second of these descriptors.
READS, WRITES = 3, 4
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage", "--no-first-run")


class Browser:
    """A running browser. Messages are JSON that ends with a zero octet; each answer has the number of its question."""

    def __init__(self, folder):
        chromium = shutil.which("chromium")
        if not chromium:
            raise Unavailable("chromium is not installed")
        (theirs, to_it), (from_it, its) = distant_pipe(), distant_pipe()
        redirected = f'exec "$@" {READS}<&{theirs} {WRITES}>&{its}'
        self.log = open(folder / "browser.log", "w+", errors="replace")
        self.process = subprocess.Popen(
            ["bash", "-c", redirected, "-", chromium, *OPTIONS, "--remote-debugging-pipe", f"--user-data-dir={folder}/profile"],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            pass_fds=(theirs, its),
            start_new_session=True,
        )
        os.close(theirs)
        os.close(its)
        self.to_it = os.fdopen(to_it, "wb", buffering=0)
        self.from_it = os.fdopen(from_it, "rb")
        self.changed = threading.Condition()
        self.asked = 0
        self.answers = {}
        self.told = defaultdict(list)
        self.ended = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        rest = b""
        while octets := self.from_it.read1(1 << 16):
            *messages, rest = (rest + octets).split(b"\0")
            with self.changed:
                for message in map(json.loads, messages):
                    if "id" in message:
                        self.answers[message["id"]] = message
                    else:
                        self.told[message.get("sessionId")].append((message["method"], message["params"]))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def ask(self, method, tab=None, **parameters):
        """What it answers; a refusal is an error of the case."""
        self.asked += 1
        number = self.asked
        message = {"id": number, "method": method, "params": parameters}
        if tab:
            message["sessionId"] = tab
        self.to_it.write(json.dumps(message).encode() + b"\0")
        answer = self.wait(lambda: self.answers.pop(number, None), method)
        if "error" in answer:
            raise Mismatch(f"{method}: {answer['error']}")
        return answer["result"]

    def wait(self, found, what):
        deadline = time.monotonic() + 3 * PATIENCE_SECONDS
        with self.changed:
            while not (result := found()):
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    self.log.seek(0)
                    raise Mismatch(f"the browser never told {what} but: {self.log.read()[-2000:]}")
                self.changed.wait(left)
            return result

    def end(self):
        """With its helpers, which are of one process group."""
        try:
            self.ask("Browser.close")
            self.process.wait(PATIENCE_SECONDS)
        finally:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
            self.reader.join(PATIENCE_SECONDS)
            for end in (self.to_it, self.from_it, self.log):
                end.close()


class Tab:
    """A page that stays open."""

    def __init__(self, browser, domains=("Page", "Runtime", "Network", "Log")):
        self.browser = browser
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in domains:
            self.ask(f"{domain}.enable")

    def ask(self, method, **parameters):
        return self.browser.ask(method, self.session, **parameters)

    def told(self, method):
        """The parameters of each of its messages of this kind."""
        with self.browser.changed:
            return [parameters for name, parameters in self.browser.told[self.session] if name == method]

    def open(self, address):
        loads = len(self.told("Page.loadEventFired"))
        answer = self.ask("Page.navigate", url=address)
        if "errorText" in answer:
            raise Mismatch(f"{address}: {answer['errorText']}")
        self.browser.wait(lambda: len(self.told("Page.loadEventFired")) > loads, f"that {address} is loaded")

    def value(self, expression):
        """Of an expression of JavaScript; what it promises is waited for."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Mismatch(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def metrics(self):
        """Counts and seconds of the page since it was opened."""
        return {metric["name"]: metric["value"] for metric in self.ask("Performance.getMetrics")["metrics"]}

    def resize(self, width, height, mobile=False):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=mobile, deviceScaleFactor=1)

    def prefer(self, **features):
        """Media features, such as `prefers_color_scheme="dark"`."""
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.ask("Emulation.setEmulatedMedia", features=named)

    def picture(self, path):
        data = self.ask("Page.captureScreenshot", format="png")["data"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))

    def complaints(self):
        """What its console has, such as that its own policy forbids something."""
        logged = [it["entry"]["text"] for it in self.told("Log.entryAdded")]
        return logged + [str(it["exceptionDetails"]) for it in self.told("Runtime.exceptionThrown")]


def distant_pipe():
    """Both ends away from the numbers that the browser wants: they could not be moved onto one another."""
    near = os.pipe()
    far = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in near)
    for end in near:
        os.close(end)
    return far


@contextmanager
def browser(folder):
    running = Browser(folder)
    try:
        yield running
    finally:
        running.end()
