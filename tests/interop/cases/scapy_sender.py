"""scapy's `contrib.stamp` builds probes for our reflector and reads the replies.

scapy names the bits of the TLV flags the wrong way round: its `U` is 0x01, where RFC 8972 §4 puts U at 0x80. Flags are
therefore written and read here as the whole octet, and one case watches for the day scapy is mended.
"""

import ipaddress
import time

from packets import (
    ACCESS_REPORT,
    CLASS_OF_SERVICE,
    DESTINATION_NODE_ADDRESS,
    EXTRA_PADDING,
    LOCATION,
    MALFORMED,
    NONCONFORMANT,
    NTP,
    PTP,
    REFLECTED_TEST_PACKET_CONTROL,
    RETURN_PATH,
    TIMESTAMP_INFORMATION,
    UNASSIGNED,
    UNRECOGNIZED,
    timestamp,
)
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


def question(kind, value):
    return STAMPTestTLV(flags=UNRECOGNIZED, type=kind, len=len(value), value=value)


def sub_tlv(kind, value):
    return bytes([UNRECOGNIZED, kind]) + len(value).to_bytes(2, "big") + value


@case("scapy", "Session-Sender", "open, Location: ports and addresses, IPv4", 4)
@case("scapy", "Session-Sender", "open, Location: ports and addresses, IPv6", 6)
def a_location_tells_what_arrived(version):
    asked = bytes(4) + sub_tlv(1, bytes(8)) + sub_tlv(4, bytes(16)) + sub_tlv(7, bytes(16))
    with reflector("--location", "all", version=version) as port, Endpoint(version) as endpoint:
        *_, tlvs = ask(endpoint, port, 3, tlvs=[question(LOCATION, asked)])
        own, near = endpoint.address, endpoint.port
        packed = ipaddress.ip_address(own).packed
        destination, source = (5, 8) if version == 4 else (6, 9)
        value = port.to_bytes(2, "big") + near.to_bytes(2, "big")
        value += bytes([0, 3]) + (8).to_bytes(2, "big") + bytes(8)
        for kind in (destination, source):
            value += bytes([0, kind]) + (16).to_bytes(2, "big") + packed.ljust(16, b"\0")
        expect_tlv(tlvs[0], 0, LOCATION, value, "Location")


@case("scapy", "Session-Sender", "open, Location: nothing for strangers")
def a_stranger_is_told_no_location():
    with reflector() as port, Endpoint() as endpoint:
        *_, tlvs = ask(endpoint, port, 3, tlvs=[question(LOCATION, bytes(4))])
        expect_tlv(tlvs[0], UNRECOGNIZED, LOCATION, bytes(4), "Location")


@case("scapy", "Session-Sender", "open, Timestamp Information")
def the_far_clock_tells_what_sets_it():
    clock = ("--clock", "synchronized,error=1us", "--clock-source", "ptp")
    with reflector(*clock) as port, Endpoint() as endpoint:
        *_, tlvs = ask(endpoint, port, 3, tlvs=[question(TIMESTAMP_INFORMATION, bytes(4))])
        expect_tlv(tlvs[0], 0, TIMESTAMP_INFORMATION, bytes([2, 2, 2, 2]), "Timestamp Information")


@case("scapy", "Session-Sender", "open, Class of Service: given", "EF", 46, 0)
@case("scapy", "Session-Sender", "open, Class of Service: refused", "AF41", 18, 1)
def a_class_is_given_or_refused(allowed, given, refused):
    with reflector("--reply-classes", allowed) as port, Endpoint() as endpoint:
        wanted = (46 << 26).to_bytes(4, "big")
        _, reply, *_, tlvs = ask(endpoint, port, 3, tlvs=[question(CLASS_OF_SERVICE, wanted)], traffic_class=18 << 2)
        answer = (46 << 26 | 18 << 20 | refused << 16 | 3 << 12).to_bytes(4, "big")
        expect_tlv(tlvs[0], 0, CLASS_OF_SERVICE, answer, "Class of Service")
        expect(reply.traffic_class, given << 2, "traffic class of the reply")


