"""TWAMP-Test peers (RFC 5357): the crates `twamp` (TWAMP Light) and `twamp-rs` (behind TWAMP-Control), in both roles.

Only unauthenticated mode interworks (RFC 8762 §4.6).
"""

import json
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

from programs import INSTALLED, LOOPBACK, PATIENCE_SECONDS, Program, free_port, measure, reflector, wait_for_port
from report import case, expect, expect_between
from twamp_control import Server, test_session

LIGHT = INSTALLED / "twamp" / "bin" / "twamp_example"
CONTROLLER = INSTALLED / "twamp-rs" / "bin" / "controller"
RESPONDER = INSTALLED / "twamp-rs" / "bin" / "responder"

LOGGING = """
appenders: {stdout: {kind: console, encoder: {pattern: "{m}{n}"}}}
root: {level: info, appenders: [stdout]}
"""
SHORT_PROBES = """
[[allow]]
prefix = "127.0.0.0/8"
short-probes = true
"""


@contextmanager
def light(**configuration):
    """The crate's example program, with its configuration file and where it looks for that of its log."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "twamp").mkdir()
        (Path(folder) / "twamp" / "log_config.yml").write_text(LOGGING)
        (Path(folder) / "config.json").write_text(json.dumps(configuration))
        with Program([LIGHT, "config.json"], folder=folder) as program:
            yield program


@contextmanager
def short_probes_allowed():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reflector.toml"
        path.write_text(SHORT_PROBES)
        yield ["--config.file", path]


def expect_far_end(run, mode, tlvs):
    run.expect_clean()
    reflector_seen = run.session["reflector"]
    expect(reflector_seen["mode"], mode, "reflector mode as reported")
    expect(reflector_seen["timestamp_format"], "ntp", "timestamp format as reported")
    expect(reflector_seen["zero_ssid"], True, "zero SSID as reported: TWAMP has none")
    expect(run.session["tlvs"]["last"], tlvs, "TLVs as reported")


@case("twamp", "Session-Reflector", "TWAMP Light, 44 octets", (), "not_asked")
@case("twamp", "Session-Reflector", "TWAMP Light, probes with Extra Padding", ("--size", 200), "unsupported")
def a_twamp_light_reflector_is_measured(options, tlvs):
    port = free_port()
    with light(mode="LIGHT_REFLECTOR", source_ip_address=f"{LOOPBACK[4]}:{port}", ref_wait=900) as program:
        wait_for_port(program, port)
        run = measure(port, *options)
    expect_far_end(run, "stateful", tlvs)
    for sample in run.samples:
        for name in ("forward_ns", "backward_ns", "round_trip_ns", "residence_ns"):
            expect_between(sample[name], 0, 1_000_000_000, name)


def ask_with_light(port, padding):
    """What the crate's sender says of a second of probes at 50 ms, each of 41 octets and `padding`."""
    with light(
        mode="LIGHT_SENDER",
        hosts=[{"ip": LOOPBACK[4], "port": port}],
        source_ip_address=f"{LOOPBACK[4]}:{free_port()}",
        collection_period=1,
        packet_interval=50,
        padding=padding,
        last_message_timeout=1,
    ) as program:
        expect(program.wait_for_end(), 0, "exit status")
    result = json.loads(program.output()[program.output().index("Result {") + len("Result ") :])
    return result["session_results"][0]["network_statistics"]


@case("twamp", "Session-Sender", "TWAMP Light, 44 octets", 3, (), False)
@case("twamp", "Session-Sender", "TWAMP Light, 82 octets, stateful", 41, ("--stateful",), False)
@case("twamp", "Session-Sender", "TWAMP Light, 41 octets, short-probes allowed", 0, (), True)
def a_twamp_light_sender_is_answered(padding, options, short):
    with short_probes_allowed() as configuration:
        with reflector(*options, *(configuration if short else ())) as port:
            statistics = ask_with_light(port, padding)
    expect_between(statistics["total_packets"], 10, 21, "probes it sent")
    expect(statistics["total_loss"], 0, "probes it lost")
    # It subtracts in f64 seconds; a negative value or one of a second would be a misread field.
    for name in ("min_rtt", "min_process_time", "min_backward_owd", "min_forward_owd"):
        expect_between(statistics[name], 1, 1_000_000_000, f"its {name}")


@case("twamp", "Session-Sender", "TWAMP Light, 41 octets, refused by default")
def a_probe_shorter_than_its_reply_is_refused():
    with reflector() as port:
        statistics = ask_with_light(port, padding=0)
    expect(statistics["total_loss"], statistics["total_packets"], "probes it lost")


@case("twamp-rs", "Session-Reflector", "TWAMP, 44 octets")
def a_twamp_reflector_is_measured():
    ours, theirs = free_port(), free_port()
    control = free_port()
    with Program([RESPONDER, "--addr", LOOPBACK[4], "--port", control], {"RUST_LOG": "info"}) as program:
        program.wait_for_line("Listening TWAMP-Control")
        with test_session(control, ours, theirs) as port:
            run = measure(port, "--source-port", ours)
    # It answers the port it was told of and no other, so that our question for its mode stays without answer; without
    # a loss nothing else tells.
    expect_far_end(run, "unknown", "not_asked")
    for sample in run.samples:
        # Its fraction of a second is a number of nanoseconds (RFC 4656 §4.1.2 wants 2^-32 s): up to 0.77 s short.
        expect_between(sample["forward_ns"], -800_000_000, 100_000_000, "forward delay")


@case("twamp-rs", "Session-Sender", "TWAMP, 14 octets, short-probes allowed")
def a_twamp_sender_is_answered():
    with short_probes_allowed() as configuration, reflector(*configuration) as port, Server(port) as server:
        arguments = [CONTROLLER, "--responder-addr", LOOPBACK[4], "--responder-port", server.port]
        arguments += ["--controller-addr", LOOPBACK[4], "--responder-reflect-port", port]
        arguments += ["--number-of-test-packets", 10, "--stop-session-sleep", PATIENCE_SECONDS]
        with Program(arguments, {"RUST_LOG": "info", "NO_COLOR": "1"}) as program:
            expect(program.wait_for_end(), 0, "exit status")
    expect(len(re.findall("Got back all test packets", program.output())), 1, "its word that every reply came")
    expect(re.findall(r"Packet loss: (\d+)%", program.output()), ["0"], "loss in percent as it counts")
