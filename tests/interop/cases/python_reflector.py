"""Our sender measures against reflectors in Python: scapy for open mode, struct and hmac for authenticated."""

import time

from answers import Reflecting, ScapyCodec, SealedCodec
from packets import ACCESS_REPORT, EXTRA_PADDING, HMAC, INTEGRITY, MALFORMED, NTP, PTP, UNRECOGNIZED, digest, tlv
from peers import AnsweringEndpoint
from programs import key_file, measure, need_family
from report import case, expect, expect_between, expect_true

KEY = bytes(range(100, 132))
OPEN, SEALED = "open", "authenticated"


def against(reflecting, mode, *options, version=4, **how):
    need_family(version)
    with AnsweringEndpoint(reflecting, version) as endpoint:
        if mode == OPEN:
            return measure(endpoint.port, *options, version=version, **how)
        with key_file(KEY) as keys:
            return measure(endpoint.port, "--auth", "--key-file", keys, *options, version=version, **how)


def codec(mode):
    return ScapyCodec() if mode == OPEN else SealedCodec(KEY)


def base(mode):
    return 44 if mode == OPEN else 112


@case("scapy", "Session-Reflector", "open, stateless, IPv4", OPEN, 4)
@case("scapy", "Session-Reflector", "open, stateless, IPv6", OPEN, 6)
@case("python", "Session-Reflector", "authenticated, stateless, IPv4", SEALED, 4)
@case("python", "Session-Reflector", "authenticated, stateless, IPv6", SEALED, 6)
def probes_are_read_and_replies_measured(mode, version):
    since_ns = time.time_ns()
    reflecting = Reflecting(codec(mode))
    run = against(reflecting, mode, "--dscp", "EF", version=version)
    run.expect_clean()
    reflecting.expect_probes(run, NTP, since_ns, base(mode), traffic_class=46 << 2)
    reflecting.expect_samples(run)
    session = run.session
    expect({probe["ssid"] for _, probe, _, _ in reflecting.probes}, {session["path"]["ssid"]}, "SSID as reported")
    expect(session["reflector"]["timestamp_format"], "ntp", "timestamp format as reported")
    expect(session["reflector"]["zero_ssid"], False, "zero SSID as reported")


@case("scapy", "Session-Reflector", "open, stateless, losses", OPEN)
@case("python", "Session-Reflector", "authenticated, stateless, losses", SEALED)
def a_stateless_reflector_is_known_after_a_loss(mode):
    reflecting = Reflecting(codec(mode))
    reflecting.lose_forward = {3, 4}
    run = against(reflecting, mode, count=40)
    run.expect_packets(40, lost=2, least=5)
    run.expect_lost(longest_run=2, forward=None, backward=None)
    expect(run.session["reflector"]["mode"], "stateless", "reflector mode as reported")


@case("scapy", "Session-Reflector", "open, stateful, losses in both directions", OPEN)
@case("python", "Session-Reflector", "authenticated, stateful, losses in both directions", SEALED)
def a_stateful_reflector_tells_where_probes_are_lost(mode):
    reflecting = Reflecting(codec(mode), stateful=True)
    reflecting.lose_forward = {4, 5, 11}
    reflecting.lose_backward = {7, 14, 15, 16}
    run = against(reflecting, mode, "--stateful", count=60)
    run.expect_packets(60, lost=7, least=17)
    run.expect_lost(forward=3, backward=4, longest_run=3, local=0)
    expect(run.session["reflector"]["mode"], "stateful", "reflector mode as reported")
    lost = sorted(line["sequence"] for line in run.of("lost"))
    expect(lost, [4, 5, 7, 11, 14, 15, 16], "sequences of lost probes")


