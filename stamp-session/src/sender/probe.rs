//! The octets of a probe.

use core::ops::Range;
use std::sync::Arc;

use stamp_proto::auth::KeyRing;
use stamp_proto::error::ParseError;
use stamp_proto::packet::{AuthenticationMode, SenderPacket};
use stamp_proto::tlv::hmac::HMAC_TLV_OCTETS;
use stamp_proto::tlv::micro_session_id::MemberLinkId;
use stamp_proto::tlv::{TLV_HEADER_OCTETS, TlvType, extra_padding, hmac};
use stamp_proto::writer::Writer;

use super::config::{Padding, SenderConfig, SenderConfigError};
use super::malformed::Conformity;
use super::random::Random;
use super::stamping::must_be_zero;
use crate::tlv::{self, Asked};

/// What UDP over IPv6 can carry without a jumbogram; IPv4 carries less, which the link will say.
const LARGEST_PAYLOAD: usize = 65_527;

/// What one probe tells beside what it asks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Telling {
    /// Packets of real traffic before it.
    pub(super) transmitted: u32,
    /// The state of an access network.
    pub(super) reports: bool,
    /// What the far end calls its end of our member link.
    pub(super) far_member: Option<MemberLinkId>,
}

/// How the payload of every probe of a session is divided.
///
/// ```text
/// | base packet | TLVs of the requests | Extra Padding TLV, if any | HMAC TLV, if any |
/// ```
///
/// The padding comes before the HMAC so that this covers it.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    mode: AuthenticationMode,
    /// Type and octets of what is asked for, headers included.
    pub(super) requests: Arc<[(TlvType, u16)]>,
    /// Octets of the Extra Padding TLV, header included; 0 when there is none. Of what is wrong on
    /// purpose, where anything is.
    padding_len: u32,
    /// There is an HMAC TLV.
    has_hmac: bool,
    padding: Padding,
    seed: u64,
}

impl Layout {
    pub(super) fn new(config: &SenderConfig) -> Result<Self, SenderConfigError> {
        let mode = config.mode();
        let smallest = Self::smallest(config);
        let octets = config.payload_octets;
        let padding_octets = octets.checked_sub(smallest);
        let padding_octets = padding_octets
            .filter(|padding| *padding == 0 || *padding >= TLV_HEADER_OCTETS)
            .filter(|padding| *padding == 0 || config.requests.malformed.is_none())
            .filter(|_| octets <= LARGEST_PAYLOAD)
            .ok_or(SenderConfigError::PayloadSize {
                octets,
                smallest,
                padded: smallest.saturating_add(TLV_HEADER_OCTETS),
                largest: LARGEST_PAYLOAD,
            })?;
        let keyed = tlv_keys(config).is_some();
        let malformed = config.requests.malformed.map_or(0, |malformed| malformed.octets(keyed));
        Ok(Self {
            mode,
            requests: tlv::sizes(&config.requests).collect(),
            padding_len: u32::try_from(padding_octets.max(malformed)).unwrap_or(u32::MAX),
            has_hmac: config.tlv_keys.is_some() && config.requests.malformed.is_none(),
            padding: config.padding,
            seed: config.seed,
        })
    }

    pub(super) fn smallest(config: &SenderConfig) -> usize {
        if let Some(malformed) = config.requests.malformed {
            let octets = malformed.octets(tlv_keys(config).is_some());
            return config.mode().base_octets().saturating_add(octets);
        }
        let mut requests = tlv::sizes(&config.requests);
        let base = config.mode().base_octets().saturating_add(hmac_octets(config));
        requests
            .try_fold(base, |sum, (_, octets)| sum.checked_add(octets.into()))
            .unwrap_or(usize::MAX)
    }

    /// Octets of the Extra Padding TLV, header included; 0 when there is none.
    pub(super) fn padding_octets(&self) -> usize {
        usize::try_from(self.padding_len).unwrap_or(usize::MAX)
    }

    /// Octets of the HMAC TLV; 0 when there is none.
    pub(super) const fn hmac_octets(&self) -> usize {
        if self.has_hmac { HMAC_TLV_OCTETS } else { 0 }
    }

    /// Octets in front of the Extra Padding TLV.
    pub(super) fn request_octets(&self) -> usize {
        self.requests.iter().fold(0, |sum, (_, octets)| sum.saturating_add((*octets).into()))
    }