@case("scapy", "Session-Sender", "open, Access Report: echoed, and of no access network")
def an_access_report_is_acknowledged():
    with reflector() as port, Endpoint() as endpoint:
        of_nobody = (b"\x30\x02\x00\x07", UNRECOGNIZED, b"\x30\x02\x00\x07")
        for sent, flags, echoed in ((b"\x1f\x02\x00\x07", 0, b"\x10\x02\x00\x00"), of_nobody):
            *_, tlvs = ask(endpoint, port, 3, tlvs=[question(ACCESS_REPORT, sent)])
            expect_tlv(tlvs[0], flags, ACCESS_REPORT, echoed, "Access Report")


@case("scapy", "Session-Sender", "open, Destination Node Address: the right node and another")
def the_node_that_is_meant_says_so():
    with reflector() as port, Endpoint() as endpoint:
        for address, flags in ((endpoint.address, 0), ("192.0.2.9", UNRECOGNIZED)):
            value = ipaddress.ip_address(address).packed
            *_, tlvs = ask(endpoint, port, 3, tlvs=[question(DESTINATION_NODE_ADDRESS, value)])
            expect_tlv(tlvs[0], flags, DESTINATION_NODE_ADDRESS, value, "Destination Node Address")


@case("scapy", "Session-Sender", "open, Return Path: same link, and an address that is refused")
def a_return_path_is_taken_or_refused():
    with reflector() as port, Endpoint() as endpoint:
        for sub, flags in ((sub_tlv(1, bytes([0, 0, 0, 1])), 0), (sub_tlv(2, bytes([192, 0, 2, 9])), UNRECOGNIZED)):
            *_, tlvs = ask(endpoint, port, 3, tlvs=[question(RETURN_PATH, sub)])
            value = bytes([flags]) + sub[1:]
            expect_tlv(tlvs[0], flags, RETURN_PATH, value, "Return Path")


@case("scapy", "Session-Sender", "open, Reflected Test Packet Control: three replies, and one where it is off")
def several_replies_come_where_they_may():
    wanted = (200).to_bytes(2, "big") + (3).to_bytes(2, "big") + (1_000_000).to_bytes(4, "big") + bytes(4)
    asked = [question(REFLECTED_TEST_PACKET_CONTROL, wanted)]
    with reflector("--stateful", "--packet-control", "3,200,1000000") as port, Endpoint() as endpoint:
        _, first, *_ = ask(endpoint, port, 3, tlvs=asked)
        replies = [first, endpoint.receive(), endpoint.receive()]
        for number, reply in enumerate(replies):
            fields, _, tlvs = decode_reply(reply.octets)
            expect(len(reply.octets), 200, "octets of a reply")
            expect(fields["sequence"], number, "Sequence Number of a reply")
            expect_tlv(tlvs[0], 0, REFLECTED_TEST_PACKET_CONTROL, wanted, "Reflected Test Packet Control")
            expect(tlvs[1][:2], (0, EXTRA_PADDING), "what makes it long")
        beyond = wanted[:2] + (4).to_bytes(2, "big") + wanted[4:]
        *_, tlvs = ask(endpoint, port, 4, tlvs=[question(REFLECTED_TEST_PACKET_CONTROL, beyond)])
        expect_tlv(tlvs[0], NONCONFORMANT, REFLECTED_TEST_PACKET_CONTROL, beyond, "more than is allowed")
    with reflector() as port, Endpoint() as endpoint:
        *_, tlvs = ask(endpoint, port, 3, tlvs=asked)
        expect_tlv(tlvs[0], UNRECOGNIZED, REFLECTED_TEST_PACKET_CONTROL, wanted, "Reflected Test Packet Control")
