//! The lines below the table: loss, replies, clocks, stamps, far end, path.

mod answers;
mod headers;

use stamp_proto::ip::Dscp;

use super::super::table::{pad_right, wrap};
use crate::output::duration::{bound, delay_or_dash, setting};
use crate::output::instant::Instant;
use crate::output::paint::Paint;
use crate::output::record::{
    Character, FallbackRecord, FarClockRecord, HopRangeRecord, PacketsRecord, ReflectorMode,
    SessionRecord, Source, SourceCounts,
};

/// Width of the words in front of a line.
const LABEL: usize = 11;
/// Widest line.
const WIDTH: usize = 80;

/// Every line that has something to say.
pub(super) fn all(record: &SessionRecord, paint: Paint) -> Vec<String> {
    let mut facts = Vec::new();
    if record.ipdv_ns.round_trip.count > 0 {
        facts.push(("jitter", jitter(record), Tone::Plain));
    }
    if record.answered || record.packets.outstanding > 0 {
        let tone = if record.packets.lost.round_trip > 0 { Tone::Bad } else { Tone::Plain };
        facts.push(("lost", lost(record), tone));
    }
    if record.answered {
        facts.push(("replies", replies(&record.packets), Tone::Plain));
    } else if record.packets.rejected > 0 {
        facts.push(("rejected", reasons(&record.packets.rejected_by_reason), Tone::Odd));
    }
    if record.packets.unsent > 0 {
        facts.push(("not sent", unsent(&record.packets), Tone::Odd));
    }
    if record.packets.lost.local > 0 {
        facts.push(("dropped", dropped(record.packets.lost.local), Tone::Odd));
    }
    facts.push(("clocks", clocks(record), Tone::Plain));
    if record.answered {
        let trusted = record.clock.one_way.synchronized;
        if record.mode != "loopback" {
            let tone = if trusted { Tone::Plain } else { Tone::Odd };
            facts.push(("one-way", one_way(record), tone));
        }
        facts.push(("stamps", stamps(record), Tone::Plain));
        facts.push(("reflector", reflector(record), Tone::Plain));
    }
    if let Some(fallback) = &record.stamping.fallback
        && fallback.count > 0
    {
        let tone = if fallback.active { Tone::Odd } else { Tone::Plain };
        facts.push(("fallback", self::fallback(fallback), tone));
    }
    facts.push(("path", path(record), Tone::Plain));
    facts.extend(answers::all(record).map(|(label, text)| (label, text, Tone::Plain)));
    if record.answered && record.lateness_ns.count > 0 {
        facts.push(("pace", pace(record), Tone::Plain));
    }
    facts.into_iter().flat_map(|(label, text, tone)| lines(label, &text, tone, paint)).collect()
}

/// Mean change from probe to probe, without signs: what many call jitter.
fn jitter(record: &SessionRecord) -> String {
    let ipdv = &record.ipdv_ns;
    format!(
        "forward {}, backward {}, round trip {} (mean of |IPDV|)",
        delay_or_dash(ipdv.forward.mean_magnitude),
        delay_or_dash(ipdv.backward.mean_magnitude),
        delay_or_dash(ipdv.round_trip.mean_magnitude)
    )
}

/// How a line is coloured.
#[derive(Clone, Copy)]
enum Tone {
    Plain,
    Odd,
    Bad,
}

fn lines(label: &str, text: &str, tone: Tone, paint: Paint) -> Vec<String> {
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    let coloured = |line: &str| match tone {
        Tone::Plain => line.to_owned(),
        Tone::Odd => paint.odd(line),
        Tone::Bad => paint.bad(line),
    };
    wrap(text, WIDTH - LABEL)
        .iter()
        .zip(labels)
        .map(|(line, label)| format!("{}{}", pad_right(label, LABEL), coloured(line)))
        .collect()
}

fn lost(record: &SessionRecord) -> String {
    let packets = &record.packets;
    let all = packets.lost.round_trip;
    let awaited = match packets.outstanding {
        0 => String::new(),
        awaited => format!("; {awaited} still awaited"),
    };
    let decided = packets.received + all;
    // Part of the metric (RFC 7680 §2.6).
    let threshold = format!("; timeout {}", setting(record.config.timeout_ns));
    if all == 0 {
        return format!("none of {decided}{awaited}{threshold}");
    }
    if !record.answered {
        return format!("{all} of {decided}{awaited}{threshold}");
    }
    let spread = match record.loss.character {
        Some(Character::Even) => ", one by one",
        Some(Character::Bursty) => ", in bursts",
        None => "",
    };
    format!(
        "{all} of {decided}: {}; longest run {}{spread}{awaited}{threshold}",
        directions(record),
        packets.lost.longest_run
    )
}

