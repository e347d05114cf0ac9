//! From keys to a [`Config`].
//!
//! After a mistake was reported the result is not used: what is missing then may be anything.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stamp_config::clock::DeclaredClock;
use stamp_config::document::{Problem, Section};
use stamp_config::key_file;
use stamp_config::quantity::ClockError;
use stamp_config::web::{Listen, Web};
use stamp_proto::packet::AuthenticationMode;
use stamp_proto::tlv::timestamp_information::SynchronizationSource;
use stamp_session::reflector::{RateLimit, ReflectorConfig};

use super::flags::Origin;
use super::listener::{Device, ListenerSpec};
use super::reading::Reading;
use super::words::{FilePath, LogFormat, LogLevel, Port};
use super::{Config, KeysInUse, forwarding, keys, policy};

/// The port of the exporter.
const WEB_PORT: u16 = 9863;

/// Puts the configuration together; `folder` is where paths in the file count from.
pub(super) fn config(reading: &Reading<'_>, root: &Section<'_>, folder: &Path) -> Config {
    let mut engine = ReflectorConfig::new([0, 0]);
    read_answering(reading, root, &mut engine);
    let (mode, keys) = read_authentication(reading, root, folder, &mut engine);
    engine.keys = keys.as_ref().map(|keys| Arc::clone(&keys.ring));
    policy::read(reading, root, mode, &mut engine);
    if let Some(format) = reading.value(root, &keys::TIMESTAMP_FORMAT) {
        engine.format = format;
    }
    let source = reading.value(root, &keys::CLOCK_SOURCE);
    engine.synchronization_source = source.map(SynchronizationSource::from);
    if let Some(offset) = reading.value(root, &keys::PTP_UTC_OFFSET) {
        engine.ptp_utc_offset = offset.into();
    }
    let traffic = reading.value(root, &keys::traffic::DIRECT_MEASUREMENT).map(|source| source.0);
    // Naming a source is saying that it may be told.
    if let Some(unknown) = &mut engine.unknown_sources {
        unknown.tlvs.traffic = traffic.is_some();
    }
    let forwarding = forwarding::read(reading, root, folder, engine.ptp_utc_offset);
    let (log_level, log_format) = read_log(reading, root);
    let (one_way_export, event_export) = read_exports(reading, root, &engine);
    Config {
        listeners: read_listeners(reading, root),
        workers: reading.value(root, &keys::WORKERS).map(|workers| workers.0),
        hardware_stamps: reading.value(root, &keys::HARDWARE_STAMPS).unwrap_or_default(),
        one_way_export,
        event_export,
        total_rate_limit: reading
            .value(root, &keys::TOTAL_RATE_LIMIT)
            .and_then(policy::rate_limit)
            .unwrap_or(RateLimit::Off),
        clock: read_clock(reading, root).map(|clock| clock.0),
        lag_members: reading
            .list(root, &keys::lag::LAG_MEMBERS, |_| None, |name| format!("\"{}\"", name.0))
            .unwrap_or_default(),
        traffic,
        log_level,
        log_format,
        sandbox: reading
            .value(root, &keys::service::SANDBOX)
            .map(|word| word.0)
            .unwrap_or_default(),
        web: read_web(reading, root, folder),
        keys,
        forwarding,
        engine,
        shown: Vec::new(),
    }
}

fn read_listeners(reading: &Reading<'_>, root: &Section<'_>) -> Vec<ListenerSpec> {
    let device = read_device(reading, root);
    let print = ListenerSpec::in_file;
    let list = reading.list(root, &keys::LISTEN, ListenerSpec::read_table, print);
    let mut listeners = list.unwrap_or_else(ListenerSpec::defaults);
    for listener in &mut listeners {
        if listener.device.is_none() {
            listener.device.clone_from(&device);
        }
    }
    let twice = listeners.iter().enumerate().find(|(index, listener)| {
        listener.address.port != 0 && listeners.iter().take(*index).any(|other| other == *listener)
    });
    if let Some((_, listener)) = twice {
        let reason = format!("{listener} stands there twice");
        reading.problem(root, &keys::LISTEN.definition, Problem::Unusable { reason });
    }
    if listeners.is_empty() {
        let reason = "no listener is left: nobody would be answered".to_owned();
        reading.problem(root, &keys::LISTEN.definition, Problem::Unusable { reason });
    }
    listeners
}

