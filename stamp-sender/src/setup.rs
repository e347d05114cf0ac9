//! From the command line to sessions: names, addresses, sockets, keys.

mod asking;
mod headers;
mod possible;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use stamp_config::clock::FarClock;
use stamp_config::key_file;
use stamp_net::{SocketOptions, UdpSocket, interface};
use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::packet::{AuthenticationMode, Ssid};
use stamp_proto::time::PtpUtcOffset;
use stamp_proto::tlv::hmac::HMAC_TLV_OCTETS;
use stamp_session::sender::{
    Padding as EnginePadding, Requests, Schedule, Sender, SenderConfig, StatisticsScope, ZeroSsid,
};
use stamp_worker::LARGEST_PAYLOAD_OCTETS;
use stamp_worker::WorkerError;
use stamp_worker::sender::{Port, SessionSetup};

use crate::command_line::{Departure, Measure, Padding, Probe, ZeroSsidName};
use crate::descriptors::{self, Sockets};
use crate::exit::{self, Failure};
use crate::happening::{SessionInfo, SteeringInfo};
use crate::names;
use crate::random;
use crate::steering::{self, Branch, Opened, Request};
use crate::target::{Family, unspecified};
use crate::wait::default_timeout;
use asking::{asking, questions, watch_traffic};
pub use possible::{check, check_hosts};

/// What an ad hoc run measures.
pub struct Sessions {
    /// What the worker needs, a session each.
    pub setups: Vec<SessionSetup>,
    /// What to tell about them, in the same order.
    pub infos: Vec<SessionInfo>,
    /// Why hosts were left out: their name or route is missing.
    pub missing: Vec<Failure>,
}

/// Everything a worker needs to probe the hosts of `measure`, and what to tell about them.
///
/// One of several hosts without name or route is told and left out; the others are measured.
///
/// # Errors
///
/// The first host, key or option that cannot be used, or the last host when none has a name and a
/// route; no socket is left open then.
pub fn sessions(measure: &Measure) -> Result<Sessions, Failure> {
    let measure = &names::resolved(measure)?;
    let probe = &measure.probe;
    let keys = keys(probe)?;
    warn_of_short(keys.as_deref());
    let device = device(probe)?;
    let mut setups = Vec::with_capacity(measure.hosts.len());
    let mut infos: Vec<SessionInfo> = Vec::with_capacity(measure.hosts.len());
    let mut missing = Vec::new();
    let branches = steering::branches(&measure.steering, authentication(probe), &measure.hosts)?;
    let count = measure.hosts.len() * branches.len();
    refuse_what_is_shared(probe, count)?;
    let Sockets { own, shared } =
        branches.iter().map(|branch| branch.plan.sockets()).sum::<Result<_, _>>()?;
    // A companion has one socket.
    let beside = usize::from(matches!(probe.far_clock, Some(FarClock::Learned(_))));
    let own = own.saturating_add(beside).saturating_mul(measure.hosts.len());
    descriptors::ensure(Sockets { own, shared }.total(1))?;
    let traffic = watch_traffic(&measure.asking)?;
    for (text, branch) in
        measure.hosts.iter().flat_map(|text| branches.iter().map(move |it| (text, it)))
    {
        let opened = match request(measure, branch, text, device).and_then(|it| it.open()) {
            Err(failure) if failure.is_missing_host() => {
                missing.push(failure);
                continue;
            }
            opened => opened?,
        };
        let windows = measure.output.report.is_some();
        let keys = keys.as_ref();
        let requests = opened.requests.clone();
        let requests = questions(measure, branch, opened.destination, requests)?;
        let mut config = asking(probe, opened.destination, keys, requests)?;
        if probe.ssid.is_none() {
            let is_taken = |ssid| infos.iter().any(|info| info.ssid == Ssid(ssid));
            config.ssid = Ssid(random::unused_u16(is_taken));
        }
        if windows {
            config.statistics = StatisticsScope::Both;
        }
        config.measurement = opened.measurement;
        config.timestamp_fallback = measure.steering.tsf_fallback;
        check_size(&opened, &config)?;
        let socket = SocketFacts {
            source: opened.source,
            path_mtu: opened.mtu,
            largest_payload: opened.largest_payload,
        };
        infos.push(SessionInfo {
            steering: branch.plan.info.clone(),
            target_text: text.clone(),
            member: branch.member.as_ref().map(|member| member.name.clone()),
            ..info(&format!("{text}{}", branch.suffix), &infos, socket, &config)
        });
        let linger_round_trips = probe.timeout.and_then(|wait| wait.round_trips);
        setups.push(SessionSetup {
            port: opened.port,
            config,
            linger_round_trips,
            traffic: traffic.clone(),
            window: measure.output.report.map(|period| period.0),
        });
    }
    let last = if setups.is_empty() { missing.pop() } else { None };
    missing.iter().for_each(exit::tell_failure);
    if let Some(failure) = last {
        return Err(failure);
    }
    Ok(Sessions { setups, infos, missing })
}

