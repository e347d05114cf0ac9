use core::net::SocketAddr;
use std::sync::Arc;

use stamp_proto::auth::{Key, KeyId};
use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::packet::{AuthenticationMode, Ssid};
use stamp_proto::time::{Stamp, StampSource, TimeDelta, WallTime};

use super::*;
use crate::clock::{MonotonicTime, Now};
use crate::datagram::Received;
use crate::reflector::{
    AllowRule, Prefix, RateLimiter, RateLimiterConfig, Reflector, ReflectorConfig, SourcePolicy,
    TlvAction, TlvActions, Verdict,
};
use crate::sender::{Outcome, Requests, Sample, Sender, SenderConfig};

const NEAR: &str = "192.0.2.1:49200";
const FAR: &str = "192.0.2.11:862";

fn keys() -> Arc<KeyRing> {
    Arc::new(KeyRing::new(vec![Key::new(KeyId(1), b"sixteen octets..").unwrap()]).unwrap())
}

/// How a session has keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Keyed {
    No,
    TlvsOnly,
    Authenticated,
}

fn received<'a>(octets: &'a [u8], from: &str, to: &str, time: WallTime) -> Received<'a> {
    Received {
        octets,
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        interface: 2,
        headers: crate::datagram::Headers::UNKNOWN,
        stamp: Stamp { time, source: StampSource::Kernel },
        hop_limit: None,
        traffic_class: Some((Dscp::DEFAULT, Ecn::NotEct)),
    }
}

fn reflector(keyed: Keyed, known: bool, actions: TlvActions) -> Reflector {
    let mode = match keyed {
        Keyed::Authenticated => AuthenticationMode::Authenticated,
        Keyed::No | Keyed::TlvsOnly => AuthenticationMode::Unauthenticated,
    };
    let mut config = ReflectorConfig::new([1, 2]);
    config.unknown_sources = Some(SourcePolicy::unknown(mode));
    config.keys = (keyed != Keyed::No).then(keys);
    if known {
        let mut policy = SourcePolicy::configured(mode);
        policy.tlvs.actions = actions;
        let prefix = Prefix::new("192.0.2.0".parse().unwrap(), 24).unwrap();
        config.allow = vec![AllowRule { prefix, policy }];
    }
    let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new([1, 2])));
    Reflector::new(config, limiter).unwrap()
}

/// What the answer of `far` to one probe of this kind is; `tamper` comes in between.
fn judged(
    kind: Malformation,
    keyed: Keyed,
    far: &mut Reflector,
    tamper: impl FnOnce(&mut Vec<u8>),
) -> Conformity {
    let target: SocketAddr = FAR.parse().unwrap();
    let mut config = SenderConfig::new(target, Ssid(7));
    config.keys = (keyed == Keyed::Authenticated).then(keys);
    config.tlv_keys = (keyed == Keyed::TlvsOnly).then(keys);
    let requests = Requests { malformed: Some(kind), ..Requests::default() };
    config.requests = Arc::new(requests);
    config.payload_octets = config.smallest_payload();
    let mut sender = Sender::new(config, MonotonicTime::ZERO).unwrap();
    let wall = WallTime::from_unix_ns(1_700_000_000_000_000_000);
    let at = |ms: i64| wall.saturating_add(TimeDelta::from_ns(ms * 1_000_000));
    let now = Now { monotonic: MonotonicTime::ZERO, wall };
    let (mut out, mut reply) = ([0; 2_000], [0; 2_000]);
    let transmit = sender.poll_transmit(now, &mut out).expect("a probe is due");
    let probe = transmit.octets.to_vec();
    sender.handle_sent(transmit.token, None);
    let verdict = far.handle_probe(now.monotonic, received(&probe, NEAR, FAR, at(1)), &mut reply);
    let Verdict::Reply(reply) = verdict else { panic!("{}: {verdict:?}", kind.name()) };
    let mut octets = reply.seal(at(2)).octets.to_vec();
    tamper(&mut octets);
    let now = Now { monotonic: MonotonicTime::from_ns(3_000_000), wall: at(3) };
    match sender.handle_reply(now, received(&octets, FAR, NEAR, at(3))) {
        Outcome::Sample(Sample { answers, .. }) => answers.conformity.expect("judged"),
        other => panic!("{}: {other:?}", kind.name()),
    }
}

#[test]
fn our_reflector_answers_every_kind_as_its_clause_asks() {
    let mut asked = 0;
    for keyed in [Keyed::No, Keyed::TlvsOnly, Keyed::Authenticated] {
        let mut refusing = TlvActions::ALLOWED;
        TlvActions::types().for_each(|kind| refusing.set(kind, TlvAction::Refuse));
        let mut ignoring = TlvActions::ALLOWED;
        TlvActions::types().for_each(|kind| ignoring.set(kind, TlvAction::Ignore));
        for (known, actions) in [
            (true, TlvActions::ALLOWED),
            (false, TlvActions::ALLOWED),
            (true, refusing),
            (true, ignoring),
        ] {
            let mut far = reflector(keyed, known, actions);
            for kind in Malformation::all().filter(|kind| kind.fits(keyed != Keyed::No)) {
                let conformity = judged(kind, keyed, &mut far, |_| {});
                assert_eq!(conformity, Conformity::Conformant, "{} {keyed:?} {known}", kind.name());
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 4 * (19 + 19 + 19), "each kind where it fits");
}

#[test]
fn a_reply_with_any_flag_turned_is_told() {
    let mut far = reflector(Keyed::No, true, TlvActions::ALLOWED);
    for kind in Malformation::all().filter(|kind| kind.fits(false)) {
        let mut at = 44;
        for (place, piece) in kind.0.sent.iter().enumerate() {
            let conformity = judged(kind, Keyed::No, &mut far, |reply| {
                // I: no clause allows it where nothing is to be verified.
                reply[at] |= 0x20;
            });
            let Conformity::Differs { place: told, flags } = conformity else {
                panic!("{}: {conformity:?}", kind.name())
            };
            assert_eq!(usize::from(told), place, "{}", kind.name());
            assert!(flags.is_integrity_failed(), "{}", kind.name());
            at += piece.octets();
        }
    }
}

#[test]
fn a_reflector_without_tlvs_and_one_that_leaves_them_out_are_told() {
    let mut far = reflector(Keyed::No, true, TlvActions::ALLOWED);
    for kind in Malformation::all().filter(|kind| kind.fits(false)) {
        let cut = judged(kind, Keyed::No, &mut far, |reply| reply.truncate(44));
        assert_eq!(cut, Conformity::Missing, "{}", kind.name());
        let mut sent = vec![0; kind.octets(false)];
        kind.emit(None, 0, &mut Writer::new(&mut sent)).unwrap();
        let copied = judged(kind, Keyed::No, &mut far, |reply| {
            reply.truncate(44);
            reply.extend_from_slice(&sent);
        });
        assert_eq!(copied, Conformity::Unsupported, "{}", kind.name());
    }
}

#[test]
fn names_are_unique_and_clauses_are_named() {
    let mut names: Vec<&str> = Malformation::all().map(Malformation::name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for kind in Malformation::all() {
        assert!(kind.clause().starts_with("RFC "));
        assert!(!kind.about().is_empty() && !kind.expected().is_empty());
        assert_eq!(Malformation::named(kind.name()), Some(kind));
        for accepted in kind.0.accepted {
            assert_eq!(accepted.len(), kind.0.sent.len(), "{}", kind.name());
        }
    }
    assert_eq!(Malformation::named("nothing"), None);
}
