//! What a far end is, or why it may be silent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stamp_net::route::{self, RouteQuery};
use stamp_proto::auth::KeyRing;
use stamp_session::sender::Reflector;
use stamp_session::sender::{Outcome, Schedule, SenderConfig, SenderEvent, TlvOutcome};
use stamp_session::snapshot::SessionSnapshot;
use stamp_session::statistics::Reason;
use stamp_worker::LARGEST_PAYLOAD_OCTETS;
use stamp_worker::sender::{SenderObserver, SenderPool, SessionSetup, Trouble};

use super::Finding;
use crate::command_line::Probe;
use crate::exit::Failure;
use crate::setup;
use crate::stateful;
use crate::target::Target;

/// Probes of each examination: one lost probe must not decide.
const PROBES: u64 = 5;
/// Time between them.
const INTERVAL: Duration = Duration::from_millis(50);
/// How long each is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// Extra Padding TLV that shows whether TLVs are understood, in octets.
const PADDING_OCTETS: usize = 20;

/// One examination: what came back, and what complained.
struct Examined {
    snapshot: SessionSnapshot,
    troubles: Vec<Trouble>,
}

impl Examined {
    const fn answered(&self) -> bool {
        self.snapshot.packets.received > 0
    }
}

/// Looks at `host` with a few probes of each kind.
///
/// # Errors
///
/// When the host has no address, there is no route to it, or no socket can be opened.
pub fn examine(host: &str, probe: &Probe) -> Result<Vec<Finding>, Failure> {
    let target = Target::parse(host, probe.port)?;
    let device = setup::device(probe)?;
    let address = target.resolve(setup::family(probe), device.unwrap_or(0))?;
    let mut findings = vec![Finding::good("address", address.to_string())];
    let route = route::lookup(&way(probe, address, device))?;
    let source = route.source.map_or_else(|| "any source".to_owned(), |source| source.to_string());
    findings.push(Finding::good(
        "route",
        format!("from {source} by interface {}, MTU {}", route.interface, route.mtu),
    ));
    let keys = setup::keys(probe)?;
    setup::warn_of_short(keys.as_deref());
    let open = session(probe, address, None, |_| {})?;
    let signed = match &keys {
        Some(keys) => Some(session(probe, address, Some(keys), |_| {})?),
        None => None,
    };
    let answered = match &signed {
        _ if open.answered() => Some((&open, None)),
        Some(signed) if signed.answered() => Some((signed, keys.as_ref())),
        _ => None,
    };
    match answered {
        Some((examined, keys)) => {
            findings.extend(describe(&examined.snapshot, probe));
            findings.extend(examine_further(&Link { probe, target: address, keys }, route.mtu)?);
        }
        None => findings.extend(silence(&open, address)),
    }
    findings.extend(signed.map(|signed| authentication(open.answered(), signed.answered())));
    Ok(findings)
}

/// A far end that answers, and the keys without which it does not.
struct Link<'a> {
    probe: &'a Probe,
    target: SocketAddr,
    keys: Option<&'a Arc<KeyRing>>,
}

impl Link<'_> {
    fn session(&self, adjust: impl FnOnce(&mut SenderConfig)) -> Result<Examined, Failure> {
        session(self.probe, self.target, self.keys, adjust)
    }
}

/// The way that probes will take: a link-local address has one on its own link only.
fn way(probe: &Probe, address: SocketAddr, device: Option<u32>) -> RouteQuery {
    let link = match address {
        SocketAddr::V6(v6) => Some(v6.scope_id()).filter(|scope| *scope != 0),
        SocketAddr::V4(_) => None,
    };
    RouteQuery {
        to: address.ip(),
        from: probe.source,
        interface: device.or(link),
        fwmark: probe.fwmark,
    }
}

/// A few probes; `adjust` changes their configuration.
fn session(
    probe: &Probe,
    target: SocketAddr,
    keys: Option<&Arc<KeyRing>>,
    adjust: impl FnOnce(&mut SenderConfig),
) -> Result<Examined, Failure> {
    let mut probe = probe.clone();
    probe.ssid = None;
    probe.source_port = None;
    probe.auth = keys.is_some();
    probe.tlv_hmac = false;
    probe.size = None;
    let mut config = setup::config(&probe, target, keys, false)?;
    config.count = Some(PROBES);
    config.schedule = Schedule::Fixed { interval: INTERVAL };
    config.timeout = PATIENCE;
    adjust(&mut config);
    let socket = setup::open(&probe, target, setup::device_name(&probe))?;
    let troubles = Arc::new(Mutex::new(Vec::new()));
    // The last probe is waited for as long as any other: a far end that is busy for a moment loses nothing.
    let setup = SessionSetup::new(socket, config);
    let observer = Collector(Arc::clone(&troubles));
    let snapshots = SenderPool::start(vec![setup], Box::new(observer))?.join()?;
    let snapshot = snapshots.into_iter().next().ok_or(stamp_worker::WorkerError::Ended)?;
    let troubles = std::mem::take(&mut *troubles.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Examined { snapshot, troubles })
}

