"""A BGP speaker that tells a network as link state (RFC 9552), and nothing else.

What it tells is a topology file of ours: nodes as of IS-IS, both directions of links, host prefixes with their
Prefix-SIDs (RFC 9085), performance of links (RFC 8571), peers of egress peer engineering (RFC 9086).
"""

import ipaddress
import re
import socket
import struct

from programs import PATIENCE_SECONDS
from report import Mismatch

AUTONOMOUS_SYSTEM = 65000
_FAMILY = struct.pack("!HBB", 16388, 0, 71)
_OPEN, _UPDATE, _NOTIFICATION, _KEEPALIVE = 1, 2, 3, 4
_NODE, _LINK, _PREFIX4, _PREFIX6 = 1, 2, 3, 4
_ISIS_LEVEL_2, _BGP = 2, 7
# No flags, weight or algorithm 0, reserved.
_PLAIN_SID = bytes(4)
# V and L: a label of local meaning.
_LOCAL_LABEL = bytes([0x30, 0, 0, 0])
_PEER_LABEL = bytes([0xC0, 0, 0, 0])


def tlv(kind, value):
    return struct.pack("!HH", kind, len(value)) + value


def label(value):
    return value.to_bytes(3, "big")


def amount(text, units):
    """A number with a unit, as topology files have them."""
    number, unit = re.fullmatch(r"([0-9.]+)(\D*)", text).groups()
    return float(number) * units[unit]


def microseconds(text):
    return round(amount(text, {"ns": 1e-3, "us": 1, "ms": 1e3, "s": 1e6}))


def octets_per_second(text):
    return amount(text, {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}) / 8


