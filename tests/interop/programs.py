"""Programs under test: started, waited for by what they print or bind, measured with, ended."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from report import Mismatch, Unavailable, expect, expect_between

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALLED = REPOSITORY / "target" / "interop"
BINARIES = Path(os.environ.get("STAMP_TEST_BINARIES", REPOSITORY / "target" / "debug"))
SENDER = BINARIES / "stamp-sender"
REFLECTOR = BINARIES / "stamp-reflector"

# For what takes milliseconds on an idle machine.
PATIENCE_SECONDS = 20

LOOPBACK = {4: "127.0.0.1", 6: "::1"}
_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


class Program:
    """A running program; what it writes is kept, both streams together unless asked otherwise."""

    def __init__(self, arguments, environment=None, folder=None):
        self.arguments = [str(argument) for argument in arguments]
        if not Path(self.arguments[0]).exists():
            raise Unavailable(f"{self.arguments[0]} is not installed")
        self.lines = []
        self.changed = threading.Condition()
        self.ended = False
        self.process = subprocess.Popen(
            self.arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=folder,
            env={**os.environ, **(environment or {})},
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(re.sub(r"\x1b\[[0-9;]*m", "", line.rstrip("\n")))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for_line(self, pattern):
        """The match of the first line that `pattern` is found in."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self.changed:
            while True:
                for line in self.lines:
                    if found := re.search(pattern, line):
                        return found
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    raise Mismatch(f"{self.name()} never wrote /{pattern}/ but: {self.output()}")
                self.changed.wait(left)

    def wait_for_end(self, seconds=PATIENCE_SECONDS):
        """The exit status; everything it wrote has been read."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Mismatch(f"{self.name()} did not end but wrote: {self.output()}") from None
        self.reader.join(PATIENCE_SECONDS)
        return status

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.wait_for_end()
        except Mismatch:
            self.process.kill()
            self.process.wait()
            raise

    def name(self):
        return Path(self.arguments[0]).name

    def output(self):
        return "\n".join(self.lines)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        elif self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def need_family(version):
    try:
        with socket.socket(_FAMILY[version], socket.SOCK_DGRAM) as probe:
            probe.bind((LOOPBACK[version], 0))
    except OSError as error:
        raise Unavailable(f"no IPv{version} on loopback ({error})") from None


def free_port(version=4):
    """A UDP port that nobody holds now. Taken for peers that cannot be told to choose one themselves."""
    with socket.socket(_FAMILY[version], socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK[version], 0))
        return probe.getsockname()[1]


def wait_for_port(program, port, version=4):
    """Until somebody holds a UDP port. The kernel tells nobody about it, so its table is looked at."""
    table = Path("/proc/net/udp6" if version == 6 else "/proc/net/udp")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not re.search(rf"^ *\d+: [0-9A-F]+:{port:04X} ", table.read_text(), re.MULTILINE):
        if program.process.poll() is not None or time.monotonic() > deadline:
            raise Mismatch(f"{program.name()} never bound port {port} but wrote: {program.output()}")
        program.reader.join(0.005)


@contextmanager
def reflector(*options, version=4, port=0):
    """Our reflector on loopback, one worker so that replies come in the order of probes; its port."""
    need_family(version)
    host = f"[{LOOPBACK[6]}]" if version == 6 else LOOPBACK[4]
    with Program([REFLECTOR, "--listen", f"{host}:{port}", "--workers", 1, *options]) as program:
        bound = program.wait_for_line(r'msg="listening on \S+:(\d+)"')
        yield int(bound.group(1))


class Run:
    """What our sender said in its machine format."""

    def __init__(self, status, lines, messages):
        self.status = status
        self.lines = lines
        self.messages = messages

    def of(self, kind):
        return [line for line in self.lines if line["type"] == kind]

    @property
    def samples(self):
        return self.of("sample")

    @property
    def session(self):
        ends = self.of("end")
        expect(len(ends), 1, f"ends of a session; it wrote: {self.messages}")
        return ends[0]

    @property
    def sent(self):
        return self.session["packets"]["sent"]

    def expect_packets(self, count, lost=0, least=1, **others):
        """All of `count` probes left but those whose moment this busy machine slept through, which our sender says;
        `least` had to."""
        packets = self.session["packets"]
        unsent = packets["unsent_by_reason"]["missed_slot"]
        expect(packets["unsent"], unsent, f"probes unsent for another reason than a missed slot ({packets})")
        expect(packets["sent"], count - unsent, f"probes sent ({packets})")
        expect_between(packets["sent"], least, count, f"probes sent ({packets})")
        expect(packets["lost"]["round_trip"], lost, f"probes lost ({packets})")
        expected = {"received": packets["sent"] - lost, "duplicate": 0, "late": 0, "rejected": 0, "reordered": 0}
        for name, number in (expected | others).items():
            expect(packets[name], number, f"{name} ({packets})")

    def expect_lost(self, **counts):
        lost = self.session["packets"]["lost"]
        for name, count in counts.items():
            expect(lost[name], count, f"lost {name} ({lost})")

    def expect_clean(self, count=10):
        """Every probe answered once, in time and in order, and nothing else came."""
        expect(self.status, 0, f"exit status; it wrote: {self.messages}")
        self.expect_packets(count)
        expect([sample["sequence"] for sample in self.samples], list(range(self.sent)), "sequences of the samples")


def measure(port, *options, version=4, count=10, timeout="1s"):
    """Our sender, to the end."""
    need_family(version)
    arguments = [SENDER, LOOPBACK[version], "--port", port, "-c", count, "-i", "20ms", "-W", timeout, "--ndjson"]
    arguments += options
    finished = subprocess.run(
        [str(argument) for argument in arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS * 2,
        check=False,
    )
    lines = [json.loads(line) for line in finished.stdout.splitlines()]
    return Run(finished.returncode, lines, finished.stderr)


@contextmanager
def key_file(*keys):
    """A key file of ours; the keys are octets."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keys"
        path.write_text("".join(f"{number} {key.hex()}\n" for number, key in enumerate(keys, 1)))
        path.chmod(0o600)
        yield path
