//! One line for each thing that happens, in columns that stay where they are.

use std::time::Duration;

use stamp_proto::time::TimeDelta;
use stamp_session::clock::ClockState;
use stamp_session::sender::{
    AccessReportState, AccessReportStatus, DelayChange, End, FallbackChange, FallbackReason,
    LEARNED_FOR, LossChange, Marked, MeasuredDirection, Outcome, PaceChange, RejectReason, Sample,
    SenderEvent, SessionState, Stamping, StateChange, ThresholdState,
};
use stamp_session::statistics::Reason;
use stamp_worker::sender::Trouble;

use super::table::{pad_left, pad_right, width};
use crate::output::duration::{bound, delay, delay_or_dash, setting};
use crate::output::flags;
use crate::output::heard::trouble_record;
use crate::output::paint::Paint;
use crate::output::record::{TroubleKind, TroubleRecord};

/// Longest session name that is shown in full when there are several.
const LONGEST_NAME: usize = 20;
/// Columns behind the name: sequence number, four delays, hops.
const SEQUENCE: usize = 6;
const DELAY: usize = 10;
const HOPS: usize = 8;

/// Makes lines.
#[derive(Clone, Debug)]
pub struct Lines {
    paint: Paint,
    /// Columns of the session name; 0 when there is only one session.
    name: usize,
}

impl Lines {
    /// For sessions with these names.
    #[must_use]
    pub fn new(paint: Paint, names: &[&str]) -> Self {
        let name = match names {
            [] | [_] => 0,
            many => many.iter().map(|name| width(name)).max().unwrap_or(0).min(LONGEST_NAME) + 1,
        };
        Self { paint, name }
    }

    /// What the columns are.
    #[must_use]
    pub fn heading(&self) -> String {
        let name = if self.name > 0 { "session" } else { "" };
        let columns = format!(
            "{}{}{} {} {}{}{}",
            pad_right(name, self.name),
            pad_left("seq", SEQUENCE),
            pad_left("forward", DELAY + 1),
            pad_left("backward", DELAY),
            pad_left("round trip", DELAY + 2),
            pad_left("residence", DELAY + 1),
            pad_left("hops", HOPS),
        );
        self.paint.faint(&columns)
    }

    /// A reply that is a measurement, in time or late.
    #[must_use]
    pub fn sample(&self, name: &str, sample: &Sample, late: bool) -> String {
        let trusted = sample.clock_synchronized;
        let one_way = |value: Option<TimeDelta>| {
            let text = pad_left(&delay_or_dash(value.map(TimeDelta::ns)), DELAY);
            let Some(value) = value else { return format!("{text} ") };
            let text = if value.is_negative() { self.paint.bad(&text) } else { text };
            format!("{text}{}", if trusted { " ".to_owned() } else { self.paint.odd("?") })
        };
        let residence = delay_or_dash(sample.residence.map(TimeDelta::ns));
        let flags = flags::words(sample, late).join(" ");
        let line = format!(
            "{}{} {}{} {}{}{}  {}",
            self.named(name),
            pad_left(&sample.sequence.to_string(), SEQUENCE),
            one_way(sample.forward_delay),
            one_way(sample.backward_delay),
            pad_left(&delay(sample.round_trip.ns()), DELAY + 1),
            pad_left(&residence, DELAY + 1),
            pad_left(&hops(sample), HOPS),
            self.paint.odd(&flags),
        );
        line.trim_end().to_owned()
    }

    /// A datagram that is no measurement.
    #[must_use]
    pub fn outcome(&self, name: &str, outcome: &Outcome, count: u64) -> String {
        match outcome {
            Outcome::Sample(sample) => self.sample(name, sample, false),
            Outcome::Late(sample) => self.sample(name, sample, true),
            Outcome::Duplicate { sequence } => {
                self.at(name, *sequence, &self.paint.odd("duplicate reply"))
            }
            Outcome::Rejected(reason) => {
                let text = format!("not a reply: {}{}", rejected(*reason), so_far(count));
                self.between(name, &self.paint.odd(&text))
            }
        }
    }

