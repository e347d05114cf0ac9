"""Shipped networks told to GoBGP as link state, and imported from what it prints."""

import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path

from link_state import AUTONOMOUS_SYSTEM, Network, Speaker, octets_per_second
from programs import INSTALLED, PATIENCE_SECONDS, REPOSITORY, SENDER, Program
from report import Mismatch, Unavailable, case, expect, expect_true

ROOT = INSTALLED / "gobgp"
DAEMON = ROOT / "usr" / "bin" / "gobgpd"
CLIENT = ROOT / "usr" / "bin" / "gobgp"
STUBS = ROOT / "stubs"
EXAMPLES = REPOSITORY / "examples" / "topologies"

CONFIGURATION = """\
[global.config]
  as = {system}
  router-id = "192.0.2.254"
  port = {port}
[[neighbors]]
  [neighbors.config]
    neighbor-address = "127.0.0.1"
    peer-as = {system}
  [neighbors.transport.config]
    passive-mode = true
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ls"
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Api:
    """What GoBGP answers to those who ask it for its table."""

    def __init__(self, port):
        if not STUBS.exists():
            raise Unavailable("the messages of GoBGP's API are not installed")
        if str(STUBS) not in sys.path:
            sys.path.append(str(STUBS))
        import attribute_pb2  # What messages within messages are.
        import gobgp_pb2
        import gobgp_pb2_grpc
        import grpc

        family = gobgp_pb2.Family(afi=gobgp_pb2.Family.AFI_LS, safi=gobgp_pb2.Family.SAFI_LS)
        self.request = gobgp_pb2.ListPathRequest(table_type=gobgp_pb2.GLOBAL, family=family)
        self.stub = gobgp_pb2_grpc.GobgpApiStub(grpc.insecure_channel(f"127.0.0.1:{port}"))

    def routes(self):
        return list(self.stub.ListPath(self.request, timeout=PATIENCE_SECONDS, wait_for_ready=True))

    def printed(self, count):
        """The table as JSON, once it has that many routes: a speaker is not told that its routes are in."""
        from google.protobuf.json_format import MessageToJson

        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(routes := self.routes()) < count:
            if time.monotonic() > deadline:
                raise Mismatch(f"GoBGP has {len(routes)} of {count} routes")
        expect(len(routes), count, "routes of GoBGP")
        return "".join(MessageToJson(route) + "\n" for route in routes)


def session(daemon, port):
    """A session with GoBGP, which turns speakers away until it waits for them, and does not say when it does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return Speaker(port)
        except ConnectionError as refusal:
            if daemon.ended or time.monotonic() > deadline:
                raise Mismatch(f"{refusal}; GoBGP wrote: {daemon.output()}") from None
        daemon.reader.join(0.05)


@contextmanager
def table(topology):
    """GoBGP with the link state of a topology in it: its API, the port of that, how many routes it was told."""
    ports = free_port(), free_port()
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "gobgpd.toml"
        file.write_text(CONFIGURATION.format(system=AUTONOMOUS_SYSTEM, port=ports[0]))
        with Program([DAEMON, "-f", file, "--api-hosts", f"127.0.0.1:{ports[1]}"]) as daemon:
            daemon.wait_for_line("Add a peer configuration")
            with session(daemon, ports[0]) as speaker:
                announcements = list(Network(topology).announcements())
                for announcement in announcements:
                    speaker.announce(*announcement)
                yield Api(ports[1]), ports[1], len(announcements)


def imported(text):
    """Status, the topology or what was said, notes."""
    ended = subprocess.run(
        [SENDER, "path", "import", "bgp-ls", "-"], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    return ended.returncode, ended.stdout, ended.stderr


def nodes(topology):
    """What link state tells of nodes. Its messages cannot tell an index of 0 from none."""
    usual = topology.get("defaults", {}).get("srgb", [[16000, 23999]])
    return {
        node["name"]: {
            "as": node.get("as", AUTONOMOUS_SYSTEM),
            "loopbacks": node.get("loopbacks"),
            "index": node.get("index") or None,
            "anycast": node.get("anycast", []),
            "srgb": node.get("srgb", usual),
            "sr": node.get("sr", True),
        }
        for node in topology["node"]
    }


def links(topology, groups):
    """What link state tells of links, whichever end a file names first."""
    told = {}
    for link in topology["link"]:
        back = {**link, **link.get("back", {})}
        ways = {}
        for side, way in enumerate((link, back)):
            igp = way.get("igp", 10)
            ways[link["ends"][side]] = {
                "igp": igp,
                "te": way.get("te", igp),
                "affinities": sorted(groups.get(name, name) for name in way.get("affinities", [])),
                "srlgs": way.get("srlgs", []),
                "bandwidth": octets_per_second(way["bandwidth"]) if "bandwidth" in way else None,
                "adjacency": link["adjacency"][side] if "adjacency" in link else None,
            }
        told[link.get("name", " ".join(sorted(link["ends"])))] = ways
    return told


def peers(topology):
    return sorted((peer["at"], peer["as"], peer["label"]) for peer in topology.get("peer", []))


@case("gobgp", "prints BGP-LS", "clos.toml comes back whole", "clos.toml")
@case("gobgp", "prints BGP-LS", "clos-srgb.toml comes back whole", "clos-srgb.toml")
@case("gobgp", "prints BGP-LS", "interdomain.toml comes back whole", "interdomain.toml")
@case("gobgp", "prints BGP-LS", "branches.toml comes back whole", "branches.toml")
@case("gobgp", "prints BGP-LS", "science.toml comes back whole", "science.toml")
def network(name):
    topology = tomllib.loads((EXAMPLES / name).read_text())
    with table(topology) as (api, _, count):
        status, text, said = imported(api.printed(count))
    expect(status, 0, f"stamp-sender path import: {said}")
    back = tomllib.loads(text)
    groups = {group: f"group-{bit}" for bit, group in enumerate(Network(topology).groups)}
    expect(nodes(back), nodes(topology), "nodes")
    expect(links(back, {}), links(topology, groups), "links")
    expect(peers(back), peers(topology), "peers")
    expect_true("left to add: delay, loss of links, MSD" in said, f"what is not told is said: {said}")


@case("gobgp", "prints BGP-LS", "its command line says nothing, and that is told")
def command_line():
    topology = tomllib.loads((EXAMPLES / "clos.toml").read_text())
    with table(topology) as (api, port, count):
        api.printed(count)
        asked = [CLIENT, "-p", str(port), "global", "rib", "-a", "ls", "-j"]
        printed = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout
    status, _, said = imported(printed)
    expect_true(status != 0 and "ask its API" in said, f"refused with a remedy: {status}, {said}")
