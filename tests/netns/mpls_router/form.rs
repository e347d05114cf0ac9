//! One encapsulation: what it looks like on each link, and which delays it shows.

use serde_json::Value;
use stamp_tests::netns::{self, Families, Family, Finished};

use super::network::Net;
use crate::measure::{PORT, session};

/// How long a kernel holds packets.
const DELAY_MS: u32 = 1000;
const DELAY_NS: i64 = 1_000_000_000;
/// What everything else takes less than, for the quickest of some packets on an emulated machine
/// whose host is busy too.
const NO_DELAY_NS: i64 = DELAY_NS / 2;

/// Each direction of a link that is crossed, and the labels, top first, that arrive at its end.
type Links = &'static [(&'static str, &'static [u32])];

/// Two hops on by a label that is swapped at the first.
pub(super) const OUT: Links = &[("near>a", &[16_002]), ("a>b", &[17_002]), ("b>far", &[])];
/// By routing.
pub(super) const BACK: Links = &[("far>b", &[]), ("b>a", &[]), ("a>near", &[])];
/// Around `a`.
pub(super) const BACK_BY_LABELS: Links =
    &[("far>b", &[17_013, 18_001]), ("b>c", &[18_001]), ("c>near", &[])];

/// A way to put probes on labels, and all that is to be seen of it.
pub(super) struct Form {
    /// Its identifier in outputs.
    pub(super) id: &'static str,
    pub(super) flags: &'static str,
    pub(super) out: Links,
    pub(super) back: Links,
    /// Hops that the probe's own header shows when it is where it goes.
    pub(super) hops: u64,
}

impl Form {
    /// Measures it with IPv4 and IPv6 below the labels, while each of two directions of one link
    /// delays.
    pub(super) fn is_measured(&self, net: &Net) {
        for way in ["a>b", "b>a"] {
            net.delay(way, DELAY_MS);
            for family in Families::Both.each() {
                self.is_delayed(net, way, *family);
            }
            net.delay_no_more(way);
        }
    }

    fn is_delayed(&self, net: &Net, way: &str, family: Family) {
        let mut captures = net.captures();
        let finished = net.send(self.flags, family);
        finished.assert_code(0);
        let session = session(&finished);
        let (path, packets) = (&session["path"], &session["packets"]);
        assert_eq!(path["encapsulation"], self.id, "{path}");
        let hops = &path["forward_hops"];
        assert_eq!((&hops["min"], &hops["max"]), (&self.hops.into(), &self.hops.into()), "{path}");
        assert_eq!(packets["received"], packets["sent"], "{packets}");
        assert_eq!(packets["duplicate"], 0, "{packets}");
        assert_eq!(session["requests"]["return_path_not_honoured"], 0, "{session}");
        let crosses = |links: Links| links.iter().any(|(crossed, _)| *crossed == way);
        let (out, back) = (crosses(self.out), crosses(self.back));
        let shows = |direction: &str, delayed: bool| {
            let quickest = session["delay_ns"][direction]["min"].as_i64().expect("a delay");
            let (least, most) =
                if delayed { (DELAY_NS, DELAY_NS + NO_DELAY_NS) } else { (0, NO_DELAY_NS) };
            let what = format!("{} over {family:?}: {direction} with {way} delayed", self.flags);
            assert!((least..most).contains(&quickest), "{what}: {quickest} ns");
        };
        shows("round_trip", out || back);
        if self.is_split() {
            shows("forward", out);
            shows("backward", back);
        }
        if self.flags.contains("enhanced") {
            let stamping = &session["stamping"];
            assert_eq!(stamping["stamped"], packets["received"], "{stamping}");
        }
        self.labels_are_seen(&mut captures, &session);
    }

    /// Two clocks take part in it.
    fn is_split(&self) -> bool {
        !self.flags.contains("--mode loopback")
    }

    /// Each probe, or the reply to it, crossed each link with these labels, and no other link.
    fn labels_are_seen(&self, captures: &mut [crate::capture::Capture], session: &Value) {
        let port = session["path"]["source_port"].as_u64().expect("a port");
        let sent = session["packets"]["sent"].as_u64().expect("a count");
        let sent = usize::try_from(sent).expect("few");
        for capture in captures {
            let seen = capture.stacks(port);
            let links = [self.out, self.back].concat();
            let expected = links.iter().find(|(way, _)| *way == capture.way());
            let expected = expected.map_or(vec![], |(_, labels)| vec![labels.to_vec(); sent]);
            assert_eq!(seen, expected, "{} on {}", self.flags, capture.way());
        }
    }
}

impl Net {
    /// What the sender at near comes to. Both ends have one clock.
    pub(super) fn send(&self, flags: &str, family: Family) -> Finished {
        let (near, far) = (self.host("near"), self.host("far"));
        let mut command = netns::binary("stamp-sender");
        command.args([
            far.address(family).to_string(),
            "-S".into(),
            near.address(family).to_string(),
        ]);
        command.args(["-p", &PORT.to_string(), "-c", "8", "-i", "100ms", "-W", "5s", "--json"]);
        command.args(["--clock", "synchronized,error=1us"]);
        command.args(["--far-clock", "synchronized,error=1us"]);
        near.spawn(command.args(flags.split_whitespace())).wait()
    }
}