fn directions(record: &SessionRecord) -> String {
    let lost = &record.packets.lost;
    let (Some(forward), Some(backward)) = (lost.forward, lost.backward) else {
        return match record.reflector.mode {
            ReflectorMode::Stateless => "direction unknown, the reflector is stateless".to_owned(),
            _ => "direction unknown".to_owned(),
        };
    };
    let network = lost.round_trip.saturating_sub(lost.local);
    match network.saturating_sub(forward + backward) {
        0 => format!("{forward} forward, {backward} backward"),
        open => format!("{forward} forward, {backward} backward, {open} undecided"),
    }
}

fn replies(packets: &PacketsRecord) -> String {
    let by_direction = &packets.reordered_by_direction;
    let reordered = match (by_direction.forward, by_direction.backward) {
        (Some(forward), Some(backward)) if forward + backward > 0 => {
            format!("{} reordered ({forward} forward, {backward} backward)", packets.reordered)
        }
        _ => format!("{} reordered", packets.reordered),
    };
    let rejected = if packets.rejected == 0 {
        "0 rejected".to_owned()
    } else {
        format!("{} rejected ({})", packets.rejected, reasons(&packets.rejected_by_reason))
    };
    format!("{} duplicate, {reordered}, {} late, {rejected}", packets.duplicate, packets.late)
}

fn unsent(packets: &PacketsRecord) -> String {
    format!("{} ({}): no loss of the path", packets.unsent, reasons(&packets.unsent_by_reason))
}

fn dropped(local: u64) -> String {
    format!("{local} of the lost by this host's receive queue: no loss of the path")
}

/// `missed slot 10, no buffer 2`, the most frequent first.
fn reasons(counts: &std::collections::BTreeMap<String, u64>) -> String {
    let mut counts: Vec<_> = counts.iter().filter(|(_, count)| **count > 0).collect();
    counts.sort_by_key(|(_, count)| u64::MAX - **count);
    let words: Vec<String> = counts
        .into_iter()
        .map(|(reason, count)| format!("{} {count}", reason.replace('_', " ")))
        .collect();
    words.join(", ")
}

fn clocks(record: &SessionRecord) -> String {
    let clock = &record.clock;
    let near = FarClockRecord {
        synchronized: Some(clock.synchronized),
        error_bound_ns: clock.error_bound_ns,
        declared: clock.declared,
        ..FarClockRecord::default()
    };
    if clock.synchronized && clock.far.synchronized == Some(true) {
        return format!("both synchronized: here {}, far {}", within(&near), within(&clock.far));
    }
    format!("here {}; far {}", quality(&near), quality(&clock.far))
}

fn quality(clock: &FarClockRecord) -> String {
    match clock.synchronized {
        None if clock.learned_from.is_some() => {
            let from = clock.learned_from.as_deref().unwrap_or_default();
            format!("unknown: {from} says nothing of it")
        }
        None => "unknown".to_owned(),
        Some(true) => format!("synchronized {}", within(clock)),
        Some(false) => format!("not synchronized{}", whence(clock)),
    }
}

fn within(clock: &FarClockRecord) -> String {
    let declared = whence(clock);
    clock.error_bound_ns.map_or_else(
        || format!("with unknown error{declared}"),
        |ns| format!("within {}{declared}", bound(ns)),
    )
}

/// Who says so, when it is not the clock's own host.
fn whence(clock: &FarClockRecord) -> String {
    match &clock.learned_from {
        _ if clock.declared => " (declared)".to_owned(),
        Some(from) if clock.learned => format!(" (learned from {from})"),
        _ => String::new(),
    }
}

fn one_way(record: &SessionRecord) -> String {
    let excluded = match record.clock.excluded {
        0 => String::new(),
        excluded => format!("; {excluded} left out around a jump of a clock"),
    };
    if !record.clock.one_way.synchronized {
        return format!("? not to be trusted: the clocks are not synchronized{excluded}");
    }
    match record.clock.one_way.error_bound_ns {
        Some(ns) => format!("clock error at most {}{excluded}", bound(ns)),
        None => format!("clock error unknown{excluded}"),
    }
}

fn stamps(record: &SessionRecord) -> String {
    let stamps = &record.clock.stamps;
    if record.reflector.mode == ReflectorMode::Absent {
        return format!(
            "probe sent: {}; probe back: {}",
            source(stamps.probe_sent, stamps.probe_sent_counts),
            source(stamps.reply_received, stamps.reply_received_counts)
        );
    }
    let near = format!(
        "probe sent: {}; reply received: {}",
        source(stamps.probe_sent, stamps.probe_sent_counts),
        source(stamps.reply_received, stamps.reply_received_counts)
    );
    match (stamps.probe_received, stamps.reply_sent) {
        (None, None) => format!("{near}; far end: unknown"),
        (received, sent) => format!(
            "{near}; far end: received {}, sent {}",
            received.map_or("unknown", Source::label),
            sent.map_or("unknown", Source::label)
        ),
    }
}

