"""Cases, what they expect, and the row that each one ends as."""

import os
import sys
import time
import traceback


class Mismatch(Exception):
    """What was seen is not what was expected."""


class Unavailable(Exception):
    """This machine lacks what the case needs; the text says what would help."""


def expect(seen, expected, what):
    if seen != expected:
        raise Mismatch(f"{what}: {show(seen)}, expected {show(expected)}")


def expect_between(seen, least, most, what):
    if seen is None or not least <= seen <= most:
        raise Mismatch(f"{what}: {show(seen)}, expected {show(least)} to {show(most)}")


def expect_true(condition, what):
    if condition is not True:
        raise Mismatch(what)


def show(value):
    return value.hex() if isinstance(value, (bytes, bytearray)) else str(value)


class Case:
    def __init__(self, peer, role, mode, function, arguments):
        self.peer = peer
        self.role = role
        self.mode = mode
        self.function = function
        self.arguments = arguments


CASES = []


def case(peer, role, mode, *arguments):
    """Registers the function below as a case; several of them give several rows with other arguments."""

    def register(function):
        # Decorators are applied from the last to the first; rows come as they are written.
        first = next((at for at, known in enumerate(CASES) if known.function is function), len(CASES))
        CASES.insert(first, Case(peer, role, mode, function, arguments))
        return function

    return register


def run(versions, wanted):
    """Runs every case whose row contains one of the words `wanted`, prints the rows; the exit status."""
    demanded = os.environ.get("STAMP_TEST_REQUIRE") == "all"
    counts = {"passed": 0, "skipped": 0, "FAILED": 0}
    widths = (12, 8, 18, 52)
    print(row(("peer", "version", "peer is", "mode"), widths) + "result", flush=True)
    started = time.monotonic()
    for chosen in CASES:
        columns = (chosen.peer, versions.get(chosen.peer, "-"), chosen.role, chosen.mode)
        line = row(columns, widths)
        if wanted and not any(word in line for word in wanted):
            continue
        result, detail = outcome(chosen, demanded)
        counts[result] += 1
        print(line + result + detail, flush=True)
    seconds = time.monotonic() - started
    print(", ".join(f"{count} {result}" for result, count in counts.items()) + f", {seconds:.0f} s")
    if not counts["passed"]:
        print("no case passed", file=sys.stderr)
        return 1
    return 1 if counts["FAILED"] else 0


def row(columns, widths):
    return "".join(f"{text:<{width}} " for text, width in zip(columns, widths))


def outcome(chosen, demanded):
    try:
        chosen.function(*chosen.arguments)
    except Unavailable as reason:
        return ("FAILED" if demanded else "skipped"), f": {reason}"
    except Mismatch as mismatch:
        return "FAILED", f": {mismatch}"
    except Exception:
        return "FAILED", ":\n" + traceback.format_exc()
    return "passed", ""
