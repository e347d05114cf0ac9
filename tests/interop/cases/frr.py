"""Configurations of FRR as `stamp-sender write` renders them, against FRR's own reader."""

import http.server
import json
import os
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from programs import INSTALLED, SENDER
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


def vtysh(text, folder):
    """Its exit status and what it says to these lines; nothing runs that could take them."""
    if not VTYSH.exists():
        raise Unavailable(f"{VTYSH} is not installed")
    file = folder / "lines.conf"
    file.write_text(text)
    (folder / "vtysh.conf").touch()
    libraries = ROOT / "usr" / "lib" / "x86_64-linux-gnu"
    ended = subprocess.run(
        [VTYSH, "--dryrun", "--vty_socket", folder, "--config_dir", folder, "-f", file],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "LD_LIBRARY_PATH": f"{libraries}:{libraries / 'frr'}"},
    )
    return ended.returncode, (ended.stdout + ended.stderr).strip()


def path(policy, color, labels, prefixes):
    return {
        "policy": policy, "headend": None, "color": color, "endpoint": "192.0.2.11", "class": policy,
        "traffic": {"prefixes": prefixes, "dscp": []}, "standing": "good", "active": "fast",
        "preference": 200, "since": None, "reason": "first",
        "lists": [{"name": f"{policy}/fast/0", "weight": 1, "segments": [], "labels": labels, "sids": None,
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


def written(folder, paths, dry=False):
    """The file, or in a dry run what would be handed to FRR."""
    file = folder / "stamp.conf"
    with daemon(paths) as address:
        configuration = folder / "writer.toml"
        configuration.write_text(
            f'[[writer]]\nkind = "frr"\nfrom = "{address}"\ndry-run = {str(dry).lower()}\nfile = "{file}"\n'
            'links = { eth0 = "r1-r2" }\n'
        )
        ended = subprocess.run(
            [SENDER, "write", "--once", configuration], capture_output=True, text=True, check=False, timeout=60
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
