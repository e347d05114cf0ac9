//! Keys about the service itself.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stamp_config::document::Section;
use stamp_config::web::Web;
use stamp_config::{Form, Setting};
use stamp_metrics::http::Client;
use stamp_service::log::{LevelFilter, LineFormat};
use stamp_service::sandbox::Mode;

use super::client;
use super::notify::Notify;

/// How the service runs and what it tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Service {
    /// Packet threads. Changes with a restart only.
    pub workers: NonZeroUsize,
    /// Least important messages that are written.
    pub log_level: LevelFilter,
    /// How they are written. Changes with a restart only.
    pub log_format: LineFormat,
    /// Where events go as lines of JSON, if anywhere; `-` is standard output.
    pub events_file: Option<PathBuf>,
    /// What the process gives away once it runs. Changes with a restart only.
    pub sandbox: Mode,
    /// Who is told of events.
    pub notify: Notify,
    /// Where metrics are told. Changes with a restart only.
    pub web: Web,
    /// Who may ask for paths to its own destinations, by a token.
    pub clients: Arc<[Client]>,
}

/// The port of the exporter.
const WEB_PORT: u16 = 9862;

impl Default for Service {
    fn default() -> Self {
        Self {
            workers: NonZeroUsize::MIN,
            log_level: LevelFilter::INFO,
            log_format: LineFormat::Text,
            events_file: None,
            sandbox: Mode::BestEffort,
            notify: Notify::default(),
            web: Web::on_loopback(WEB_PORT),
            clients: Arc::default(),
        }
    }
}

struct Workers(NonZeroUsize);

impl Setting for Workers {
    const EXPECTED: &'static str = "a count from 1 to 64";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|count: &NonZeroUsize| count.get() <= 64).map(Self)
    }
}

struct Level(LevelFilter);

impl Setting for Level {
    const EXPECTED: &'static str = "error, warn, info or debug";
    fn read(text: &str) -> Option<Self> {
        let known = ["error", "warn", "info", "debug"].contains(&text);
        known.then(|| text.parse().ok().map(Self)).flatten()
    }
}

struct Lines(LineFormat);

impl Setting for Lines {
    const EXPECTED: &'static str = "text or json";
    fn read(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self(LineFormat::Text)),
            "json" => Some(Self(LineFormat::Json)),
            _ => None,
        }
    }
}

struct Sandbox(Mode);

impl Setting for Sandbox {
    const EXPECTED: &'static str = "require, best-effort or off";
    fn read(text: &str) -> Option<Self> {
        Mode::read(text).map(Self)
    }
}

impl Service {
    /// A key that changes with a restart only, and has changed in `new`.
    pub fn restart_for(&self, new: &Self) -> Option<&'static str> {
        let keys = [
            ("workers", new.workers != self.workers),
            ("log.format", new.log_format != self.log_format),
            ("sandbox", new.sandbox != self.sandbox),
            ("web", new.web != self.web),
        ];
        keys.iter().find(|(_, changed)| *changed).map(|(key, _)| *key)
    }

    /// What stands in the root table.
    pub(super) fn read(root: &Section<'_>, folder: &Path) -> Self {
        let default = Self::default();
        let (log_level, log_format) = root
            .section_or_empty("log", |log| (log.get::<Level>("level"), log.get::<Lines>("format")));
        let events_file = root.section_or_empty("events", |events| events.get::<String>("file"));
        let beside = |file: String| {
            if file == "-" { PathBuf::from(file) } else { folder.join(file) }
        };
        Self {
            workers: root.get("workers").map_or(default.workers, |workers: Workers| workers.0),
            log_level: log_level.map_or(default.log_level, |level| level.0),
            log_format: log_format.map_or(default.log_format, |lines| lines.0),
            events_file: events_file.map(beside),
            sandbox: root.get("sandbox").map_or(default.sandbox, |mode: Sandbox| mode.0),
            notify: Notify::read(root, folder),
            clients: client::read(root, folder),
            web: Web::read(root, folder, WEB_PORT),
        }
    }
}