/// What the replies of a plain session tell.
fn describe(snapshot: &SessionSnapshot, probe: &Probe) -> Vec<Finding> {
    let mut findings = Vec::new();
    let packets = &snapshot.packets;
    let round_trip = snapshot.delay.round_trip.p50.map_or(0, |delay| delay.ns());
    let text = format!(
        "{} of {} probes, median round trip {:?}",
        packets.received,
        packets.sent,
        Duration::from_nanos(round_trip.unsigned_abs())
    );
    findings.push(if packets.received == packets.sent {
        Finding::good("answers", text)
    } else {
        Finding::note("answers", format!("{text}: probes or replies get lost"))
    });
    if let Some(format) = snapshot.reflector.format {
        findings.push(Finding::good("timestamps", format!("{format} format")));
    }
    findings.push(match snapshot.clock.far {
        Some(far) if far.synchronized => {
            let bound = far.error_bound_ns.map_or_else(
                || "unknown error".to_owned(),
                |ns| format!("error up to {:?}", Duration::from_nanos(ns)),
            );
            Finding::good("far clock", format!("says it is synchronised, {bound}"))
        }
        _ => Finding::note(
            "far clock",
            "says it is not synchronised: one-way delays are not to be trusted",
        ),
    });
    findings.push(hops(snapshot, probe));
    findings
}

fn hops(snapshot: &SessionSnapshot, probe: &Probe) -> Finding {
    let count = |hops: Option<stamp_session::snapshot::HopRange>| {
        hops.map_or_else(|| "unknown".to_owned(), |range| range.last.to_string())
    };
    let there = count(snapshot.path.forward_hops);
    let back = count(snapshot.path.backward_hops);
    let text = format!("{there} there, {back} back");
    if snapshot.path.remarked > 0 {
        return Finding::note(
            "hops",
            format!("{text}; replies do not carry the DSCP {} of the probes", probe.dscp),
        );
    }
    Finding::good("hops", text)
}

/// Stateful or not, TLVs, and what the path carries.
fn examine_further(link: &Link<'_>, mtu: u32) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    let mut probe = link.probe.clone();
    probe.auth = link.keys.is_some();
    findings.push(match stateful::detect(&probe, &[link.target], 3)?.first() {
        Some(Reflector::Stateful) => {
            Finding::good("reflector", "stateful: loss can be split by direction")
        }
        Some(Reflector::Stateless) => {
            Finding::note("reflector", "stateless: loss is known for the round trip only")
        }
        _ => Finding::note("reflector", "stateful or not: no answer to the probes that tell"),
    });
    let padded = link.session(|config| config.payload_octets += PADDING_OCTETS)?;
    findings.push(match padded.snapshot.tlvs {
        TlvOutcome::Supported => Finding::good("TLVs", "understood (Extra Padding)"),
        _ if !padded.answered() => Finding::note(
            "TLVs",
            "probes with a TLV get no answer: it may be a TWAMP Light reflector",
        ),
        other => Finding::note("TLVs", format!("{}: plain probes only", other.label())),
    });
    findings.push(path_mtu(link, mtu)?);
    Ok(findings)
}

/// The largest probe that the first hop takes, sent to see whether the path takes it too.
fn path_mtu(link: &Link<'_>, mtu: u32) -> Result<Finding, Failure> {
    const TOPIC: &str = "path MTU";
    let target = link.target;
    let largest = route::largest_payload(mtu, target.ip()).min(LARGEST_PAYLOAD_OCTETS);
    let full = link.session(|config| config.payload_octets = largest)?;
    if full.answered() {
        return Ok(Finding::good(TOPIC, format!("probes of {largest} octets pass both ways")));
    }
    let named = full.troubles.iter().find_map(|trouble| match trouble {
        Trouble::Icmp { mtu: Some(mtu), largest_payload: Some(octets), offender, .. } => {
            Some((*mtu, *octets, *offender))
        }
        Trouble::NotSent {
            failure:
                stamp_net::SendFailure::TooBig { mtu: Some(mtu), largest_payload: Some(octets) },
            ..
        } => Some((*mtu, *octets, None)),
        _ => None,
    });
    Ok(match named {
        Some((mtu, octets, offender)) => {
            let by = offender.map_or_else(String::new, |who| format!(", says {who}"));
            Finding::note(
                TOPIC,
                format!("{mtu} on the way there{by}: at most {octets} octets a probe"),
            )
            .mended_by(format!("stamp-sender {} -s {octets}", target.ip()))
        }
        None => Finding::hindrance(
            TOPIC,
            format!(
                "probes of {largest} octets vanish without a word, small ones pass: something \
                 drops large packets and their ICMP, there or back"
            ),
        ),
    })
}