fn source(most: Option<Source>, counts: SourceCounts) -> String {
    let Some(most) = most else { return "unknown".to_owned() };
    let all = counts.user + counts.kernel + counts.hardware;
    let of = |source| match source {
        Source::User => counts.user,
        Source::Kernel => counts.kernel,
        Source::Hardware => counts.hardware,
    };
    let others: Vec<String> = [Source::User, Source::Kernel, Source::Hardware]
        .into_iter()
        .filter(|source| *source != most && of(*source) > 0)
        .map(|source| format!("{} of {all} {}", of(source), source.label()))
        .collect();
    if others.is_empty() {
        most.label().to_owned()
    } else {
        format!("{} ({})", most.label(), others.join(", "))
    }
}

fn reflector(record: &SessionRecord) -> String {
    let reflector = &record.reflector;
    let mode = match reflector.mode {
        ReflectorMode::Unknown => "mode unknown",
        ReflectorMode::Stateless => "stateless",
        ReflectorMode::Stateful => "stateful",
        ReflectorMode::Absent => return far_node(record),
    };
    let format = reflector
        .timestamp_format
        .as_ref()
        .map_or_else(String::new, |format| format!(", {} timestamps", format.to_uppercase()));
    let tlvs = match record.tlvs.last.as_str() {
        "not_asked" => ", no TLVs asked".to_owned(),
        outcome => format!(", TLVs {}", outcome.replace('_', " ")),
    };
    let restarts = match reflector.restarts {
        0 => String::new(),
        restarts => format!(", counter began again {restarts} times"),
    };
    format!("{mode}, {}{format}{tlvs}{restarts}", record.config.authentication.label())
}

/// In the loopback modes: what forwards the probes back.
fn far_node(record: &SessionRecord) -> String {
    let stamping = &record.stamping;
    let authentication = record.config.authentication.label();
    let all = record.packets.received;
    let wrote = match stamping.stamped {
        0 if stamping.last == "not_asked" => "it writes nothing, as asked".to_owned(),
        stamped if stamped == all => "its receive timestamp is in every probe".to_owned(),
        stamped => format!("its receive timestamp is in {stamped} of {all} probes"),
    };
    format!("none: the far node forwards probes back; {wrote}; {authentication}")
}

/// Plain loopback in place of enhanced loopback.
fn fallback(fallback: &FallbackRecord) -> String {
    let FallbackRecord { encapsulation, trials, .. } = fallback;
    let time = |at: Option<Instant>| at.map_or_else(|| "unknown".to_owned(), whole_seconds);
    let again = match trials {
        0 => "not tried again yet".to_owned(),
        1 => format!("tried again at {}", time(fallback.last_trial)),
        _ => format!("tried again {trials} times, last at {}", time(fallback.last_trial)),
    };
    let lost = match fallback.trials_lost {
        0 => String::new(),
        lost => format!(" ({lost} lost, in no other count)"),
    };
    if fallback.active {
        let since = time(fallback.since);
        return format!(
            "far node does not stamp: measured as plain loopback ({encapsulation}) since {since}, \
             {again}{lost}"
        );
    }
    let times = if fallback.count == 1 { "once" } else { "several times" };
    format!(
        "{times} for {} probes plain loopback ({encapsulation}), {again}{lost}; the far node stamps \
         now",
        fallback.plain
    )
}

fn whole_seconds(at: Instant) -> String {
    let text = at.to_string();
    format!("{}Z", text.split('.').next().unwrap_or_default())
}

fn path(record: &SessionRecord) -> String {
    let path = &record.path;
    let mut parts = Vec::new();
    if record.answered {
        let ways = [path.forward_hops, path.backward_hops].map(hops);
        parts.push(match record.reflector.mode {
            ReflectorMode::Absent => format!("{} hops all the way round", ways[0]),
            _ => format!("{} hops forward, {} backward", ways[0], ways[1]),
        });
    }
    let back = path.reply_dscp.map_or_else(String::new, |back| format!(", back {}", dscp(back)));
    parts.push(format!("DSCP {}{back}", dscp(path.dscp)));
    if path.remarked > 0 {
        parts.push(format!("{} remarked", path.remarked));
    }
    if let Some(mtu) = path.mtu_octets {
        parts.push(format!("MTU {mtu}"));
    }
    parts.join("; ")
}

fn hops(range: Option<HopRangeRecord>) -> String {
    match range {
        None => "unknown".to_owned(),
        Some(range) if range.min == range.max => range.last.to_string(),
        Some(range) => format!("{} to {}", range.min, range.max),
    }
}

fn dscp(value: u8) -> String {
    Dscp::new(value).map_or_else(|| value.to_string(), |dscp| dscp.to_string())
}

fn pace(record: &SessionRecord) -> String {
    let late = &record.lateness_ns;
    format!(
        "probes left {} late at p50, {} at p99, {} at most",
        delay_or_dash(late.p50),
        delay_or_dash(late.p99),
        delay_or_dash(late.max)
    )
}
