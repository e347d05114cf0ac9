//! Policies as a page for people: the network with the paths that carry traffic, and why these do.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use stamp_metrics::http::Page;
use stamp_metrics::policy::{CandidateView, PolicyView};
use stamp_path::drawing::escaped;
use stamp_proto::time::WallTime;
use stamp_session::policy::{PathState, PathSummary};

use super::drawing::Drawing;
use crate::output::duration::delay;
use crate::output::instant::Instant;

/// Where the page lies; those of single policies lie below it.
const PATH: &str = "/paths";
/// What the name of a picture ends with.
const PICTURE: &str = ".svg";
/// Policies that are listed; the others are better.
const LISTED: usize = 500;

const HEAD: &str = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'self'; \
style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
<title>paths</title><link rel=\"icon\" href=\"/icon.svg\"><link rel=\"stylesheet\" href=\"/landing.css\">\
<script src=\"/landing.js\" defer></script></head><body class=\"paths\"><header><h1>paths</h1>\
<nav><a href=\"/\">sessions</a> <a href=\"/paths\">all policies</a> \
<a href=\"/api/v1/policies\">policies as JSON</a> <a href=\"/api/v1/paths\">paths as JSON</a> \
<a href=\"/metrics\">metrics</a></nav></header>\n";
const COLUMNS: &str = "<table><thead><tr><th>policy<th>class<th>standing<th>carries<th>since<th>reason\
<th>delay<th>loss<th>candidates, the most preferred first</thead><tbody>\n";

/// The page of all policies, that of one of them, or a picture, if one of these lies there.
pub fn page(path: &str, policies: &[PolicyView], drawing: &Drawing) -> Option<Page> {
    let below = path.strip_prefix(PATH)?;
    let order = worst_first(policies);
    let of_all = || drawing.active(order.iter().map(|policy| policy.name.as_str()));
    match below {
        "" => Some(html(&order, drawing, &of_all(), None)),
        PICTURE => Some(picture(of_all())),
        _ => {
            let name = below.strip_prefix('/')?;
            let (name, is_picture) = match name.strip_suffix(PICTURE) {
                Some(name) => (name, true),
                None => (name, false),
            };
            let name = percent_decode_str(name).decode_utf8().ok()?;
            let policy = policies.iter().find(|policy| policy.name == name)?;
            let drawn = drawing.of(&policy.name).unwrap_or_else(|| drawing.active([].into_iter()));
            match is_picture {
                true => Some(picture(drawn)),
                false => Some(html(&[policy], drawing, &drawn, Some(&policy.name))),
            }
        }
    }
}

fn picture(svg: String) -> Page {
    Page::whole("image/svg+xml", svg)
}

/// What carries nothing, what is held back or falls short, and then by name.
fn worst_first(policies: &[PolicyView]) -> Vec<&PolicyView> {
    let mut order: Vec<&PolicyView> = policies.iter().collect();
    order.sort_by_key(|policy| (Kind::of(policy), policy.name.as_str()));
    order
}

/// How a policy is, the worst first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Bad,
    Over,
    Good,
}

impl Kind {
    fn of(policy: &PolicyView) -> Self {
        let carries = policy.candidates.iter().any(|candidate| candidate.is_active);
        let standing = policy.choice.as_ref().map(|choice| choice.standing);
        let is_unprotected = policy.choice.as_ref().is_some_and(|choice| choice.is_unprotected);
        match (carries, standing, policy.summary.state) {
            (false, ..) | (_, None, PathState::Down) => Self::Bad,
            (_, Some("good"), _) | (_, None, PathState::Up) if !is_unprotected => Self::Good,
            _ => Self::Over,
        }
    }

    /// A sign for eyes, beside a word for everybody.
    const fn sign(self) -> &'static str {
        match self {
            Self::Bad => "✕",
            Self::Over => "▲",
            Self::Good => "✓",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Over => "over",
            Self::Good => "good",
        }
    }
}

