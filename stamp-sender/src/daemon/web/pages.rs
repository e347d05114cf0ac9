//! Pages for people and programs: sessions as JSON, the configuration in force, an entrance.

use std::fmt::Write as _;
use std::sync::Arc;

use stamp_metrics::http::Page;
use stamp_metrics::sender::Window;
use stamp_session::snapshot::SessionSnapshot;

use super::SenderSite;
use super::scrape::Seen;
use crate::daemon::board::{Board, Entry};
use crate::daemon::config::{self, Service};
use crate::output::document::SCHEMA_VERSION;
use crate::output::duration::delay;
use crate::output::gather;
use crate::output::heard::Heard;

/// Sessions that the entrance lists.
const LISTED: usize = 1_000;

impl SenderSite {
    /// Sessions as `--json` has them. What was counted is since the session began, what was measured
    /// is of its latest complete window.
    pub(super) fn sessions(&self) -> Page {
        let seen = self.seen();
        let waiting = waiting(&self.sources.board);
        let head = format!("{{\"schema_version\":{SCHEMA_VERSION},\"sessions\":[");
        let tail = format!("],\"waiting\":{waiting}}}\n");
        let objects = seen.into_iter().enumerate().map(|(index, seen)| {
            let separator = if index == 0 { "" } else { ",\n" };
            format!("{separator}{}", object(seen)).into_bytes()
        });
        let pieces = std::iter::once(head.into_bytes())
            .chain(objects)
            .chain(std::iter::once(tail.into_bytes()));
        Page { content_type: "application/json", pieces: Box::new(pieces) }
    }
}

fn object(Seen { info, now, window }: Seen) -> String {
    let snapshot = match window.map(|Window { measured, .. }| measured) {
        None => now,
        Some(window) => SessionSnapshot {
            delay: window.delay,
            ipdv: window.ipdv,
            pdv: window.pdv,
            lateness: window.lateness,
            ..now
        },
    };
    let record = gather::session(&info, &snapshot, &Heard::default());
    serde_json::to_string(&record).unwrap_or_else(|_| "null".to_owned())
}

/// Sessions that wait, with the reason.
fn waiting(board: &Board) -> serde_json::Value {
    let posted = board.read();
    let waiting = posted.sessions.iter().filter_map(|(name, entry)| {
        let reason = entry.waits.as_ref()?;
        Some(serde_json::json!({ "name": name, "target": entry.spec.target, "reason": reason }))
    });
    waiting.collect()
}

/// What is in force, in the form of the file.
pub(super) fn config(service: &Service, board: &Board) -> Page {
    let specs: Vec<_> =
        board.read().sessions.values().map(|entry| Arc::clone(&entry.spec)).collect();
    let sessions = specs.into_iter().map(|spec| config::show_session(&spec).into_bytes());
    let pieces = std::iter::once(config::show_service(service).into_bytes()).chain(sessions);
    Page { content_type: "text/plain; charset=utf-8", pieces: Box::new(pieces) }
}

const HEAD: &str = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>stamp-sender</title>\
<style>body{font-family:sans-serif}td,th{padding:0 1em;text-align:left}</style></head>\
<body><h1>stamp-sender ";
const LINKS: &str = "</h1><p><a href=\"/metrics\">metrics</a> · \
<a href=\"/api/v1/sessions\">sessions as JSON</a> · <a href=\"/config\">configuration</a> · \
<a href=\"/-/ready\">ready</a></p><table><tr><th>session<th>target<th>state<th>forward\
<th>backward<th>round trip<th>loss</tr>\n";

/// An entrance: links, and a table of sessions with the medians of their latest window.
pub(super) fn landing(board: &Board) -> Page {
    let posted = board.read();
    let mut text = format!("{HEAD}{}{LINKS}", env!("CARGO_PKG_VERSION"));
    for entry in posted.sessions.values().take(LISTED) {
        rows(&mut text, entry);
    }
    text.push_str("</table>");
    let more = posted.sessions.len().saturating_sub(LISTED);
    if more > 0 {
        let _ = write!(text, "<p>and {more} more");
    }
    text.push_str("</body></html>\n");
    Page::whole("text/html; charset=utf-8", text)
}

fn rows(text: &mut String, entry: &Entry) {
    for branch in &entry.branches {
        let name = escaped(&branch.identity.name);
        let target = escaped(&entry.spec.target);
        let _ = write!(text, "<tr><td>{name}<td>{target}<td>");
        let Some(Window { measured, .. }) = &branch.window else {
            let state = match (&branch.runs, &entry.waits) {
                (Some(_), _) => "runs",
                (None, Some(reason)) => &escaped(reason),
                (None, None) => "is being opened",
            };
            let _ = writeln!(text, "{state}</tr>");
            continue;
        };
        text.push_str(measured.state.label());
        let delays = &measured.delay;
        for summary in [&delays.forward, &delays.backward, &delays.round_trip] {
            let median = summary.p50.map_or_else(|| "–".to_owned(), |p50| delay(p50.ns()));
            let _ = write!(text, "<td>{median}");
        }
        let ratio = measured.packets.loss_ratio();
        let loss = ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{:.2} %", ratio * 100.0));
        let _ = writeln!(text, "<td>{loss}</tr>");
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_operators_write_is_text_and_no_markup() {
        assert_eq!(escaped("<b>&"), "&lt;b&gt;&amp;");
    }
}
