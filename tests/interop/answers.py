"""Reflectors in Python for our sender: numbering and times in one place, octets by whichever codec."""

import time

import scapy_packets
from packets import (
    NTP,
    SEALED_PROBE,
    SEALED_REPLY,
    error_estimate,
    form_of,
    is_sealed,
    seal,
    timestamp,
    tlv,
    tlvs,
    unix_ns,
)
from report import Mismatch, expect, expect_between, expect_true

# What a reply claims to have spent in the reflector; less than Python really needs.
RESIDENCE_NS = 10_007


class ScapyCodec:
    """Open mode, as scapy reads and writes it."""

    def decode(self, octets):
        return scapy_packets.decode_probe(octets)

    def encode(self, sequence, sent_ns, received_ns, form, probe, ttl, area, ssid):
        return scapy_packets.encode_reply(
            sequence, timestamp(sent_ns, form), timestamp(received_ns, form), form, probe, ttl, tlvs=area, ssid=ssid
        )


class SealedCodec:
    """Authenticated mode by `packets.py`."""

    def __init__(self, key, reply_key=None):
        self.key = key
        self.reply_key = reply_key or key

    def decode(self, octets):
        if not is_sealed(self.key, octets):
            raise Mismatch("the HMAC of a probe does not verify")
        fields = SEALED_PROBE.decode(octets)
        return fields, SEALED_PROBE.reserved(octets), tlvs(octets[112:])

    def encode(self, sequence, sent_ns, received_ns, form, probe, ttl, area, ssid):
        base = SEALED_REPLY.encode(
            sequence=sequence,
            timestamp=timestamp(sent_ns, form),
            error_estimate=error_estimate(form, scale=12, multiplier=200),
            ssid=probe["ssid"] if ssid is None else ssid,
            receive_timestamp=timestamp(received_ns, form),
            sender_sequence=probe["sequence"],
            sender_timestamp=probe["timestamp"],
            sender_error_estimate=probe["error_estimate"],
            sender_ttl=ttl,
        )
        return seal(self.reply_key, base + b"".join(tlv(kind, value, flags) for flags, kind, value in area))


class Reflecting:
    """Answers probes; what it did with each is kept for the comparison with what our sender says.

    Our sender asks in a session of its own first, with one probe numbered 1, whether the reflector counts its replies.
    `probes` are those of the session after that.
    """

    def __init__(self, codec, form=NTP, stateful=False, ahead_ns=0, ssid=None, copies=1, tlv_flags=None, area=None):
        self.codec = codec
        self.form = form
        self.stateful = stateful
        self.ahead_ns = ahead_ns
        self.ssid = ssid
        self.copies = copies
        self.tlv_flags = tlv_flags
        self.area = area
        self.lose_forward = set()
        self.lose_backward = set()
        self.answered = {}
        self.sessions = {}

    @property
    def probes(self):
        """Those of the last session, as `(datagram, fields, reserved octets, TLVs)`."""
        return list(self.sessions.values())[-1] if self.sessions else []

    def __call__(self, datagram):
        probe, reserved, area = self.codec.decode(datagram.octets)
        self.sessions.setdefault(datagram.source, []).append((datagram, probe, reserved, area))
        if probe["sequence"] in self.lose_forward:
            return []
        answered = self.answered.get(datagram.source, 0)
        self.answered[datagram.source] = answered + 1
        sequence = answered if self.stateful else probe["sequence"]
        if self.tlv_flags is not None:
            area = [(self.tlv_flags, kind, value) for _, kind, value in area]
        if self.area is not None:
            area = self.area(sequence, area)
        received_ns = datagram.arrival_ns + self.ahead_ns
        reply = self.codec.encode(
            sequence, received_ns + RESIDENCE_NS, received_ns, self.form, probe, datagram.hop_limit, area, self.ssid
        )
        while time.time_ns() < datagram.arrival_ns + RESIDENCE_NS:
            pass
        return [] if probe["sequence"] in self.lose_backward else [reply] * self.copies

    def expect_probes(self, run, form, since_ns, octets, traffic_class=0, types=()):
        """What a decoder that is not ours reads from our probes."""
        expect([probe["sequence"] for _, probe, _, _ in self.probes], list(range(run.sent)), "Sequence Numbers of probes")
        expect(len({probe["ssid"] for _, probe, _, _ in self.probes}), 1, "number of SSIDs in a session")
        questions = [probe["sequence"] for probes in list(self.sessions.values())[:-1] for _, probe, _, _ in probes]
        expect(questions, [1], "Sequence Numbers of probes outside the session")
        for datagram, probe, reserved, area in self.probes:
            expect(len(datagram.octets), octets, "octets of a probe")
            expect_true(probe["ssid"] != 0, "the SSID of a probe is zero")
            expect(form_of(probe["error_estimate"]), form, "timestamp format of a probe")
            expect_true(probe["error_estimate"] & 0xFF != 0, "the Multiplier of a probe's Error Estimate is zero")
            sent_ns = unix_ns(probe["timestamp"], form)
            expect_between(sent_ns, since_ns, datagram.arrival_ns + 1, "Timestamp of a probe")
            expect(reserved, bytes(len(reserved)), "octets of a probe that must be zero")
            expect((datagram.hop_limit, datagram.traffic_class), (255, traffic_class), "TTL, traffic class of a probe")
            expect([(flags, kind) for flags, kind, _ in area], [(0x80, kind) for kind in types], "TLVs of a probe")

    def expect_samples(self, run):
        """Each sample of our sender against the times that were written into the replies."""
        arrivals = {probe["sequence"]: datagram.arrival_ns for datagram, probe, _, _ in self.probes}
        expect_true(len(run.samples) > 0, "our sender has no sample")
        for sample in run.samples:
            expect_between(sample["residence_ns"], RESIDENCE_NS - 1, RESIDENCE_NS + 1, "residence of a sample")
            both_ways = sample["forward_ns"] + sample["backward_ns"]
            expect_between(both_ways - sample["round_trip_ns"], -2, 2, "forward and backward beyond the round trip")
            # T2 was taken in Python after the kernel had the probe, so that it lies late by what that took.
            least, most = self.ahead_ns, self.ahead_ns + 1_000_000_000
            expect_between(sample["forward_ns"], least, most, f"forward delay of probe {sample['sequence']}")
            expect_true(sample["sequence"] in arrivals, "a sample of a probe that never came")
