"""scapy's `contrib.stamp` builds probes for our reflector and reads the replies.

scapy names the bits of the TLV flags the wrong way round: its `U` is 0x01, where RFC 8972 §4 puts U at 0x80. Flags are
therefore written and read here as the whole octet, and one case watches for the day scapy is mended.
"""

import time

from packets import EXTRA_PADDING, MALFORMED, NTP, PTP, UNASSIGNED, UNRECOGNIZED, timestamp
from peers import Endpoint
from programs import reflector
from replies import Asked, expect_reply, expect_tlv
from report import case, expect
from scapy_packets import STAMPTestTLV, decode_reply, encode_probe

SSID = 0xA5C3


def ask(endpoint, port, sequence, form=NTP, tlvs=(), hop_limit=255, traffic_class=0):
    fields = {"sequence": sequence, "timestamp": timestamp(time.time_ns(), form), "ssid": SSID}
    octets, fields["error_estimate"] = encode_probe(**fields, form=form, tlvs=tlvs)
    asked = Asked(fields, octets, hop_limit)
    reply = endpoint.ask(octets, port, hop_limit=hop_limit, traffic_class=traffic_class)
    return asked, reply, *decode_reply(reply.octets)


@case("scapy", "Session-Sender", "open, stateless, IPv4", 4)
@case("scapy", "Session-Sender", "open, stateless, IPv6", 6)
def stateless_replies_hold_what_scapy_sent(version):
    with reflector(version=version) as port, Endpoint(version) as endpoint:
        for sequence in (0, 1, 7, 2**32 - 1):
            asked, reply, fields, reserved, tlvs = ask(endpoint, port, sequence)
            expect_reply(asked, reply, fields, reserved, NTP)
            expect(tlvs, [], "TLVs")


@case("scapy", "Session-Sender", "open, stateful, IPv4", 4)
@case("scapy", "Session-Sender", "open, stateful, IPv6", 6)
def stateful_replies_are_counted_from_zero(version):
    with reflector("--stateful", version=version) as port, Endpoint(version) as endpoint:
        for number, sequence in enumerate((5, 6, 9, 30)):
            asked, reply, fields, reserved, _ = ask(endpoint, port, sequence)
            expect_reply(asked, reply, fields, reserved, NTP, sequence=number)


@case("scapy", "Session-Sender", "open, probes in NTP, replies in PTP", NTP, PTP)
@case("scapy", "Session-Sender", "open, probes in PTP, replies in NTP", PTP, NTP)
@case("scapy", "Session-Sender", "open, both in PTP", PTP, PTP)
def each_end_writes_its_own_timestamp_format(probe_form, reply_form):
    with reflector("--timestamp-format", reply_form) as port, Endpoint() as endpoint:
        for sequence in range(3):
            asked, reply, fields, reserved, _ = ask(endpoint, port, sequence, probe_form)
            expect_reply(asked, reply, fields, reserved, reply_form)


@case("scapy", "Session-Sender", "open, TTL and DSCP, IPv4", 4)
@case("scapy", "Session-Sender", "open, TTL and DSCP, IPv6", 6)
def the_ttl_is_reported_and_the_dscp_comes_back(version):
    with reflector(version=version) as port, Endpoint(version) as endpoint:
        for sequence, (hop_limit, dscp) in enumerate(((255, 46), (64, 0), (1, 8))):
            asked, reply, fields, reserved, _ = ask(
                endpoint, port, sequence, hop_limit=hop_limit, traffic_class=dscp << 2
            )
            expect_reply(asked, reply, fields, reserved, NTP)
            expect(reply.traffic_class, dscp << 2, "traffic class of the reply")


@case("scapy", "Session-Sender", "open, TLV flags: known and unknown types")
def known_tlvs_lose_the_flag_u_and_unknown_ones_keep_it():
    padding, unknown, empty = bytes(range(1, 20)), b"\x05unknown", b""
    with reflector() as port, Endpoint() as endpoint:
        sent = [
            STAMPTestTLV(flags=UNRECOGNIZED, type=EXTRA_PADDING, len=len(padding), value=padding),
            STAMPTestTLV(flags=UNRECOGNIZED, type=UNASSIGNED, len=len(unknown), value=unknown),
            STAMPTestTLV(flags=UNRECOGNIZED, type=EXTRA_PADDING, len=0, value=empty),
        ]
        asked, reply, fields, reserved, tlvs = ask(endpoint, port, 3, tlvs=sent)
        expect_reply(asked, reply, fields, reserved, NTP)
        expect(len(tlvs), 3, "TLVs of the reply")
        expect_tlv(tlvs[0], 0, EXTRA_PADDING, padding, "Extra Padding")
        expect_tlv(tlvs[1], UNRECOGNIZED, UNASSIGNED, unknown, "unknown type")
        expect_tlv(tlvs[2], 0, EXTRA_PADDING, empty, "empty Extra Padding")


@case("scapy", "Session-Sender", "open, TLV flags: malformed")
def a_tlv_past_the_end_is_marked_and_copied():
    with reflector() as port, Endpoint() as endpoint:
        sent = [
            STAMPTestTLV(flags=UNRECOGNIZED, type=EXTRA_PADDING, len=4, value=b"abcd"),
            STAMPTestTLV(flags=UNRECOGNIZED, type=UNASSIGNED, len=200, value=b"short"),
        ]
        asked, reply, fields, reserved, tlvs = ask(endpoint, port, 3, tlvs=sent)
        expect_reply(asked, reply, fields, reserved, NTP)
        expect(len(tlvs), 2, "TLVs of the reply")
        expect_tlv(tlvs[0], 0, EXTRA_PADDING, b"abcd", "Extra Padding")
        expect(tlvs[1][0] & MALFORMED, MALFORMED, "flag M of the TLV past the end")
        expect(tlvs[1][1:], (UNASSIGNED, b"short"), "TLV past the end")


@case("scapy", "decoder", "names of the TLV flags, reversed in scapy")
def scapy_still_names_the_flags_backwards():
    expect(bytes(STAMPTestTLV(flags="U", type=1, len=0))[0], 0x01, "octet that scapy writes for U")
    expect(str(STAMPTestTLV(b"\x01\x01\x00\x00").flags), "U", "name that scapy reads from 0x01")
