"""tshark's TWAMP-Test dissector reads what our sender and our reflector put on port 862.

The open packets of STAMP are those of TWAMP-Test with other names; tshark 4.0 calls the SSID MBZ, shows probes as
replies whose second half is zero, and TLVs as padding. It takes PTP timestamps for NTP ones, so that only NTP times are
compared, and it knows no authenticated mode.
"""

import json
import shutil
import subprocess
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from packets import NTP, OPEN_PROBE, OPEN_REPLY, unix_ns
from peers import Capture
from programs import PATIENCE_SECONDS, measure, reflector
from report import Mismatch, Unavailable, case, expect, expect_between

PORT = 862
FIELDS = (
    "seq_number timestamp error_estimate error_estimate.s error_estimate.z error_estimate.scale "
    "error_estimate.multiplier mbz1 receive_timestamp sender_seq_number sender_timestamp sender_error_estimate "
    "sender_ttl padding"
).split()


def dissect(path):
    """A dictionary of lists of texts for each packet that tshark takes for TWAMP-Test."""
    program = shutil.which("tshark")
    if program is None:
        raise Unavailable("tshark is not installed: apt-get install tshark")
    arguments = [program, "-n", "-r", path, "-Y", "twamp.test", "-T", "json", "-d", f"udp.port=={PORT},twamp.test"]
    for field in FIELDS:
        arguments += ["-e", f"twamp.test.{field}"]
    finished = subprocess.run(
        arguments, capture_output=True, text=True, timeout=PATIENCE_SECONDS * 3, check=False, env={"TZ": "UTC"}
    )
    if finished.returncode != 0:
        raise Mismatch(f"tshark ended with {finished.returncode}: {finished.stderr}")
    return [packet["_source"]["layers"] for packet in json.loads(finished.stdout)]


def expect_number(layers, field, *values):
    """The values of a field; the parts of an Error Estimate come twice, for the reflector and for the sender."""
    seen = tuple(int(text, 0) for text in layers[f"twamp.test.{field}"])
    expect(seen, values, field)


def expect_time(layers, field, octets):
    """To the nanosecond; tshark cuts off what is below, we round."""
    (text,) = layers[f"twamp.test.{field}"]
    whole, _, rest = text.partition(".")
    moment = datetime.strptime(whole, "%b %d, %Y %H:%M:%S").replace(tzinfo=timezone.utc)
    seen_ns = int(moment.timestamp()) * 10**9 + int(rest.split()[0])
    # A timestamp of zero octets is shown as the beginning of 1970.
    expected_ns = unix_ns(octets, NTP) if any(octets) else 0
    expect_between(seen_ns, expected_ns - 1, expected_ns, f"{field} ({text}) in ns")


def expect_estimates(layers, *estimates):
    expect_number(layers, "error_estimate", estimates[0])
    expect_number(layers, "error_estimate.s", *(estimate >> 15 for estimate in estimates))
    expect_number(layers, "error_estimate.z", *(estimate >> 14 & 1 for estimate in estimates))
    expect_number(layers, "error_estimate.scale", *(estimate >> 8 & 63 for estimate in estimates))
    expect_number(layers, "error_estimate.multiplier", *(estimate & 255 for estimate in estimates))


def expect_padding(layers, octets):
    (text,) = layers["twamp.test.padding"]
    expect(bytes.fromhex(text.replace(":", "")), bytes(octets), "padding")


def expect_probe(layers, octets):
    fields = OPEN_PROBE.decode(octets)
    expect_number(layers, "seq_number", fields["sequence"])
    expect_time(layers, "timestamp", fields["timestamp"])
    expect_number(layers, "mbz1", fields["ssid"])
    expect_estimates(layers, fields["error_estimate"], 0)


def expect_reply(layers, octets):
    fields = OPEN_REPLY.decode(octets)
    expect_number(layers, "seq_number", fields["sequence"])
    expect_time(layers, "timestamp", fields["timestamp"])
    expect_number(layers, "mbz1", fields["ssid"])
    expect_estimates(layers, fields["error_estimate"], fields["sender_error_estimate"])
    expect_time(layers, "receive_timestamp", fields["receive_timestamp"])
    expect_number(layers, "sender_seq_number", fields["sender_sequence"])
    expect_time(layers, "sender_timestamp", fields["sender_timestamp"])
    expect_number(layers, "sender_error_estimate", fields["sender_error_estimate"])
    expect_number(layers, "sender_ttl", fields["sender_ttl"])
    expect_padding(layers, octets[41:])


@case("tshark", "decoder", "open, probes and replies, IPv4", 4, ())
@case("tshark", "decoder", "open, probes and replies, IPv6", 6, ())
@case("tshark", "decoder", "open, stateful, Extra Padding", 4, ("--stateful",), "--size", 120)
def tshark_reads_what_we_sent(version, options, *ours):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "session.pcap"
        with Capture(PORT, version) as capture, reflector(*options, version=version, port=PORT) as port:
            run = measure(port, *ours, version=version)
            datagrams = capture.stop()
            capture.write(path)
        run.expect_clean()
        packets = dissect(path)
    # A probe and its reply, and the same before in the session that asks for the reflector's mode.
    expect(len(datagrams), 2 * run.sent + 2, "captured datagrams")
    expect(len(packets), len(datagrams), "packets that tshark takes for TWAMP-Test")
    for layers, (_, destination, octets) in zip(packets, datagrams):
        (expect_probe if destination == PORT else expect_reply)(layers, octets)
