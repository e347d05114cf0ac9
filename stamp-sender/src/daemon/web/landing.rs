//! The entrance: sessions, the worst first, as a page for people.
//!
//! It is made of what the board holds, so no packet thread is asked for it. A script of ours keeps it
//! up to date and draws the course of each delay; without it the page is as true, but stands still.

use std::cmp::Reverse;
use std::fmt::Write as _;

use stamp_metrics::http::Page;
use stamp_path::drawing::escaped;
use stamp_session::sender::{
    DelayThresholdReport, LossThresholdReport, MeasuredDirection, ThresholdReport,
};
use stamp_session::snapshot::{ClockReport, DelaySummary, SessionSnapshot, SessionState};

use crate::daemon::board::{Board, Branch, Entry, Limit};
use crate::output::duration::{bound, delay};

/// Sessions that are listed; the others are better.
const LISTED: usize = 500;

const HEAD: &str = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'self'; \
style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
<title>stamp-sender</title><link rel=\"icon\" href=\"/icon.svg\"><link rel=\"stylesheet\" href=\"/landing.css\">\
<script src=\"/landing.js\" defer></script></head><body class=\"sessions\"><header><h1>stamp-sender ";
const LINKS: &str = "</h1><nav><a href=\"/paths\">paths</a> <a href=\"/metrics\">metrics</a> \
<a href=\"/api/v1/sessions\">sessions as JSON</a> <a href=\"/api/v1/events\">events</a> \
<a href=\"/config\">configuration</a> <a href=\"/-/ready\">ready</a></nav>";
const COLUMNS: &str = "<table><thead><tr><th>session<th>target<th>state\
<th>forward <small>p50 / p99</small><th>backward <small>p50 / p99</small>\
<th>round trip <small>p50 / p99</small><th>course<th>loss<th>clocks</thead><tbody>\n";
/// What cards say with signs instead.
const LEGEND: &str = "<p id=\"legend\">→ forward ← backward ⇄ round trip: p50 / p99</p>";

/// All that a session may exceed: what the row says of delay, in its order, and the rest.
const LIMITS: [Limit; 6] = [
    Limit::Delay(MeasuredDirection::Forward),
    Limit::Delay(MeasuredDirection::Backward),
    Limit::Delay(MeasuredDirection::RoundTrip),
    Limit::Loss(MeasuredDirection::RoundTrip),
    Limit::Loss(MeasuredDirection::Forward),
    Limit::Loss(MeasuredDirection::Backward),
];

/// Style of the page.
pub fn style() -> Page {
    Page::whole("text/css; charset=utf-8", include_str!("landing.css").to_owned())
}

/// What stands for it among others.
pub fn icon() -> Page {
    Page::whole("image/svg+xml", include_str!("icon.svg").to_owned())
}

/// What keeps it up to date.
pub fn script() -> Page {
    Page::whole("text/javascript; charset=utf-8", include_str!("landing.js").to_owned())
}

/// A session as the page has it.
struct Row<'a> {
    entry: &'a Entry,
    branch: &'a Branch,
}

/// How it is, in what page and style call it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Waits,
    Bad,
    Over,
    Good,
    Unknown,
}

impl Kind {
    const fn class(self) -> &'static str {
        match self {
            Self::Waits => "bad waits",
            Self::Bad => "bad",
            Self::Over => "over",
            Self::Good => "good",
            Self::Unknown => "unknown",
        }
    }
}

/// How bad it is: the first that differs decides.
type Badness = (bool, u8, u64, u64);

