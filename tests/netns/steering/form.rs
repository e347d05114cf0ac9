//! One encapsulation, measured: what it is called, where it goes, and what the wires saw of it.

use std::time::Duration;

use serde_json::{Value, json};
use stamp_lab::Held;

use super::network::{AUTHENTICATED, Net, OPEN};
use crate::measure::{KeyFile, sent, session};

/// How far a delay may be beyond what the record of the wires allows: what a kernel does between its stamp of
/// a packet that leaves and that of its arrival at the wire, which nobody interrupts.
const BEYOND_NS: i64 = 50_000;
/// How far the quickest may be beyond what each wire held it: what a node takes. A busy machine keeps a packet
/// waiting there too, but not every one.
const PER_WIRE_NS: i64 = 50_000;
/// How far it may be below for each wire, as the clock of the stamps is slewed while that of the record is not.
const SLEWED_NS: i64 = 10_000;

/// Fewest probes that a median is taken of.
const FEWEST: usize = 8;

/// A way to put probes on segments, and all that is to be seen of it.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// Its identifier in outputs.
    pub(super) id: &'static str,
    /// Host and flags.
    pub(super) flags: &'static str,
    /// Segments there, as outputs name them.
    pub(super) segments: &'static [&'static str],
    /// Segments back.
    pub(super) returns: &'static [&'static str],
    /// Wires there.
    pub(super) out: &'static [&'static str],
    /// Wires back.
    pub(super) back: &'static [&'static str],
    /// Hops that the probe's own header shows.
    pub(super) hops: u64,
}

impl Form {
    pub(super) fn is_looped(&self) -> bool {
        self.flags.contains("loopback")
    }

