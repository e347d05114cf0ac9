"""What Prometheus sends to a store, read without code of others: snappy's block format, and the messages inside."""

import struct

from report import Mismatch, expect


def varint(octets, at):
    """A number of as many octets as it needs, and where the next one begins."""
    value = shift = 0
    while True:
        octet = octets[at]
        at += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value, at
        shift += 7


def decompressed(octets):
    length, at = varint(octets, 0)
    plain = bytearray()
    while at < len(octets):
        tag = octets[at]
        at += 1
        if tag & 3 == 0:
            count = tag >> 2
            if count >= 60:
                wide = count - 59
                count = int.from_bytes(octets[at : at + wide], "little")
                at += wide
            plain += octets[at : at + count + 1]
            at += count + 1
            continue
        if tag & 3 == 1:
            count, offset = (tag >> 2 & 7) + 4, tag >> 5 << 8 | octets[at]
            at += 1
        else:
            wide = 2 if tag & 3 == 2 else 4
            count, offset = (tag >> 2) + 1, int.from_bytes(octets[at : at + wide], "little")
            at += wide
        if not 0 < offset <= len(plain):
            raise Mismatch(f"a copy from {offset} octets back, of {len(plain)}")
        # What is copied may be what the same copy has written.
        for _ in range(count):
            plain.append(plain[-offset])
    expect(len(plain), length, "octets decompressed")
    return bytes(plain)


def fields(octets):
    """Number and value of each field of a message; what is neither number nor octets stays octets."""
    at = 0
    while at < len(octets):
        key, at = varint(octets, at)
        if key & 7 == 0:
            value, at = varint(octets, at)
        else:
            if key & 7 == 2:
                count, at = varint(octets, at)
            else:
                count = {1: 8, 5: 4}[key & 7]
            value = octets[at : at + count]
            at += count
        yield key >> 3, value


def of(number, octets):
    return [value for known, value in fields(octets) if known == number]


def series(request):
    """Labels of each series in a request, with its samples as values by time."""
    for one in of(1, decompressed(request)):
        labels = {}
        for label in of(1, one):
            (name,), (value,) = of(1, label), of(2, label)
            labels[name.decode()] = value.decode()
        samples = {}
        for sample in of(2, one):
            # A value or a time of 0 is left out.
            (value,), (time_ms,) = of(1, sample) or [bytes(8)], of(2, sample) or [0]
            samples[time_ms] = struct.unpack("<d", value)[0]
        yield labels, samples
