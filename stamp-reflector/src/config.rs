//! The configuration: what flags, environment and file say together, checked as a whole.

mod assemble;
mod flags;
mod forwarding;
mod key;
pub(crate) mod keys;
mod listen_address;
mod listener;
mod note;
mod policy;
mod reading;
mod returns;
mod schema;
mod show;
mod source;
mod template;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use stamp_config::web::Web;
use stamp_proto::auth::{KeyId, KeyRing};
use stamp_service::sandbox::Mode;
use stamp_session::clock::ClockState;
use stamp_session::reflector::{RateLimit, ReflectorConfig};
use stamp_session::traffic::TrafficSource;

pub(crate) use flags::{Flags, Origin};
pub(crate) use forwarding::{Forwarding, OwnLabels, TimestampEntry};
pub(crate) use key::Definition;
pub(crate) use listen_address::{Host, ListenAddress};
pub(crate) use listener::{Device, ListenerSpec};
pub(crate) use note::Note;
pub(crate) use schema::schema;
pub(crate) use show::show;
pub(crate) use source::{ConfigFailure, Source};
pub(crate) use template::template;
pub(crate) use words::{InterfaceName, LogFormat, LogLevel};

use reading::Shown;

/// A configuration that was checked.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where to listen.
    pub(crate) listeners: Vec<ListenerSpec>,
    /// Packet threads; none for one per core.
    pub(crate) workers: Option<usize>,
    /// Whether arrival times come from the network card where it offers them.
    pub(crate) hardware_stamps: bool,
    /// Where one-way probes are told, a line each; `-` is standard output.
    pub(crate) one_way_export: Option<PathBuf>,
    /// Where sessions going down and up are told, a line each; `-` is standard output.
    pub(crate) event_export: Option<PathBuf>,
    /// Limit for all sources together.
    pub(crate) total_rate_limit: RateLimit,
    /// The clock as the operator declared it; none to ask the kernel.
    pub(crate) clock: Option<ClockState>,
    /// Member links of LAGs, or bonds of them.
    pub(crate) lag_members: Vec<InterfaceName>,
    /// Where counters of real traffic are.
    pub(crate) traffic: Option<TrafficSource>,
    /// Least important messages that are written.
    pub(crate) log_level: LogLevel,
    /// Form of messages.
    pub(crate) log_format: LogFormat,
    /// What the process gives away once it runs.
    pub(crate) sandbox: Mode,
    /// Where metrics are told.
    pub(crate) web: Web,
    /// The key file in use.
    pub(crate) keys: Option<KeysInUse>,
    /// What is done besides reflecting.
    pub(crate) forwarding: Forwarding,
    /// What the engines are told, but for clock, own addresses and seed.
    pub(crate) engine: ReflectorConfig,
    /// Every key and who gave it its value.
    shown: Vec<Shown>,
}

/// The keys of the key file.
#[derive(Debug)]
pub(crate) struct KeysInUse {
    /// Where they were read from.
    pub(crate) path: PathBuf,
    /// IDs of keys shorter than 16 octets: usable, but weak.
    pub(crate) short: Vec<KeyId>,
    ring: Arc<KeyRing>,
}

#[cfg(test)]
mod tests;
