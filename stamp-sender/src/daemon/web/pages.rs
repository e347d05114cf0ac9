//! Pages for programs: sessions as JSON, the configuration in force.

use std::sync::Arc;

use stamp_metrics::http::Page;
use stamp_metrics::sender::Window;
use stamp_session::snapshot::SessionSnapshot;

use super::SenderSite;
use super::scrape::Seen;
use crate::daemon::board::Board;
use crate::daemon::config;
use crate::output::document::SCHEMA_VERSION;
use crate::output::gather;
use crate::output::heard::Heard;
use crate::paths;

impl SenderSite {
    /// Policies for people, and pictures of them.
    pub(super) fn paths(&self, path: &str) -> Option<Page> {
        let posted = self.sources.board.read();
        let (policies, drawing) = (posted.policies.all(), Arc::clone(&posted.drawing));
        // Drawing takes longer than others may wait for the board.
        drop(posted);
        paths::page(path, &policies, &drawing)
    }

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
pub(super) fn config(board: &Board) -> Page {
    let posted = board.read();
    let service = config::show_service(&posted.service);
    let specs: Vec<_> = posted.sessions.values().map(|entry| Arc::clone(&entry.spec)).collect();
    drop(posted);
    let sessions = specs.into_iter().map(|spec| config::show_session(&spec).into_bytes());
    let pieces = std::iter::once(service.into_bytes()).chain(sessions);
    Page { content_type: "text/plain; charset=utf-8", pieces: Box::new(pieces) }
}