impl Row<'_> {
    /// Its name, its far end or one of its labels has the word in it; letters may be large or small.
    fn has(&self, word: &str) -> bool {
        let spec = &self.entry.spec;
        let texts =
            [&self.branch.identity.name, &spec.target].into_iter().chain(spec.labels.values());
        let word = word.to_lowercase();
        texts.into_iter().any(|text| text.to_lowercase().contains(&word))
    }

    fn measured(&self) -> Option<&SessionSnapshot> {
        self.branch.window.as_ref().map(|window| &*window.measured)
    }

    fn thresholds(&self) -> Option<&ThresholdReport> {
        self.measured()?.thresholds.as_deref()
    }

    /// Its state, of which there is news before there is a window.
    fn state(&self) -> Option<SessionState> {
        self.branch.news.state().or_else(|| Some(self.measured()?.state))
    }

    fn is_exceeded(&self, limit: Limit) -> bool {
        self.branch.news.is_exceeded(limit).unwrap_or_else(|| self.was_exceeded(limit))
    }

    /// Whether it was at the end of the latest window.
    fn was_exceeded(&self, limit: Limit) -> bool {
        let Some(ThresholdReport { delay, loss }) = self.thresholds() else { return false };
        match limit {
            Limit::Delay(direction) => delay
                .iter()
                .any(|(known, it)| known == direction && it.is_some_and(|it| it.latched)),
            Limit::Loss(direction) => {
                loss.iter().any(|(known, it)| known == direction && it.is_some_and(|it| it.latched))
            }
        }
    }

    /// Limits that are exceeded.
    fn exceeded(&self) -> usize {
        LIMITS.into_iter().filter(|limit| self.is_exceeded(*limit)).count()
    }

    fn badness(&self) -> Badness {
        let is_down = match self.state() {
            Some(state) => state != SessionState::Up,
            None => self.branch.runs.is_none(),
        };
        let exceeded = self.exceeded().try_into().unwrap_or(u8::MAX);
        let Some(measured) = self.measured() else { return (is_down, exceeded, 0, 0) };
        let lost = measured.packets.loss_ratio().unwrap_or_default();
        let p99 = measured.delay.round_trip.p99.map_or(0, |p99| p99.ns().unsigned_abs());
        (is_down, exceeded, (lost * 1e9) as u64, p99)
    }

    fn kind(&self) -> Kind {
        match (self.state(), &self.branch.runs, &self.entry.waits) {
            (Some(SessionState::Up), ..) if self.exceeded() > 0 => Kind::Over,
            (Some(SessionState::Up), ..) => Kind::Good,
            (Some(_), ..) => Kind::Bad,
            (None, None, Some(_)) => Kind::Waits,
            (None, ..) => Kind::Unknown,
        }
    }

    /// A sign for eyes and a word for everybody.
    fn write_state(&self, kind: Kind, text: &mut String) {
        let label = self.state().unwrap_or_default().label();
        let reason = self.entry.waits.as_deref().unwrap_or_default();
        let _ = match kind {
            Kind::Waits => write!(text, "✕ waits <small>{}</small>", escaped(reason)),
            Kind::Bad => write!(text, "✕ {label}"),
            Kind::Over => {
                write!(text, "▲ {label} <small>limits exceeded: {}</small>", self.exceeded())
            }
            Kind::Good => write!(text, "✓ {label}"),
            Kind::Unknown if self.branch.runs.is_some() => write!(text, "· runs"),
            Kind::Unknown => write!(text, "· is being opened"),
        };
    }

    fn write(&self, text: &mut String) {
        let kind = self.kind();
        let (name, target) =
            (escaped(&self.branch.identity.name), escaped(&self.entry.spec.target));
        let class = kind.class();
        let _ =
            write!(text, "<tr class=\"{class}\" data-name=\"{name}\"><td>{name}<td>{target}<td>");
        self.write_state(kind, text);
        let Some(measured) = self.measured() else {
            text.push_str("<td>–<td>–<td>–<td><td>–<td>–\n");
            return;
        };
        let thresholds = self.thresholds();
        let limits = thresholds
            .map_or([None; 3], |it| [it.delay.forward, it.delay.backward, it.delay.round_trip]);
        let delays =
            [&measured.delay.forward, &measured.delay.backward, &measured.delay.round_trip];
        for ((summary, report), limit) in delays.into_iter().zip(limits).zip(LIMITS) {
            text.push_str(&delays_of(summary, report, self.is_exceeded(limit)));
        }
        let course: Vec<String> = self.branch.course.iter().map(u64::to_string).collect();
        let _ = write!(text, "<td class=\"course\" data-us=\"{}\">", course.join(","));
        let is_exceeded = self.is_exceeded(Limit::Loss(MeasuredDirection::RoundTrip));
        let limit = thresholds.and_then(|it| it.loss.round_trip);
        text.push_str(&loss_of(measured, limit, is_exceeded));
        let _ = writeln!(text, "<td>{}", clocks(&measured.clock));
    }
}