/// What only one of so many sessions could have.
fn refuse_what_is_shared(probe: &Probe, sessions: usize) -> Result<(), Failure> {
    if probe.source_port.is_some() && sessions > 1 {
        let problem = "one port serves one session; leave it out to have several".to_owned();
        return Err(Failure::Usage { flag: "--source-port", problem });
    }
    if probe.ssid.is_some() && sessions > 1 {
        let problem = "sessions that run at once need SSIDs of their own (RFC 8972 §3)".to_owned();
        return Err(Failure::Usage { flag: "--ssid", problem });
    }
    Ok(())
}

fn request<'a>(
    measure: &'a Measure,
    branch: &'a Branch,
    text: &str,
    device: Option<u32>,
) -> Result<Request<'a>, Failure> {
    let host = branch.plan.end(names::host(measure, text, device.unwrap_or(0))?);
    Ok(request_to(measure, branch, host))
}

fn request_to<'a>(measure: &'a Measure, branch: &'a Branch, host: SocketAddr) -> Request<'a> {
    let (probe, plan) = (&measure.probe, &branch.plan);
    let name = |is_bonded: bool| {
        let member = branch.member.as_ref().filter(|member| member.is_bonded == is_bonded);
        member.map(|member| member.name.as_str())
    };
    let (device, bonded) = (name(false).or_else(|| device_name(probe)), name(true));
    Request { plan, steering: &measure.steering, probe, host, device, bonded }
}

/// Whether probes are authenticated.
pub const fn authentication(probe: &Probe) -> AuthenticationMode {
    if probe.auth { AuthenticationMode::Authenticated } else { AuthenticationMode::Unauthenticated }
}

/// Before anything is sent: a probe that cannot leave in one piece says nothing about the path.
/// Without anything in front of it the kernel refuses it itself, and knows the MTU of the path.
fn check_size(opened: &Opened, config: &SenderConfig) -> Result<(), Failure> {
    let steered = !matches!(opened.port, Port::Socket(_)) || opened.mtu.is_none();
    let Some(largest) = opened.largest_payload.filter(|_| steered) else { return Ok(()) };
    if config.payload_octets <= largest {
        return Ok(());
    }
    let problem = format!(
        "{} octets do not fit: behind what steers the probe, an MTU of {} leaves {largest}",
        config.payload_octets,
        opened.mtu.unwrap_or_default()
    );
    Err(Failure::Usage { flag: "--size", problem })
}

/// The packets of `measure` as text, for whoever wants to see them before they are sent.
///
/// # Errors
///
/// The first host, key or option that cannot be used.
pub fn show_packets(measure: &Measure) -> Result<String, Failure> {
    let measure = &names::resolved(measure)?;
    let (keys, device) = (keys(&measure.probe)?, device(&measure.probe)?);
    let authentication = authentication(&measure.probe);
    let branches = steering::branches(&measure.steering, authentication, &measure.hosts)?;
    let mut text = String::new();
    for (host, branch) in
        measure.hosts.iter().flat_map(|host| branches.iter().map(move |it| (host, it)))
    {
        let plan = &branch.plan;
        let request = request(measure, branch, host, device)?;
        let ends = request.ends()?;
        let requests = plan.requests(&measure.steering, request.host)?;
        let config = asking(&measure.probe, ends.destination, keys.as_ref(), requests)?;
        let mut payload = vec![0; config.payload_octets];
        let now = stamp_worker::now();
        let mut engine = Sender::new(config, now.monotonic).map_err(WorkerError::from)?;
        let written = engine.poll_transmit(now, &mut payload).map(|transmit| transmit.octets.len());
        if written.is_some() {
            let names = &measure.steering.named.labels;
            text.push_str(&steering::show(plan, names, &plan.compose(&ends)?, &payload)?);
            if let Some(plain) = &plan.plain {
                text.push_str("\nwhile the far node does not stamp\n");
                text.push_str(&steering::show(plain, names, &plain.compose(&ends)?, &payload)?);
            }
        }
    }
    Ok(text)
}

/// The address family that was asked for, or that of the source address.
pub const fn family(probe: &Probe) -> Family {
    match (probe.ipv4, probe.ipv6, probe.source) {
        (true, ..) | (_, false, Some(IpAddr::V4(_))) => Family::V4,
        (_, true, _) | (_, _, Some(IpAddr::V6(_))) => Family::V6,
        (_, _, None) => Family::Any,
    }
}

