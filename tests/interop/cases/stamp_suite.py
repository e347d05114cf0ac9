"""The crate `stamp-suite`, an independent STAMP implementation, in both roles."""

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path

from packets import NTP, PTP
from peers import Relay
from programs import INSTALLED, LOOPBACK, Program, free_port, key_file, measure, need_family, reflector
from report import case, expect, expect_between, expect_true

PROGRAM = INSTALLED / "stamp-suite" / "bin" / "stamp-suite"
KEY = bytes(range(32))
SSID = 0x1357
COUNT = 10


@contextmanager
def their_key():
    """The key as the peer wants it: one line of hex."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key"
        path.write_text(KEY.hex())
        path.chmod(0o600)
        yield path


class Direct:
    """Nothing between the two."""

    def __init__(self, port):
        self.port = port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


# --- its reflector, our sender --------------------------------------------------------------------


def measure_their_reflector(options, ours, version=4, keyed=False, between=Direct, count=COUNT):
    need_family(version)
    port = free_port(version)
    with their_key() as theirs, key_file(KEY) as keys:
        arguments = [PROGRAM, "--is-reflector", "--local-addr", LOOPBACK[version], "--local-port", port, *options]
        arguments += ["--hmac-key-file", theirs] if keyed else []
        with Program(arguments) as program:
            program.wait_for_line("Reflector listening on")
            ours = [*ours, *(["--key-file", keys] if keyed else [])]
            with between(port) as way:
                return measure(way.port, *ours, version=version, count=count)


def expect_plausible(run):
    """Times of one host: nothing is negative, the parts make up the whole."""
    for sample in run.samples:
        for name in ("forward_ns", "backward_ns", "round_trip_ns", "residence_ns"):
            expect_between(sample[name], 0, 1_000_000_000, name)
        beyond = sample["forward_ns"] + sample["backward_ns"] - sample["round_trip_ns"]
        expect_between(beyond, -2, 2, "forward and backward beyond the round trip")
        expect((sample["hops"], sample["backward_hops"]), (0, 0), "hops there and back")


@case("stamp-suite", "Session-Reflector", "open, stateless, IPv4", 4, (), False)
@case("stamp-suite", "Session-Reflector", "open, stateless, IPv6", 6, (), False)
@case("stamp-suite", "Session-Reflector", "open, stateful, IPv4", 4, ("--stateful-reflector",), False)
@case("stamp-suite", "Session-Reflector", "open, stateful, IPv6", 6, ("--stateful-reflector",), False)
@case("stamp-suite", "Session-Reflector", "authenticated, stateless, IPv4", 4, ("-A", "A"), True)
@case("stamp-suite", "Session-Reflector", "authenticated, stateless, IPv6", 6, ("-A", "A"), True)
@case("stamp-suite", "Session-Reflector", "authenticated, stateful, IPv4", 4, ("-A", "A", "--stateful-reflector"), True)
@case("stamp-suite", "Session-Reflector", "authenticated, stateful, IPv6", 6, ("-A", "A", "--stateful-reflector"), True)
def its_reflector_is_measured(version, options, keyed):
    stateful = "--stateful-reflector" in options
    ours = (["--auth"] if keyed else []) + (["--stateful"] if stateful else [])
    run = measure_their_reflector(options, ours, version, keyed)
    run.expect_clean(COUNT)
    expect_plausible(run)
    session = run.session
    expect(session["reflector"]["mode"], "stateful" if stateful else "stateless", "reflector mode as reported")
    expect(session["reflector"]["zero_ssid"], False, "zero SSID as reported")
    expect(session["packets"]["lost"]["forward"], 0 if stateful else None, "forward loss")
    expect(session["tlvs"]["last"], "not_asked", "TLVs as reported")


@case("stamp-suite", "Session-Reflector", "open, stateful, losses in both directions", ("--stateful-reflector",), False)
@case(
    "stamp-suite",
    "Session-Reflector",
    "authenticated, stateful, losses in both directions",
    ("--stateful-reflector", "-A", "A"),
    True,
)
def its_count_of_replies_tells_where_probes_are_lost(options, keyed):
    def between(port):
        return Relay(port, lose_forward={4, 5, 11}, lose_backward={7, 14, 15, 16}, sealed=keyed)

    ours = ["--stateful", *(["--auth"] if keyed else [])]
    run = measure_their_reflector(options, ours, keyed=keyed, between=between, count=60)
    run.expect_packets(60, lost=7, least=17)
    run.expect_lost(forward=3, backward=4, longest_run=3, local=0)


@case("stamp-suite", "Session-Reflector", "open, probes in NTP, replies in PTP", NTP, PTP)
@case("stamp-suite", "Session-Reflector", "open, probes in PTP, replies in NTP", PTP, NTP)
@case("stamp-suite", "Session-Reflector", "open, both in PTP", PTP, PTP)
def its_reflector_writes_another_format(ours, theirs):
    run = measure_their_reflector(["--clock-source", theirs.upper()], ["--timestamp-format", ours])
    run.expect_clean(COUNT)
    expect_plausible(run)
    expect(run.session["reflector"]["timestamp_format"], theirs, "timestamp format as reported")


@case("stamp-suite", "Session-Reflector", "open, Extra Padding", (), ("--size", 300), False)
@case("stamp-suite", "Session-Reflector", "authenticated, Extra Padding", ("-A", "A"), ("--auth", "--size", 300), True)
@case("stamp-suite", "Session-Reflector", "open, HMAC TLV", ("--verify-tlv-hmac",), ("--tlv-hmac",), True)
@case(
    "stamp-suite",
    "Session-Reflector",
    "open, HMAC TLV, Extra Padding, stateful",
    ("--verify-tlv-hmac", "--stateful-reflector"),
    ("--tlv-hmac", "--size", 300, "--stateful"),
    True,
)
def its_reflector_processes_our_tlvs(options, ours, keyed):
    run = measure_their_reflector(options, ours, keyed=keyed)
    run.expect_clean(COUNT)
    expect_plausible(run)
    expect(run.session["tlvs"]["last"], "supported", "TLVs as reported")
    expect(run.session["tlvs"]["supported"], run.sent, "replies whose TLVs were processed")


@case("stamp-suite", "Session-Reflector", "open, TLVs copied only")
def its_reflector_without_tlvs_is_known_as_such():
    run = measure_their_reflector(["--tlv-mode", "ignore"], ["--size", 300])
    run.expect_clean(COUNT)
    expect(run.session["tlvs"]["last"], "unsupported", "TLVs as reported")


@case("stamp-suite", "Session-Reflector", "authenticated, keys that differ: no reply")
def its_reflector_answers_nobody_with_another_key():
    port = free_port()
    with their_key() as theirs, key_file(bytes(32)) as keys:
        arguments = [PROGRAM, "--is-reflector", "--local-addr", LOOPBACK[4], "--local-port", port, "-A", "A"]
        with Program([*arguments, "--hmac-key-file", theirs]) as program:
            program.wait_for_line("Reflector listening on")
            run = measure(port, "--auth", "--key-file", keys, count=COUNT, timeout="200ms")
    expect(run.status, 1, "exit status")
    run.expect_packets(COUNT, lost=run.sent)


# --- its sender, our reflector --------------------------------------------------------------------


def ask_our_reflector(options, ours, version=4, keyed=False, between=Direct):
    """What its sender says at the end."""
    with their_key() as theirs, key_file(KEY) as keys:
        ours = [*ours, *(["--key-file", keys] if keyed else [])]
        with reflector(*ours, version=version) as port, between(port) as way:
            arguments = [PROGRAM, "--remote-addr", LOOPBACK[version], "--local-addr", LOOPBACK[version]]
            arguments += ["--remote-port", way.port, "--ssid", SSID]
            arguments += ["--count", COUNT, "--send-delay", "20ms", "--timeout", 1, "--output-format", "json"]
            arguments += ["--hmac-key-file", theirs] if keyed else []
            with Program([*arguments, *options]) as program:
                status = program.wait_for_end()
    expect(status, 0, f"exit status; it wrote: {program.output()}")
    summaries = [json.loads(line) for line in program.lines if line.startswith('{"type":"summary"')]
    expect(len(summaries), 1, "summaries")
    return summaries[0]


def expect_satisfied(summary, form=NTP):
    """It counts every probe as answered once, and its delays are those of one host."""
    sent = (summary["packets_sent"], summary["packets_received"], summary["packets_lost"])
    expect(sent, (COUNT, COUNT, 0), "packets sent, received and lost, as it counts")
    measurements = summary["measurements"]
    for name in ("duplicate_replies", "unknown_replies", "late_replies", "additional_replies"):
        expect(measurements[name], 0, name)
    expect(measurements["tlv_validation"]["rejected_replies"], 0, "rejected replies")
    one_way = summary["owd"]
    expect(one_way["samples"], COUNT, "one-way samples")
    for direction in ("forward", "reverse"):
        expect_between(one_way[f"{direction}_min_ms"], 0, 1000, f"its least {direction} delay")
        expect_between(one_way[f"{direction}_max_ms"], 0, 1000, f"its largest {direction} delay")
    expect(one_way["clock_quality"]["last_reflector"]["format"], form.upper(), "our timestamp format, as it reads it")
    expect(one_way["clock_quality"]["invalid_estimate"], 0, "Error Estimates it finds invalid")


@case("stamp-suite", "Session-Sender", "open, stateless, IPv4", 4, (), (), False)
@case("stamp-suite", "Session-Sender", "open, stateless, IPv6", 6, (), (), False)
@case("stamp-suite", "Session-Sender", "authenticated, stateless, IPv4", 4, ("-A", "A"), ("--auth",), True)
@case("stamp-suite", "Session-Sender", "authenticated, stateless, IPv6", 6, ("-A", "A"), ("--auth",), True)
@case("stamp-suite", "Session-Sender", "authenticated, stateful, IPv4", 4, ("-A", "A"), ("--auth", "--stateful"), True)
@case("stamp-suite", "Session-Sender", "authenticated, stateful, IPv6", 6, ("-A", "A"), ("--auth", "--stateful"), True)
def its_sender_is_answered(version, options, ours, keyed):
    expect_satisfied(ask_our_reflector(options, ours, version, keyed))


@case("stamp-suite", "Session-Sender", "open, stateful, IPv4, losses", 4, (), ("--stateful",), False)
@case("stamp-suite", "Session-Sender", "open, stateful, IPv6, losses", 6, (), ("--stateful",), False)
@case("stamp-suite", "Session-Sender", "authenticated, stateful, losses", 4, ("-A", "A"), ("--auth", "--stateful"), True)
@case("stamp-suite", "Session-Sender", "open, stateless, losses", 4, (), (), False)
def its_sender_sees_the_count_of_replies(version, options, ours, keyed):
    def between(port):
        return Relay(port, lose_forward={3, 4, 6}, sealed=keyed, version=version)

    summary = ask_our_reflector(options, ours, version, keyed, between)
    expect((summary["packets_sent"], summary["packets_received"]), (COUNT, COUNT - 3), "packets sent and received")
    measurements = summary["measurements"]
    last = COUNT - 1 - (3 if "--stateful" in ours else 0)
    expect(measurements["last_reflector_sequence"], last, "our last Sequence Number, as it reads it")
    expect(measurements["unknown_replies"], 0, "unknown replies")


@case("stamp-suite", "Session-Sender", "open, probes in NTP, replies in PTP", NTP, PTP)
@case("stamp-suite", "Session-Sender", "open, probes in PTP, replies in NTP", PTP, NTP)
@case("stamp-suite", "Session-Sender", "open, both in PTP", PTP, PTP)
def its_sender_reads_another_format(theirs, ours):
    summary = ask_our_reflector(["--clock-source", theirs.upper()], ["--timestamp-format", ours])
    expect_satisfied(summary, ours)


def expect_tlvs(summary, verified, **unrecognized):
    validation = summary["measurements"]["tlv_validation"]
    expect(validation["evaluated_replies"], COUNT, "replies whose TLVs it looked at")
    expect(validation["hmac"]["verified"], verified, f"HMAC TLVs that it verified ({validation['hmac']})")
    expect(validation["hmac"]["failed"], 0, "HMAC TLVs that failed")
    expect(validation["flags"]["malformed"], 0, "TLVs with flag M")
    expect(validation["flags"]["integrity_failed"], 0, "TLVs with flag I")
    seen = {kind: entry["flags"]["unrecognized"] for kind, entry in validation["by_type"].items()}
    expect(seen, {name.removeprefix("type"): number for name, number in unrecognized.items()}, "flags U by type")


@case("stamp-suite", "Session-Sender", "open, Extra Padding")
def its_extra_padding_is_echoed():
    summary = ask_our_reflector(["--extra-padding", 20], [])
    expect_satisfied(summary)
    expect_tlvs(summary, verified=0, type1=0)


@case("stamp-suite", "Session-Sender", "authenticated, Extra Padding, HMAC TLV, stateful")
def its_hmac_tlv_is_verified_and_made_anew():
    options = ["-A", "A", "--extra-padding", 20, "--tlv-hmac", "on", "--verify-tlv-hmac"]
    summary = ask_our_reflector(options, ["--auth", "--stateful"], keyed=True)
    expect_satisfied(summary)
    expect_tlvs(summary, verified=COUNT, type1=0, type8=0)


@case("stamp-suite", "Session-Sender", "open, Location: echoed, same length and order")
def its_other_tlvs_come_back():
    summary = ask_our_reflector(["--location", "--extra-padding", 8], [])
    expect_satisfied(summary)
    validation = summary["measurements"]["tlv_validation"]
    expect(validation["observed_tlvs"], 2 * COUNT, "TLVs it saw")
    expect(validation["flags"]["malformed"], 0, "TLVs with flag M")


@case("stamp-suite", "Session-Sender", "authenticated, keys that differ: no reply")
def its_sender_with_another_key_gets_nothing():
    with their_key() as theirs, key_file(bytes(32)) as keys:
        with reflector("--auth", "--key-file", keys) as port:
            arguments = [PROGRAM, "--remote-addr", LOOPBACK[4], "--remote-port", port, "--count", 3, "-A", "A"]
            arguments += ["--send-delay", "20ms", "--timeout", 1, "--output-format", "json", "--hmac-key-file", theirs]
            with Program(arguments) as program:
                program.wait_for_end()
    summaries = [json.loads(line) for line in program.lines if line.startswith('{"type":"summary"')]
    expect(len(summaries), 1, "summaries")
    expect_true(summaries[0]["packets_sent"] == 3, "it did not send three probes")
    expect(summaries[0]["packets_received"], 0, "replies it got")
