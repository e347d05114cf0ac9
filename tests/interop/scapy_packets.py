"""The only file that knows scapy: packets of `contrib.stamp` in the words of `packets.py`."""

import logging
import struct

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.contrib.stamp import (  # noqa: E402
    ErrorEstimate,
    STAMPSessionReflectorTestUnauthenticated,
    STAMPSessionSenderTestUnauthenticated,
    STAMPTestTLV,
)

from packets import PTP  # noqa: E402

__all__ = ["STAMPTestTLV", "decode_probe", "decode_reply", "encode_probe", "encode_reply"]


def _estimate(form, scale=12, multiplier=200, synchronized=0):
    return ErrorEstimate(S=synchronized, Z=1 if form == PTP else 0, scale=scale, multiplier=multiplier)


def _estimate_bits(estimate):
    return struct.unpack("!H", bytes(estimate))[0]


def _set_timestamp(packet, name, octets):
    # Assigning converts from seconds in one format and not in the other; the wire form is what is wanted.
    packet.fields[name] = int.from_bytes(octets, "big")


def _timestamp(packet, name):
    return packet.getfieldval(name).to_bytes(8, "big")


def encode_probe(sequence, timestamp, ssid, form, tlvs=()):
    """The octets, and the Error Estimate in them."""
    packet = STAMPSessionSenderTestUnauthenticated(
        seq=sequence, err_estimate=_estimate(form), ssid=ssid, tlv_objects=list(tlvs)
    )
    _set_timestamp(packet, "ts", timestamp)
    return bytes(packet), _estimate_bits(packet.err_estimate)


def decode_probe(octets):
    """Fields, reserved octets, TLVs as `(flags, kind, value)`."""
    packet = STAMPSessionSenderTestUnauthenticated(octets)
    fields = {
        "sequence": packet.seq,
        "timestamp": _timestamp(packet, "ts"),
        "error_estimate": _estimate_bits(packet.err_estimate),
        "ssid": packet.ssid,
    }
    return fields, packet.mbz.to_bytes(28, "big"), _tlvs(packet)


def encode_reply(sequence, timestamp, receive_timestamp, form, probe, ttl, tlvs=(), ssid=None):
    """A reply to the decoded `probe`; the sender's format stays what it was."""
    packet = STAMPSessionReflectorTestUnauthenticated(
        seq=sequence,
        err_estimate=_estimate(form),
        ssid=probe["ssid"] if ssid is None else ssid,
        seq_sender=probe["sequence"],
        err_estimate_sender=ErrorEstimate(probe["error_estimate"].to_bytes(2, "big")),
        ttl_sender=ttl,
        tlv_objects=[STAMPTestTLV(flags=flags, type=kind, len=len(value), value=value) for flags, kind, value in tlvs],
    )
    _set_timestamp(packet, "ts", timestamp)
    _set_timestamp(packet, "ts_rx", receive_timestamp)
    _set_timestamp(packet, "ts_sender", probe["timestamp"])
    return bytes(packet)


def decode_reply(octets):
    """Fields, reserved octets, TLVs as `(flags, kind, value)`."""
    packet = STAMPSessionReflectorTestUnauthenticated(octets)
    fields = {
        "sequence": packet.seq,
        "timestamp": _timestamp(packet, "ts"),
        "error_estimate": _estimate_bits(packet.err_estimate),
        "ssid": packet.ssid,
        "receive_timestamp": _timestamp(packet, "ts_rx"),
        "sender_sequence": packet.seq_sender,
        "sender_timestamp": _timestamp(packet, "ts_sender"),
        "sender_error_estimate": _estimate_bits(packet.err_estimate_sender),
        "sender_ttl": packet.ttl_sender,
    }
    return fields, packet.mbz1.to_bytes(2, "big") + packet.mbz2.to_bytes(3, "big"), _tlvs(packet)


def _tlvs(packet):
    return [(int(tlv.flags), tlv.type, bytes(tlv.value)) for tlv in packet.tlv_objects]
