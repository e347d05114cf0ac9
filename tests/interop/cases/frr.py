"""Configurations of FRR as `stamp-sender write` renders them, against FRR's own reader."""

import http.server
import json
import os
import subprocess
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

from programs import INSTALLED, SENDER, Program
from report import Unavailable, case, expect, expect_true

ROOT = INSTALLED / "frr"
VTYSH = ROOT / "usr" / "bin" / "vtysh"

METRICS = """\
stamp_te_delay_min_seconds{session="r1-r2"} 0.0019
stamp_te_delay_avg_seconds{session="r1-r2"} 0.002
stamp_te_delay_max_seconds{session="r1-r2"} 0.0025
stamp_te_delay_variation_seconds{session="r1-r2"} 0.00003
stamp_te_loss_ratio{session="r1-r2"} 0.000003
"""


LIBRARIES = ROOT / "usr" / "lib" / "x86_64-linux-gnu"
ENVIRONMENT = {"LD_LIBRARY_PATH": f"{LIBRARIES}:{LIBRARIES / 'frr'}"}


def shell(folder, *arguments):
    """Exit status of FRR's shell and what it says."""
    if not VTYSH.exists():
        raise Unavailable(f"{VTYSH} is not installed")
    # Who else would be asked for a password.
    (folder / "vtysh.conf").write_text("username root nopassword\n")
    ended = subprocess.run(
        [VTYSH, "--vty_socket", folder, "--config_dir", folder, *arguments],
        capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **ENVIRONMENT},
    )
    return ended.returncode, (ended.stdout + ended.stderr).strip()


def vtysh(text, folder):
    """Its exit status and what it says to these lines; nothing runs that could take them."""
    file = folder / "lines.conf"
    file.write_text(text)
    return shell(folder, "--dryrun", "-f", file)


def path(policy, color, labels, prefixes, active="fast", preference=200):
    return {
        "policy": policy, "headend": None, "color": color, "endpoint": "192.0.2.11", "class": policy,
        "traffic": {"prefixes": prefixes, "dscp": []}, "standing": "good", "active": active,
        "preference": preference, "since": None, "reason": "first",
        "lists": [{"name": f"{policy}/{active}/0", "weight": 1, "segments": [], "labels": labels, "sids": None,
                   "next_hop": None, "interface": None}],
    }


@contextmanager
def daemon(paths):
    """A server that tells of these paths, and of a link."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            table = {"schema_version": 1, "time": "2026-11-28T23:40:00Z", "sequence": 1, "paths": paths}
            body = (METRICS if self.path == "/metrics" else json.dumps(table)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def configured(folder, address, more=""):
    """A writer's file."""
    configuration = folder / "writer.toml"
    configuration.write_text(
        f'[[writer]]\nkind = "frr"\nfrom = "{address}"\nfile = "{folder / "stamp.conf"}"\n'
        f'links = {{ eth0 = "r1-r2" }}\n{more}'
    )
    return configuration


def written(folder, paths, dry=False, apply=False):
    """The file, or in a dry run what would be handed to FRR."""
    file = folder / "stamp.conf"
    with daemon(paths) as address:
        more = f"dry-run = {str(dry).lower()}\napply = {str(apply).lower()}\n"
        ended = subprocess.run(
            [SENDER, "write", "--once", configured(folder, address, more)],
            capture_output=True, text=True, check=False, timeout=60,
            # Where `apply` finds the shell.
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        )
    expect(ended.returncode, 0, f"stamp-sender write: {ended.stderr}")
    return ended.stdout if dry else file.read_text()


