//! What decisions look like over HTTP.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use stamp_metrics::feed::Feed;
use stamp_metrics::http::{Client, Done, Note, Order, Page, Pieces, Query, Server, Site};
use stamp_metrics::process::Process;
use stamp_metrics::program::Program;
use stamp_metrics::select::Selector;
use stamp_metrics::table::Table;
use stamp_proto::time::WallTime;
use stamp_service::inherited::Inherited;
use stamp_service::web;
use tokio::sync::mpsc::UnboundedSender;

use super::board::{Board, STATES};
use super::config::Select;
use super::wish::Wish;
use crate::daemon::{self, ShownEvents};
use crate::exit::Failure;
use crate::output::document::SCHEMA_VERSION;
use crate::output::instant::Instant;
use crate::paths::{self, draining};
use crate::policies;

/// What the pages are made of.
pub(super) struct Sources {
    pub(super) board: Board,
    pub(super) table: Arc<Table>,
    pub(super) events: ShownEvents,
    /// Who may ask for a part of the table.
    pub(super) clients: Arc<[Client]>,
    /// Layers of the sandbox, and whether each is in force.
    pub(super) layers: Vec<(&'static str, bool)>,
    /// Where wishes are heard.
    pub(super) wishes: UnboundedSender<Wish>,
}

/// The pages.
struct SelectSite {
    sources: Sources,
    prometheus: String,
    /// The file of the token of whoever may change something.
    control_token_file: Option<PathBuf>,
    evicted: AtomicU64,
}

/// Serves them where the file says; `None` where that is nowhere.
///
/// # Errors
///
/// When an address that was written cannot be had, or the file of TLS and users is wrong.
pub(super) fn start(
    sources: Sources,
    select: &Select,
    inherited: &mut Inherited,
) -> Result<Option<Server>, Failure> {
    let fail = |source| Failure::System { what: "listening for HTTP", source };
    let listeners = web::listen(&select.listen, select.is_configured, inherited).map_err(fail)?;
    if listeners.is_empty() {
        return Ok(None);
    }
    let prometheus = select.prometheus.text().to_owned();
    let control_token_file = select.control_token_file.clone();
    let site = SelectSite { sources, prometheus, control_token_file, evicted: AtomicU64::new(0) };
    let server = Server::start(listeners, select.config_file.clone(), Arc::new(site));
    server.map(Some).map_err(|error| Failure::Input(error.to_string()))
}

impl Site for SelectSite {
    fn metrics(&self) -> Pieces {
        let posted = self.sources.board.read();
        let program = Program {
            name: "stamp-sender",
            version: env!("CARGO_PKG_VERSION"),
            layers: self.sources.layers.clone(),
            sinks: self.sources.events.sinks(),
            evicted: self.evicted.load(Ordering::Relaxed),
            process: Process::read(),
            ..Program::default()
        };
        let selector = Selector {
            program,
            policies: posted.policies.all(),
            asked: posted.asked,
            answered: posted.answered,
            is_frozen: posted.trouble.is_some(),
            lists: STATES.map(|state| (state, posted.count(state))).into(),
        };
        drop(posted);
        Box::new(selector.exposition())
    }

    fn unready(&self) -> Option<String> {
        let posted = self.sources.board.read();
        match &posted.trouble {
            Some(trouble) if posted.has_decided() => Some(format!("frozen: {trouble}")),
            Some(trouble) => Some(format!("nothing is decided yet: {trouble}")),
            None => (!posted.has_decided()).then(|| "nothing is decided yet".to_owned()),
        }
    }

    fn page(&self, path: &str, _query: &Query) -> Option<Page> {
        match path {
            "/api/v1/policies" => Some(policies::page(&self.sources.board.read().policies)),
            "/api/v1/select" => Some(self.select()),
            "/" => self.drawn("/paths"),
            "/landing.css" => Some(daemon::style()),
            "/landing.js" => Some(daemon::script()),
            "/icon.svg" => Some(daemon::icon()),
            path => self.drawn(path),
        }
    }

    fn feed(&self) -> Option<Arc<Feed>> {
        Some(Arc::clone(&self.sources.events.feed))
    }

    fn paths(&self) -> Option<Arc<Table>> {
        // Whoever follows would take an empty table for one that says that nothing may carry.
        let has_decided = self.sources.board.read().has_decided();
        has_decided.then(|| Arc::clone(&self.sources.table))
    }

    fn clients(&self) -> Arc<[Client]> {
        Arc::clone(&self.sources.clients)
    }

    fn reload(&self) -> Option<Result<(), String>> {
        None
    }

    fn control_token_file(&self) -> Option<&Path> {
        self.control_token_file.as_deref()
    }

    fn obey(&self, order: Order) -> Done {
        if order.path != draining::PATH {
            return Done::Unknown;
        }
        draining::obey(&order, |drain, is_drained| {
            Wish::put_in_force(drain, is_drained, &self.sources.wishes)
        })
    }

    fn note(&self, note: Note) {
        web::tell(note, "select", &self.evicted);
    }
}

impl SelectSite {
    /// A page or a picture of policies, if one lies there.
    fn drawn(&self, path: &str) -> Option<Page> {
        let posted = self.sources.board.read();
        let (policies, drawing) = (posted.policies.all(), Arc::clone(&posted.drawing));
        // Drawing takes longer than others may wait for the board.
        drop(posted);
        paths::page(path, &policies, &drawing)
    }

    /// What is known, and of whom.
    fn select(&self) -> Page {
        let posted = self.sources.board.read();
        let lists = posted.lists.iter().map(|(list, silence)| {
            let (state, reason) = match silence {
                Some((state, reason)) => (*state, Some(reason)),
                None => ("known", None),
            };
            json!({ "list": list, "state": state, "reason": reason })
        });
        let answered = posted.answered.map(|at| {
            let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            let ns = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
            Instant::from(WallTime::from_unix_ns(ns))
        });
        let document = json!({
            "schema_version": SCHEMA_VERSION,
            "prometheus": self.prometheus,
            "answered": answered,
            "trouble": posted.trouble,
            "frozen": posted.trouble.is_some(),
            "lists": lists.collect::<Vec<Value>>(),
        });
        Page::whole("application/json", format!("{document}\n"))
    }
}