/// Nothing came back: what complained, else what could be the cause, the likeliest first.
fn silence(bare: &Examined, target: SocketAddr) -> Vec<Finding> {
    const TOPIC: &str = "answers";
    if bare.snapshot.packets.rejected.total() > 0 {
        let reasons: Vec<&str> = bare
            .snapshot
            .packets
            .rejected
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(reason, _)| reason.label())
            .collect();
        let text = format!("replies came, but none was right: {}", reasons.join(", "));
        return vec![Finding::hindrance(TOPIC, text)];
    }
    let complaint = bare.troubles.first().map(|trouble| match trouble {
        Trouble::Icmp { kind, offender, .. } => {
            let who = offender.map_or_else(|| "somebody".to_owned(), |who| who.to_string());
            format!("none; {who} says: {kind}")
        }
        Trouble::NotSent { failure, .. } => format!("no probe left this host: {failure}"),
    });
    if let Some(text) = complaint {
        return vec![Finding::hindrance(TOPIC, text)];
    }
    let port = target.port();
    vec![
        Finding::hindrance(TOPIC, "none, and nobody complained; the silent causes in their order"),
        Finding::note("1 firewall", format!("there or on the way: let UDP port {port} in"))
            .mended_by(format!("nft add rule inet filter input udp dport {port} accept")),
        Finding::note("2 port", "the reflector listens on another port")
            .mended_by("ss -lunp | grep stamp"),
        Finding::note("3 mode", "the reflector wants authenticated probes")
            .mended_by("stamp-sender HOST --auth --key-file FILE"),
        Finding::note(
            "4 allow list",
            "the reflector does not know this source; it drops in silence",
        ),
        Finding::note(
            "5 rate limit",
            "the reflector takes fewer packets per second; it logs that once",
        ),
    ]
}

/// What signed probes met, beside open ones.
fn authentication(open: bool, signed: bool) -> Finding {
    const TOPIC: &str = "authentication";
    match (open, signed) {
        (true, true) => Finding::good(TOPIC, "authenticated probes are answered with the same key"),
        (false, true) => {
            Finding::good(TOPIC, "demanded: only probes with the same key are answered")
        }
        (true, false) => Finding::note(
            TOPIC,
            "open probes are answered, authenticated ones are not: another key, or it is not set up",
        ),
        (false, false) => Finding::note(TOPIC, "authenticated probes are not answered either"),
    }
}

/// Keeps what complained.
struct Collector(Arc<Mutex<Vec<Trouble>>>);

impl SenderObserver for Collector {
    fn outcome(&mut self, _session: usize, _outcome: &Outcome) {}
    fn event(&mut self, _session: usize, _event: SenderEvent) {}
    fn trouble(&mut self, _session: usize, trouble: Trouble) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(trouble);
    }
    fn window(&mut self, _session: usize, _window: SessionSnapshot) {}
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::command_line::CommandLine;
    use crate::doctor::Level;

    #[test]
    fn a_far_end_that_demands_the_key_it_was_given_is_no_hindrance() {
        let demanded = authentication(false, true);
        assert_eq!(demanded.level, Level::Good);
        assert!(demanded.text.contains("demanded"), "{}", demanded.text);
        assert_eq!(authentication(true, true).level, Level::Good);
        assert_eq!(authentication(true, false).level, Level::Note);
        assert_eq!(authentication(false, false).level, Level::Note);
    }

    #[test]
    fn the_way_is_asked_for_as_probes_will_go() {
        let line = ["stamp-sender", "host", "-S", "192.0.2.1", "--fwmark", "7"];
        let probe = CommandLine::try_parse_from(line).unwrap().measure.probe;
        let way_to = |address: &str, device| way(&probe, address.parse().unwrap(), device);
        let way = way_to("192.0.2.2:862", Some(3));
        assert_eq!((way.from, way.fwmark, way.interface), (probe.source, Some(7), Some(3)));
        assert_eq!(way_to("192.0.2.2:862", None).interface, None);
        assert_eq!(way_to("[fe80::1%5]:862", None).interface, Some(5));
        assert_eq!(way_to("[2001:db8::1]:862", None).interface, None);
    }
}