@case("scapy", "Session-Reflector", "open, probes in NTP, replies in PTP", OPEN, NTP, PTP)
@case("scapy", "Session-Reflector", "open, probes in PTP, replies in NTP", OPEN, PTP, NTP)
@case("scapy", "Session-Reflector", "open, both in PTP", OPEN, PTP, PTP)
@case("python", "Session-Reflector", "authenticated, probes in NTP, replies in PTP", SEALED, NTP, PTP)
@case("python", "Session-Reflector", "authenticated, probes in PTP, replies in NTP", SEALED, PTP, NTP)
def each_timestamp_is_read_by_its_own_format(mode, probe_form, reply_form):
    since_ns = time.time_ns()
    reflecting = Reflecting(codec(mode), form=reply_form)
    run = against(reflecting, mode, "--timestamp-format", probe_form)
    run.expect_clean()
    reflecting.expect_probes(run, probe_form, since_ns, base(mode))
    reflecting.expect_samples(run)
    expect(run.session["reflector"]["timestamp_format"], reply_form, "timestamp format as reported")


@case("scapy", "Session-Reflector", "open, far clock 5 s ahead")
def a_wrong_far_clock_shows_as_negative_delay():
    five_seconds = 5_000_000_000
    reflecting = Reflecting(ScapyCodec(), ahead_ns=five_seconds)
    run = against(reflecting, OPEN)
    run.expect_clean()
    reflecting.expect_samples(run)
    delay = run.session["delay_ns"]
    expect(delay["backward"]["negative"], run.sent, "negative backward delays")
    expect_between(delay["backward"]["p50"], -five_seconds, -five_seconds + 1_000_000_000, "median backward delay")
    expect_between(delay["round_trip"]["max"], 0, 1_000_000_000, "largest round trip")
    expect(run.session["clock"]["one_way"]["synchronized"], False, "one-way values trusted")


@case("scapy", "Session-Reflector", "open, replies without SSID (RFC 8762 only)", OPEN)
@case("python", "Session-Reflector", "authenticated, replies without SSID", SEALED)
def a_reflector_without_ssid_is_measured_and_named(mode):
    reflecting = Reflecting(codec(mode), ssid=0)
    run = against(reflecting, mode)
    run.expect_clean()
    expect(run.session["reflector"]["zero_ssid"], True, "zero SSID as reported")


@case("scapy", "Session-Reflector", "open, every reply twice", OPEN)
@case("python", "Session-Reflector", "authenticated, every reply twice", SEALED)
def a_second_copy_is_no_second_sample(mode):
    run = against(Reflecting(codec(mode), copies=2), mode)
    # The run may end with the first copy of the last reply.
    seen = run.session["packets"]["duplicate"]
    expect_between(seen, run.sent - 1, run.sent, "duplicates")
    run.expect_packets(10, duplicate=seen)
    expect(len(run.samples), run.sent, "samples")


@case("scapy", "Session-Reflector", "open, TLVs processed", 0, "supported", None)
@case("scapy", "Session-Reflector", "open, TLVs only copied", UNRECOGNIZED, "unsupported", None)
@case("scapy", "Session-Reflector", "open, TLVs with flag M", MALFORMED, "malformed", "tlv_malformed")
@case("scapy", "Session-Reflector", "open, TLVs with flag I", INTEGRITY, "integrity_failed", "tlv_integrity_failed")
def the_flags_of_reflected_tlvs_are_understood(flags, outcome, label):
    since_ns = time.time_ns()
    reflecting = Reflecting(ScapyCodec(), tlv_flags=flags)
    run = against(reflecting, OPEN, "--size", 100)
    run.expect_clean()
    reflecting.expect_probes(run, NTP, since_ns, 100, types=[EXTRA_PADDING])
    reflecting.expect_samples(run)
    expect(run.session["tlvs"]["last"], outcome, "TLVs as reported")
    for sample in run.samples:
        expect([flag for flag in sample["flags"] if flag.startswith("tlv")], [label] if label else [], "sample's flags")