fn read_device(reading: &Reading<'_>, root: &Section<'_>) -> Option<Device> {
    let interface = reading.value(root, &keys::INTERFACE).map(Device::Interface);
    let vrf = reading.value(root, &keys::VRF).map(Device::Vrf);
    if interface.is_some() && vrf.is_some() {
        let problem = Problem::Conflict { with: keys::VRF.definition.key };
        reading.problem(root, &keys::INTERFACE.definition, problem);
    }
    interface.or(vrf)
}

/// Where one-way probes and events are told.
fn read_exports(
    reading: &Reading<'_>,
    root: &Section<'_>,
    engine: &ReflectorConfig,
) -> (Option<PathBuf>, Option<PathBuf>) {
    let one_way = reading.value(root, &keys::ONE_WAY_EXPORT).map(|path| path.0);
    let events = reading.value(root, &keys::EVENT_EXPORT).map(|path| path.0);
    let refuse = |reason: &str| {
        let problem = Problem::Unusable { reason: reason.to_owned() };
        reading.problem(root, &keys::EVENT_EXPORT.definition, problem);
    };
    if events.is_some() && engine.packet_loss_count.is_none() {
        refuse("nothing would be told without packet-loss-count");
    } else if events.is_some() && events == one_way {
        refuse("one-way-export writes there already");
    }
    (one_way, events)
}

fn read_answering(reading: &Reading<'_>, root: &Section<'_>, engine: &mut ReflectorConfig) {
    engine.stateful = reading.value(root, &keys::STATEFUL).unwrap_or_default();
    if let Some(cap) = reading.value(root, &keys::SESSION_CAP) {
        engine.session_limit = cap.0;
    }
    if let Some(expiry) = reading.value(root, &keys::SESSION_EXPIRY) {
        engine.session_expiry = expiry.0;
    }
    if let Some(count) = reading.value(root, &keys::PACKET_LOSS_COUNT) {
        engine.packet_loss_count = NonZeroU32::new(count.0);
        if !engine.stateful {
            let reason = "only a stateful reflector knows sessions: stateful = true".to_owned();
            reading.problem(
                root,
                &keys::PACKET_LOSS_COUNT.definition,
                Problem::Unusable { reason },
            );
        }
    }
    if let Some(dscp) = reading.value(root, &keys::DSCP) {
        engine.dscp = dscp.0;
    }
    if let Some(mode) = reading.value(root, &keys::TLV_MODE) {
        engine.tlv_mode = mode.into();
    }
    if let Some(total) = reading.value(root, &keys::packets::PACKET_CONTROL_TOTAL) {
        engine.packet_control_total = total.0;
    }
    if let Some(types) = reading.value(root, &keys::headers::HEADER_TYPES) {
        engine.types = types.0;
    }
    if let Some(rule) = reading.value(root, &keys::SAME_PORT) {
        engine.same_port = rule.into();
    }
    let print = |port: &Port| port.0.to_string();
    if let Some(ports) = reading.list(root, &keys::REFLECTOR_PORTS, |_| None, print) {
        engine.reflector_ports = ports.iter().map(|port| port.0).collect();
    }
}

fn read_authentication(
    reading: &Reading<'_>,
    root: &Section<'_>,
    folder: &Path,
    engine: &mut ReflectorConfig,
) -> (AuthenticationMode, Option<KeysInUse>) {
    let read = |auth: &Section<'_>| {
        let required = reading.value(auth, &keys::AUTH_REQUIRED).unwrap_or_default();
        let path = reading.value(auth, &keys::AUTH_KEY_FILE);
        if required && path.is_none() {
            let problem = Problem::Needs { other: keys::AUTH_KEY_FILE.definition.key };
            reading.problem(auth, &keys::AUTH_REQUIRED.definition, problem);
        }
        let keys = path.and_then(|path| load_keys(reading, auth, &path, folder));
        engine.time_window = reading.value(auth, &keys::AUTH_TIME_WINDOW).map(|window| window.0);
        let mode = if required {
            AuthenticationMode::Authenticated
        } else {
            AuthenticationMode::Unauthenticated
        };
        (mode, keys)
    };
    root.section_or_empty("auth", read)
}

