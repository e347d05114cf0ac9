//! Traffic that moves, as it is told.

use stamp_path::class::Value;

use super::Moved;
use crate::output::instant::Instant;
use crate::output::ndjson::path::{CarryingList, PathEntry};

impl From<Moved> for PathEntry {
    fn from(moved: Moved) -> Self {
        let known = moved.change.before.or(moved.change.after);
        let list = |share: stamp_path::selection::Share| CarryingList {
            name: share.list,
            weight: share.weight,
        };
        Self {
            time: Instant(moved.at.wall),
            monotonic_ns: Some(moved.at.monotonic.ns()),
            session: None,
            policy: moved.policy,
            class: moved.class,
            from: moved.from,
            to: moved.to,
            reason: moved.change.reason.label().to_owned(),
            because: moved.because,
            standing: moved.standing.to_owned(),
            measure: moved.measure.map(|measure| measure.word().to_owned()),
            unit: known.map(|value| unit(value).to_owned()),
            before: moved.change.before.map(number),
            after: moved.change.after.map(number),
            lists: moved.shares.into_iter().map(list).collect(),
        }
    }
}

const fn unit(value: Value) -> &'static str {
    match value {
        Value::Delay { .. } => "ns",
        Value::Share(_) => "ratio",
        Value::Count(_) => "links",
    }
}

fn number(value: Value) -> f64 {
    match value {
        Value::Delay { ns } => ns as f64,
        Value::Share(share) => f64::from(share.billionths()) / 1e9,
        Value::Count(count) => count.into(),
    }
}