@case("scapy", "Session-Reflector", "open, Access Report: echoed")
def an_access_report_is_sent_until_it_is_echoed():
    reflecting = Reflecting(ScapyCodec(), tlv_flags=0)
    reflecting.lose_backward = {0}
    options = ("--access-report", "non-3gpp,available", "--access-report-timer", "50ms")
    run = against(reflecting, OPEN, *options)
    reports = [
        (probe["sequence"], value) for _, probe, _, area in reflecting.probes for _, kind, value in area if kind == ACCESS_REPORT
    ]
    expect([value for _, value in reports], [b"\x20\x01\x00\x00"] * 2, "Access Reports of probes")
    expect(reports[0][0], 0, "the first probe with a report")
    expect_true(reports[1][0] >= 3, "sent again before the timer ran out")
    expect(run.session["answers"]["access_report"]["state"], "acknowledged", "state of the report")


@case("scapy", "Session-Reflector", "open, replies of the base size to larger probes")
def missing_tlvs_are_told():
    run = against(Reflecting(ScapyCodec(), area=lambda sequence, area: []), OPEN, "--size", 100)
    run.expect_clean()
    expect(run.session["tlvs"]["last"], "missing", "TLVs as reported")


def resealed(key):
    """The TLVs as a reflector returns them: known ones without U, the HMAC TLV made anew."""

    def area(sequence, received):
        preceding = [(0, kind, value) for _, kind, value in received if kind != HMAC]
        octets = b"".join(tlv(kind, value, flags) for flags, kind, value in preceding)
        return [*preceding, (0, HMAC, digest(key, sequence.to_bytes(4, "big") + octets))]

    return area


def hmac_tlvs_verify(reflecting, key):
    for datagram, _, _, area in reflecting.probes:
        start = len(datagram.octets) - sum(4 + len(value) for _, _, value in area)
        before = datagram.octets[start : len(datagram.octets) - 20]
        expect([kind for _, kind, _ in area][-1], HMAC, "type of the last TLV")
        expect(area[-1][2], digest(key, datagram.octets[:4] + before), "digest in the HMAC TLV of a probe")


@case("scapy", "Session-Reflector", "open, HMAC TLV", OPEN, ("--tlv-hmac",), 44 + 20, False)
@case("scapy", "Session-Reflector", "open, HMAC TLV, stateful", OPEN, ("--tlv-hmac",), 44 + 20, True)
def the_hmac_tlv_of_a_reply_is_verified(mode, options, octets, stateful):
    since_ns = time.time_ns()
    reflecting = Reflecting(codec(mode), area=resealed(KEY), stateful=stateful)
    with key_file(KEY) as keys:
        run = against(reflecting, mode, *options, "--key-file", keys)
    run.expect_clean()
    reflecting.expect_probes(run, NTP, since_ns, octets, types=[HMAC])
    hmac_tlvs_verify(reflecting, KEY)
    expect(run.session["tlvs"]["last"], "supported", "TLVs as reported")


@case("scapy", "Session-Reflector", "open, HMAC TLV of another key")
def an_hmac_tlv_of_another_key_is_told():
    with key_file(KEY) as keys:
        reflecting = Reflecting(ScapyCodec(), area=resealed(bytes(32)))
        run = against(reflecting, OPEN, "--tlv-hmac", "--key-file", keys)
    run.expect_clean()
    expect(run.session["tlvs"]["last"], "unverified", "TLVs as reported")


@case("python", "Session-Reflector", "authenticated, replies sealed with another key")
def a_forged_reply_is_no_sample():
    run = against(Reflecting(SealedCodec(KEY, reply_key=bytes(32))), SEALED)
    expect(run.status, 1, "exit status")
    run.expect_packets(10, lost=run.sent, rejected=run.sent)
    expect(run.session["packets"]["rejected_by_reason"]["authentication"], run.sent, "rejected by authentication")
    expect_true(not run.samples, "there are samples of replies that do not verify")