/// Index of the interface or VRF that was named.
pub fn device(probe: &Probe) -> Result<Option<u32>, Failure> {
    Ok(match (&probe.vrf, &probe.interface) {
        (Some(name), _) => Some(interface::vrf(name)?.index),
        (_, Some(name)) => Some(interface::index_of(name)?),
        _ => None,
    })
}

/// Name of the interface or VRF that sockets are bound to.
pub fn device_name(probe: &Probe) -> Option<&str> {
    probe.vrf.as_deref().or(probe.interface.as_deref())
}

/// The keys of the key file, the one that signs first.
pub fn keys(probe: &Probe) -> Result<Option<Arc<KeyRing>>, Failure> {
    let Some(path) = &probe.key_file else { return Ok(None) };
    let file = key_file::load(path)?;
    let Some(id) = probe.key_id.map(KeyId) else { return Ok(Some(Arc::new(file.keys))) };
    let (signing, others): (Vec<Key>, Vec<Key>) =
        file.keys.iter().cloned().partition(|key| key.id() == id);
    if signing.is_empty() {
        let known: Vec<String> = others.iter().map(|key| key.id().to_string()).collect();
        let problem = format!("no key {id} in {}; it has {}", path.display(), known.join(", "));
        return Err(Failure::Usage { flag: "--key-id", problem });
    }
    let ring = KeyRing::new(signing.into_iter().chain(others).collect())
        .map_err(|error| Failure::Usage { flag: "--key-file", problem: error.to_string() })?;
    Ok(Some(Arc::new(ring)))
}

/// Once a run: the keys themselves are read for every look at a far end.
pub fn warn_of_short(keys: Option<&KeyRing>) {
    for key in keys.into_iter().flat_map(KeyRing::iter).filter(|key| key.is_short()) {
        tracing::warn!(key = %key.id(), "key is shorter than 16 octets: 32 are recommended");
    }
}

/// Engine configuration for one target.
pub fn config(
    probe: &Probe,
    target: SocketAddr,
    keys: Option<&Arc<KeyRing>>,
    windows: bool,
) -> Result<SenderConfig, Failure> {
    let ssid = probe.ssid.unwrap_or_else(|| Ssid(random::nonzero_u16()));
    let mut config = SenderConfig::new(target, ssid);
    config.keys = keys.filter(|_| probe.auth).cloned();
    config.tlv_keys = keys.filter(|_| probe.tlv_hmac).cloned();
    let interval = probe.interval.0;
    config.schedule = match probe.schedule {
        Departure::Fixed => Schedule::Fixed { interval },
        Departure::Poisson => Schedule::Poisson { mean: interval },
        Departure::Burst { count, every } => Schedule::Burst { interval, count, every },
    };
    config.count = (probe.count.0 > 0).then_some(probe.count.0);
    config.duration = probe.duration.map(|duration| duration.0);
    config.timeout = probe.timeout.map_or_else(|| default_timeout(interval), |wait| wait.timeout);
    config.padding = match probe.padding {
        Padding::Random => EnginePadding::Random,
        Padding::Zero => EnginePadding::Zero,
    };
    config.format = probe.timestamp_format;
    config.ptp_utc_offset = PtpUtcOffset::from_seconds(probe.ptp_utc_offset);
    config.clock = probe.clock.map_or_else(stamp_worker::clock_state, |declared| declared.0);
    config.far_clock = match &probe.far_clock {
        Some(FarClock::Declared(declared)) => Some(declared.0),
        Some(FarClock::Learned(_)) | None => None,
    };
    config.packet_loss_count = probe.packet_loss_count;
    config.zero_ssid = match probe.zero_ssid {
        ZeroSsidName::Stop => ZeroSsid::Stop,
        ZeroSsidName::ContinueWithSsid => ZeroSsid::ContinueWithSsid,
        ZeroSsidName::ContinueBase => ZeroSsid::ContinueBase,
    };
    config.hop_limit = probe.ttl;
    config.traffic_class = (probe.dscp, probe.ecn.into());
    config.statistics = if windows { StatisticsScope::Both } else { StatisticsScope::Run };
    config.seed = random::u64();
    config.payload_octets = payload_octets(probe, config.smallest_payload())?;
    Ok(config)
}

/// The smallest probe there is: the base packet, and an HMAC TLV if one is asked for.
pub const fn smallest_payload(probe: &Probe) -> usize {
    let base = authentication(probe).base_octets();
    if probe.tlv_hmac { base + HMAC_TLV_OCTETS } else { base }
}

/// The size asked for, or the smallest there is.
fn payload_octets(probe: &Probe, smallest: usize) -> Result<usize, Failure> {
    let Some(size) = probe.size.map(usize::from) else { return Ok(smallest) };
    // Between the smallest probe and the first with an Extra Padding TLV lies half a TLV header.
    let fits = size == smallest || (smallest + 4..=LARGEST_PAYLOAD_OCTETS).contains(&size);
    if fits {
        return Ok(size);
    }
    let problem = format!(
        "{size} octets; allowed: {smallest}, or {} to {LARGEST_PAYLOAD_OCTETS}{}",
        smallest + 4,
        if probe.auth { " in authenticated mode" } else { "" }
    );
    Err(Failure::Usage { flag: "--size", problem })
}