fn load_keys(
    reading: &Reading<'_>,
    auth: &Section<'_>,
    path: &FilePath,
    folder: &Path,
) -> Option<KeysInUse> {
    let definition = &keys::AUTH_KEY_FILE.definition;
    let path = match reading.origin(definition) {
        Some(Origin::Flag | Origin::Environment) => path.0.clone(),
        _ => folder.join(&path.0),
    };
    match key_file::load(&path) {
        Ok(file) => Some(KeysInUse { path, short: file.short, ring: Arc::new(file.keys) }),
        Err(error) => {
            let problem = Problem::Unusable { reason: error.to_string() };
            reading.problem(auth, definition, problem);
            None
        }
    }
}

fn read_clock(reading: &Reading<'_>, root: &Section<'_>) -> Option<DeclaredClock> {
    if !root.is_table("clock") {
        return reading.value(root, &keys::CLOCK);
    }
    let from_file = root.section("clock", |clock| {
        let is_synchronized = clock.require("synchronized");
        // Asked for in any case, so that it is a known key.
        let error: Option<ClockError> = clock.get("error");
        if is_synchronized? {
            if !clock.has("error") {
                clock.require::<ClockError>("error");
            }
            let error = error?;
            let written = format!("{{ synchronized = true, error = \"{error}\" }}");
            Some((DeclaredClock::synchronized(error)?, written))
        } else {
            if clock.has("error") {
                let reason = "a clock that is not synchronized may be wrong by any amount";
                clock.problem("error", Problem::Contradiction { reason: reason.to_owned() });
            }
            let written = "{ synchronized = false }".to_owned();
            Some((DeclaredClock::unsynchronized(), written))
        }
    });
    let (clock, written) = from_file.flatten().unzip();
    reading.flag_or(&keys::CLOCK, clock, written)
}

/// Where metrics are told.
fn read_web(reading: &Reading<'_>, root: &Section<'_>, folder: &Path) -> Web {
    let default = Web::on_loopback(WEB_PORT);
    root.section_or_empty("web", |web| {
        let print = |listen: &Listen| {
            listen.0.map_or_else(|| "\"off\"".to_owned(), |address| format!("\"{address}\""))
        };
        let words = reading.list(web, &keys::web::LISTEN, |_| None, print);
        let listen = words.map(|words| {
            Listen::all(&words).unwrap_or_else(|reason| {
                let problem = Problem::Unusable { reason: reason.to_owned() };
                reading.problem(web, &keys::web::LISTEN.definition, problem);
                Vec::new()
            })
        });
        let file = reading.value(web, &keys::web::CONFIG_FILE);
        // A flag counts from where the program was started.
        let by_file = reading.origin(&keys::web::CONFIG_FILE.definition).is_none();
        let beside = |file: FilePath| if by_file { folder.join(file.0) } else { file.0 };
        Web {
            is_configured: listen.is_some(),
            listen: listen.unwrap_or_else(|| default.listen.clone()),
            config_file: file.map(beside),
            control_token_file: reading
                .value(web, &keys::web::CONTROL_TOKEN_FILE)
                .map(|file| folder.join(file.0)),
            enable_lifecycle: reading.value(web, &keys::web::ENABLE_LIFECYCLE).unwrap_or_default(),
            ..default
        }
    })
}

fn read_log(reading: &Reading<'_>, root: &Section<'_>) -> (LogLevel, LogFormat) {
    root.section_or_empty("log", |log| {
        let level = reading.value(log, &keys::service::LOG_LEVEL);
        let format = reading.value(log, &keys::service::LOG_FORMAT);
        (level.unwrap_or(LogLevel::Info), format.unwrap_or(LogFormat::Text))
    })
}
