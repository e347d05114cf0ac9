"""What a reply of our reflector must hold, whoever decoded it."""

import time

from packets import MALFORMED, UNRECOGNIZED, form_of, unix_ns
from report import expect, expect_between, expect_true


class Asked:
    """A probe, and what is known of the moments around it."""

    def __init__(self, fields, octets, hop_limit=255):
        self.fields = fields
        self.octets = octets
        self.hop_limit = hop_limit
        self.sent_ns = time.time_ns()


def expect_reply(asked, reply, fields, reserved, form, sequence=None):
    """`fields` and `reserved` are what a decoder made of `reply`; `form` is the format the reflector writes."""
    probe = asked.fields
    expect(len(reply.octets), max(len(asked.octets), len(fields.get("hmac", b"")) and 112 or 44), "octets of the reply")
    expect(fields["sequence"], probe["sequence"] if sequence is None else sequence, "Sequence Number")
    expect(fields["ssid"], probe["ssid"], "SSID")
    expect(fields["sender_sequence"], probe["sequence"], "Session-Sender Sequence Number")
    expect(fields["sender_timestamp"], probe["timestamp"], "Session-Sender Timestamp")
    expect(fields["sender_error_estimate"], probe["error_estimate"], "Session-Sender Error Estimate")
    expect(fields["sender_ttl"], asked.hop_limit, "Session-Sender TTL")
    expect(reserved, bytes(len(reserved)), "octets that must be zero")
    expect(form_of(fields["error_estimate"]), form, "format of the reflector's timestamps")
    expect_true(fields["error_estimate"] & 0xFF != 0, "the Multiplier of the reflector's Error Estimate is zero")
    received_ns = unix_ns(fields["receive_timestamp"], form)
    replied_ns = unix_ns(fields["timestamp"], form)
    # The conversions round to a nanosecond.
    expect_between(received_ns, asked.sent_ns - 1, reply.arrival_ns + 1, "Receive Timestamp")
    expect_between(replied_ns, received_ns, reply.arrival_ns + 1, "Timestamp")
    expect(reply.hop_limit, 255, "TTL of the reply")


def expect_tlv(seen, flags, kind, value, what):
    """One TLV of a reply, as `(flags, kind, value)`."""
    names = {UNRECOGNIZED: "U", MALFORMED: "M"}
    expect(seen[1:], (kind, value), f"{what}: type and value")
    expect(seen[0], flags, f"{what}: flags (expected {names.get(flags, flags)})")
