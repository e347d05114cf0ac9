//! The other end of a session, without anything of the engines.

use std::collections::HashMap;
use std::sync::Arc;

use stamp_proto::auth::KeyRing;

use super::Clock;

/// Who answers probes.
pub trait FarEnd {
    /// What happens to a probe that arrives at `at_ns`.
    fn answer(&mut self, at_ns: u64, probe: &[u8]) -> Option<Answer>;

    /// The same of a probe whose headers do not ask for a timestamp, in a session whose other
    /// probes' do.
    fn answer_plain(&mut self, at_ns: u64, probe: &[u8]) -> Option<Answer> {
        self.answer(at_ns, probe)
    }
}

/// A reply on its way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// When it leaves.
    pub leaves_ns: u64,
    /// UDP payload.
    pub octets: Vec<u8>,
}

/// A Session-Reflector of a page: RFC 8762 §4.3 by offsets, NTP timestamps by hand.
#[derive(Clone, Debug)]
pub struct PlainReflector {
    /// Its wall clock; read once for each probe, so that no step falls between T2 and T3.
    pub clock: Clock,
    /// It claims to be synchronised (the S bit).
    pub synchronized: bool,
    /// It counts its replies.
    pub stateful: bool,
    /// Number of its first reply.
    pub first_number: u32,
    /// Probes stay this long.
    pub residence_ns: u64,
    /// When it forgets its count.
    pub restarts_ns: Vec<u64>,
    /// Sign and verify with these.
    pub keys: Option<Arc<KeyRing>>,
    /// Replies given so far, by restarts before.
    pub counts: HashMap<usize, u32>,
}

/// One microsecond as an Error Estimate, without the S bit.
const ONE_MICROSECOND: u16 = 0x0587;
const SYNCHRONIZED: u16 = 0x8000;
const TTL: u8 = 250;

impl FarEnd for PlainReflector {
    fn answer(&mut self, at_ns: u64, probe: &[u8]) -> Option<Answer> {
        if self.keys.as_ref().is_some_and(|keys| keys.verify(probe).is_none()) {
            return None;
        }
        let received = self.clock.unix_ns(at_ns);
        let sent = received + self.residence_ns as i64;
        let number = self.number(at_ns, probe);
        let estimate = ONE_MICROSECOND | if self.synchronized { SYNCHRONIZED } else { 0 };
        let fields = Fields {
            number,
            received: ntp(received),
            sent: ntp(sent),
            estimate: estimate.to_be_bytes(),
        };
        let mut octets = match &self.keys {
            None => open_reply(probe, &fields),
            Some(keys) => {
                let mut reply = authenticated_reply(probe, &fields);
                keys.signing().sign(&mut reply).expect("the reply is long enough");
                reply
            }
        };
        let base = octets.len();
        octets.extend_from_slice(probe.get(base..).unwrap_or_default());
        Some(Answer { leaves_ns: at_ns + self.residence_ns, octets })
    }
}

impl PlainReflector {
    fn number(&mut self, at_ns: u64, probe: &[u8]) -> u32 {
        if !self.stateful {
            return u32::from_be_bytes([probe[0], probe[1], probe[2], probe[3]]);
        }
        let incarnation = self.restarts_ns.iter().filter(|restart| **restart <= at_ns).count();
        let first = if incarnation == 0 { self.first_number } else { 0 };
        let next = self.counts.entry(incarnation).or_insert(first);
        let number = *next;
        *next = next.wrapping_add(1);
        number
    }
}

struct Fields {
    number: u32,
    received: [u8; 8],
    sent: [u8; 8],
    estimate: [u8; 2],
}

fn open_reply(probe: &[u8], fields: &Fields) -> Vec<u8> {
    let mut reply = vec![0; 44];
    reply[0..4].copy_from_slice(&fields.number.to_be_bytes());
    reply[4..12].copy_from_slice(&fields.sent);
    reply[12..14].copy_from_slice(&fields.estimate);
    reply[14..16].copy_from_slice(&probe[14..16]);
    reply[16..24].copy_from_slice(&fields.received);
    reply[24..28].copy_from_slice(&probe[0..4]);
    reply[28..36].copy_from_slice(&probe[4..12]);
    reply[36..38].copy_from_slice(&probe[12..14]);
    reply[40] = TTL;
    reply
}

fn authenticated_reply(probe: &[u8], fields: &Fields) -> Vec<u8> {
    let mut reply = vec![0; 112];
    reply[0..4].copy_from_slice(&fields.number.to_be_bytes());
    reply[16..24].copy_from_slice(&fields.sent);
    reply[24..26].copy_from_slice(&fields.estimate);
    reply[26..28].copy_from_slice(&probe[26..28]);
    reply[32..40].copy_from_slice(&fields.received);
    reply[48..52].copy_from_slice(&probe[0..4]);
    reply[64..72].copy_from_slice(&probe[16..24]);
    reply[72..74].copy_from_slice(&probe[24..26]);
    reply[80] = TTL;
    reply
}

/// Seconds since 1900 and a fraction, the fraction rounded to nearest.
fn ntp(unix_ns: i64) -> [u8; 8] {
    let since_1900 = i128::from(unix_ns) + 2_208_988_800 * 1_000_000_000;
    let units = ((since_1900 << 32) + 500_000_000) / 1_000_000_000;
    (units as u64).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_those_of_the_vectors() {
        assert_eq!(
            ntp(1_709_210_096_789_012_345),
            [0xe9, 0x8a, 0xf8, 0x70, 0xc9, 0xfc, 0xb6, 0x8a]
        );
    }
}
