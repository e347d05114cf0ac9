//! Words and numbers of classes.

use core::time::Duration;

use stamp_document::quantity::duration_with_unit;
use stamp_document::{Form, Setting};

use super::Measure;
use crate::topology::words::number;

pub(super) use crate::topology::words::{AutonomousSystem, Name, Srlg};

impl Setting for Measure {
    const EXPECTED: &'static str = "forward-p50, backward-p50 or round-trip-p50, with p95, p99, max or \
         mean in place of p50; loss, variation, either with forward- or backward- before it; or hops";
    fn read(text: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|(word, _)| *word == text).map(|(_, measure)| measure)
    }
}

macro_rules! durations {
    ($($(#[$doc:meta])* $name:ident, $expected:literal, $least:expr, $most:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(super) struct $name(pub(super) Duration);

        impl Setting for $name {
            const EXPECTED: &'static str = $expected;
            fn read(text: &str) -> Option<Self> {
                let duration = duration_with_unit(text)?;
                ($least..=$most).contains(&duration).then_some(Self(duration))
            }
        }
    )*};
}

durations! {
    /// A limit on delay.
    DelayLimit, "a duration from 1us to 10m, such as 20ms",
        Duration::from_micros(1), Duration::from_secs(600);
    /// How calmly a path changes.
    Hold, "a duration from 0s to 24h, such as 30s", Duration::ZERO, Duration::from_secs(86_400);
    /// How old a measurement may be.
    Age, "a duration from 1s to 24h, such as 2m", Duration::from_secs(1), Duration::from_secs(86_400);
}

number!(
    /// Links of a path.
    Hops(u8), "a count of links from 1 to 255", 1..=u8::MAX
);
number!(
    /// Changes within an hour.
    Changes(u32), "a count of changes from 0 to 3600", 0..=3_600
);
number!(
    /// Values of a window.
    Samples(u64), "a count of values from 1 to 1000000000", 1..=1_000_000_000
);
number!(
    /// How many lists.
    Paths(u16), "a count of paths from 1 to 64", 1..=64
);
