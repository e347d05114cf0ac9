//! What a fault does to the choice of a path, one row each: the moves and states that are to follow, no
//! others, and where the route leads in the end.

use serde_json::Value;
use stamp_tests::netns::{self, Need, Program, Signal, Trial, trials};

use super::network::{Net, OPEN, TOPOLOGY};
use super::service::{DELAYS, LOSSES, Pace, SLOW, Service, WEB, head, told_for_the};
use crate::folder::Folder;
use crate::http::{BEARER, ask, scrape, wait_for};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        link_cut: [Need::IPV6],
        delay_rise: [Need::IPV6],
        loss_burst: [Need::IPV6],
        flapping_link: [Need::IPV6],
        far_clock_in_doubt: [Need::IPV6],
        far_node_that_does_not_stamp: [Need::IPV6],
        drained_link: [Need::IPV6],
    ]
}

const POLICY: &str = "
[class.gaming]
require = { forward-p95 = \"500ms\", loss = \"10%\" }
hold = \"HOLD\"
changes-per-hour = 100

[[policy]]
name = \"gaming\"
from = \"s\"
color = 100
endpoint = \"2001:db8::2\"
class = \"gaming\"
[[policy.candidate]]
name = \"past-b\"
preference = 200
dataplane = \"srv6\"
segments = [\"b\", \"END\"]
[[policy.candidate]]
name = \"past-c\"
dataplane = \"srv6\"
segments = [\"c\", \"END\"]

[[writer]]
kind = \"linux\"
dry-run = false
on-exit = \"undo\"
";

/// How probes travel to a far node that answers, and to one that only forwards.
const ANSWERED: (&str, &str) = ("srv6 = \"encap\"\n", "fcbb:bb00:2:d6::");
const LOOPED: (&str, &str) = (
    "mode = \"enhanced-loopback\"\ntsf-fallback = true\n\
     far-clock = { synchronized = true, error = \"1us\" }\n",
    "r",
);

/// How fast things happen.
#[derive(Clone, Copy)]
struct Tempo {
    pace: Pace,
    hold: &'static str,
    /// Probes of each session that are waited for where nothing is to happen: more than the hold time and a
    /// window last.
    quiet: u64,
}

const WITH_DELAYS: Tempo = Tempo { pace: DELAYS, hold: "500ms", quiet: 140 };
const WITH_LOSSES: Tempo = Tempo { pace: LOSSES, hold: "500ms", quiet: 125 };
/// One path is out of doubt for up to a window before the other: longer than the other hold times here, so that traffic
/// would move. What is frozen is not held: no change was made for longer than that.
const WITH_DOUBT: Tempo = Tempo { pace: DELAYS, hold: "5s", quiet: 140 };
/// A path stays up for less than the hold time: until it is known as down again, even on a busy machine.
const WITH_FLAPS: Tempo = Tempo { pace: LOSSES, hold: "1600ms", quiet: 180 };

/// The file of `run` and `write`.
fn text(tempo: Tempo, (form, end): (&str, &str)) -> String {
    let policy = POLICY.replace("HOLD", tempo.hold).replace("END", end);
    format!("{}{form}{policy}", head(tempo.pace))
}

/// The sessions of both lists.
const B: &str = "gaming/past-b/0";
const C: &str = "gaming/past-c/0";

/// Traffic left a path for another, and why.
type Move = (&'static str, &'static str, &'static str);

const DOWN: Move = ("past-b", "past-c", "down");
const VIOLATION: Move = ("past-b", "past-c", "violation");
const DRAINED: Move = ("past-b", "past-c", "drained");
const BACK: Move = ("past-c", "past-b", "preference");

/// A network at rest: traffic goes past b, and a route says so.
struct Scene {
    net: Net,
    service: Service,
    writer: Program,
    far: Program,
    tempo: Tempo,
    /// Moves back to b that came before.
    back: usize,
}

impl Scene {
    /// The far node answers, as `far` says.
    fn answered(net: Net, far: Program, tempo: Tempo) -> Self {
        let service = Service::start(&net, TOPOLOGY, &text(tempo, ANSWERED));
        let mut writer = netns::binary("stamp-sender");
        let writer = net.host("s").spawn(writer.arg("write").arg(service.file("run.toml")));
        // Whichever is measured first may carry for a moment.
        let first = service.moved("to=past-b", 1);
        let back = usize::from(first.contains("from=past-c"));
        let scene = Self { net, service, writer, far, tempo, back };
        [B, C].iter().for_each(|session| scene.service.session(session, "up", 1));
        scene.is_routed("b", 1);
        scene
    }

    fn with_reflector(tempo: Tempo) -> Self {
        let net = Net::up();
        let far = net.reflector(OPEN, &["--clock", "synchronized,error=1us"]);
        Self::answered(net, far, tempo)
    }

    /// Waits for such a move.
    fn moved(&self, (from, to, reason): Move, times: usize) {
        let times = if (from, to) == (BACK.0, BACK.1) { times + self.back } else { times };
        self.service.moved(&format!("from={from} to={to} reason={reason}"), times);
    }

    /// Waits until the route to r was made to lead past that node for the so-manieth time.
    fn is_routed(&self, past: &str, times: usize) {
        let sid = match past {
            "b" => "segs fc00:bb:12:1::",
            _ => "segs fc00:bb:13:1::",
        };
        let times = if past == "c" { times + self.back } else { times };
        let is_it = |line: &str| line.contains("msg=written") && line.contains(sid);
        told_for_the(times, &self.writer, is_it);
    }

    fn passes(&self) {
        passes(&self.net, &self.service, self.tempo);
    }

    fn stands(&self, standing: &str) {
        stands(&self.net, standing);
    }

    /// Ends it. From when it was at rest traffic moved so, and sessions changed so, and not otherwise.
    #[track_caller]
    fn ends(self, moves: &[Move], states: &[(&str, &str)]) {
        self.writer.signal(Signal::SIGTERM);
        self.writer.wait().assert_code(0);
        let events = self.service.end();
        let is_rest = |event: &&Value| event["type"] == "path" && event["to"] == "past-b";
        let rest = events.iter().position(|event| is_rest(&event)).expect("it came to rest");
        let word = |event: &Value, key: &str| event[key].as_str().unwrap_or("-").to_owned();
        let of = |kind: &'static str| {
            events[rest + 1..].iter().filter(move |event| event["type"] == kind)
        };
        let moved = of("path").map(|it| ["from", "to", "reason"].map(|key| word(it, key)));
        let expected =
            moves.iter().map(|(from, to, reason)| [from, to, reason].map(|it| (*it).to_owned()));
        assert_eq!(moved.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        // The first reply of a session is no change.
        let changed = of("state").filter(|event| event["from"] != "init");
        let changed = changed.map(|event| (word(event, "session"), word(event, "to")));
        let expected = states.iter().map(|(session, to)| ((*session).to_owned(), (*to).to_owned()));
        assert_eq!(changed.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}

/// Lets time pass, by the probes that leave meanwhile.
fn passes(net: &Net, service: &Service, tempo: Tempo) {
    for way in ["s>b", "s>c"] {
        let end = net.counts(way).seen + tempo.quiet;
        service.wait_until("enough probes have left", || net.counts(way).seen >= end);
    }
}

/// Waits until the path in use is as good as that.
fn stands(net: &Net, standing: &str) {
    let series = format!("stamp_policy_standing{{policy=\"gaming\",standing=\"{standing}\"}}");
    wait_for((&net.host("s"), WEB), &series, |is_so| is_so > 0.0);
}

fn link_cut() {
    let mut scene = Scene::with_reflector(WITH_LOSSES);
    scene.net.cut("s>b", true);
    scene.moved(DOWN, 1);
    scene.is_routed("c", 1);
    scene.passes();
    scene.ends(&[DOWN], &[(B, "down")]);
}

fn delay_rise() {
    let mut scene = Scene::with_reflector(WITH_DELAYS);
    scene.net.delay("s>b", SLOW);
    scene.moved(VIOLATION, 1);
    scene.is_routed("c", 1);
    scene.passes();
    scene.ends(&[VIOLATION], &[]);
}

/// Two in a row are nothing. Every second one of eighty is too many in a window, though no three in a row are
/// lost; when it is over, traffic comes back.
fn loss_burst() {
    let mut scene = Scene::with_reflector(WITH_LOSSES);
    scene.net.lose("s>b", &[5, 6]);
    scene.passes();
    let every_second: Vec<u64> = (1..80).step_by(2).collect();
    scene.net.lose("s>b", &every_second);
    scene.moved(VIOLATION, 1);
    scene.is_routed("c", 1);
    scene.moved(BACK, 1);
    scene.is_routed("b", 2);
    scene.passes();
    scene.ends(&[VIOLATION, BACK], &[]);
}

/// A path that was up for less than the hold time attracts nothing.
fn flapping_link() {
    const TIMES: usize = 3;
    let mut scene = Scene::with_reflector(WITH_FLAPS);
    for time in 1..=TIMES {
        scene.net.cut("s>b", true);
        scene.service.session(B, "down", time);
        scene.net.cut("s>b", false);
        scene.service.session(B, "up", time + 1);
    }
    scene.is_routed("c", 1);
    scene.moved(BACK, 1);
    scene.is_routed("b", 2);
    scene.passes();
    let flaps = [(B, "down"), (B, "up")].repeat(TIMES);
    scene.ends(&[DOWN, BACK], &flaps);
}

/// One-way values neither move traffic nor keep it while nobody vouches for the far clock, or while it may be off by
/// too much, though what they say is true: the choice is frozen. Once the clock is right they count.
fn far_clock_in_doubt() {
    const RIGHT: &str = "synchronized = true, error = \"1us\"";
    let (net, folder) = (Net::up(), Folder::new());
    let write = |clock: &str| {
        let text = format!(
            "listen = [\"[2001:db8::2]:8620\"]\nstateful = true\nrate-limit = \"off\"\n\
             clock = {{ {clock} }}\n"
        );
        folder.write("reflector.toml", &text)
    };
    let far = net.host("r").spawn(netns::binary("stamp-reflector").arg(write(RIGHT)));
    far.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    let mut scene = Scene::answered(net, far, WITH_DOUBT);
    let is_now = |scene: &Scene, clock: &str, times: usize| {
        write(clock);
        scene.far.signal(Signal::SIGHUP);
        told_for_the(times, &scene.far, |line| line.contains("msg=\"configuration reloaded"));
    };
    is_now(&scene, "synchronized = false", 1);
    scene.stands("frozen");
    is_now(&scene, RIGHT, 2);
    scene.stands("good");
    is_now(&scene, "synchronized = true, error = \"250ms\"", 3);
    scene.stands("frozen");
    scene.net.delay("s>b", SLOW);
    scene.passes();
    scene.stands("frozen");
    is_now(&scene, RIGHT, 4);
    scene.moved(VIOLATION, 1);
    scene.is_routed("c", 1);
    scene.passes();
    scene.ends(&[VIOLATION], &[]);
}

/// Without timestamps of the far node nobody knows the delay there: whatever is in use stays, however slow both are.
fn far_node_that_does_not_stamp() {
    let dt6 = "dt6 = \"fcbb:bb00:2:d6::/64\"";
    let topology = TOPOLOGY.replace(dt6, &format!("{dt6}, tsf = \"fc00:bb:2:f::/64\""));
    let mut net = Net::with_end_tsf();
    let service = Service::start(&net, &topology, &text(WITH_DELAYS, LOOPED));
    for session in [B, C] {
        service.told(&format!(
            "msg=\"the far node does not stamp: plain loopback\" session={session} "
        ));
    }
    stands(&net, "frozen");
    let moves = |net: &Net| {
        let metrics = scrape((&net.host("s"), WEB));
        let of_policy =
            |line: &&str| line.starts_with("stamp_policy_moves_total{policy=\"gaming\"");
        metrics.lines().filter(of_policy).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = moves(&net);
    assert!(!before.is_empty(), "they are counted");
    net.delay("s>b", SLOW);
    net.delay("s>c", SLOW);
    passes(&net, &service, WITH_DELAYS);
    stands(&net, "frozen");
    assert_eq!(moves(&net), before);
    assert_eq!(service.stop("state").iter().filter(|event| event["to"] == "down").count(), 0);
}

fn drained_link() {
    let scene = Scene::with_reflector(WITH_LOSSES);
    let drain = |method: &str| {
        let head = format!("{BEARER}Content-Length: 0\r\n");
        let host = scene.net.host("s");
        assert_eq!(ask((&host, WEB), method, "/api/v1/drain?link=b-r", &head).0, 200);
    };
    drain("PUT");
    scene.moved(DRAINED, 1);
    scene.is_routed("c", 1);
    scene.passes();
    drain("DELETE");
    scene.moved(BACK, 1);
    scene.is_routed("b", 2);
    scene.passes();
    scene.ends(&[DRAINED, BACK], &[]);
}
