//! The act in words: lines in the order of time, each with who tells it.

use std::time::Duration;

use serde_json::Value;

use crate::output::duration::delay;
use crate::output::ndjson::entry::Event;
use crate::output::ndjson::path::PathEntry;
use crate::output::paint::Paint;

/// Where text begins, behind the time and who tells.
const INDENT: usize = 18;

/// Who tells a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Who {
    /// `stamp-sender run`.
    Run,
    /// `stamp-sender write`.
    Write,
    /// Whoever changes the network.
    Lab,
    /// The program that sends datagrams.
    Program,
}

impl Who {
    const fn label(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Write => "write",
            Self::Lab => "lab",
            Self::Program => "program",
        }
    }
}

/// The line above.
pub(super) fn heading(paint: Paint) -> String {
    paint.strong(&format!("{:>7}  {:<7}  what", "seconds", "who")) + "\n"
}

/// One that is told so long after the beginning; further lines of it stand below.
pub(super) fn line(after: Duration, who: Who, text: &str) -> String {
    let text = text.replace('\n', &format!("\n{:INDENT$}", ""));
    format!("{:>7.2}  {:<7}  {text}\n", after.as_secs_f64(), who.label())
}

/// A limit of the session of a list is exceeded, or not any more.
pub(super) fn threshold(event: &Event, paint: Paint) -> String {
    let ns = |value: Option<i64>| value.map_or_else(|| "-".to_owned(), delay);
    let direction = event.direction.as_deref().unwrap_or_default();
    let (value, limit) = (ns(event.value), ns(event.limit));
    let is_exceeded = event.to.as_deref() == Some("exceeded");
    let sign = if is_exceeded { ">" } else { "<=" };
    let text = format!("threshold: {} {direction} {value} {sign} {limit}", event.session);
    if is_exceeded { paint.bad(&text) } else { text }
}

/// Traffic moves.
pub(super) fn moved(entry: &PathEntry, paint: Paint) -> String {
    let name = |path: &Option<String>| path.clone().unwrap_or_else(|| "nothing".to_owned());
    let from = match &entry.from {
        Some(from) => format!("{from} -> "),
        None => String::new(),
    };
    let because = entry.because.as_ref().map(|because| format!(", for {because}"));
    let text = format!(
        "path: {from}{}, {}: {}{}",
        name(&entry.to),
        entry.standing,
        entry.reason,
        because.unwrap_or_default()
    );
    paint.strong(&text)
}

/// What is said of each candidate path, of the answer to `/api/v1/policies`.
pub(super) fn candidates(document: &Value) -> String {
    let policies = document["policies"].as_array().into_iter().flatten();
    let candidates = policies.flat_map(|it| it["candidates"].as_array().into_iter().flatten());
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let lines = candidates.map(|candidate| {
        let (name, preference) = (text(&candidate["name"]), &candidate["preference"]);
        let (word, reason) =
            (text(&candidate["eligibility"]), text(&candidate["eligibility_reason"]));
        // An eligible one has nothing to add.
        let reason = if reason == word { String::new() } else { format!(": {reason}") };
        format!("{name} ({preference}) {word}{reason}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What a datagram meets.
pub(super) fn felt(delay: Option<Duration>) -> String {
    match delay {
        Some(delay) => format!("a datagram takes {} from s to r", took(delay)),
        None => "no datagram arrives at r".to_owned(),
    }
}

/// A line of `ip`, in two parts: with its segments it is wider than most terminals.
pub(super) fn route(line: &str) -> String {
    line.replacen(" encap", "\n  encap", 1)
}

/// What traffic has met, from the first to the last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Felt {
    /// Before, while its way was bad, and since.
    pub(super) delays: [Option<Duration>; 3],
    /// How long it was bad.
    pub(super) slow_for: Duration,
}

/// The end of the story.
pub(super) fn summary(felt: &Felt, paint: Paint) -> String {
    let [before, slow, after] = felt.delays.map(|it| it.map_or_else(|| "-".to_owned(), took));
    paint.good(&format!(
        "Datagrams took {before} from s to r, {slow} for {:.2}s, and take {after} since they go another way.",
        felt.slow_for.as_secs_f64()
    )) + "\n"
}

/// A delay in three digits.
fn took(duration: Duration) -> String {
    delay(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_stand_below_who_tells_them() {
        let route = route("ip -6 route replace 2001:db8::2/128 table 8300 encap seg6 mode encap");
        assert_eq!(
            line(Duration::from_millis(1520), Who::Write, &route),
            "   1.52  write    ip -6 route replace 2001:db8::2/128 table 8300\n\
             \x20                   encap seg6 mode encap\n"
        );
        assert!(heading(Paint::PLAIN).ends_with("  who      what\n"));
    }

    #[test]
    fn a_threshold_has_its_value_and_its_limit() {
        let event = Event {
            session: "gaming-to-r/past-c/0".to_owned(),
            direction: Some("forward".to_owned()),
            to: Some("exceeded".to_owned()),
            value: Some(120_100_000),
            limit: Some(50_000_000),
            ..Event::default()
        };
        let text = threshold(&event, Paint::PLAIN);
        assert_eq!(text, "threshold: gaming-to-r/past-c/0 forward 120ms > 50.0ms");
        let below = Event { to: Some("not_exceeded".to_owned()), value: Some(1), ..event };
        assert!(threshold(&below, Paint::PLAIN).ends_with(" 1ns <= 50.0ms"));
    }

    #[test]
    fn a_move_has_its_reason_and_what_is_said_of_the_others() {
        let entry = PathEntry {
            from: Some("past-c".to_owned()),
            to: Some("past-a".to_owned()),
            reason: "violation".to_owned(),
            standing: "good".to_owned(),
            because: Some("forward-p95 is 120ms, at most 50ms is allowed".to_owned()),
            ..PathEntry::default()
        };
        assert_eq!(
            moved(&entry, Paint::PLAIN),
            "path: past-c -> past-a, good: violation, for forward-p95 is 120ms, at most 50ms is allowed"
        );
        let first = PathEntry { from: None, because: None, ..entry };
        assert_eq!(moved(&first, Paint::PLAIN), "path: past-a, good: violation");
        let document = json!({ "policies": [{ "candidates": [
            { "name": "past-c", "preference": 200, "eligibility": "violates",
              "eligibility_reason": "loss is 9%, at most 2% is allowed" },
            { "name": "past-a", "preference": 100, "eligibility": "eligible",
              "eligibility_reason": "eligible" },
        ] }] });
        assert_eq!(
            candidates(&document),
            "past-c (200) violates: loss is 9%, at most 2% is allowed\npast-a (100) eligible"
        );
    }

    #[test]
    fn the_end_has_the_numbers_that_were_measured() {
        let felt = Felt {
            delays: [Some(1_200_000), Some(120_000_000), None]
                .map(|ns| ns.map(Duration::from_nanos)),
            slow_for: Duration::from_millis(980),
        };
        assert_eq!(
            summary(&felt, Paint::PLAIN),
            "Datagrams took 1.20ms from s to r, 120ms for 0.98s, and take - since they go another way.\n"
        );
    }
}
