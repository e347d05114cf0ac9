//! A few lines about the period that just ended.

use super::summary::{Look, one_way_mark};
use crate::explain::percent;
use crate::output::duration::{delay_or_dash, setting};
use crate::output::record::{DelayRecord, SessionRecord};

/// Counts first, then median and 99th percentile of each direction.
#[must_use]
pub fn lines(record: &SessionRecord, period_ns: Option<u64>, look: &Look) -> String {
    let packets = &record.packets;
    let period = period_ns.map_or_else(String::new, |ns| format!("last {}: ", setting(ns)));
    let share = record
        .loss
        .ratio
        .round_trip
        .map_or_else(String::new, |ratio| format!(" ({})", percent(ratio)));
    let ways = match (packets.lost.forward, packets.lost.backward) {
        (Some(forward), Some(backward)) if forward + backward > 0 => {
            format!("\n    lost: {forward} forward, {backward} backward")
        }
        _ => String::new(),
    };
    let unsent = match packets.unsent {
        0 => String::new(),
        unsent => format!(", {unsent} not sent"),
    };
    let lost = format!("{} lost{share}", packets.lost.round_trip);
    let lost = if packets.lost.round_trip > 0 { look.paint.bad(&lost) } else { lost };
    let counts = format!(
        "--- {}, {period}{} sent, {} received, {lost}{unsent}",
        record.name, packets.sent, packets.received
    );
    if packets.received == 0 {
        return format!("{counts}{ways}");
    }
    let mark = one_way_mark(record);
    let delays = &record.delay_ns;
    format!(
        "{counts}{ways}\n    p50/p99: forward{mark} {}, backward{mark} {}, round trip {}",
        both(&delays.forward),
        both(&delays.backward),
        both(&delays.round_trip)
    )
}

fn both(delay: &DelayRecord) -> String {
    format!("{}/{}", delay_or_dash(delay.p50), delay_or_dash(delay.p99))
}