class Network:
    """The link state of a topology, as pairs of NLRI and attribute."""

    def __init__(self, topology):
        self.nodes = topology["node"]
        self.links = topology.get("link", [])
        self.peers = topology.get("peer", [])
        self.srgb = topology.get("defaults", {}).get("srgb", [[16000, 23999]])
        self.place = {node["name"]: place for place, node in enumerate(self.nodes)}
        # Administrative groups are bits; who knows which one a name is, knows it from elsewhere.
        names = {name for link in self.links for way in (link, link.get("back", {})) for name in way.get("affinities", [])}
        self.groups = sorted(names)

    def announcements(self):
        for node in self.nodes:
            yield self._nlri(_NODE, self._node(node)), self._of_node(node)
            yield from self._prefixes(node)
        for number, link in enumerate(self.links):
            yield from self._directions(number, link)
        for number, peer in enumerate(self.peers):
            yield self._peer(number, peer)

    @staticmethod
    def _nlri(kind, content, protocol=_ISIS_LEVEL_2):
        return tlv(kind, struct.pack("!BQ", protocol, 0) + content)

    def _descriptor(self, node):
        number = self.place[node["name"]] + 1
        router = b"\0\0\0\0" + struct.pack("!H", number)
        return tlv(512, struct.pack("!I", node.get("as", AUTONOMOUS_SYSTEM))) + tlv(515, router)

    def _node(self, node):
        return tlv(256, self._descriptor(node))

    def _of_node(self, node):
        attribute = tlv(1026, node["name"].encode())
        for loopback in map(ipaddress.ip_address, node.get("loopbacks", [])):
            attribute += tlv(1028 if loopback.version == 4 else 1029, loopback.packed)
        if node.get("sr", True):
            ranges = node.get("srgb", self.srgb)
            block = b"".join(label(last - first + 1) + tlv(1161, label(first)) for first, last in ranges)
            attribute += tlv(1034, b"\x80\0" + block) + tlv(1035, b"\0")
        if "impose" in node.get("msd", {}):
            attribute += tlv(266, bytes([1, node["msd"]["impose"]]))
        return attribute

    def _prefixes(self, node):
        index = node.get("index")
        for loopback in map(ipaddress.ip_address, node.get("loopbacks", [])):
            yield self._prefix(node, ipaddress.ip_network(loopback), index)
            # An index means one prefix; a node tells it of its first.
            index = None
        for shared in node.get("anycast", []):
            yield self._prefix(node, ipaddress.ip_network(shared["prefix"]), shared["index"])

    def _prefix(self, node, prefix, index):
        octets = prefix.network_address.packed[: (prefix.prefixlen + 7) // 8]
        kind = _PREFIX4 if prefix.version == 4 else _PREFIX6
        nlri = self._nlri(kind, self._node(node) + tlv(265, bytes([prefix.prefixlen]) + octets))
        attribute = tlv(1155, struct.pack("!I", 0))
        if index is not None:
            attribute += tlv(1158, _PLAIN_SID + struct.pack("!I", index))
        return nlri, attribute

    def _directions(self, number, link):
        back = {**link, **link.get("back", {})}
        ends = [self.nodes[self.place[name]] for name in link["ends"]]
        for side, way in enumerate((link, back)):
            near, far = ends[side], ends[1 - side]
            numbers = struct.pack("!II", *(2 * number + 1 + (side, 1 - side)[end] for end in (0, 1)))
            descriptors = self._node(near) + tlv(257, self._descriptor(far)) + tlv(258, numbers)
            yield self._nlri(_LINK, descriptors), self._of_link(link, way, side)

    def _of_link(self, link, way, side):
        igp = way.get("igp", 10)
        attribute = tlv(1095, igp.to_bytes(3, "big")) + tlv(1092, struct.pack("!I", way.get("te", igp)))
        if "name" in link:
            attribute += tlv(1098, link["name"].encode())
        if "affinities" in way:
            attribute += tlv(1088, struct.pack("!I", sum(1 << self.groups.index(name) for name in way["affinities"])))
        if "bandwidth" in way:
            attribute += tlv(1089, struct.pack("!f", octets_per_second(way["bandwidth"])))
        if "srlgs" in way:
            attribute += tlv(1096, b"".join(struct.pack("!I", group) for group in way["srlgs"]))
        if "adjacency" in link:
            attribute += tlv(1099, _LOCAL_LABEL + label(link["adjacency"][side]))
        if "delay" in way:
            delay = microseconds(way["delay"])
            attribute += tlv(1114, struct.pack("!I", delay)) + tlv(1115, struct.pack("!II", delay, delay))
        return attribute

    def _peer(self, number, peer):
        border = self.nodes[self.place[peer["at"]]]
        own = ipaddress.IPv4Address(next(address for address in border["loopbacks"] if ":" not in address))
        other = ipaddress.IPv4Address("203.0.113.1") + number
        local = self._router(border.get("as", AUTONOMOUS_SYSTEM), own)
        descriptors = tlv(256, local) + tlv(257, self._router(peer["as"], other))
        descriptors += tlv(259, own.packed) + tlv(260, other.packed)
        return self._nlri(_LINK, descriptors, _BGP), tlv(1101, _PEER_LABEL + label(peer["label"]))

    @staticmethod
    def _router(autonomous_system, router):
        return tlv(512, struct.pack("!I", autonomous_system)) + tlv(516, router.packed)


class Speaker:
    """One end of a session within an autonomous system, on loopback."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        try:
            self._open()
        except BaseException:
            self.socket.close()
            raise

    def _open(self):
        capabilities = bytes([1, 4]) + _FAMILY + bytes([65, 4]) + struct.pack("!I", AUTONOMOUS_SYSTEM)
        parameters = bytes([2, len(capabilities)]) + capabilities
        # Hold time 0: nobody sends keepalives but to confirm the session.
        head = struct.pack("!BHH4sB", 4, AUTONOMOUS_SYSTEM, 0, socket.inet_aton("192.0.2.253"), len(parameters))
        self._send(_OPEN, head + parameters)
        self._expect(_OPEN)
        self._send(_KEEPALIVE)
        self._expect(_KEEPALIVE)

    def announce(self, nlri, attribute):
        reach = _FAMILY[:2] + _FAMILY[3:] + b"\x04" + socket.inet_aton("192.0.2.253") + b"\0" + nlri
        attributes = self._attribute(0x40, 1, b"\0") + self._attribute(0x40, 2, b"")
        attributes += self._attribute(0x40, 5, struct.pack("!I", 100))
        attributes += self._attribute(0x80, 14, reach) + self._attribute(0x80, 29, attribute)
        self._send(_UPDATE, struct.pack("!HH", 0, len(attributes)) + attributes)

    @staticmethod
    def _attribute(flags, kind, value):
        return struct.pack("!BBH", flags | 0x10, kind, len(value)) + value

    def _send(self, kind, body=b""):
        self.socket.sendall(b"\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body)

    def _expect(self, kind):
        head = self._read(19)
        body = self._read(int.from_bytes(head[16:18], "big") - 19)
        if head[18] != kind:
            raise Mismatch(f"a BGP message of type {head[18]} and not {kind} came: {body.hex()}")

    def _read(self, count):
        octets = b""
        while len(octets) < count:
            more = self.socket.recv(count - len(octets))
            if not more:
                # With or without a reset, as the other end has read what came or not.
                raise ConnectionAbortedError("the BGP session was closed")
            octets += more
        return octets

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
