"""Labels, Segment Routing Headers and what is around them, as scapy builds them: from lists written here again."""

import logging

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.all import IP, UDP, Ether, IPv6, IPv6ExtHdrSegmentRouting, Raw, wrpcap  # noqa: E402
from scapy.contrib.mpls import MPLS  # noqa: E402

S4, R4 = "192.0.2.1", "192.0.2.11"
S6, R6 = "2001:db8:0:1::1", "2001:db8:0:b::1"
FORWARD, REVERSE, TIMESTAMP = [16005, 16011], [16004, 16001], [15, 240]
OUT = ["2001:db8:5:e::", "2001:db8:b:f16::"]
BACK = ["2001:db8:5:e::", "2001:db8:1:e::"]
ENTROPY = 100000

IPV4, MPLS_UNICAST, IPV6 = 0x0800, 0x8847, 0x86DD

PROBE = bytes.fromhex("00000001e98af870c9fcb68a85871234") + bytes(28)
NODE4 = bytes.fromhex("80090004c000020b")
NODE6 = bytes.fromhex("8009001020010db80000000b0000000000000001")
RETURN = bytes.fromhex("800a000c8003000803e840ff03e811ff")


def ip(source, destination):
    if ":" in source:
        return IPv6(src=source, dst=destination, tc=0xB8, fl=0x12345, hlim=255)
    return IP(src=source, dst=destination, tos=0xB8, id=0x1234, flags="DF", ttl=255)


def udp(port, payload):
    return UDP(sport=49200, dport=port) / Raw(payload)


def labels(stack, source, destination, port, payload=PROBE):
    below = ip(source, destination) / udp(port, payload)
    for place, label in reversed(list(enumerate(stack))):
        below = MPLS(label=label, s=int(place == len(stack) - 1), ttl=0 if label == ENTROPY else 255) / below
    return MPLS_UNICAST, below


def srh(travel, reduced, next_header):
    listed = travel[1:] if reduced else travel
    return IPv6ExtHdrSegmentRouting(
        nh=next_header, addresses=listed[::-1], segleft=len(travel) - 1, lastentry=len(listed) - 1
    )


def host(travel, port, reduced=False):
    return IPV6, ip(S6, travel[0]) / srh(travel, reduced, 17) / udp(port, PROBE)


def tunnel(travel, source, destination, port, reduced=False, payload=PROBE):
    inner = ip(source, destination) / udp(port, payload)
    protocol = 41 if ":" in source else 4
    if reduced and len(travel) == 1:
        outer = ip(S6, travel[0])
        outer.nh = protocol
        return IPV6, outer / inner
    return IPV6, ip(S6, travel[0]) / srh(travel, reduced, protocol) / inner


def container(address, ultimate, port):
    """A packet whose checksum is made for the address at which the last node receives it."""
    packet = IPv6(bytes(ip(S6, ultimate) / udp(port, PROBE)))
    packet.dst = address
    return IPV6, packet


def expected():
    """EtherType and packet by number."""
    binding = "2001:db8:b:b1d::"
    usid = "fcbb:bb00:5:b:f016::"
    two = ["fcbb:bb00:1:2:3:4:5:6", "fcbb:bb00:7:8::"]
    return {
        "M1": labels(FORWARD, S4, R4, 862),
        "M1-ipv6": labels(FORWARD, S6, R6, 862),
        "M2": labels(FORWARD, S4, "127.0.0.9", 862, PROBE + NODE4),
        "M2-ipv6": labels(FORWARD, S6, "::1", 862, PROBE + NODE6),
        "M3": labels(FORWARD, S4, R4, 862, PROBE + RETURN),
        "M4": labels(FORWARD, S4, S4, 49300),
        "M5": labels(FORWARD + REVERSE, S4, S4, 49300),
        "M6": labels(FORWARD + TIMESTAMP, S4, S4, 49300),
        "M6-entropy": labels(FORWARD + [7, ENTROPY] + TIMESTAMP, S4, S4, 49300),
        "M6-null": labels(FORWARD + TIMESTAMP + [2], S6, S6, 49300),
        "M7": labels(FORWARD + TIMESTAMP + REVERSE, S4, S4, 49300),
        "M8": labels(FORWARD + TIMESTAMP + [24001], S4, S4, 49300),
        "V1": tunnel(OUT, S6, R6, 862),
        "V1-loopback": tunnel(OUT, S6, "::1", 862, payload=PROBE + NODE6),
        "V1-ipv4": tunnel(OUT, S4, R4, 862, reduced=True),
        "V2": host(OUT + [R6], 862),
        "V2-reduced": host(OUT + [R6], 862, reduced=True),
        "V3": tunnel(OUT, S6, S6, 49300, reduced=True),
        "V4": host(OUT + BACK, 49300, reduced=True),
        "V5": tunnel(OUT, S6, S6, 49300),
        "V6": host(OUT + BACK, 49300),
        "V8": host(OUT + [binding, BACK[1]], 49300),
        "V7-tunnel": tunnel([usid], S6, S6, 49300, reduced=True),
        "V7-host": container(usid, "fcbb:bb00:b:f016::", 862),
        "V7-back": host([usid, S6], 49300, reduced=True),
        "V7-two": tunnel(two, S6, S6, 49300),
    }


def build(packet):
    return bytes(packet)


def layers(packet):
    """The names of the layers of a packet, down to UDP if it has that."""
    names = [kind.__name__ for kind in packet.layers()]
    return names[: names.index("UDP") + 1] if "UDP" in names else names


def decode(ether_type, octets):
    return {IPV4: IP, IPV6: IPv6, MPLS_UNICAST: MPLS}[ether_type](octets)


def write_frames(path, packets):
    """A capture of these `(EtherType, octets)` as Ethernet frames."""
    ends = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
    wrpcap(str(path), [Ether(**ends, type=kind) / Raw(octets) for kind, octets in packets])