fn html(policies: &[&PolicyView], drawing: &Drawing, drawn: &str, only: Option<&str>) -> Page {
    let mut text = HEAD.to_owned();
    let count = |kind| policies.iter().filter(|policy| Kind::of(policy) == kind).count();
    let (bad, over) = (count(Kind::Bad), count(Kind::Over));
    let all = match policies.len() {
        1 => "1 policy".to_owned(),
        many => format!("{many} policies"),
    };
    let _ = match only {
        None => writeln!(
            text,
            "<main><p id=\"sum\">{all}, {bad} without a path, {over} short of what was wanted; the worst first</p>",
        ),
        Some(name) => writeln!(
            text,
            "<main><p id=\"sum\">policy {}: dashes are candidate paths that carry nothing now</p>",
            escaped(name)
        ),
    };
    if !drawing.is_empty() {
        let mut hasher = DefaultHasher::new();
        drawn.hash(&mut hasher);
        let (source, version) = (link(only), hasher.finish());
        let _ = writeln!(
            text,
            "<figure data-drawn=\"{version:016x}\"><img src=\"{source}{PICTURE}\" \
             alt=\"the network and the paths of the policies below\"></figure>"
        );
    }
    text.push_str(COLUMNS);
    policies.iter().take(LISTED).for_each(|policy| row(&mut text, policy));
    let more = policies.len().saturating_sub(LISTED);
    let _ = write!(text, "</tbody></table><p id=\"more\">");
    if more > 0 {
        let _ = write!(text, "and {more} better ones");
    }
    text.push_str("</p></main></body></html>\n");
    Page::whole("text/html; charset=utf-8", text)
}

/// The page of a policy, or of all.
fn link(policy: Option<&str>) -> String {
    policy.map_or_else(
        || PATH.to_owned(),
        |name| format!("{PATH}/{}", utf8_percent_encode(name, NON_ALPHANUMERIC)),
    )
}

fn row(text: &mut String, policy: &PolicyView) {
    let kind = Kind::of(policy);
    let choice = policy.choice.as_ref();
    let active = policy.candidates.iter().find(|candidate| candidate.is_active);
    let or_dash = |word: Option<&str>| word.map_or_else(|| "–".to_owned(), escaped);
    let standing = choice.map_or_else(|| policy.summary.state.label(), |choice| choice.standing);
    let unprotected = match choice.is_some_and(|choice| choice.is_unprotected) {
        true => "<br><small>no path stands by</small>",
        false => "",
    };
    let (name, address) = (escaped(&policy.name), link(Some(&policy.name)));
    let _ = write!(
        text,
        "<tr class=\"{}\" data-name=\"{name}\"><td><a href=\"{address}\">{name}</a><td>{}\
         <td>{} {standing}{unprotected}<td>{}<td>{}<td>{}",
        kind.class(),
        or_dash(choice.and_then(|choice| choice.class.as_deref())),
        kind.sign(),
        or_dash(active.map(|active| active.name.as_str())),
        policy.since.map_or_else(|| "–".to_owned(), second),
        or_dash(choice.and_then(|choice| choice.reason)),
    );
    if let Some(held) = choice.and_then(|choice| choice.held.as_ref()) {
        let _ = write!(
            text,
            "<br><small>{} would be next ({}), held by {}</small>",
            escaped(&held.to),
            escaped(held.reason),
            escaped(held.by)
        );
    }
    let (way, loss) = (delay_of(&policy.summary), loss_of(&policy.summary));
    let _ = write!(text, "<td>{way}<td>{loss}<td>");
    policy.candidates.iter().for_each(|it| candidate(text, it));
    text.push('\n');
}

/// The second of a moment: nobody reads more digits here.
fn second(at: WallTime) -> String {
    let text = Instant(at).to_string();
    text.split_once('.').map_or(text.clone(), |(second, _)| format!("{second}Z"))
}

/// One line: name, preference, and why it may not carry traffic.
fn candidate(text: &mut String, candidate: &CandidateView) {
    let word = match (&candidate.eligibility, candidate.is_active) {
        (_, true) => "carries".to_owned(),
        (Some((_, words)), false) => words.clone(),
        (None, false) => candidate.summary.state.label().to_owned(),
    };
    let sign = match (candidate.is_eligible(), candidate.is_active) {
        (true, _) => "✓",
        (false, true) => "▲",
        (false, false) => "✕",
    };
    let _ = write!(
        text,
        "<div>{sign} {} <small>({}) {}",
        escaped(&candidate.name),
        candidate.preference,
        escaped(&word)
    );
    if candidate.summary.weighted_delay.is_some() {
        let (delay, loss) = (delay_of(&candidate.summary), loss_of(&candidate.summary));
        let _ = write!(text, "; {delay}, {loss} lost");
    }
    text.push_str("</small></div>");
}

fn delay_of(summary: &PathSummary) -> String {
    summary.weighted_delay.map_or_else(|| "–".to_owned(), |value| delay(value.ns()))
}

fn loss_of(summary: &PathSummary) -> String {
    summary.weighted_loss.map_or_else(|| "–".to_owned(), |loss| format!("{:.2} %", loss * 100.0))
}