    fn wires(&self) -> Vec<&'static str> {
        [self.out, self.back].concat()
    }

    /// Measures it: open without loss for the delays, authenticated with loss for the counts.
    pub(super) fn is_measured(&self, net: &mut Net) {
        self.delays_are_those_of_the_wires(net);
        self.losses_are_counted(net);
    }

    pub(super) fn delays_are_those_of_the_wires(&self, net: &Net) {
        let flags = format!("{} -p {OPEN} -c 40 -i 5ms -W 2s --json", self.flags);
        let finished = net.send(&flags);
        finished.assert_code(0);
        let session = session(&finished);
        self.path_is_told(&session);
        assert_eq!(session["packets"]["lost"]["round_trip"], 0, "{finished}");
        let stamps = &session["clock"]["stamps"];
        assert_eq!((&stamps["probe_sent"], &stamps["reply_received"]), kernel(), "{stamps}");
        if self.is_looped() {
            self.delay(net, &session, "round_trip", &self.wires());
            assert_eq!(session["delay_ns"]["forward"]["count"], 0, "no delay is made up");
            assert_eq!(session["delay_ns"]["backward"]["count"], 0, "no delay is made up");
        } else {
            self.delay(net, &session, "forward", self.out);
            self.delay(net, &session, "backward", self.back);
        }
    }

    fn path_is_told(&self, session: &Value) {
        let path = &session["path"];
        assert_eq!(path["encapsulation"], self.id, "{path}");
        assert_eq!(path["segments"], json!(self.segments), "{path}");
        assert_eq!(path["return_segments"], json!(self.returns), "{path}");
        let hops = &path["forward_hops"];
        assert_eq!((&hops["min"], &hops["max"]), (&self.hops.into(), &self.hops.into()), "{path}");
    }

    /// Compares each probe with what the wires it crossed recorded of it: from its arrival at the first of them to
    /// its end at the last, with all that a busy machine made it wait on wires and nodes.
    fn delay(&self, net: &Net, session: &Value, direction: &str, wires: &[&str]) {
        let measured = delays(session, direction);
        let count = measured.len();
        let what = format!("{} {direction} over {wires:?}", self.flags);
        assert!(count >= FEWEST, "too busy to tell: {count} of 40");
        let set: i64 = wires.iter().map(|wire| nanoseconds(net.set_delay(wire))).sum();
        assert!(measured.iter().all(|measured| *measured >= set), "{what}: too short");
        let first = latest(net, wires[0], count);
        let last = latest(net, wires[wires.len() - 1], count);
        // Until the last wire let go of the packet, and until the next kernel had taken it.
        let spans = first.iter().zip(&last).map(|(first, last)| {
            let between = last.arrived_ns.checked_sub(first.arrived_ns).expect("one wire by one");
            [last.until_let_go, last.until_taken]
                .map(|until| nanoseconds(Duration::from_nanos(between) + until))
        });
        let spans: Vec<[i64; 2]> = spans.collect();
        assert!(spans.iter().all(|[least, _]| *least >= set), "{what}: held too short");
        let each = || spans.iter().zip(&measured);
        let below = each().map(|([least, _], measured)| least - measured).max();
        let wires_ns = |each: i64| each * i64::try_from(wires.len()).expect("few");
        let slewed = wires_ns(SLEWED_NS);
        assert!(below < Some(slewed), "{what}: {below:?} ns below the record");
        let beyond = median(each().map(|([_, most], measured)| measured - most).collect());
        assert!(beyond < BEYOND_NS, "{what}: {beyond} ns beyond the record");
        let mut at_nodes = measured;
        for wire in wires {
            for (rest, held) in at_nodes.iter_mut().zip(latest(net, wire, count)) {
                *rest -= nanoseconds(held.until_taken);
            }
        }
        let quickest = at_nodes.into_iter().min();
        assert!(quickest < Some(wires_ns(PER_WIRE_NS)), "{what}: {quickest:?} ns at nodes");
    }

    pub(super) fn losses_are_counted(&self, net: &mut Net) {
        let (first, last) = (self.out[0], self.back[self.back.len() - 1]);
        let keys = KeyFile::new("steering");
        let _far = (!self.is_looped()).then(|| {
            let flags = ["--auth", "--key-file", keys.path()];
            net.reflector(AUTHENTICATED, &flags)
        });
        net.lose(first, &[2, 3, 6]);
        net.lose(last, &[4]);
        let lost = |net: &Net| [first, last].map(|wire| net.counts(wire).lost);
        let before = lost(net);
        let flags = format!(
            "{} -p {AUTHENTICATED} -c 40 -i 20ms -W 1s --json --auth --key-file {}",
            self.flags,
            keys.path()
        );
        let finished = net.send(&flags);
        let after = lost(net);
        net.lose(first, &[]);
        net.lose(last, &[]);
        let [out, back] = [after[0] - before[0], after[1] - before[1]];
        assert_eq!((out, back), (3, 1), "too busy to tell: {finished}");
        finished.assert_code(0);
        let session = session(&finished);
        assert_eq!(session["config"]["authentication"], "authenticated", "{session}");
        let packets = &session["packets"];
        assert_eq!(packets["lost"]["round_trip"], 4, "{packets}");
        let directions = (&packets["lost"]["forward"], &packets["lost"]["backward"]);
        let expected =
            if self.is_looped() { (json!(null), json!(null)) } else { (json!(3), json!(1)) };
        assert_eq!(directions, (&expected.0, &expected.1), "{packets}");
        let count = |key: &str| packets[key].as_u64().expect("a count");
        assert_eq!(count("received") + 4, sent(&session, 40), "{packets}");
        assert_eq!(count("rejected") + count("duplicate") + count("late"), 0, "{packets}");
    }
}

fn kernel() -> (&'static Value, &'static Value) {
    static KERNEL: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| json!("kernel"));
    (&KERNEL, &KERNEL)
}

/// The delay of each probe that came back, in the order they left.
fn delays(session: &Value, direction: &str) -> Vec<i64> {
    let series = &session["series"];
    assert_eq!(series["probes_per_step"], 1, "one step a probe");
    let steps = series["steps"].as_array().expect("steps").iter();
    steps.filter_map(|step| step["delay_ns"][direction]["mean"].as_i64()).collect()
}

/// What a wire recorded of as many packets. A check of the far end may have gone before.
fn latest(net: &Net, wire: &str, count: usize) -> Vec<Held> {
    let mut records = net.held(wire);
    records.split_off(records.len().checked_sub(count).expect("each probe crossed it"))
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).expect("a short time")
}

fn median(mut values: Vec<i64>) -> i64 {
    let (_, middle, _) = {
        let at = values.len() / 2;
        values.select_nth_unstable(at)
    };
    *middle
}