fn delays_of(
    summary: &DelaySummary,
    limit: Option<DelayThresholdReport>,
    is_exceeded: bool,
) -> String {
    let over = if is_exceeded { "▲ " } else { "" };
    let Some((p50, p99)) = summary.p50.zip(summary.p99) else { return format!("<td>{over}–") };
    let limit = limit.and_then(|limit| limit.limit);
    let limit = limit.map(|limit| format!(" <small>of {}</small>", delay(limit.ns())));
    let limit = limit.unwrap_or_default();
    format!("<td>{over}{} / {}{limit}", delay(p50.ns()), delay(p99.ns()))
}

/// What one-way values are worth.
fn clocks(clock: &ClockReport) -> String {
    let far = clock.far.is_some_and(|far| far.synchronized);
    match (clock.synchronized, clock.error_bound_ns) {
        (true, Some(ns)) => format!("✓ ±{}", bound(ns)),
        (true, None) => "✓".to_owned(),
        (false, _) => match (clock.near.synchronized, far) {
            (true, false) => "far not synchronized".to_owned(),
            (false, true) => "near not synchronized".to_owned(),
            _ => "not synchronized".to_owned(),
        },
    }
}

fn loss_of(
    measured: &SessionSnapshot,
    limit: Option<LossThresholdReport>,
    is_exceeded: bool,
) -> String {
    let over = if is_exceeded { "▲ " } else { "" };
    let Some(ratio) = measured.packets.loss_ratio() else { return format!("<td>{over}–") };
    let limit =
        limit.map(|limit| format!(" <small>of {:.2} %</small>", limit.limit_ratio() * 100.0));
    format!("<td>{over}{:.2} %{}", ratio * 100.0, limit.unwrap_or_default())
}