    /// Octets behind the base packet.
    pub(super) fn area_octets(&self) -> usize {
        self.request_octets()
            .saturating_add(self.padding_octets())
            .saturating_add(self.hmac_octets())
    }

    pub(super) fn payload_octets(&self) -> usize {
        self.mode.base_octets().saturating_add(self.area_octets())
    }

    /// Octets that say nothing, and so may be overwritten on the way: of the base packet, and of the
    /// padding behind it.
    pub(super) fn free_octets(&self) -> [Range<usize>; 2] {
        let [_, base] = must_be_zero(self.mode);
        let before = self.mode.base_octets().saturating_add(self.request_octets());
        let end = before.saturating_add(self.padding_octets());
        let start = before.saturating_add(TLV_HEADER_OCTETS).min(end);
        [base, start..end]
    }

    /// The same octets with padding in place of one TLV.
    pub(super) fn padded_in_place_of(&self, kind: TlvType) -> Self {
        let padded = |(other, octets): &(TlvType, u16)| match *other == kind {
            true => (TlvType::EXTRA_PADDING, *octets),
            false => (*other, *octets),
        };
        Self { requests: self.requests.iter().map(padded).collect(), ..self.clone() }
    }

    /// Writes a probe to the front of `out`, giving what was written.
    pub(super) fn emit<'b>(
        &self,
        config: &SenderConfig,
        (packet, told): (SenderPacket, Telling),
        out: &'b mut [u8],
    ) -> Result<&'b [u8], ParseError> {
        packet.emit(self.mode, out)?;
        let (base, area) = out.split_at_mut_checked(self.mode.base_octets()).unwrap_or_default();
        let mut area = Writer::new(area);
        let Telling { transmitted, reports, far_member } = told;
        if let Some(malformed) = config.requests.malformed {
            // In place of all other TLVs.
            let keys = tlv_keys(config).map(Arc::as_ref);
            malformed.emit(keys, packet.sequence, &mut area)?;
        } else {
            let asked = Asked { requests: &config.requests, transmitted, reports, far_member };
            tlv::emit(&asked, &mut area)?;
        }
        if self.padding_octets() > 0 && config.requests.malformed.is_none() {
            let padding = extra_padding::reserve(&mut area, self.padding_octets())?;
            if self.padding == Padding::Random {
                Random::stream(self.seed, packet.sequence).fill(padding);
            }
            // Zero, so that whether a node wrote anything can be seen.
            if let Some(place) = config.measurement.timestamp_place() {
                let [_, free] = self.free_octets();
                let before = free.start;
                let range = place.range();
                let range = range.start.saturating_sub(before)..range.end.saturating_sub(before);
                padding.get_mut(range).into_iter().for_each(|octets| octets.fill(0));
            }
        }
        if let Some(keys) = config.tlv_keys.as_ref().filter(|_| self.has_hmac) {
            hmac::append(keys.signing(), packet.sequence, &mut area)?;
        }
        // The base HMAC covers nothing behind the base packet (RFC 8762 §4.4).
        if let Some(keys) = &config.keys {
            keys.signing().sign(base)?;
        }
        Ok(out.get(..self.payload_octets()).unwrap_or_default())
    }

    /// What a reply with this `area` makes of what was wrong in the probe `sequence`.
    pub(super) fn conformity(
        &self,
        config: &SenderConfig,
        sequence: u32,
        area: &[u8],
    ) -> Option<Conformity> {
        let malformed = config.requests.malformed?;
        let mut sent = vec![0; self.area_octets()];
        let keys = tlv_keys(config).map(Arc::as_ref);
        malformed.emit(keys, sequence, &mut Writer::new(&mut sent)).ok()?;
        Some(malformed.judge(&sent, area))
    }

    /// These octets are the padding that the probe `sequence` was sent with.
    pub(super) fn is_padding_of(&self, sequence: u32, octets: &[u8]) -> bool {
        match self.padding {
            Padding::Zero => octets.iter().all(|octet| *octet == 0),
            Padding::Random => Random::stream(self.seed, sequence).matches(octets),
        }
    }
}

/// The keys of HMAC TLVs where TLVs are wrong on purpose: authenticated packets need one.
fn tlv_keys(config: &SenderConfig) -> Option<&Arc<KeyRing>> {
    config.tlv_keys.as_ref().or(config.keys.as_ref())
}

