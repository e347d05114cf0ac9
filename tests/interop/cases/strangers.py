"""What strangers send adds no series: nothing that came unasked is a label (names, SSIDs, addresses, types, labels of MPLS)."""

import random
import socket
import struct
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from cases.monitoring_chain import until
from cases.prometheus import page, told
from expositions import Scrape
from packets import (
    ACCESS_REPORT,
    CLASS_OF_SERVICE,
    DESTINATION_NODE_ADDRESS,
    LOCATION,
    MICRO_SESSION_ID,
    NTP,
    OPEN_PROBE,
    OPEN_REPLY,
    RETURN_PATH,
    SEALED_PROBE,
    UNASSIGNED,
    error_estimate,
    hmac_tlv,
    seal,
    timestamp,
    tlv,
)
from peers import AnsweringEndpoint
from programs import LOOPBACK, REFLECTOR, SENDER, Program, key_file
from report import Unavailable, case, expect, expect_true

KEY, FOREIGN_KEY = bytes(range(32)), bytes(32)
SSIDS = (0, 1, 0x0A0A, 0x2222, 0x5C5C, 0x7B7D, 0xFFFF)
# What would end a label, a line or a page where it came through.
TEXT = b'"} 1\nstamp_evil{ssid="\\\x00\xff' * 4
# Each with a session at the reflector of its own.
STRANGERS = [f"127.0.0.{number}" for number in range(2, 12)]
FRAMES = 40

REFLECTOR_FILE = """
listen = ["127.0.0.1:0"]
stateful = true
workers = 1
location = ["all"]
reply-classes = ["any"]
packet-loss-count = 3
auth.key-file = "{keys}"
web.listen = "127.0.0.1:0"
[[timestamp]]
extended = 240
interfaces = ["lo"]
"""
SENDER_FILE = """
web.listen = "127.0.0.1:0"
[[session]]
name = "watched"
target = "127.0.0.1:{port}"
interval = "20ms"
window = "1s"
te = false
"""


def probes(chance):
    """Probes that are in order, those that are almost, and what is none."""
    fields = {"timestamp": timestamp(time.time_ns(), NTP), "error_estimate": error_estimate(NTP, 12, 200)}
    for sequence, ssid in enumerate(SSIDS):
        yield OPEN_PROBE.encode(sequence=chance.getrandbits(32), ssid=ssid, **fields)
        sealed = SEALED_PROBE.encode(sequence=sequence, ssid=ssid, **fields)
        yield seal(KEY if sequence % 2 else FOREIGN_KEY, sealed)
    probe = OPEN_PROBE.encode(sequence=7, ssid=SSIDS[2], **fields)
    for kind in (LOCATION, CLASS_OF_SERVICE, ACCESS_REPORT, DESTINATION_NODE_ADDRESS, RETURN_PATH, MICRO_SESSION_ID, UNASSIGNED):
        yield probe + tlv(kind, chance.randbytes(chance.choice((0, 4, 16))))
    yield probe + hmac_tlv(FOREIGN_KEY, probe, b"")
    yield probe + TEXT
    yield TEXT
    yield b""
    yield probe[:13]


def frames(chance):
    """Packets with labels that lead nowhere, or to the node's own with no packet behind them."""
    for _ in range(FRAMES):
        stack = [chance.choice((chance.randrange(1 << 20), 15, 240, 14, 7)) for _ in range(chance.randrange(1, 5))]
        entries = [label << 12 | 64 | (0x100 if at == len(stack) - 1 else 0) for at, label in enumerate(stack)]
        yield bytes(12) + b"\x88\x47" + struct.pack(f"!{len(entries)}I", *entries) + chance.randbytes(chance.randrange(60)) + TEXT


def bother(port):
    """Sends all of it; how many datagrams."""
    chance = random.Random(1)
    sent = 0
    for address in STRANGERS:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind((address, 0))
            for octets in probes(chance):
                stranger.sendto(octets, (LOOPBACK[4], port))
                sent += 1
    with raw_socket() as node:
        node.bind(("lo", 0))
        for frame in frames(chance):
            node.send(frame)
    return sent


def raw_socket():
    try:
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    except PermissionError as error:
        raise Unavailable(f"no right to send frames ({error})") from None


