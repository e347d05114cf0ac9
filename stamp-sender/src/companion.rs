//! `--far-clock learn`: nothing in a probe that comes back itself tells of the far clock, so a slow
//! two-way session asks a reflector at the same node.

use std::net::SocketAddr;

use stamp_config::clock::FarClock;
use stamp_session::sender::{COMPANION_FIRST_INTERVAL, Schedule};
use stamp_worker::sender::{Companion, SessionSetup};

use crate::command_line::{Measure, ModeName, Probe};
use crate::exit::Failure;
use crate::happening::SessionInfo;
use crate::names;
use crate::setup;

/// A session with each reflector that is to tell, and which of the others learn from it.
///
/// # Errors
///
/// [`Failure::Usage`] in modes where replies tell of the far clock or nothing depends on it; a name
/// or route that is missing, and what the kernel refuses.
pub fn open(measure: &Measure, infos: &mut [SessionInfo]) -> Result<Vec<Companion>, Failure> {
    let Some(FarClock::Learned(host)) = &measure.probe.far_clock else { return Ok(Vec::new()) };
    if measure.steering.mode != ModeName::EnhancedLoopback {
        let problem =
            "learn is for --mode enhanced-loopback: elsewhere replies tell of their clock";
        return Err(Failure::Usage { flag: "--far-clock", problem: problem.to_owned() });
    }
    let probe = beside(&measure.probe);
    let device = setup::device(&probe)?;
    let mut groups: Vec<(SocketAddr, Vec<usize>)> = Vec::new();
    for (number, info) in infos.iter_mut().enumerate() {
        let text = host.as_deref().unwrap_or(&info.target_text);
        let target = names::host(measure, text, device.unwrap_or(0))?;
        info.far_clock_from = Some(target);
        match groups.iter_mut().find(|(known, _)| *known == target) {
            Some((_, of)) => of.push(number),
            None => groups.push((target, vec![number])),
        }
    }
    groups.into_iter().map(|(target, of)| companion(&probe, target, of)).collect()
}

/// The flags of a session beside another: as small as can be, and of its own name and port.
fn beside(probe: &Probe) -> Probe {
    Probe { ssid: None, source_port: None, size: None, ..probe.clone() }
}

fn companion(probe: &Probe, target: SocketAddr, of: Vec<usize>) -> Result<Companion, Failure> {
    let keys = setup::keys(probe)?;
    let mut config = setup::config(probe, target, keys.as_ref(), false)?;
    config.schedule = Schedule::Fixed { interval: COMPANION_FIRST_INTERVAL };
    config.timeout = COMPANION_FIRST_INTERVAL;
    (config.count, config.duration) = (None, None);
    let port = setup::open(probe, target, setup::device_name(probe))?;
    Ok(Companion { setup: SessionSetup::new(port, config), of })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::command_line::CommandLine;

    fn opened(line: &str) -> Result<(Vec<Companion>, Vec<SessionInfo>), String> {
        let words = ["stamp-sender"].into_iter().chain(line.split_whitespace());
        let mut measure = CommandLine::try_parse_from(words).unwrap().measure;
        let mut plain = measure.clone();
        plain.steering = Default::default();
        let mut infos = setup::sessions(&plain).unwrap().infos;
        measure.hosts.clear();
        let companions = open(&measure, &mut infos).map_err(|error| error.to_string())?;
        Ok((companions, infos))
    }

    #[test]
    fn sessions_with_one_far_node_learn_from_one_companion() {
        let line = "127.0.0.1:8620 127.0.0.2 127.0.0.1:8620 -p 8621 --far-clock learn -c 5 \
                    --mode enhanced-loopback --segments 16001";
        let (companions, infos) = opened(line).unwrap();
        let of: Vec<&[usize]> = companions.iter().map(|one| one.of.as_slice()).collect();
        assert_eq!(of, [&[0, 2][..], &[1]]);
        let asked = infos.iter().map(|info| info.far_clock_from.unwrap().to_string());
        assert_eq!(
            asked.collect::<Vec<_>>(),
            ["127.0.0.1:8620", "127.0.0.2:8621", "127.0.0.1:8620"]
        );
        assert!(companions.iter().all(|one| one.setup.config.count.is_none()), "as long as theirs");
        let elsewhere = line.replace("learn", "learn,127.0.0.9:8629");
        let (companions, _) = opened(&elsewhere).unwrap();
        assert_eq!(companions.len(), 1);
        assert_eq!(companions[0].setup.config.target, "127.0.0.9:8629".parse().unwrap());
    }

    #[test]
    fn where_replies_tell_nothing_is_learned() {
        let refused = opened("127.0.0.1 --far-clock learn").unwrap_err();
        assert!(refused.starts_with("--far-clock: learn is for --mode enhanced"), "{refused}");
        assert!(opened("127.0.0.1 --far-clock unsynchronized").unwrap().0.is_empty());
    }
}