const fn hmac_octets(config: &SenderConfig) -> usize {
    match config.tlv_keys {
        Some(_) => HMAC_TLV_OCTETS,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stamp_proto::auth::{Key, KeyId, KeyRing};
    use stamp_proto::packet::Ssid;
    use stamp_proto::time::{ErrorEstimate, Timestamp, TimestampFormat, WallTime};
    use stamp_proto::tlv::hmac::TlvIntegrity;
    use stamp_proto::tlv::{TlvFlags, TlvType, Tlvs};

    use super::*;

    fn config(payload_octets: usize) -> SenderConfig {
        let mut config = SenderConfig::new("192.0.2.1:862".parse().unwrap(), Ssid(7));
        config.payload_octets = payload_octets;
        config
    }

    fn keys() -> Arc<KeyRing> {
        let key = Key::new(KeyId(1), b"0123456789abcdef").unwrap();
        Arc::new(KeyRing::new(vec![key]).unwrap())
    }

    fn emitted(config: &SenderConfig, sequence: u32) -> Vec<u8> {
        let packet = SenderPacket {
            sequence,
            timestamp: Timestamp::from_wall(WallTime::from_unix_ns(1), TimestampFormat::Ntp),
            error_estimate: ErrorEstimate::unsynchronized(TimestampFormat::Ntp),
            ssid: config.ssid,
        };
        let mut out = [0xEE; 2_000];
        let layout = Layout::new(config).unwrap();
        let octets = layout.emit(config, (packet, Telling::default()), &mut out).unwrap();
        assert_eq!(octets.len(), config.payload_octets);
        octets.to_vec()
    }

    #[test]
    fn a_base_packet_has_nothing_behind_it() {
        let octets = emitted(&config(44), 3);
        let packet = SenderPacket::parse(AuthenticationMode::Unauthenticated, &octets).unwrap();
        assert_eq!((packet.sequence, packet.ssid), (3, Ssid(7)));
    }

    #[test]
    fn what_the_base_packet_does_not_fill_is_extra_padding() {
        for octets in [48, 49, 100, 1_472] {
            let probe = emitted(&config(octets), 0);
            let tlvs: Vec<_> = Tlvs::new(&probe[44..]).map(Result::unwrap).collect();
            assert_eq!(tlvs.len(), 1);
            assert_eq!((tlvs[0].flags, tlvs[0].kind), (TlvFlags::REQUEST, TlvType::EXTRA_PADDING));
            assert!(tlvs[0].value.iter().all(|octet| *octet == 0));
        }
    }

    #[test]
    fn random_padding_differs_from_probe_to_probe_and_is_recognised() {
        let mut config = config(100);
        config.padding = Padding::Random;
        let (first, second) = (emitted(&config, 0), emitted(&config, 1));
        assert_ne!(first[48..], second[48..]);
        let layout = Layout::new(&config).unwrap();
        assert!(layout.is_padding_of(0, &first[48..]));
        assert!(!layout.is_padding_of(1, &first[48..]));
    }

    #[test]
    fn the_hmac_tlv_comes_last_and_covers_the_padding() {
        let mut config = config(44 + 6 + 20);
        config.tlv_keys = Some(keys());
        let probe = emitted(&config, 9);
        assert_eq!(hmac::verify(&keys(), 9, &probe[44..]), TlvIntegrity::Verified(KeyId(1)));
        let mut forged = probe.clone();
        forged[48] ^= 1;
        assert_eq!(hmac::verify(&keys(), 9, &forged[44..]), TlvIntegrity::Failed);
    }

    #[test]
    fn an_authenticated_probe_is_signed() {
        let mut config = config(112 + 8);
        config.keys = Some(keys());
        let probe = emitted(&config, 1);
        assert_eq!(keys().verify(&probe), Some(KeyId(1)));
    }

    #[test]
    fn sizes_that_no_tlv_can_fill_are_refused() {
        for (octets, smallest, padded) in
            [(43, 44, 48), (45, 44, 48), (47, 44, 48), (65_528, 44, 48)]
        {
            let refused =
                SenderConfigError::PayloadSize { octets, smallest, padded, largest: 65_527 };
            assert_eq!(Layout::new(&config(octets)).err(), Some(refused));
        }
        let mut config = config(112);
        config.keys = Some(keys());
        config.tlv_keys = Some(keys());
        assert_eq!(config.smallest_payload(), 132);
        assert!(Layout::new(&config).is_err());
    }
}
