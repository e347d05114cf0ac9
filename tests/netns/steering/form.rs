//! One encapsulation, measured: what it is called, where it goes, and what the wires saw of it.

use serde_json::{Value, json};

use super::network::{AUTHENTICATED, Net, OPEN};
use crate::measure::{KeyFile, sent, session};

/// How far a delay may be beyond what one wire recorded: kernels and switches add to it.
const PER_WIRE_NS: i64 = 50_000;
/// How far it may be below, as the clock of the stamps is slewed while that of the record is not.
const SLEWED_NS: i64 = 10_000;
/// The same beyond what was set.
const PER_WIRE_OF_SET_NS: i64 = 100_000;

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

    /// Compares each probe with what the wires it crossed recorded of it, and all with what was set.
    fn delay(&self, net: &Net, session: &Value, direction: &str, wires: &[&str]) {
        let measured = delays(session, direction);
        let count = measured.len();
        assert!(count >= FEWEST, "too busy to tell: {count} of 40");
        // Until each wire let go of the packet, and until the next kernel had taken it.
        let (mut least, mut held) = (vec![0; count], vec![0; count]);
        for wire in wires {
            // The latest are ours: a check of the far end may have gone before.
            let records = net.held(wire);
            let latest = records.len().checked_sub(count).expect("each probe crossed it");
            for (record, (least, held)) in
                records[latest..].iter().zip(least.iter_mut().zip(&mut held))
            {
                *least += nanoseconds(record.until_let_go);
                *held += nanoseconds(record.until_taken);
            }
        }
        let set: i64 = wires.iter().map(|wire| nanoseconds(net.set_delay(wire))).sum();
        let count = i64::try_from(wires.len()).expect("few");
        let what = format!("{} {direction} over {wires:?}", self.flags);
        assert!(least.iter().all(|least| *least >= set), "{what}: held too short");
        assert!(measured.iter().all(|measured| *measured >= set), "{what}: too short");
        let below = least.iter().zip(&measured).map(|(least, measured)| least - measured).max();
        assert!(below < Some(SLEWED_NS * count), "{what}: {below:?} ns below the record");
        let each = || measured.iter().zip(&held);
        let beyond = median(each().map(|(measured, held)| measured - held).collect());
        assert!(beyond < PER_WIRE_NS * count, "{what}: {beyond} ns beyond the record");
        // A wire on a busy machine lets go late, and its record says of which packets.
        let is_punctual = |held: i64| held - set < PER_WIRE_NS * count;
        let punctual = each().filter(|(_, held)| is_punctual(**held));
        let punctual: Vec<i64> = punctual.map(|(measured, _)| measured - set).collect();
        if punctual.len() >= FEWEST {
            let error = median(punctual);
            assert!(error < PER_WIRE_OF_SET_NS * count, "{what}: {error} ns beyond what was set");
        }
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

fn nanoseconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_nanos()).expect("a short time")
}

fn median(mut values: Vec<i64>) -> i64 {
    let (_, middle, _) = {
        let at = values.len() / 2;
        values.select_nth_unstable(at)
    };
    *middle
}
