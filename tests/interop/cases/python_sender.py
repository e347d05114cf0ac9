"""An encoder of our own in Python (`packets.py`: struct and hmac) asks our reflector what scapy cannot: authenticated."""

import time

from packets import (
    EXTRA_PADDING,
    HMAC,
    INTEGRITY,
    NTP,
    PTP,
    SEALED_PROBE,
    SEALED_REPLY,
    UNASSIGNED,
    UNRECOGNIZED,
    digest,
    error_estimate,
    hmac_tlv,
    is_sealed,
    seal,
    timestamp,
    tlv,
    tlvs,
)
from peers import Endpoint
from programs import key_file, reflector
from replies import Asked, expect_reply, expect_tlv
from report import case, expect, expect_true

SSID = 0x5AC3
KEY = bytes(range(32))


def sealed_probe(sequence, key=KEY, form=NTP, area=b""):
    fields = {
        "sequence": sequence,
        "timestamp": timestamp(time.time_ns(), form),
        "error_estimate": error_estimate(form, scale=12, multiplier=200),
        "ssid": SSID,
    }
    return fields, seal(key, SEALED_PROBE.encode(**fields) + area)


def ask(endpoint, port, probe):
    fields, octets = probe
    asked = Asked(fields, octets)
    return asked, endpoint.ask(octets, port)


def check(asked, reply, key=KEY, form=NTP, sequence=None):
    expect_true(is_sealed(key, reply.octets), "the HMAC of the reply does not verify")
    fields = SEALED_REPLY.decode(reply.octets)
    expect_reply(asked, reply, fields, SEALED_REPLY.reserved(reply.octets), form, sequence)


@case("python", "Session-Sender", "authenticated, stateless, IPv4", 4, ())
@case("python", "Session-Sender", "authenticated, stateless, IPv6", 6, ())
@case("python", "Session-Sender", "authenticated, stateful, IPv4", 4, ("--stateful",))
@case("python", "Session-Sender", "authenticated, stateful, IPv6", 6, ("--stateful",))
def sealed_replies_hold_what_was_sent(version, options):
    with key_file(KEY) as keys:
        with reflector("--auth", "--key-file", keys, *options, version=version) as port, Endpoint(version) as endpoint:
            for number, sequence in enumerate((4, 5, 9)):
                asked, reply = ask(endpoint, port, sealed_probe(sequence))
                check(asked, reply, sequence=number if options else None)


@case("python", "Session-Sender", "authenticated, probes in PTP, replies in NTP", PTP, NTP)
@case("python", "Session-Sender", "authenticated, probes in NTP, replies in PTP", NTP, PTP)
def sealed_replies_mix_timestamp_formats(probe_form, reply_form):
    with key_file(KEY) as keys:
        options = ("--auth", "--key-file", keys, "--timestamp-format", reply_form)
        with reflector(*options) as port, Endpoint() as endpoint:
            asked, reply = ask(endpoint, port, sealed_probe(0, form=probe_form))
            check(asked, reply, form=reply_form)


@case("python", "Session-Sender", "authenticated, key of 16 octets", 16)
@case("python", "Session-Sender", "authenticated, key of 64 octets", 64)
@case("python", "Session-Sender", "authenticated, key of 65 octets (hashed first)", 65)
def keys_of_any_length_give_the_same_hmac(octets):
    key = bytes(index * 7 % 256 for index in range(octets))
    with key_file(key) as keys:
        with reflector("--auth", "--key-file", keys) as port, Endpoint() as endpoint:
            asked, reply = ask(endpoint, port, sealed_probe(1, key=key))
            check(asked, reply, key=key)


@case("python", "Session-Sender", "authenticated, second key of the file")
def a_probe_of_another_key_is_answered():
    other = bytes(reversed(KEY))
    with key_file(KEY, other) as keys:
        with reflector("--auth", "--key-file", keys) as port, Endpoint() as endpoint:
            asked, reply = ask(endpoint, port, sealed_probe(1, key=other))
            signer = next((key for key in (KEY, other) if is_sealed(key, reply.octets)), None)
            expect_true(signer is not None, "no key of the file verifies the reply")
            check(asked, reply, key=signer)


@case("python", "Session-Sender", "authenticated, forged and open probes get no reply")
def what_does_not_verify_is_not_answered():
    with key_file(KEY) as keys:
        with reflector("--auth", "--key-file", keys) as port, Endpoint() as endpoint:
            _, foreign = sealed_probe(1, key=b"another key of some length")
            _, touched = sealed_probe(2)
            touched = touched[:20] + bytes([touched[20] ^ 1]) + touched[21:]
            last_octet = sealed_probe(3)[1][:111] + b"\x00"
            _, short = sealed_probe(4)
            for octets in (foreign, touched, last_octet, short[:44], short[:111]):
                endpoint.send(octets, port)
            # One worker answers in the order of arrival: a reply to any of those would come before this one.
            asked, reply = ask(endpoint, port, sealed_probe(9))
            check(asked, reply)


@case("python", "Session-Sender", "authenticated, HMAC TLV, stateless", ())
@case("python", "Session-Sender", "authenticated, HMAC TLV, stateful", ("--stateful",))
def the_hmac_tlv_covers_what_the_reflector_wrote(options):
    preceding = tlv(EXTRA_PADDING, b"0123456789") + tlv(UNASSIGNED, b"opaque")
    behind = tlv(EXTRA_PADDING, b"not covered")
    with key_file(KEY) as keys:
        with reflector("--auth", "--key-file", keys, *options) as port, Endpoint() as endpoint:
            bare = SEALED_PROBE.encode(sequence=77)
            probe = sealed_probe(77, area=preceding + hmac_tlv(KEY, bare, preceding) + behind)
            asked, reply = ask(endpoint, port, probe)
            check(asked, reply, sequence=0 if options else None)
            seen = tlvs(reply.octets[112:])
            expect(len(seen), 4, "TLVs of the reply")
            expect_tlv(seen[0], 0, EXTRA_PADDING, b"0123456789", "Extra Padding")
            expect_tlv(seen[1], UNRECOGNIZED, UNASSIGNED, b"opaque", "unknown type")
            covered = reply.octets[:4] + reply.octets[112 : 112 + len(preceding)]
            expect_tlv(seen[2], 0, HMAC, digest(KEY, covered), "HMAC TLV")
            expect_tlv(seen[3], 0, EXTRA_PADDING, b"not covered", "Extra Padding behind the HMAC TLV")


@case("python", "Session-Sender", "authenticated, HMAC TLV that does not verify")
def a_wrong_hmac_tlv_marks_every_tlv():
    preceding = tlv(EXTRA_PADDING, b"0123456789") + tlv(UNASSIGNED, b"opaque")
    with key_file(KEY) as keys:
        with reflector("--auth", "--key-file", keys) as port, Endpoint() as endpoint:
            wrong = tlv(HMAC, bytes(16))
            asked, reply = ask(endpoint, port, sealed_probe(5, area=preceding + wrong))
            check(asked, reply)
            seen = tlvs(reply.octets[112:])
            expect([kind for _, kind, _ in seen], [EXTRA_PADDING, UNASSIGNED, HMAC], "types of the reply")
            expect([flags & INTEGRITY for flags, _, _ in seen], [INTEGRITY] * 3, "flag I of each TLV")
            expect([value for _, _, value in seen], [b"0123456789", b"opaque", bytes(16)], "values of the reply")
