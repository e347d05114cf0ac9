//! One session: heading, legend, plot and loss lane.

use super::axes::Axes;
use super::course;
use super::{coordinate, label};
use crate::explain::percent;
use crate::output::duration::{bound, delay_or_dash, setting};
use crate::output::record::{DelayRecord, SessionRecord};
use crate::report::curve::{Curve, Which};
use crate::report::read::SavedSession;

/// Size of a panel.
pub(super) const WIDTH: f64 = 1_000.0;
pub(super) const HEIGHT: f64 = 420.0;

/// Draws a session.
pub(super) fn draw(session: &SavedSession) -> String {
    let curves = Curve::all(session);
    let mut svg =
        format!("<rect class=\"frame\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\"/>\n");
    let title = session.record.as_ref().map_or_else(|| session.name.clone(), SessionRecord::title);
    svg.push_str(&label((24.0, 32.0), "title", "start", &title));
    svg.push_str(&label((24.0, 52.0), "note", "start", &note(session)));
    svg.push_str(&legend(session, &curves));
    let Some(axes) = Axes::new(session, &curves) else {
        let middle = (WIDTH / 2.0, HEIGHT / 2.0);
        svg.push_str(&label(middle, "note", "middle", "nothing was answered"));
        return svg;
    };
    svg.push_str(&axes.draw());
    svg.push_str(&course::losses(session, &axes));
    for curve in curves.iter().rev() {
        svg.push_str(&course::curve(session, curve, &axes));
    }
    svg
}

/// What was sent, how, and what the one-way values are worth.
fn note(session: &SavedSession) -> String {
    let Some(record) = &session.record else {
        let (received, lost) = session.counts();
        return format!("{received} received, {lost} lost; the stream has no end");
    };
    let packets = &record.packets;
    let ratio = record
        .loss
        .ratio
        .round_trip
        .map_or_else(String::new, |ratio| format!(" ({})", percent(ratio)));
    let ways = match (packets.lost.forward, packets.lost.backward) {
        (Some(forward), Some(backward)) if forward + backward > 0 => {
            format!(": {forward} forward, {backward} backward")
        }
        _ => String::new(),
    };
    let worth = match (record.clock.one_way.synchronized, record.clock.one_way.error_bound_ns) {
        (false, _) => "clocks not synchronized".to_owned(),
        (true, Some(ns)) => format!("clock error at most {}", bound(ns)),
        (true, None) => "clock error unknown".to_owned(),
    };
    format!(
        "{} sent, {} lost{ratio}{ways} · {} octets every {} · {worth}",
        packets.sent,
        packets.lost.round_trip,
        record.config.payload_octets,
        setting(record.config.interval_ns)
    )
}

/// A key for each curve, with its median and 99th percentile.
fn legend(session: &SavedSession, curves: &[Curve]) -> String {
    let mut svg = String::new();
    let mut x = 24.0;
    for curve in curves {
        let text = format!("{}{}", curve.label(), quantiles(session.record.as_ref(), curve));
        let class = class(curve.which);
        svg.push_str(&super::stroke((x, 74.0), (x + 22.0, 74.0), &format!("line {class}")));
        svg.push_str(&label((x + 28.0, 78.0), "legend", "start", &text));
        // About seven units a character at this size.
        x += 28.0 + 6.6 * text.chars().count() as f64 + 26.0;
    }
    let (_, lost) = session.counts();
    if lost > 0 {
        svg.push_str(&format!(
            "<rect x=\"{}\" y=\"68\" width=\"12\" height=\"12\" class=\"lost\"/>\n",
            coordinate(x)
        ));
        svg.push_str(&label((x + 18.0, 78.0), "legend", "start", &format!("{lost} lost")));
    }
    svg
}

fn quantiles(record: Option<&SessionRecord>, curve: &Curve) -> String {
    let Some(record) = record else { return String::new() };
    let delay: &DelayRecord = match curve.which {
        Which::Forward => &record.delay_ns.forward,
        Which::Backward => &record.delay_ns.backward,
        Which::RoundTrip => &record.delay_ns.round_trip,
    };
    let above = |value: Option<i64>| delay_or_dash(value.map(|ns| ns - curve.offset));
    if curve.offset != 0 {
        // The label is long already.
        return format!(" · p50 +{}", above(delay.p50));
    }
    format!(" · p50 {} · p99 {}", above(delay.p50), above(delay.p99))
}

/// Colour of a curve.
pub(super) const fn class(which: Which) -> &'static str {
    match which {
        Which::Forward => "forward",
        Which::Backward => "backward",
        Which::RoundTrip => "round-trip",
    }
}
