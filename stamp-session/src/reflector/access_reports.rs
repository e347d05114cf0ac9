//! What Session-Senders reported of access networks (RFC 8972 §4.6): told when it is news.

use core::net::SocketAddr;

use stamp_proto::packet::Ssid;
use stamp_proto::tlv::access_report::AccessReport;

use super::keyed_hash::KeyedHash;
use super::prefix::address_bits;

/// Sessions whose last report is remembered.
const KNOWN: usize = 256;

/// The last report of some sessions.
///
/// A session takes the place of another one that hashes alike, so the memory is bounded and a report
/// may, rarely, be told again.
#[derive(Debug)]
pub(super) struct AccessReports {
    known: Box<[u64]>,
    hash: KeyedHash,
}

impl AccessReports {
    pub(super) fn new(hash: KeyedHash) -> Self {
        Self { known: Box::default(), hash }
    }

    /// Whether the session has not said just this before.
    pub(super) fn is_news(&mut self, source: SocketAddr, ssid: Ssid, report: AccessReport) -> bool {
        if self.known.is_empty() {
            // Nearly nobody ever sends one.
            self.known = vec![0; KNOWN].into_boxed_slice();
        }
        let source = self.hash.of(&address_bits(source.ip()).to_be_bytes());
        let session = source ^ self.hash.of(&ssid.0.to_be_bytes());
        let [a, b, c, d, e, f, _, place] = session.to_be_bytes();
        let (access, code) = (report.access.value(), report.code.0);
        // Never zero, which is nothing.
        let value = u64::from_be_bytes([access, code, a, b, c, d, e, f]);
        let Some(known) = self.known.get_mut(usize::from(place) & KNOWN.wrapping_sub(1)) else {
            return false;
        };
        core::mem::replace(known, value) != value
    }
}

#[cfg(test)]
mod tests {
    use stamp_proto::tlv::access_report::{AccessId, ReturnCode};

    use super::*;

    #[test]
    fn what_a_session_says_again_is_no_news() {
        let mut reports = AccessReports::new(KeyedHash::new([3, 5]));
        let source: SocketAddr = "192.0.2.1:49200".parse().unwrap();
        let report = |code| AccessReport { access: AccessId::ThreeGpp, code };
        let gone = report(ReturnCode::UNAVAILABLE);
        assert!(reports.is_news(source, Ssid(1), gone));
        assert!(!reports.is_news(source, Ssid(1), gone));
        assert!(reports.is_news(source, Ssid(2), gone), "another session");
        assert!(reports.is_news(source, Ssid(1), report(ReturnCode::AVAILABLE)));
        assert!(reports.is_news(source, Ssid(1), gone));
    }

    #[test]
    fn any_number_of_sessions_takes_the_same_memory() {
        let mut reports = AccessReports::new(KeyedHash::new([3, 5]));
        let report = AccessReport { access: AccessId::NonThreeGpp, code: ReturnCode::AVAILABLE };
        for ssid in 1..5_000 {
            let source = SocketAddr::from(([192, 0, 2, 1], 862));
            reports.is_news(source, Ssid(ssid), report);
        }
        assert_eq!(reports.known.len(), KNOWN);
    }
}