    /// Something beside a reply; nothing for what the summary says better.
    #[must_use]
    pub fn event(
        &self,
        name: &str,
        event: &SenderEvent,
        timeout: Duration,
        count: u64,
    ) -> Option<String> {
        Some(match event {
            SenderEvent::Lost { sequence, .. } => {
                let ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
                let text = format!("lost: no reply within {}", setting(ns));
                self.at(name, *sequence, &self.paint.bad(&text))
            }
            SenderEvent::LossDirection { first, last, forward, backward } => {
                let which = if first == last {
                    format!("{first} was lost")
                } else {
                    format!("{first} to {last} were lost")
                };
                let way = match (forward, backward) {
                    (_, 0) => " forward".to_owned(),
                    (0, _) => " backward".to_owned(),
                    _ => format!(": {forward} forward, {backward} backward"),
                };
                self.between(name, &format!("{which}{way}"))
            }
            SenderEvent::State(change) => self.between(name, &self.state(change)?),
            SenderEvent::Delay(change) => self.between(name, &self.delay_limit(change)),
            SenderEvent::Loss(change) => self.between(name, &self.loss_limit(change)),
            SenderEvent::Fallback(change) => self.between(name, &self.fallback(change)),
            SenderEvent::MissedSlots { count: missed } => {
                let text = format!("{missed} not sent: this host came too late{}", so_far(count));
                self.between(name, &self.paint.odd(&text))
            }
            SenderEvent::Unsent { sequence, reason } => {
                let text =
                    format!("not sent: {}{}", reason.label().replace('_', " "), so_far(count));
                self.at(name, *sequence, &self.paint.odd(&text))
            }
            SenderEvent::ReflectorRestart { reflector_sequence, .. } => {
                let text =
                    format!("the reflector counts anew: its reply has number {reflector_sequence}");
                self.between(name, &self.paint.odd(&text))
            }
            SenderEvent::ClockStep { end, by, .. } => {
                let whose = match end {
                    End::Near => "this host's",
                    End::Far => "the far",
                };
                let sign = if by.is_negative() { "" } else { "+" };
                let text = format!("{whose} clock jumped by {sign}{}", delay(by.ns()));
                self.between(name, &self.paint.bad(&text))
            }
            SenderEvent::FarClockLearned(state) => self.between(name, &self.far_clock(*state)),
            SenderEvent::Pace(change) => self.between(name, &self.pace(change)),
            SenderEvent::AccessReport(status) => self.between(name, &self.access_report(status)),
            SenderEvent::ZeroSsid => self.between(name, "the far end returns no SSID"),
            SenderEvent::ReflectorMode { .. }
            | SenderEvent::FarClock(_)
            | SenderEvent::Finished => return None,
        })
    }

    /// A complaint of the network or the kernel.
    #[must_use]
    pub fn trouble(&self, name: &str, trouble: Trouble, count: u64) -> String {
        let record = trouble_record(trouble);
        let text = self.paint.bad(&format!("{}{}", complaint(&record), so_far(count)));
        match record.first_sequence {
            Some(sequence) => self.at(name, sequence, &text),
            None => self.between(name, &text),
        }
    }

    /// A line about one probe.
    fn at(&self, name: &str, sequence: u32, text: &str) -> String {
        format!("{}{}  {text}", self.named(name), pad_left(&sequence.to_string(), SEQUENCE))
    }

    /// A line about the session.
    fn between(&self, name: &str, text: &str) -> String {
        format!("{}{}  {text}", self.named(name), pad_left("*", SEQUENCE))
    }

    fn named(&self, name: &str) -> String {
        if self.name == 0 {
            return String::new();
        }
        if width(name) < self.name {
            return pad_right(name, self.name);
        }
        let cut: String = name.chars().take(self.name - 2).collect();
        format!("{cut}~ ")
    }

    fn far_clock(&self, state: Option<ClockState>) -> String {
        match state {
            Some(ClockState { synchronized: true, error_bound_ns, .. }) => {
                let within = error_bound_ns.map_or_else(
                    || "with unknown error".to_owned(),
                    |ns| format!("within {}", bound(ns)),
                );
                self.paint
                    .good(&format!("the far clock is synchronized {within}, its reflector says"))
            }
            Some(_) => self.paint.odd("the far clock is not synchronized, its reflector says"),
            None => {
                let ns = u64::try_from(LEARNED_FOR.as_nanos()).unwrap_or(u64::MAX);
                let text = format!(
                    "nothing was heard of the far clock for {}: it is unknown again",
                    setting(ns)
                );
                self.paint.odd(&text)
            }
        }
    }

    fn delay_limit(&self, change: &DelayChange) -> String {
        let (way, run) = (way(change.direction), change.run);
        let (value, limit) = (delay(change.value.ns()), delay(change.limit.ns()));
        if change.to == ThresholdState::Exceeded {
            let text = format!("{way} delay of {value} exceeds {limit} ({run} in a row)");
            self.paint.bad(&text)
        } else {
            let text = format!("{way} delay of {value} is within {limit} again ({run} in a row)");
            self.paint.good(&text)
        }
    }

    fn loss_limit(&self, change: &LossChange) -> String {
        let way = way(change.direction);
        let LossChange { lost, decided, limit, .. } = change;
        if change.to == ThresholdState::Exceeded {
            self.paint.bad(&format!("{way} loss: {lost} of the last {decided} (limit {limit})"))
        } else {
            let text =
                format!("{way} loss is within its limit again: {lost} of the last {decided}");
            self.paint.good(&text)
        }
    }

    fn pace(&self, change: &PaceChange) -> String {
        let ns = u64::try_from(change.interval.as_nanos()).unwrap_or(u64::MAX);
        let every = format!("a probe every {} from here on", setting(ns));
        match change.marked {
            Some(Marked::Forward) => {
                self.paint.odd(&format!("congestion on the way there: {every}"))
            }
            Some(Marked::Backward) => {
                self.paint.odd(&format!("congestion on the way back: {every}"))
            }
            None => self.paint.good(&format!("no congestion for a while: {every}")),
        }
    }