def scrape(base):
    return Scrape(page(base))


def expect_same_series(before, after, who):
    expect(sorted(map(str, before.series.keys() ^ after.series.keys())), [], f"series of {who} that came or went with strangers")


@case("python", "stranger", "probes in order, forged, cut, with TLVs, frames with labels: no series more at stamp-reflector")
def strangers_at_the_reflector():
    raw_socket().close()
    with tempfile.TemporaryDirectory() as name, key_file(KEY) as keys, ExitStack() as stack:
        (Path(name) / "reflector.toml").write_text(REFLECTOR_FILE.format(keys=keys))
        reflector = stack.enter_context(Program([REFLECTOR, "reflector.toml"], folder=name))
        port = int(reflector.wait_for_line(r'msg="listening on \S+:(\d+)"').group(1))
        base = stack.enter_context(told(reflector))
        before = scrape(base)
        sent = bother(port)

        def all_came():
            now = scrape(base)
            came = now.total("stamp_reflector_packets_received_total") + now.total("stamp_reflector_local_drops_total")
            # The node is asked every ten seconds.
            return now if came >= sent and now.total("stamp_timestamp_packets_dropped_total") else None

        after = until(all_came, "what strangers sent was not counted")
        # All of it was looked at: some had an answer and a session, the rest reasons of several kinds.
        answered = after.total("stamp_reflector_packets_reflected_total")
        expect_true(0 < answered < sent, f"{answered} of {sent} answered")
        expect_true(after.total("stamp_reflector_sessions") > len(STRANGERS), "strangers have no sessions")
        for name in ("stamp_reflector_packets_dropped_total", "stamp_timestamp_packets_dropped_total"):
            expect_true(len(after.counted(name)) > 1, f"{name} counts {after.counted(name)}")
        expect_same_series(before, after, "the reflector")


class Impostor:
    """A far end that is silent until it is told to answer, and then never right."""

    def __init__(self, elsewhere):
        self.has_begun = False
        self.elsewhere = elsewhere

    def answer(self, probe):
        if not self.has_begun:
            return []
        fields = OPEN_PROBE.decode(probe.octets)
        at, sequence, ssid = fields["timestamp"], fields["sequence"], fields["ssid"]
        reply = {"sequence": sequence, "ssid": ssid, "timestamp": at, "error_estimate": 1, "receive_timestamp": at}
        reply |= {"sender_sequence": sequence, "sender_timestamp": at, "sender_ttl": 255}
        whole = OPEN_REPLY.encode(**reply)
        # As good as a reply can be, but for who sends it.
        self.elsewhere.sendto(whole, probe.source)
        wrong = {"ssid": ssid ^ 0x2222}, {"sender_sequence": 0xFFFFFFFF}, {"sender_timestamp": bytes(8)}
        return [TEXT, b"", whole[:20], *(OPEN_REPLY.encode(**reply | one) for one in wrong)]


@case("python", "stranger", "replies that are cut, of other sessions, from other addresses: no series more at stamp-sender")
def strangers_at_the_sender():
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        elsewhere = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        elsewhere.bind((STRANGERS[0], 0))
        impostor = Impostor(elsewhere)
        far = stack.enter_context(AnsweringEndpoint(impostor.answer))
        (Path(name) / "sender.toml").write_text(SENDER_FILE.format(port=far.port))
        base = stack.enter_context(told(stack.enter_context(Program([SENDER, "run", "sender.toml"], folder=name))))

        def window_after(moment, kinds):
            """A scrape with a window that ended later than this moment and has losses, and so many kinds of what was rejected."""

            def found():
                now = scrape(base)
                is_new = now.total("stamp_session_window_end_timestamp_seconds") > moment
                is_whole = is_new and now.has("stamp_session_window_loss_ratio")
                return now if is_whole and len(now.counted("stamp_session_packets_rejected_total")) >= kinds else None

            return until(found, "no window with what was to come")

        before = window_after(0, 0)
        impostor.has_begun = True
        after = window_after(before.total("stamp_session_window_end_timestamp_seconds") + 1.5, 4)
        expect(after.total("stamp_session_packets_received_total"), 0, "replies that were taken")
        expect_same_series(before, after, "the sender")