/// The page; with a word, of the sessions that have it.
pub(super) fn page(board: &Board, word: Option<&str>) -> Page {
    let word = word.map(str::trim).filter(|word| !word.is_empty());
    let posted = board.read();
    let rows = posted
        .sessions
        .values()
        .flat_map(|entry| entry.branches.iter().map(move |branch| Row { entry, branch }));
    let rows = rows.filter(|row| word.is_none_or(|word| row.has(word)));
    let mut rows: Vec<_> = rows.map(|row| (Reverse(row.badness()), row)).collect();
    // What is equally bad stays in the order of names.
    rows.sort_by_key(|(badness, _)| *badness);
    let bad = rows.iter().filter(|(_, row)| matches!(row.kind(), Kind::Waits | Kind::Bad)).count();
    let over = rows.iter().filter(|(_, row)| row.exceeded() > 0).count();
    let shown = word.map(escaped);
    let mut text = format!("{HEAD}{}{LINKS}", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(
        text,
        "<form role=\"search\"><input type=\"search\" name=\"find\" value=\"{}\" aria-label=\"find sessions\" \
         placeholder=\"name, target or label\"> <button>find</button></form></header>",
        shown.as_deref().unwrap_or_default()
    );
    let with = shown.map(|word| format!(" with “{word}”")).unwrap_or_default();
    let sum = match (posted.reloads.is_some(), rows.len()) {
        (false, _) => "no file is in force yet: sessions are being opened".to_owned(),
        (true, count) => {
            let sessions = if count == 1 { "session" } else { "sessions" };
            format!(
                "{count} {sessions}{with}, {bad} down or waiting, {over} over a limit; the worst first"
            )
        }
    };
    let _ = writeln!(text, "<main><p id=\"sum\" role=\"status\">{sum}</p>{LEGEND}{COLUMNS}");
    rows.iter().take(LISTED).for_each(|(_, row)| row.write(&mut text));
    let more = rows.len().saturating_sub(LISTED);
    let _ = write!(text, "</tbody></table><p id=\"more\">");
    if more > 0 {
        let _ = write!(text, "and {more} better ones");
    }
    text.push_str("</p></main></body></html>\n");
    Page::whole("text/html; charset=utf-8", text)
}

#[cfg(test)]
mod tests {
    use stamp_session::clock::{ClockState, Now};
    use stamp_session::sender::{SenderEvent, StateChange};

    use super::*;
    use crate::daemon::Configuration;

    /// The page of so many sessions, every tenth of them in Paris.
    fn page_of(count: usize, word: Option<&str>) -> String {
        let session = |number| {
            let site = if number % 10 == 0 { "Paris" } else { "Oslo" };
            format!(
                "[[session]]\nname = \"s{number}\"\ntarget = \"192.0.2.1\"\nlabels = {{ site = {site:?} }}\n"
            )
        };
        let text: String = (0..count).map(session).collect();
        let read = Configuration::read("f.toml", &text, std::path::Path::new("/")).unwrap();
        let board = Board::default();
        read.sessions.into_iter().for_each(|spec| board.admit(&spec));
        board.reloaded(true);
        text_of(&board, word)
    }

    fn text_of(board: &Board, word: Option<&str>) -> String {
        let pieces = page(board, word).pieces;
        String::from_utf8(pieces.flatten().collect()).unwrap()
    }

    #[test]
    fn a_crowd_is_listed_as_far_as_anybody_reads() {
        let text = page_of(10_000, None);
        assert!(text.contains(">10000 sessions, 0 down or waiting"), "{:.900}", text);
        assert_eq!(text.matches("<tr class=").count(), LISTED);
        assert!(text.contains("and 9500 better ones"));
        assert!(text.len() < 100_000, "{} octets", text.len());
    }

    #[test]
    fn whoever_looks_for_some_finds_them_among_all() {
        let text = page_of(10_000, Some(" paRIS "));
        assert!(text.contains(">1000 sessions with “paRIS”, "), "{:.900}", text);
        assert!(text.contains("data-name=\"s10\"") && !text.contains("data-name=\"s11\""));
        let one = page_of(100, Some("s77"));
        assert_eq!(one.matches("<tr class=").count(), 1);
        assert!(one.contains(">1 session with “s77”, 0 down or waiting"), "{one:.900}");
        assert_eq!(page_of(100, Some("  ")).matches("<tr class=").count(), 100);
        let hostile = page_of(3, Some("\"><script>"));
        assert!(hostile.contains("&quot;&gt;&lt;script&gt;") && !hostile.contains("\"><script>\""));
    }

    #[test]
    fn what_a_session_told_shows_before_its_window_ends() {
        let text = "[[session]]\nname = \"a\"\ntarget = \"192.0.2.1\"\n";
        let two = format!("{text}{}", text.replace("\"a\"", "\"b\""));
        let read = Configuration::read("f.toml", &two, std::path::Path::new("/")).unwrap();
        let board = Board::default();
        read.sessions.into_iter().for_each(|spec| board.admit(&spec));
        board.reloaded(true);
        let tell = |name, to| {
            let (from, at) = (SessionState::Init, Now::default());
            let change = StateChange { from, to, at, run: 1, first: 1, last: 1 };
            board.event(name, 0, &SenderEvent::State(change));
        };
        tell("a", SessionState::Up);
        tell("b", SessionState::Down);
        let page = text_of(&board, None);
        assert!(page.contains(">2 sessions, 1 down or waiting, 0 over"), "{page:.900}");
        let place = |text: &str| page.find(text).unwrap();
        assert!(place("<td>✕ down") < place("<td>✓ up"), "{page}");
    }

    #[test]
    fn before_a_file_is_in_force_nobody_counts_its_sessions() {
        let text = text_of(&Board::default(), None);
        assert!(text.contains(">no file is in force yet: sessions are being opened</p>"), "{text}");
        assert!(!text.contains("0 sessions"), "{text}");
    }

    #[test]
    fn clocks_say_how_good_they_are_or_which_is_not() {
        let state = |synchronized| ClockState { synchronized, ..ClockState::UNKNOWN };
        let told = |near, far, bound| {
            clocks(&ClockReport {
                near: state(near),
                far: Some(state(far)),
                far_learned: false,
                synchronized: near && far,
                error_bound_ns: bound,
                excluded: 0,
                findings: Vec::new(),
            })
        };
        assert_eq!(told(true, true, Some(1_500)), "✓ ±1.50us");
        assert_eq!(told(true, true, None), "✓");
        assert_eq!(told(true, false, Some(1_500)), "far not synchronized");
        assert_eq!(told(false, true, None), "near not synchronized");
        assert_eq!(told(false, false, None), "not synchronized");
    }
}
