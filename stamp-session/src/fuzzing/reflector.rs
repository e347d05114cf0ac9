//! Packets for a Session-Reflector.

use core::time::Duration;
use std::net::SocketAddr;

use stamp_proto::packet::{AuthenticationMode, ReflectorPacket, SenderPacket};
use stamp_proto::time::{Stamp, StampSource, TimeDelta};
use stamp_proto::tlv::Tlvs;

use super::script::{Setting, Step, keys, read};
use crate::clock::MonotonicTime;
use crate::datagram::{Headers, Received};
use crate::reflector::{
    DropReason, PacketControlRules, Reflector, ReflectorSnapshot, ReplyWay, SessionView, Verdict,
};

const LARGEST: usize = 512;
const LISTENER: ([u8; 4], u16) = ([192, 0, 2, 11], 862);

/// A script; after each packet everything a Session-Reflector promises is looked at.
pub fn check(octets: &[u8]) {
    let Some((setting, steps)) = read(octets) else {
        return;
    };
    let mut run = Run {
        setting,
        reflector: setting.reflector(),
        twin: setting.reflector(),
        reply: Vec::new(),
        answered: Vec::new(),
    };
    for mut step in steps {
        if step.is_reply {
            step.octets.clone_from(&run.reply);
        }
        run.step(&step);
    }
}

struct Run {
    setting: Setting,
    reflector: Reflector,
    /// The same again, with another buffer: what differs was there before.
    twin: Reflector,
    /// The latest.
    reply: Vec<u8>,
    /// Packets that were answered, and whence they came.
    answered: Vec<(SocketAddr, Vec<u8>)>,
}

impl Run {
    fn step(&mut self, step: &Step) {
        let now = MonotonicTime::from_ns(step.now_ns);
        self.reflector.handle_timeout(now);
        self.twin.handle_timeout(now);
        let before = state(&self.reflector);
        let (mut out, mut other) = ([0x00; LARGEST], [0xFF; LARGEST]);
        let reply = answer(&mut self.reflector, step, &mut out);
        let twin = answer(&mut self.twin, step, &mut other);
        assert_eq!(reply, twin, "octets of the buffer in the reply");
        for reflector in [&mut self.reflector, &mut self.twin] {
            check_further(reflector, now, self.setting);
        }
        self.check_counts();
        match reply {
            Some(reply) => {
                self.check_reply(step, &reply);
                self.reply = reply;
                self.answered.push((step.from, step.octets.clone()));
            }
            None => self.check_refusal(step, &before),
        }
    }

    fn check_reply(&self, step: &Step, reply: &[u8]) {
        let (probe, mode) = (&step.octets, self.setting.mode());
        let sent = SenderPacket::parse(mode, probe).expect("only what can be read is answered");
        let echoed = ReflectorPacket::parse(mode, reply).expect("a reply can be read");
        assert_eq!(echoed.sender_sequence, sent.sequence);
        assert_eq!(echoed.sender_timestamp, sent.timestamp);
        assert_eq!(echoed.sender_error_estimate, sent.error_estimate);
        assert_eq!(echoed.ssid, sent.ssid);
        assert_ne!(echoed.sender_ttl.0, 0);
        let usual = probe.len().max(mode.base_octets());
        if self.setting.is_generous() {
            assert!(reply.len() >= usual);
        } else {
            assert_eq!(reply.len(), usual);
        }
        if !self.setting.is_named() {
            assert!(reply.len() <= probe.len(), "more than a stranger sent");
        }
        if mode == AuthenticationMode::Authenticated {
            assert!(keys().verify(probe).is_some(), "a forged probe was answered");
            assert!(keys().verify(reply).is_some(), "a reply is signed");
        }
        let seen = self.answered.iter().any(|(from, octets)| (from, octets) == (&step.from, probe));
        if seen && mode == AuthenticationMode::Authenticated && self.setting.is_stateful() {
            let counted = self.reflector.snapshot();
            let forgotten = counted.sessions_expired + counted.sessions_evicted;
            assert!(forgotten > 0, "a copy was answered");
        }
        self.check_tlvs(probe, reply);
        self.check_loop(step, reply);
    }