/// Opens the socket of one session.
pub fn open(probe: &Probe, target: SocketAddr, device: Option<&str>) -> Result<UdpSocket, Failure> {
    let mut socket = open_for_all(probe, target, device)?;
    // Connected: forged replies from elsewhere never reach us, and errors find their session.
    socket.connect(target)?;
    Ok(socket)
}

/// The same for replies that come from another address than the target, or to another of ours.
pub fn open_for_all(
    probe: &Probe,
    target: SocketAddr,
    device: Option<&str>,
) -> Result<UdpSocket, Failure> {
    let address = probe.source.unwrap_or_else(|| unspecified(target));
    if address.is_ipv4() != target.is_ipv4() {
        let problem = format!("{address} is of another family than {}", target.ip());
        return Err(Failure::Usage { flag: "--source", problem });
    }
    let mut options = SocketOptions::new(local(address, target, probe.source_port.unwrap_or(0)));
    options.far_port = Some(target.port());
    options.interface = device.map(str::to_owned);
    options.transmit_stamps = true;
    options.hardware_stamps = probe.hardware_stamps;
    options.hop_limit = probe.ttl;
    options.traffic_class = (probe.dscp, probe.ecn.into());
    options.fwmark = probe.fwmark;
    Ok(UdpSocket::open(&options)?)
}

/// A link-local source needs the scope of its target.
fn local(address: IpAddr, target: SocketAddr, port: u16) -> SocketAddr {
    let mut local = SocketAddr::new(address, port);
    if let (SocketAddr::V6(local), SocketAddr::V6(target)) = (&mut local, target)
        && local.ip().is_unicast_link_local()
    {
        local.set_scope_id(target.scope_id());
    }
    local
}

/// What a session's socket knows.
#[derive(Clone, Copy, Debug)]
pub struct SocketFacts {
    /// Address and port that probes leave from.
    pub source: SocketAddr,
    /// The largest packet that leaves in one piece, in octets.
    pub path_mtu: Option<u32>,
    /// The largest UDP payload that fits into it.
    pub largest_payload: Option<usize>,
}

impl SocketFacts {
    /// Of a socket that sends to `target`.
    pub fn of(socket: &UdpSocket, target: SocketAddr) -> Self {
        Self {
            source: socket.local_addr(),
            path_mtu: socket.path_mtu(target).ok(),
            largest_payload: socket.largest_payload(target).ok(),
        }
    }
}

/// What to tell about a session.
pub fn info(
    text: &str,
    earlier: &[SessionInfo],
    socket: SocketFacts,
    config: &SenderConfig,
) -> SessionInfo {
    let again = |info: &&SessionInfo| {
        info.name.strip_prefix(text).is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
    };
    let same = earlier.iter().filter(again).count();
    let name = if same == 0 { text.to_owned() } else { format!("{text}#{}", same + 1) };
    SessionInfo {
        name,
        target_text: text.to_owned(),
        target: config.target,
        measurement: config.measurement,
        steering: SteeringInfo::PLAIN,
        requests: Requests::clone(&config.requests),
        member: None,
        source: socket.source,
        ssid: config.ssid,
        authentication: if config.keys.is_some() {
            AuthenticationMode::Authenticated
        } else {
            AuthenticationMode::Unauthenticated
        },
        payload_octets: config.payload_octets,
        schedule: config.schedule,
        timeout: config.timeout,
        count: config.count,
        format: config.format,
        traffic_class: config.traffic_class,
        hop_limit: config.hop_limit,
        path_mtu: socket.path_mtu,
        largest_payload: socket.largest_payload,
        far_clock_from: None,
        started: stamp_net::clock::wall_now(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::command_line::CommandLine;

    fn family_of(flags: &[&str]) -> Family {
        let line = ["stamp-sender", "host"].iter().chain(flags);
        family(&CommandLine::try_parse_from(line).unwrap().measure.probe)
    }

    #[test]
    fn the_source_address_decides_the_family_unless_a_flag_does() {
        assert_eq!(family_of(&[]), Family::Any);
        assert_eq!(family_of(&["-S", "192.0.2.1"]), Family::V4);
        assert_eq!(family_of(&["-S", "2001:db8::1"]), Family::V6);
        assert_eq!(family_of(&["-4", "-S", "2001:db8::1"]), Family::V4);
        assert_eq!(family_of(&["-6", "-S", "192.0.2.1"]), Family::V6);
    }
}
