"""Both ends of a session as plain sockets, and a capture of what passes between them."""

import select
import socket
import struct
import threading
import time

from programs import LOOPBACK, PATIENCE_SECONDS, _FAMILY
from report import Mismatch, Unavailable

_HOP_LIMIT = {4: (socket.IPPROTO_IP, socket.IP_TTL), 6: (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)}
_RECEIVE_HOP_LIMIT = {4: (socket.IPPROTO_IP, 12), 6: (socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT)}
_TRAFFIC_CLASS = {4: (socket.IPPROTO_IP, socket.IP_TOS), 6: (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)}
_RECEIVE_TRAFFIC_CLASS = {4: (socket.IPPROTO_IP, 13), 6: (socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS)}
# What the control messages carry: IP_TTL, IP_TOS, IPV6_HOPLIMIT, IPV6_TCLASS.
_HOP_LIMIT_MESSAGES = {(0, 2), (41, 52)}
_TRAFFIC_CLASS_MESSAGES = {(0, 1), (41, 67)}


class Datagram:
    """What arrived: octets, where from, with which TTL and traffic class, and when."""

    def __init__(self, octets, source, hop_limit, traffic_class, arrival_ns):
        self.octets = octets
        self.source = source
        self.hop_limit = hop_limit
        self.traffic_class = traffic_class
        self.arrival_ns = arrival_ns


class Endpoint:
    """A UDP socket on loopback."""

    def __init__(self, version=4):
        self.version = version
        self.socket = socket.socket(_FAMILY[version], socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE_SECONDS)
        for level, option in (_RECEIVE_HOP_LIMIT[version], _RECEIVE_TRAFFIC_CLASS[version]):
            self.socket.setsockopt(level, option, 1)
        self.address = LOOPBACK[version]
        self.socket.bind((self.address, 0))
        self.port = self.socket.getsockname()[1]

    def send(self, octets, port, hop_limit=255, traffic_class=0):
        self.socket.setsockopt(*_HOP_LIMIT[self.version], hop_limit)
        self.socket.setsockopt(*_TRAFFIC_CLASS[self.version], traffic_class)
        self.socket.sendto(octets, (LOOPBACK[self.version], port))

    def receive(self):
        try:
            octets, messages, _, source = self.socket.recvmsg(65536, 512)
        except TimeoutError:
            raise Mismatch(f"nothing came within {PATIENCE_SECONDS} s") from None
        arrival_ns = time.time_ns()
        hop_limit = traffic_class = None
        for level, kind, data in messages:
            # IPv4 hands over the traffic class as one octet, everything else comes as an int.
            value = data[0] if len(data) == 1 else struct.unpack("=i", data[:4])[0]
            if (level, kind) in _HOP_LIMIT_MESSAGES:
                hop_limit = value
            elif (level, kind) in _TRAFFIC_CLASS_MESSAGES:
                traffic_class = value
        return Datagram(octets, source, hop_limit, traffic_class, arrival_ns)

    def ask(self, octets, port, **how):
        """Sends and takes the next datagram, which must come from where it was sent to."""
        self.send(octets, port, **how)
        reply = self.receive()
        if reply.source[:2] != (LOOPBACK[self.version], port):
            raise Mismatch(f"the reply came from {reply.source}")
        return reply

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class AnsweringEndpoint(Endpoint):
    """A reflector: `answer` makes the replies, a list of octets, out of each probe."""

    def __init__(self, answer, version=4):
        super().__init__(version)
        self.answer = answer
        self.probes = []
        self.failure = None
        self.over = False
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        while True:
            try:
                probe = self.receive()
            except Mismatch:
                continue
            if self.over:
                return
            self.probes.append(probe)
            try:
                for octets in self.answer(probe):
                    self.socket.sendto(octets, probe.source)
            except Exception as failure:
                self.failure = failure
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over = True
        self.socket.sendto(b"", self.socket.getsockname())
        self.thread.join(PATIENCE_SECONDS)
        self.socket.close()
        if self.failure is not None and kind is None:
            raise self.failure


class Relay:
    """Stands between a sender and a reflector and loses what it is told to, by the sender's Sequence Number."""

    def __init__(self, port, lose_forward=(), lose_backward=(), sealed=False, version=4):
        self.target = port
        self.version = version
        self.lose_forward = set(lose_forward)
        self.lose_backward = set(lose_backward)
        self.echoed_sequence = 48 if sealed else 24
        self.front = Endpoint(version)
        self.port = self.front.port
        self.backs = {}
        self.failure = None
        self.over = False
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        try:
            while not self.over:
                sockets = [self.front.socket, *(back.socket for back in self.backs.values())]
                for ready in select.select(sockets, [], [])[0]:
                    self._pass_on(ready)
        except Exception as failure:
            self.failure = failure

    def _pass_on(self, ready):
        if ready is self.front.socket:
            probe = self.front.receive()
            if probe.source[:2] == self.front.socket.getsockname()[:2]:
                return
            if probe.source not in self.backs:
                self.backs[probe.source] = Endpoint(self.version)
            back = self.backs[probe.source]
            if int.from_bytes(probe.octets[:4], "big") not in self.lose_forward:
                back.send(probe.octets, self.target)
            return
        source, back = next(entry for entry in self.backs.items() if entry[1].socket is ready)
        octets = back.receive().octets
        at = self.echoed_sequence
        if int.from_bytes(octets[at : at + 4], "big") not in self.lose_backward:
            self.front.send(octets, source[1])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over = True
        self.front.socket.sendto(b"", self.front.socket.getsockname())
        self.thread.join(PATIENCE_SECONDS)
        for endpoint in (self.front, *self.backs.values()):
            endpoint.socket.close()
        if self.failure is not None and kind is None:
            raise self.failure


class Capture:
    """Datagrams from or to a UDP port as they leave on loopback, and the packet capture file made of them.

    The socket exists before anything is sent and keeps what it sees, so that no one has to wait for it.
    """

    _ETHERTYPE = {4: 0x0800, 6: 0x86DD}
    _OUTGOING = 4

    def __init__(self, port, version=4):
        self.port = port
        self.version = version
        self.frames = []
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        except PermissionError:
            raise Unavailable("capturing needs CAP_NET_RAW: run as root or allow user namespaces") from None
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("lo", 3))
        self.socket.setblocking(False)

    def stop(self):
        """The payloads in order, as `(source port, destination port, octets)`."""
        found = []
        while True:
            try:
                frame, (_, ethertype, direction, _, _) = self.socket.recvfrom(65536)
            except BlockingIOError:
                break
            if direction != self._OUTGOING or ethertype != self._ETHERTYPE[self.version]:
                continue
            header = 14 + (40 if self.version == 6 else (frame[14] & 15) * 4)
            protocol = frame[14 + (6 if self.version == 6 else 9)]
            ports = struct.unpack("!HH", frame[header : header + 4])
            if protocol == socket.IPPROTO_UDP and self.port in ports:
                self.frames.append(frame)
                found.append((*ports, frame[header + 8 :]))
        return found

    def write(self, path):
        now = int(time.time())
        with open(path, "wb") as file:
            file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            for number, frame in enumerate(self.frames):
                file.write(struct.pack("=IIII", now, number, len(frame), len(frame)) + frame)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
