//! The demo that runs anywhere: reflector and sender in this process, on loopback.
//!
//! Two sessions at once, one open and one authenticated with a key made for this run, towards two
//! stateful reflectors. Both ends read the same clock, so it is declared synchronised.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use stamp_net::{NetError, SocketOptions, UdpSocket};
use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_session::sender::ReflectorMode;
use stamp_worker::sender::SessionSetup;

use super::reflector::Reflector;
use super::{ONE_CLOCK, flags};
use crate::Ended;
use crate::command_line::{Demo, Probe};
use crate::exit::Failure;
use crate::happening::SessionInfo;
use crate::setup::SocketFacts;
use crate::{exit, random, run, setup};

/// Runs the demo.
pub(super) fn run(demo: &Demo) -> Ended {
    let stage = run::Stage::open()?;
    let mut reporter = run::reporter(&demo.output)?;
    let keys = Arc::new(demo_keys()?);
    let open = Reflector::start(loopback_socket()?, None)?;
    let authenticated = Reflector::start(loopback_socket()?, Some(&keys))?;
    if run::on_terminal() && demo.output.quiet == 0 {
        exit::tell(&format!(
            "Two reflectors in this process: {} (open) and {} (authenticated), both stateful.\n\
             Between two hosts it is `stamp-reflector --listen :8620` there and \
             `stamp-sender HOST -p 8620` here.\n\n",
            open.address, authenticated.address
        ));
    }
    let (setups, infos): (Vec<SessionSetup>, Vec<SessionInfo>) = [
        session(demo, "demo-open", open.address, None)?,
        session(demo, "demo-authenticated", authenticated.address, Some(&keys))?,
    ]
    .into_iter()
    .unzip();
    stage.run(setups, &infos, &mut *reporter).map(|(status, _)| status)
}

/// A key for this run only; nothing outside this process needs it.
fn demo_keys() -> Result<KeyRing, Failure> {
    let secret: Vec<u8> = (0..4).flat_map(|_| random::u64().to_be_bytes()).collect();
    Key::new(KeyId(1), &secret)
        .and_then(|key| KeyRing::new(vec![key]))
        .map_err(|error| Failure::Usage { flag: "demo", problem: error.to_string() })
}

/// A socket on the loopback address of whichever family this host has, IPv6 first.
fn loopback_socket() -> Result<UdpSocket, Failure> {
    let on = |address: IpAddr| UdpSocket::open(&SocketOptions::new(SocketAddr::new(address, 0)));
    match on(Ipv6Addr::LOCALHOST.into()) {
        Err(NetError::FamilyUnavailable { .. } | NetError::AddressNotAvailable { .. }) => {
            Ok(on(Ipv4Addr::LOCALHOST.into())?)
        }
        opened => Ok(opened?),
    }
}

/// One session towards a demo reflector.
fn session(
    demo: &Demo,
    name: &str,
    target: SocketAddr,
    keys: Option<&Arc<KeyRing>>,
) -> Result<(SessionSetup, SessionInfo), Failure> {
    // What a user gets without reading the manual.
    let mut probe: Probe = flags(&[target.to_string()])?.probe;
    probe.count = demo.count;
    probe.interval = demo.interval;
    probe.auth = keys.is_some();
    let mut config = setup::config(&probe, target, keys, demo.output.report.is_some())?;
    config.timeout = Duration::from_secs(1);
    config.clock = ONE_CLOCK;
    config.reflector = ReflectorMode::Stateful;
    let socket = setup::open(&probe, target, None)?;
    let mut info = setup::info(name, &[], SocketFacts::of(&socket, target), &config);
    info.target_text = target.to_string();
    let window = demo.output.report.map(|period| period.0);
    Ok((SessionSetup { window, ..SessionSetup::new(socket, config) }, info))
}
