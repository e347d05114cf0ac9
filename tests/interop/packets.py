"""STAMP packets by `struct` and `hmac` alone: an encoder and decoder that share no line with the toolkit.

The tables are those of RFC 8762 §4.2 and §4.3, with the SSID of RFC 8972 §3. Integers are big-endian, times are Unix
nanoseconds outside of packets.
"""

import hashlib
import hmac
import struct

NTP = "ntp"
PTP = "ptp"

_SECONDS_1900_TO_1970 = 2_208_988_800
_BILLION = 1_000_000_000


class Layout:
    """A base packet: where each field lies. What no field covers must be zero."""

    def __init__(self, octets, **fields):
        self.octets = octets
        self.fields = fields

    def encode(self, **values):
        packet = bytearray(self.octets)
        for name, value in values.items():
            offset, size = self.fields[name]
            packet[offset : offset + size] = value if isinstance(value, bytes) else value.to_bytes(size, "big")
        if len(packet) != self.octets:
            raise ValueError(f"a field of {values} has the wrong size")
        return bytes(packet)

    def decode(self, packet):
        """Every field as an integer, timestamps and the HMAC as octets."""
        if len(packet) < self.octets:
            raise ValueError(f"{len(packet)} octets where {self.octets} are needed")
        values = {}
        for name, (offset, size) in self.fields.items():
            octets = bytes(packet[offset : offset + size])
            values[name] = octets if size >= 8 else int.from_bytes(octets, "big")
        return values

    def reserved(self, packet):
        """The octets that must be zero."""
        covered = set()
        for offset, size in self.fields.values():
            covered.update(range(offset, offset + size))
        return bytes(packet[index] for index in range(self.octets) if index not in covered)


OPEN_PROBE = Layout(44, sequence=(0, 4), timestamp=(4, 8), error_estimate=(12, 2), ssid=(14, 2))
OPEN_REPLY = Layout(
    44,
    sequence=(0, 4),
    timestamp=(4, 8),
    error_estimate=(12, 2),
    ssid=(14, 2),
    receive_timestamp=(16, 8),
    sender_sequence=(24, 4),
    sender_timestamp=(28, 8),
    sender_error_estimate=(36, 2),
    sender_ttl=(40, 1),
)
SEALED_PROBE = Layout(
    112, sequence=(0, 4), timestamp=(16, 8), error_estimate=(24, 2), ssid=(26, 2), hmac=(96, 16)
)
SEALED_REPLY = Layout(
    112,
    sequence=(0, 4),
    timestamp=(16, 8),
    error_estimate=(24, 2),
    ssid=(26, 2),
    receive_timestamp=(32, 8),
    sender_sequence=(48, 4),
    sender_timestamp=(64, 8),
    sender_error_estimate=(72, 2),
    sender_ttl=(80, 1),
    hmac=(96, 16),
)

# --- time -----------------------------------------------------------------------------------------

SYNCHRONIZED = 0x8000
PTP_FORMAT = 0x4000


def error_estimate(form, scale=0, multiplier=1, synchronized=False):
    bits = (SYNCHRONIZED if synchronized else 0) | (PTP_FORMAT if form == PTP else 0)
    return bits | scale << 8 | multiplier


def form_of(estimate):
    """The timestamp format that an Error Estimate declares (RFC 8186 §2.3)."""
    return PTP if estimate & PTP_FORMAT else NTP


def timestamp(unix_ns, form):
    seconds, nanoseconds = divmod(unix_ns, _BILLION)
    if form == PTP:
        return struct.pack("!II", seconds % 2**32, nanoseconds)
    fraction = (nanoseconds * 2**32 + _BILLION // 2) // _BILLION
    return struct.pack("!II", (seconds + _SECONDS_1900_TO_1970) % 2**32, fraction)


def unix_ns(octets, form):
    """The instant that a timestamp names, taken to lie between 1970 and 2036."""
    seconds, rest = struct.unpack("!II", octets)
    if form == PTP:
        if rest >= _BILLION:
            raise ValueError(f"{rest} nanoseconds")
        return seconds * _BILLION + rest
    return (seconds - _SECONDS_1900_TO_1970) * _BILLION + (rest * _BILLION + 2**31 >> 32)


# --- TLVs -----------------------------------------------------------------------------------------

UNRECOGNIZED = 0x80
MALFORMED = 0x40
NONCONFORMANT = 0x10
INTEGRITY = 0x20

EXTRA_PADDING = 1
LOCATION = 2
ACCESS_REPORT = 6
TIMESTAMP_INFORMATION = 3
CLASS_OF_SERVICE = 4
HMAC = 8
DESTINATION_NODE_ADDRESS = 9
RETURN_PATH = 10
MICRO_SESSION_ID = 11
REFLECTED_TEST_PACKET_CONTROL = 12
UNASSIGNED = 99


def tlv(kind, value=b"", flags=UNRECOGNIZED, length=None):
    return struct.pack("!BBH", flags, kind, len(value) if length is None else length) + value


def tlvs(area):
    """`(flags, kind, value)` of each; a value that runs past the end is cut off there."""
    found = []
    while len(area) >= 4:
        flags, kind, length = struct.unpack("!BBH", area[:4])
        found.append((flags, kind, bytes(area[4 : 4 + length])))
        area = area[4 + length :]
    return found


# --- authentication -------------------------------------------------------------------------------


def digest(key, octets):
    return hmac.new(key, octets, hashlib.sha256).digest()[:16]


def seal(key, packet):
    """Writes the HMAC of RFC 8762 §4.4 into the base packet; TLVs behind it stay."""
    return packet[:96] + digest(key, packet[:96]) + packet[112:]


def is_sealed(key, packet):
    return hmac.compare_digest(digest(key, packet[:96]), packet[96:112])


def hmac_tlv(key, packet, preceding):
    """The HMAC TLV of RFC 8972 §4.8 behind the TLVs `preceding`."""
    return tlv(HMAC, digest(key, packet[:4] + preceding))
