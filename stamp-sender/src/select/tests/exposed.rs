//! A window as a session has it, and text of metrics as Prometheus takes it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use stamp_proto::time::TimeDelta;
use stamp_session::sender::SessionState;
use stamp_session::snapshot::{DelaySummary, SessionSnapshot, VariationSummary};

use crate::output::rehearsal::{Fate, Plot, play};
use crate::select::answer::Sample;

/// What is told by a window of ten seconds, with a probe each 100 ms.
#[derive(Clone, Copy, Debug)]
pub struct Exposed {
    /// Delay forward.
    pub ms: i64,
    /// Probes that were lost.
    pub lost: u64,
    /// Probes whose fate is known, at most.
    pub sent: u32,
    /// What is known of clocks.
    pub clock: u8,
}

static PLAIN: LazyLock<SessionSnapshot> = LazyLock::new(|| {
    play(&Plot { count: 10, fate: |_| Fate::Passes(58_000, 61_000), ..Plot::default() }).snapshot
});

impl Exposed {
    pub fn snapshot(&self) -> SessionSnapshot {
        let mut it = PLAIN.clone();
        let sent = u64::from(self.sent);
        let lost = self.lost.min(sent);
        it.state = SessionState::Up;
        it.packets.received = sent - lost;
        it.packets.lost.round_trip = lost;
        it.packets.lost.forward = (self.clock != 3).then_some(lost / 2);
        it.packets.lost.backward = it.packets.lost.forward.map(|forward| lost - forward);
        let ns = self.ms * 1_000_000;
        for (way, part) in [
            (&mut it.delay.forward, 7),
            (&mut it.delay.backward, 5),
            (&mut it.delay.round_trip, 12),
        ] {
            *way = delays(ns + i64::from(part), sent - lost);
        }
        for way in [&mut it.ipdv.forward, &mut it.ipdv.backward, &mut it.ipdv.round_trip] {
            let mean_magnitude = (self.clock != 2).then(|| TimeDelta::from_ns(ns / 9));
            *way = VariationSummary { mean_magnitude, ..VariationSummary::default() };
        }
        it.clock.synchronized = self.clock != 1;
        it.clock.error_bound_ns = match self.clock {
            0 => Some(2_001),
            2 => Some(30_000_000),
            _ => None,
        };
        it
    }
}

fn delays(ns: i64, count: u64) -> DelaySummary {
    let part = |percent: i64| (count > 0).then(|| TimeDelta::from_ns(ns * percent / 100));
    DelaySummary {
        count,
        min: part(80),
        mean: part(91),
        p50: part(90),
        p95: part(95),
        p99: part(99),
        p99_9: part(100),
        max: part(101),
        ..DelaySummary::default()
    }
}

/// What Prometheus makes of a text.
pub fn scraped(text: &str, target: &[(&str, &str)]) -> Vec<Sample> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| sample(line, target)).collect()
}

fn sample(line: &str, target: &[(&str, &str)]) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, rest) = series.split_once('{').unwrap_or((series, "}"));
    let mut labels: BTreeMap<String, String> =
        target.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    labels.insert("__name__".to_owned(), name.to_owned());
    let mut rest = rest.strip_suffix('}').unwrap();
    while let Some((name, quoted)) = rest.split_once("=\"") {
        let end = quoted.find('"').unwrap();
        assert!(!quoted[..end].contains('\\'), "no test needs that: {line}");
        labels.insert(name.trim_start_matches(',').to_owned(), quoted[..end].to_owned());
        rest = &quoted[end + 1..];
    }
    Sample { labels, value: value.parse().unwrap() }
}