    fn access_report(&self, status: &AccessReportStatus) -> String {
        let AccessReportStatus { state, sent, sequence } = *status;
        let times = if sent == 1 { "once".to_owned() } else { format!("{sent} times") };
        match (state, sequence) {
            (AccessReportState::Acknowledged, Some(sequence)) => {
                self.paint.good(&format!("access report acknowledged (probe {sequence})"))
            }
            (AccessReportState::Refused, _) => {
                self.paint.bad("the far end does not take the access report")
            }
            _ => self.paint.bad(&format!("access report sent {times}, not acknowledged")),
        }
    }

    fn fallback(&self, change: &FallbackChange) -> String {
        let run = change.run;
        let what = match change.reason {
            FallbackReason::Stamped => {
                let text = format!(
                    "the far node stamps: enhanced loopback again after {run} plain probes"
                );
                return self.paint.good(&text);
            }
            FallbackReason::Lost => format!("{run} that asked for a timestamp were lost"),
            FallbackReason::Unstamped(stamping) => match stamping {
                Stamping::Missing => format!("{run} in a row came back without a timestamp"),
                _ => format!("{run} in a row, the last timestamp {}", stamping.label()),
            },
        };
        let text = format!("the far node does not stamp ({what}): plain loopback from here on");
        self.paint.odd(&text)
    }

    /// The first UP goes without saying, unless something was lost before.
    fn state(&self, change: &StateChange) -> Option<String> {
        let run = change.run;
        Some(match (change.from, change.to) {
            (_, SessionState::Down) => self
                .paint
                .bad(&format!("DOWN: {run} lost in a row ({} to {})", change.first, change.last)),
            (_, SessionState::Up) if run > 0 => {
                self.paint.good(&format!("UP after {run} lost in a row"))
            }
            _ => return None,
        })
    }
}

const fn way(direction: MeasuredDirection) -> &'static str {
    match direction {
        MeasuredDirection::Forward => "forward",
        MeasuredDirection::Backward => "backward",
        MeasuredDirection::RoundTrip => "round-trip",
    }
}

/// What the kernel or the network says, in the words of the summary.
fn complaint(record: &TroubleRecord) -> String {
    let by = record.offender.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    let what = record.what.replace('_', " ");
    match record.what.as_str() {
        "packet_too_big" | "too_big" => {
            let mtu = record.mtu_octets.map_or_else(String::new, |mtu| format!(" for MTU {mtu}"));
            let fits = record.largest_payload_octets.map_or_else(String::new, |octets| {
                format!("; the largest -s that fits is {octets}")
            });
            let by = by.replace(" from ", " at ");
            format!("too big{mtu}{by}{fits}")
        }
        _ if record.kind == TroubleKind::Icmp => format!("ICMP {what}{by}"),
        _ => format!("not sent: {what}"),
    }
}

fn rejected(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::Source => "it came from another address or port",
        RejectReason::Short => "it is too short",
        RejectReason::Ssid => "it has the SSID of another session",
        RejectReason::Authentication => "its HMAC is made with none of our keys",
        RejectReason::OwnProbe => "it is our own probe, sent back",
        RejectReason::NeverSent => "no probe has this number",
        RejectReason::Forgotten => "the probe is too old",
        RejectReason::Unsent => "the probe never left",
        RejectReason::EchoedTimestamp => "it echoes another timestamp",
        RejectReason::EchoedErrorEstimate => "it echoes another error estimate",
        RejectReason::ErrorEstimate => "its error estimate has multiplier 0",
        RejectReason::Timestamp => "it has no usable timestamp",
        RejectReason::ReplySentBeforeReceived => "it left before its probe came",
        RejectReason::ReplyReceivedBeforeSent => "it came before its probe left",
        RejectReason::ReceivedBeforeSent => "its probe arrived before it left",
        RejectReason::Member => "it is one of another member link",
    }
}

fn so_far(count: u64) -> String {
    if count > Limiter::FIRST { format!(" ({count} times so far)") } else { String::new() }
}

fn hops(sample: &Sample) -> String {
    let text = |hops: Option<u8>| hops.map_or_else(|| "-".to_owned(), |hops| hops.to_string());
    format!("{}/{}", text(sample.forward_hops), text(sample.backward_hops))
}

/// Lets the first few lines of a kind through, then every tenth power.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limiter {
    seen: u64,
}

impl Limiter {
    /// Lines that pass before it begins to hold back.
    const FIRST: u64 = 10;

    /// Counts one; its number when the line may be printed.
    pub fn pass(&mut self) -> Option<u64> {
        self.seen += 1;
        let passes = self.seen <= Self::FIRST || 10_u64.pow(self.seen.ilog10()) == self.seen;
        passes.then_some(self.seen)
    }
}
