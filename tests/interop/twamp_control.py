"""As much TWAMP-Control as opens one test session without security (RFC 5357 §3), from either side."""

import contextlib
import socket
import struct
import threading

from programs import LOOPBACK, PATIENCE_SECONDS
from report import expect

_GREETING_OCTETS, _SETUP_OCTETS, _START_OCTETS = 64, 164, 48
_REQUEST_OCTETS, _ACCEPT_OCTETS, _START_SESSIONS_OCTETS, _ACK_OCTETS = 112, 48, 32, 32
_REQUEST_TW_SESSION, _START_SESSIONS = 5, 2


def _read(connection, octets):
    data = b""
    while len(data) < octets:
        more = connection.recv(octets - len(data))
        if not more:
            raise ConnectionError(f"the connection ended after {len(data)} of {octets} octets")
        data += more
    return data


@contextlib.contextmanager
def test_session(control_port, sender_port, receiver_port):
    """Asks a TWAMP server for a session; the port on which its reflector listens."""
    host = socket.inet_aton(LOOPBACK[4])
    with socket.create_connection((LOOPBACK[4], control_port), PATIENCE_SECONDS) as connection:
        greeting = _read(connection, _GREETING_OCTETS)
        expect(struct.unpack("!I", greeting[12:16])[0] & 1, 1, "unauthenticated mode in the greeting")
        connection.sendall(struct.pack("!I", 1) + bytes(_SETUP_OCTETS - 4))
        expect(_read(connection, _START_OCTETS)[15], 0, "Accept of Server-Start")
        ports = struct.pack("!HH", sender_port, receiver_port)
        request = bytes([_REQUEST_TW_SESSION, 4]) + bytes(10) + ports + host + bytes(12) + host
        connection.sendall(request + bytes(_REQUEST_OCTETS - len(request)))
        accept = _read(connection, _ACCEPT_OCTETS)
        expect(accept[0], 0, "Accept of Accept-Session")
        connection.sendall(bytes([_START_SESSIONS]) + bytes(_START_SESSIONS_OCTETS - 1))
        expect(_read(connection, _ACK_OCTETS)[0], 0, "Accept of Start-Ack")
        yield struct.unpack("!H", accept[2:4])[0]


class Server:
    """A TWAMP server for one client, which it sends to a reflector that listens already."""

    def __init__(self, reflector_port):
        self.reflector_port = reflector_port
        self.failure = None
        self.listener = socket.create_server((LOOPBACK[4], 0))
        self.listener.settimeout(PATIENCE_SECONDS)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        try:
            connection, _ = self.listener.accept()
            with connection:
                connection.settimeout(PATIENCE_SECONDS)
                self._session(connection)
        except Exception as failure:
            self.failure = failure

    def _session(self, connection):
        connection.sendall(bytes(12) + struct.pack("!I", 1) + bytes(32) + struct.pack("!I", 1024) + bytes(12))
        expect(struct.unpack("!I", _read(connection, _SETUP_OCTETS)[:4])[0], 1, "mode of the client")
        connection.sendall(bytes(_START_OCTETS))
        expect(_read(connection, _REQUEST_OCTETS)[0], _REQUEST_TW_SESSION, "command of the client")
        accept = struct.pack("!BBH", 0, 0, self.reflector_port)
        connection.sendall(accept + bytes(_ACCEPT_OCTETS - len(accept)))
        expect(_read(connection, _START_SESSIONS_OCTETS)[0], _START_SESSIONS, "command of the client")
        connection.sendall(bytes(_ACK_OCTETS))
        while connection.recv(512):
            pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.listener.close()
        self.thread.join(PATIENCE_SECONDS)
        if self.failure is not None and kind is None:
            raise self.failure
