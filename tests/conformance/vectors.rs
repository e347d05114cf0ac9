//! Every golden vector of our formats, parsed and emitted.
//!
//! Where the octets come from is said in `tests/vectors/README.md`. What they mean is written here
//! as meaning (instants, errors in nanoseconds, keys), never as octets again.

mod base;
mod environment_tlvs;
mod forwarding;
mod measurement_tlvs;
mod mpls;
mod packets;
mod srv6;
mod steering_tlvs;
mod time;
mod tlvs;

use std::collections::{BTreeMap, BTreeSet};

use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::time::{ErrorEstimate, Timestamp, TimestampFormat, WallTime};

const NTP: TimestampFormat = TimestampFormat::Ntp;
const PTP: TimestampFormat = TimestampFormat::Ptp;

const PROBE_SENT: WallTime = WallTime::from_unix_ns(1_709_210_096_789_012_345);
const PROBE_RECEIVED: WallTime = WallTime::from_unix_ns(1_709_210_096_790_246_912);
const REPLY_SENT: WallTime = WallTime::from_unix_ns(1_709_210_096_790_296_912);
const REPLY_RECEIVED: WallTime = WallTime::from_unix_ns(1_709_210_096_791_642_591);

/// Link attributes of routing protocols, which this tree does not read.
const FOREIGN: [&str; 9] = ["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9"];

/// Octets by the short name, `A1` for `A1-unauth-sender`.
struct Vectors(BTreeMap<String, Vec<u8>>);

impl Vectors {
    fn load() -> Self {
        let text = include_str!("../vectors/stamp.json");
        let file: serde_json::Value = serde_json::from_str(text).expect("the file is JSON");
        let entries = file.as_object().expect("the file is an object");
        let mut vectors = BTreeMap::new();
        for (name, entry) in entries {
            let octets = decode(entry["hex"].as_str().expect("hex is a string"));
            assert_eq!(Some(octets.len() as u64), entry["len"].as_u64(), "length of {name}");
            let mut parts = name.split('-');
            let number = parts.next().expect("a name has a first part");
            // What two vectors share a number for is told by their last parts.
            let short = match (name.as_str(), parts.next_back()) {
                ("E3-srh-hmac-text" | "F3-replace-csid-da" | "F3-replace-csid-srh", Some(last)) => {
                    format!("{number}-{last}")
                }
                _ => number.to_owned(),
            };
            if !FOREIGN.contains(&number) {
                assert!(vectors.insert(short, octets).is_none(), "{name} comes twice");
            }
        }
        Self(vectors)
    }

    fn octets(&self, name: &str) -> &[u8] {
        self.0.get(name).unwrap_or_else(|| panic!("no vector {name}"))
    }
}

fn decode(hex: &str) -> Vec<u8> {
    assert!(hex.is_ascii() && hex.len().is_multiple_of(2), "octets are two digits each");
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hexadecimal digits"))
        .collect()
}

/// The keys of the vectors, K1 signing.
fn key(number: u32) -> Key {
    let secret = match number {
        1 => (0..32).collect(),
        2 => b"stamp-test-key".to_vec(),
        3 => vec![0xaa; 131],
        _ => panic!("no key {number}"),
    };
    Key::new(KeyId(number), &secret).expect("the secret is not empty")
}

fn ring(number: u32) -> KeyRing {
    KeyRing::new(vec![key(number)]).expect("one key makes a ring")
}

fn ntp(at: WallTime) -> Timestamp {
    Timestamp::from_wall(at, NTP)
}

fn sender_clock(format: TimestampFormat) -> ErrorEstimate {
    let error_ns = if format == NTP { 1_000 } else { 100 };
    ErrorEstimate::new(error_ns, true, format)
}

fn reflector_clock() -> ErrorEstimate {
    ErrorEstimate::new(1_000_000, true, NTP)
}

#[test]
fn every_vector_of_our_formats_is_handled_by_a_test() {
    let vectors = Vectors::load();
    let known: BTreeSet<&str> = vectors.0.keys().map(String::as_str).collect();
    let handled: BTreeSet<&str> = base::handled()
        .chain(tlvs::handled())
        .chain(mpls::HANDLED)
        .chain(srv6::HANDLED)
        .chain(packets::HANDLED)
        .collect();
    assert_eq!(known, handled);
    assert_eq!(known.len(), 13 + 32 + 9 + 9 + 12 + 3);
}
