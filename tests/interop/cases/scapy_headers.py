"""Headers that scapy makes, and our reflector sends back (draft-ietf-ippm-stamp-ext-hdr); links that it names."""

import ipaddress
import socket
import time

from cases.scapy_sender import ask, question
from packets import MICRO_SESSION_ID, NONCONFORMANT, NTP, UNRECOGNIZED, timestamp
from peers import Endpoint
from programs import reflector
from replies import expect_reply, expect_tlv
from report import case, expect
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, PadN
from scapy_packets import encode_probe

FIXED, EXTENSION = 247, 246
SEEN = ("--reflect-headers",)


@case("scapy", "Session-Sender", "open, Reflected Fixed Header Data: IPv4 as scapy reads it")
def an_ipv4_header_comes_back():
    with reflector(*SEEN) as port, Endpoint() as endpoint:
        *_, tlvs = ask(endpoint, port, 3, tlvs=[question(FIXED, bytes(20)), question(FIXED, bytes(20))], hop_limit=77)
        flags, kind, value = tlvs[0]
        expect((flags, kind, value[:4]), (0, FIXED, bytes(4)), "Reflected Fixed Header Data")
        # What it begins with is for the one who asks to know.
        length = (20 + 8 + 44 + 2 * 24).to_bytes(2, "big")
        header = IP(b"\x45\x00" + length + value[4:])
        expect((header.ttl, header.proto), (77, socket.IPPROTO_UDP), "TTL and protocol")
        expect((header.src, header.dst), (endpoint.address, endpoint.address), "addresses")
        sent = header.chksum
        del header.chksum
        expect(IP(bytes(header)).chksum, sent, "header checksum as scapy makes it")
        expect_tlv(tlvs[1], NONCONFORMANT, FIXED, bytes(20), "a second header")


@case("scapy", "Session-Sender", "open, Reflected IPv6 Extension Header Data: options made by scapy")
def an_extension_header_comes_back():
    options = bytes(IPv6ExtHdrDestOpt(nh=socket.IPPROTO_UDP, options=[PadN(optdata=bytes(4))]))
    asked = [question(FIXED, bytes(40)), question(EXTENSION, options), question(EXTENSION, bytes(24))]
    with reflector(*SEEN, version=6) as port, Endpoint(6) as endpoint:
        endpoint.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, options)
        *_, tlvs = ask(endpoint, port, 3, tlvs=asked, hop_limit=77)
        packed = ipaddress.ip_address(endpoint.address).packed
        length = 8 + 8 + 44 + sum(4 + size for size in (40, 8, 24))
        header = IPv6(src=endpoint.address, dst=endpoint.address, nh=60, hlim=77, plen=length)
        expect_tlv(tlvs[0], 0, FIXED, bytes(4) + bytes(header)[4:], "Reflected Fixed Header Data")
        expect(tlvs[0][2][8:], packed + packed, "addresses")
        expect_tlv(tlvs[1], 0, EXTENSION, options, "Reflected IPv6 Extension Header Data")
        expect_tlv(tlvs[2], NONCONFORMANT, EXTENSION, bytes(24), "a header that is not there")


@case("scapy", "Session-Sender", "open, reflected headers: nothing for strangers, other types where agreed on")
def headers_are_for_those_who_may_see_them():
    with reflector() as port, Endpoint() as endpoint:
        *_, tlvs = ask(endpoint, port, 3, tlvs=[question(FIXED, bytes(20))])
        expect_tlv(tlvs[0], UNRECOGNIZED, FIXED, bytes(20), "a stranger's question")
    with reflector(*SEEN, "--header-types", "250,251") as port, Endpoint() as endpoint:
        *_, tlvs = ask(endpoint, port, 3, tlvs=[question(250, bytes(20)), question(FIXED, bytes(20))])
        expect(tlvs[0][0], 0, "flags of the type agreed on")
        expect_tlv(tlvs[1], UNRECOGNIZED, FIXED, bytes(20), "the usual type")


@case("scapy", "Session-Sender", "open, Micro-session ID: our member named, unknown where there is none")
def the_member_link_is_named():
    with reflector("--lag-members", "lo") as port, Endpoint() as endpoint:
        for named in (0, 1):
            asked = bytes([0, 7, 0, named])
            *_, tlvs = ask(endpoint, port, 3, tlvs=[question(MICRO_SESSION_ID, asked)])
            expect_tlv(tlvs[0], 0, MICRO_SESSION_ID, bytes([0, 7, 0, 1]), "Micro-session ID")
        # One for another member gets no reply: the next reply is that to the next probe.
        octets, _ = encode_probe(
            sequence=4, timestamp=timestamp(time.time_ns(), NTP), ssid=1, form=NTP,
            tlvs=[question(MICRO_SESSION_ID, bytes([0, 7, 0, 9]))],
        )
        endpoint.send(octets, port)
        asked, reply, fields, reserved, _ = ask(endpoint, port, 5)
        expect_reply(asked, reply, fields, reserved, NTP)
    with reflector() as port, Endpoint() as endpoint:
        *_, tlvs = ask(endpoint, port, 3, tlvs=[question(MICRO_SESSION_ID, bytes([0, 7, 0, 9]))])
        expect_tlv(tlvs[0], UNRECOGNIZED, MICRO_SESSION_ID, bytes([0, 7, 0, 9]), "Micro-session ID")
