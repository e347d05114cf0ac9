//! What the service shows over HTTP. Everything here runs beside the control side and never waits
//! for it, except for a reload that was asked for.

mod landing;
mod listing;
mod pages;
mod probe;
mod scrape;

use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use stamp_config::web::Web;
use stamp_metrics::feed::Feed;
use stamp_metrics::http::{
    Client, Done, Note, Order, Page, Pieces, Probe, Probed, Query, Server, Site, Verb,
};
use stamp_metrics::sender::Shared;
use stamp_metrics::table::Table;
use stamp_service::inherited::Inherited;
use stamp_service::web;
use stamp_session::statistics::Histogram;
use stamp_worker::sender::SenderAsker;
use tokio::sync::mpsc::UnboundedSender;

pub use landing::{icon, script, style};

use super::board::Board;
use super::events::ShownEvents;
use super::shard::Shard;
use super::wish::{Wanted, Wish};
use crate::exit::Failure;
use crate::paths::draining;
use crate::policies;

/// A scrape that is no older serves others too: however many ask, packet threads are asked five times
/// a second at most.
const FRESH: Duration = Duration::from_millis(200);

/// What the pages are made of.
pub(super) struct Sources {
    pub(super) board: Board,
    pub(super) askers: Vec<SenderAsker>,
    pub(super) events: ShownEvents,
    pub(super) table: Arc<Table>,
    pub(super) lag: Arc<Histogram>,
    pub(super) web: Web,
    pub(super) shard: Option<Shard>,
    pub(super) wishes: UnboundedSender<Wish>,
}

/// The pages.
struct SenderSite {
    sources: Sources,
    latest: Mutex<Option<(Instant, Shared)>>,
    evicted: AtomicU64,
    omitted: AtomicUsize,
    probes: probe::Places,
}

/// Serves them where the file says; `None` where that is nowhere.
///
/// # Errors
///
/// When an address that was written cannot be had. One that was not is left to whoever has it, loudly.
pub(super) fn start(
    sources: Sources,
    inherited: &mut Inherited,
) -> Result<Option<Server>, Failure> {
    let Web { listen, is_configured, config_file, .. } = sources.web.clone();
    let fail = |source| Failure::System { what: "listening for HTTP", source };
    let listeners = web::listen(&listen, is_configured, inherited).map_err(fail)?;
    if listeners.is_empty() {
        return Ok(None);
    }
    let server = Server::start(listeners, config_file, Arc::new(SenderSite::new(sources)));
    server.map(Some).map_err(|error| Failure::Input(error.to_string()))
}

impl SenderSite {
    fn new(sources: Sources) -> Self {
        Self {
            sources,
            latest: Mutex::default(),
            evicted: AtomicU64::new(0),
            omitted: AtomicUsize::new(0),
            probes: probe::Places::default(),
        }
    }

    /// Waits until it is, or has been refused.
    fn put_in_force(&self, wanted: Wanted) -> Result<(), String> {
        let (answer, answered) = mpsc::channel();
        let ends = || Err("the service ends".to_owned());
        if self.sources.wishes.send(Wish::answered(wanted, answer)).is_err() {
            return ends();
        }
        answered.recv().unwrap_or_else(|_| ends())
    }
}

impl Site for SenderSite {
    fn metrics(&self) -> Pieces {
        // Whoever comes meanwhile waits, and takes what this one has found out.
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let known = latest.as_ref().filter(|(at, _)| at.elapsed() < FRESH);
        let scrape = match known {
            Some((_, scrape)) => scrape.clone(),
            None => {
                let scrape = self.scrape();
                *latest = Some((Instant::now(), scrape.clone()));
                scrape
            }
        };
        Box::new(scrape.exposition())
    }

    fn unready(&self) -> Option<String> {
        if self.sources.board.read().reloads.is_none() {
            return Some("sessions are being opened".to_owned());
        }
        let absence = SenderAsker::call_roll(&self.sources.askers).wait();
        absence.map(|absence| absence.to_string())
    }

    fn page(&self, path: &str, query: &Query) -> Option<Page> {
        match path {
            "/" => Some(landing::page(&self.sources.board, query.first("find"))),
            "/landing.css" => Some(style()),
            "/landing.js" => Some(script()),
            "/icon.svg" => Some(icon()),
            "/api/v1/sd" => Some(listing::groups(&self.sources.board)),
            "/api/v1/discovery" => Some(listing::discovery(&self.sources.board)),
            "/api/v1/sessions" => Some(self.sessions()),
            "/api/v1/policies" => Some(policies::page(&self.sources.board.read().policies)),
            path if path.starts_with("/paths") => self.paths(path),
            "/config" => Some(pages::config(&self.sources.board)),
            _ => None,
        }
    }

    fn feed(&self) -> Option<Arc<Feed>> {
        Some(Arc::clone(&self.sources.events.feed))
    }

    fn paths(&self) -> Option<Arc<Table>> {
        Some(Arc::clone(&self.sources.table))
    }

    fn clients(&self) -> Arc<[Client]> {
        Arc::clone(&self.sources.board.read().service.clients)
    }

    fn reload(&self) -> Option<Result<(), String>> {
        if !self.sources.web.enable_lifecycle {
            return None;
        }
        Some(self.put_in_force(Wanted::File))
    }

    fn control_token_file(&self) -> Option<&Path> {
        self.sources.web.control_token_file.as_deref()
    }

    fn obey(&self, order: Order) -> Done {
        match (order.verb, order.path.as_str()) {
            (Verb::Put, "/api/v1/config") => match self.put_in_force(Wanted::Pushed(order.text)) {
                Ok(()) => Done::Done(
                    "in force until a reload or a restart, which read the file".to_owned(),
                ),
                Err(reason) => Done::Refused(reason),
            },
            (_, draining::PATH) => draining::obey(&order, |drain, is_drained| {
                self.put_in_force(Wanted::Drained(drain, is_drained))
            }),
            _ => Done::Unknown,
        }
    }

    fn probe(&self, asked: &Probe) -> Probed {
        let probing = self.sources.board.read().probing.clone();
        probe::probe(probing, &self.probes, asked)
    }

    fn note(&self, note: Note) {
        web::tell(note, "web", &self.evicted);
    }
}

#[cfg(test)]
mod tests {
    use stamp_session::statistics::Buckets;
    use stamp_worker::sender::{Nobody, SenderPool};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::daemon::events::Events;

    #[test]
    fn a_packet_thread_that_has_ended_is_told() {
        let pools =
            [0, 1].map(|n| SenderPool::resident(&format!("sender-{n}"), Box::new(Nobody)).unwrap());
        let board = Board::default();
        let sources = Sources {
            board: board.clone(),
            askers: pools.iter().map(SenderPool::asker).collect(),
            events: Events::open(None).unwrap().shown(),
            table: Arc::new(Table::new(String::new)),
            lag: Arc::new(Histogram::new(Buckets::rising([1]))),
            web: Web::on_loopback(9862),
            shard: None,
            wishes: unbounded_channel().0,
        };
        let site = SenderSite::new(sources);
        assert_eq!(site.unready().unwrap(), "sessions are being opened");
        board.reloaded(true);
        assert_eq!(site.unready(), None);
        let [_stays, ends] = pools;
        ends.stop();
        assert_eq!(ends.join().unwrap().len(), 0);
        assert_eq!(site.unready().unwrap(), "packet thread sender-1 has ended");
    }
}