    /// TLVs keep their place, their type and their size.
    fn check_tlvs(&self, probe: &[u8], reply: &[u8]) {
        let base = self.setting.mode().base_octets();
        let (Some(asked), Some(answered)) = (probe.get(base..), reply.get(base..)) else {
            return;
        };
        if answered.iter().all(|octet| *octet == 0) {
            return;
        }
        let frames = |area| -> Vec<_> {
            Tlvs::new(area).map_while(Result::ok).map(|tlv| (tlv.kind, tlv.value.len())).collect()
        };
        let (asked, answered) = (frames(asked), frames(answered));
        assert_eq!(asked[..], answered[..asked.len()]);
        assert!(self.setting.is_generous() || asked.len() == answered.len());
    }

    /// No Session-Reflector answers a reply, whoever seems to have sent it.
    fn check_loop(&self, step: &Step, reply: &[u8]) {
        for from in [step.from, SocketAddr::from(([192, 0, 2, 77], 40_000))] {
            let mut other = self.setting.reflector();
            let back = Step {
                octets: reply.to_vec(),
                from,
                now_ns: step.now_ns + 1_000_000,
                ..step.clone()
            };
            assert_eq!(answer(&mut other, &back, &mut [0; LARGEST]), None, "a reply was answered");
            let loops = other.snapshot().drops(DropReason::Loop);
            assert_eq!(loops, 1, "it was dropped for another reason");
        }
    }

    /// A packet without a valid HMAC leaves no trace in what an authenticated session sees.
    fn check_refusal(&self, step: &Step, before: &(Vec<SessionView>, ReflectorSnapshot)) {
        let forged = self.setting.mode() == AuthenticationMode::Authenticated
            && keys().verify(&step.octets).is_none();
        if forged {
            assert_eq!(state(&self.reflector), *before, "a forged packet left a trace");
        }
    }

    fn check_counts(&self) {
        let counted = self.reflector.snapshot();
        let dropped = counted.dropped_total() - counted.drops(DropReason::SendError);
        assert_eq!(counted.received, counted.answered + dropped, "{counted:?}");
        assert!(counted.sessions <= counted.session_limit);
        assert_eq!(counted.sessions, self.reflector.sessions().count());
    }
}

/// What follows a reply: nothing, unless the operator lets its source ask for more, and then no more
/// than that.
fn check_further(reflector: &mut Reflector, now: MonotonicTime, setting: Setting) {
    let limits = PacketControlRules::MODEST;
    let later = now.saturating_add(Duration::from_secs(3_600));
    let (mut count, mut octets, mut out) = (0, 0, [0; LARGEST]);
    while let Some(further) = reflector.poll_reply(later, &mut out) {
        assert!(setting.is_generous(), "several replies to one probe");
        count += 1;
        octets += further.reply.len_octets();
        let _ = further.reply.discard();
    }
    assert!(count < usize::from(limits.most_packets), "{count} replies");
    assert!(octets as u64 <= limits.most_volume_octets, "{octets} octets");
}

fn answer(reflector: &mut Reflector, step: &Step, out: &mut [u8]) -> Option<Vec<u8>> {
    let probe = Received {
        octets: &step.octets,
        from: step.from,
        to: SocketAddr::from(LISTENER),
        interface: 1,
        stamp: Stamp { time: step.wall(), source: StampSource::Kernel },
        hop_limit: step.hop_limit,
        traffic_class: None,
        headers: Headers::UNKNOWN,
    };
    let now = MonotonicTime::from_ns(step.now_ns);
    let reply = match reflector.handle_probe(now, probe, out) {
        Verdict::Reply(reply) => reply.seal(step.wall().saturating_add(TimeDelta::from_ns(50_000))),
        Verdict::Observe(_) | Verdict::Drop(_) => return None,
    };
    assert_eq!((reply.to, &reply.way), (step.from, &ReplyWay::Routed), "a reply went elsewhere");
    let octets = reply.octets.to_vec();
    if step.is_unsent {
        reflector.handle_unsent(reply.token);
    }
    Some(octets)
}

/// Everything but the counts of what came and was dropped.
fn state(reflector: &Reflector) -> (Vec<SessionView>, ReflectorSnapshot) {
    let snapshot = ReflectorSnapshot {
        received: 0,
        dropped: [0; DropReason::COUNT],
        loops: Default::default(),
        events_lost: 0,
        ..reflector.snapshot()
    };
    (reflector.sessions().collect(), snapshot)
}
