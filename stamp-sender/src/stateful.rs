//! What kind of reflector a far end is, proven before the run relies on it.
//!
//! A stateless reflector copies the Sequence Number of the probe, a stateful one counts its own
//! replies from zero (RFC 8762 §4.2). One probe of a session of its own, numbered 1, tells them
//! apart: it comes back as 1 or as 0. Without this proof a stateful far end whose replies get lost
//! looks like a stateless one.

use std::net::SocketAddr;
use std::time::Duration;

use stamp_session::sender::{ReflectorMode, Schedule};
use stamp_session::snapshot::Reflector;
use stamp_worker::sender::{Nobody, SenderPool, SessionSetup};

use crate::command_line::Probe;
use crate::exit::Failure;
use crate::happening::SessionInfo;
use crate::setup;

/// Rounds of the check with `--stateful`: a single loss must not decide.
const ROUNDS_REQUIRED: u32 = 3;
/// Longest wait of a check that nobody asked for.
const PATIENCE: Duration = Duration::from_millis(500);

/// Finds out what each far end is and tells the sessions.
///
/// A far end that does not answer is left to the run itself, which reports that.
///
/// # Errors
///
/// With `--stateful`, when a far end answers but is stateless; otherwise only when the check's
/// own sockets or worker fail.
pub fn settle(
    probe: &Probe,
    setups: &mut [SessionSetup],
    infos: &[SessionInfo],
) -> Result<(), Failure> {
    let rounds = if probe.stateful { ROUNDS_REQUIRED } else { 1 };
    let targets: Vec<SocketAddr> = infos.iter().map(|info| info.target).collect();
    let modes = detect(probe, &targets, rounds)?;
    for ((setup, info), mode) in setups.iter_mut().zip(infos).zip(modes) {
        setup.config.reflector = match mode {
            Reflector::Stateless if probe.stateful => {
                return Err(Failure::Requirement(format!(
                    "{} is a stateless reflector: loss cannot be split by direction; start it \
                     with --stateful, or leave the flag out here",
                    info.target_text
                )));
            }
            Reflector::Unknown if probe.stateful => ReflectorMode::Stateful,
            Reflector::Stateful => ReflectorMode::Stateful,
            Reflector::Stateless => ReflectorMode::Stateless,
            Reflector::Unknown | Reflector::Absent => ReflectorMode::Detect,
        };
    }
    Ok(())
}

/// What kind of reflector each far end is, as far as `rounds` probes tell.
///
/// # Errors
///
/// When the check's own sockets or worker fail.
pub fn detect(
    probe: &Probe,
    targets: &[SocketAddr],
    rounds: u32,
) -> Result<Vec<Reflector>, Failure> {
    let mut probe = probe.clone();
    // Sessions of their own: neither SSID nor port may be those of the run.
    probe.ssid = None;
    probe.source_port = None;
    let keys = setup::keys(&probe)?;
    let mut modes = vec![Reflector::Unknown; targets.len()];
    for _ in 0..rounds {
        let open: Vec<usize> =
            (0..targets.len()).filter(|&host| modes[host] == Reflector::Unknown).collect();
        let mut setups = Vec::with_capacity(open.len());
        for &host in &open {
            let target = targets[host];
            let mut config = setup::config(&probe, target, keys.as_ref(), false)?;
            config.count = Some(1);
            config.first_sequence = 1;
            config.timeout = config.timeout.min(PATIENCE);
            config.schedule = Schedule::Fixed { interval: PATIENCE };
            let socket = setup::open(&probe, target, setup::device_name(&probe))?;
            setups.push(SessionSetup::new(socket, config));
        }
        if setups.is_empty() {
            break;
        }
        let snapshots = SenderPool::start(setups, Box::new(Nobody))?.join()?;
        for (host, snapshot) in open.into_iter().zip(snapshots) {
            modes[host] = snapshot.reflector.mode;
        }
    }
    Ok(modes)
}