@case("frr", "vtysh", "links, policies and colours are read, and what takes them away")
def configuration():
    gaming = path("gaming", 100, [16005, 16011], ["198.51.100.0/24", "2001:db8:9::/48"])
    bulk = path("bulk", 200, [16011], ["203.0.113.0/24"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = written(folder, [gaming, bulk])
        for word in ("delay 2000 min 1900 max 2500", "candidate-path preference 200", "set sr-te color 100"):
            expect_true(word in text, f"{word} is missing in {text}")
        status, said = vtysh(text, folder)
        expect((status, said), (0, ""), "vtysh")
        changed = path("gaming", 100, [16011], ["198.51.101.0/24"])
        changes = written(folder, [changed], dry=True)
        for word in ("no policy color 200", "no segment-list bulk/fast/0", "no index 20", "no ip prefix-list stamp-bulk"):
            expect_true(word in changes, f"{word} is missing in {changes}")
        status, said = vtysh(changes, folder)
        expect((status, said), (0, ""), "vtysh")
        status, _ = vtysh(text.replace("candidate-path ", "candidate-paths "), folder)
        expect_true(status != 0, "a word that FRR does not know is refused")


@contextmanager
def running(folder):
    """FRR's own daemons, as packaged; they share no more with this host than its kernel."""
    if not VTYSH.exists():
        raise Unavailable(f"{VTYSH} is not installed")
    wrapper = folder / "vtysh"
    wrapper.write_text(
        f'#!/bin/sh\nLD_LIBRARY_PATH={ENVIRONMENT["LD_LIBRARY_PATH"]} '
        f'exec {VTYSH} --vty_socket {folder} --config_dir {folder} "$@"\n'
    )
    wrapper.chmod(0o755)
    # They insist on a group of their own.
    groups = folder / "group"
    groups.write_text("root:x:0:\nfrr:x:0:root\nfrrvty:x:0:root\n")
    script = f'mount --bind {groups} /etc/group && exec "$@"'
    with ExitStack() as stack:
        for name, more in (("zebra", ()), ("staticd", ()), ("bgpd", ("-p", "0")), ("pathd", ())):
            program = Program(
                [
                    "/usr/bin/unshare", "--mount", "sh", "-c", script, "sh", ROOT / "usr" / "lib" / "frr" / name,
                    "-u", "root", "-g", "root", "--vty_socket", folder, "-z", folder / "zserv.api",
                    "-i", folder / f"{name}.pid", "-f", "/dev/null", "-P", "0", "--log", "stdout", *more,
                ],
                ENVIRONMENT,
            )
            stack.callback(program.process.wait, 20)
            stack.callback(program.process.terminate)
            program.wait_for_line(f"{name} [0-9.]+ starting")
        yield


def in_force(folder):
    """Lines of the running configuration, without those of FRR's own, and what `pathd` says of policies."""
    lines = shell(folder, "-c", "show running-config")[1].splitlines()
    _, details = shell(folder, "-c", "show sr-te policy detail")
    return [line.strip() for line in lines], [line.strip() for line in details.splitlines() if line.strip()]


@case("frr", "its daemons", "what was chosen runs, then another choice, then nothing of it")
def daemons():
    gaming = path("gaming", 100, [16005, 16011], ["198.51.100.0/24", "198.51.101.0/24", "2001:db8:9::/48"])
    bulk = path("bulk", 200, [16011], ["203.0.113.0/24"])
    # Another candidate path, whose prefixes have changed their places.
    moved = path("gaming", 100, [16011], ["198.51.101.0/24", "198.51.100.0/24"], active="slow", preference=100)
    with tempfile.TemporaryDirectory() as name, running(Path(name)):
        folder = Path(name)
        before, nothing = in_force(folder)
        written(folder, [gaming, bulk], apply=True)
        lines, details = in_force(folder)
        for line in (
            "delay 2000 min 1900 max 2500", "delay-variation 30", "packet-loss 0.0003",
            "index 10 mpls label 16005", "index 20 mpls label 16011", "policy color 100 endpoint 192.0.2.11",
            "candidate-path preference 200 name fast explicit segment-list gaming/fast/0",
            "ip prefix-list stamp-gaming seq 5 permit 198.51.100.0/24 le 32",
            "ipv6 prefix-list stamp-gaming seq 5 permit 2001:db8:9::/48 le 128",
            "route-map stamp permit 10", "set sr-te color 100", "set sr-te color 200", "route-map stamp permit 65535",
        ):
            expect_true(line in lines, f"{line} is not in force: {lines}")
        policy = "Endpoint: 192.0.2.11  Color: {}  Name: {}  BSID: -  Status: "
        candidate = "* Preference: {}  Name: {}  Type: explicit  Segment-List: {}  Protocol-Origin: Local"
        expect_policies(details, [
            (policy.format(100, "gaming"), candidate.format(200, "fast", "gaming/fast/0")),
            (policy.format(200, "bulk"), candidate.format(200, "fast", "bulk/fast/0")),
        ])
        written(folder, [moved], apply=True)
        lines, details = in_force(folder)
        expect_policies(details, [(policy.format(100, "gaming"), candidate.format(100, "slow", "gaming/slow/0"))])
        entries = [line for line in lines if "prefix-list stamp-" in line and line.startswith("ip")]
        expect(entries, [
            "ip prefix-list stamp-gaming seq 5 permit 198.51.101.0/24 le 32",
            "ip prefix-list stamp-gaming seq 10 permit 198.51.100.0/24 le 32",
        ], "entries of prefix lists")
        expect([line for line in lines if line.startswith(("segment-list", "index"))],
               ["segment-list gaming/slow/0", "index 10 mpls label 16011"], "segment lists")
        undone(folder, [moved])
        left, details = in_force(folder)
        # FRR keeps the block of an interface that has had values.
        block = ["interface eth0", "link-params", "enable", "exit-link-params", "exit", "!"]
        at = left.index(block[0])
        expect(left[at:at + len(block)], block, "what is left of the link")
        expect((left[:at] + left[at + len(block):], details), (before, nothing), "what is left")


def expect_policies(details, expected):
    """`pathd` has these policies, each with this candidate path as its best."""
    pairs = list(zip(details[::2], details[1::2]))
    expect_true(
        len(pairs) == len(expected) and len(details) == 2 * len(expected)
        and all(seen[0].startswith(head) and seen[1] == line for seen, (head, line) in zip(pairs, expected)),
        f"policies: {details}, expected {expected}",
    )


def undone(folder, paths):
    """The writer follows, has nothing to change, and takes everything away at its end."""
    with daemon(paths) as address:
        more = 'dry-run = false\napply = true\non-exit = "undo"\n'
        environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
        program = Program([SENDER, "write", configured(folder, address, more)], environment)
        program.wait_for_line("the daemon is not heard")
        program.process.terminate()
        expect(program.wait_for_end(), 0, f"stamp-sender write: {program.output()}")
