"""scapy and tshark judge a packet of every encapsulation, as `stamp-proto/examples/encapsulations.rs` prints them.

scapy builds each packet itself, from the lists in `scapy_encapsulations.py`, and takes ours apart. tshark says what is
malformed and which checksums are wrong; of an address that nodes shift it cannot know what a checksum was made for.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from programs import BINARIES, PATIENCE_SECONDS
from report import Mismatch, Unavailable, case, expect, expect_true
from scapy_encapsulations import build, decode, expected, layers, write_frames

EXAMPLE = Path(os.environ.get("STAMP_INTEROP_EXAMPLES", BINARIES / "examples")) / "encapsulations"

# The destination is a container of compressed SIDs, and no header holds the last of them.
ULTIMATE_UNSEEN = {"V7-host"}

GOOD = "1"


def ours():
    """EtherType and octets by number."""
    if not EXAMPLE.exists():
        raise Unavailable(f"{EXAMPLE} is not built: cargo build -p stamp-proto --example encapsulations")
    finished = subprocess.run([EXAMPLE], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    if finished.returncode != 0:
        raise Mismatch(f"{EXAMPLE.name} ended with {finished.returncode}: {finished.stderr}")
    lines = (line.split() for line in finished.stdout.splitlines())
    return {name: (int(kind, 16), bytes.fromhex(octets)) for name, kind, octets in lines}


@case("scapy", "encoder", "every encapsulation over SR-MPLS", "M")
@case("scapy", "encoder", "every encapsulation over SRv6", "V")
def scapy_builds_the_same_packets(plane):
    made = {name: packet for name, packet in ours().items() if name.startswith(plane)}
    wanted = {name: packet for name, packet in expected().items() if name.startswith(plane)}
    expect(sorted(made), sorted(wanted), "encapsulations")
    for name, (kind, packet) in wanted.items():
        expect(made[name], (kind, build(packet)), name)


@case("scapy", "decoder", "every encapsulation over SR-MPLS", "M")
@case("scapy", "decoder", "every encapsulation over SRv6", "V")
def scapy_finds_the_same_layers(plane):
    wanted = expected()
    for name, (kind, octets) in ours().items():
        if name.startswith(plane):
            _, packet = wanted[name]
            expect(layers(decode(kind, octets)), layers(packet), f"layers of {name}")


def judge(path):
    """For each packet: protocols, what tshark complains of, status of IPv4 and UDP checksums."""
    program = shutil.which("tshark")
    if program is None:
        raise Unavailable("tshark is not installed: apt-get install tshark")
    fields = ("frame.protocols", "_ws.malformed", "_ws.expert.message", "ip.checksum.status", "udp.checksum.status")
    arguments = [program, "-n", "-r", path, "-T", "fields", "-E", "separator=;", "-E", "occurrence=a"]
    arguments += ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    for field in fields:
        arguments += ["-e", field]
    finished = subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE_SECONDS * 3, check=False)
    if finished.returncode != 0:
        raise Mismatch(f"tshark ended with {finished.returncode}: {finished.stderr}")
    return [dict(zip(fields, line.split(";"))) for line in finished.stdout.splitlines()]


@case("tshark", "decoder", "every encapsulation over SR-MPLS", "M")
@case("tshark", "decoder", "every encapsulation over SRv6", "V")
def tshark_finds_nothing_wrong(plane):
    packets = {name: packet for name, packet in ours().items() if name.startswith(plane)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encapsulations.pcap"
        write_frames(path, packets.values())
        judged = judge(path)
    expect(len(judged), len(packets), "packets that tshark read")
    for name, seen in zip(packets, judged):
        expect(seen["_ws.malformed"], "", f"{name}: malformed")
        expect_true(":udp" in seen["frame.protocols"], f"{name}: no UDP in {seen['frame.protocols']}")
        wrong = [status for status in seen["ip.checksum.status"].split(",") if status and status != GOOD]
        expect(wrong, [], f"{name}: status of IPv4 checksums")
        if name not in ULTIMATE_UNSEEN:
            expect(seen["udp.checksum.status"], GOOD, f"{name}: status of the UDP checksum")
            expect(seen["_ws.expert.message"], "", f"{name}: complaints")
