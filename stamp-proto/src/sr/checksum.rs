//! The checksum of IPv4 and UDP: made, checked, and brought up to date (RFC 1624 §3).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::protocol::Protocol;

/// A sum of 16-bit words in one's complement, fed in pieces of any length.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnesComplement {
    sum: u64,
    odd: bool,
}

impl OnesComplement {
    /// Nothing summed yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { sum: 0, odd: false }
    }

    /// Nothing summed yet, and the first octet to come is the lower half of its word.
    #[must_use]
    pub const fn starting_odd() -> Self {
        Self { sum: 0, odd: true }
    }

    /// Adds octets behind those that came before.
    #[inline]
    pub fn add(&mut self, octets: &[u8]) {
        let mut octets = octets;
        if self.odd
            && let Some((lower, rest)) = octets.split_first()
        {
            self.put(u64::from(*lower));
            self.odd = false;
            octets = rest;
        }
        // Two words at once: in one's complement the upper one counts as much as the lower.
        let (pairs, rest) = octets.as_chunks::<4>();
        for pair in pairs {
            self.put(u64::from(u32::from_be_bytes(*pair)));
        }
        let (words, rest) = rest.as_chunks::<2>();
        for word in words {
            self.put(u64::from(u16::from_be_bytes(*word)));
        }
        if let [upper] = rest {
            self.put(u64::from(*upper) << 8);
            self.odd = true;
        }
    }

    /// Adds one word; what was added before must have been whole words.
    #[inline]
    pub fn add_word(&mut self, word: u16) {
        self.put(u64::from(word));
    }

    /// The sum so far, carries added back in.
    #[must_use]
    #[inline]
    pub fn fold(self) -> u16 {
        let mut sum = self.sum;
        while let carry @ 1.. = sum >> 16 {
            sum = (sum & 0xffff).wrapping_add(carry);
        }
        // The loop ends below 2^16.
        u16::try_from(sum).unwrap_or(u16::MAX)
    }

    /// Does not overflow: that would take more than 16 GiB of octets.
    #[inline]
    fn put(&mut self, words: u64) {
        self.sum = self.sum.wrapping_add(words);
    }
}

/// The checksum of a header whose own checksum field is zero.
#[must_use]
pub fn checksum(octets: &[u8]) -> u16 {
    let mut sum = OnesComplement::new();
    sum.add(octets);
    !sum.fold()
}

/// The octets of a header agree with the checksum among them.
#[must_use]
#[inline]
pub fn is_right(octets: &[u8]) -> bool {
    let mut sum = OnesComplement::new();
    sum.add(octets);
    sum.fold() == u16::MAX
}

/// A checksum after octets it covers were changed: equation 3 of RFC 1624 §3.
///
/// `at_odd_octet` tells that the change begins at the lower half of a word. The other equation
/// found in older texts makes −0 out of +0 and is not used.
#[must_use]
#[inline]
pub fn updated(checksum: u16, at_odd_octet: bool, old: &[u8], new: &[u8]) -> u16 {
    let start = if at_odd_octet { OnesComplement::starting_odd() } else { OnesComplement::new() };
    let (mut before, mut after) = (start, start);
    before.add(old);
    after.add(new);
    let mut sum = OnesComplement::new();
    sum.add_word(!checksum);
    sum.add_word(!before.fold());
    sum.add_word(after.fold());
    !sum.fold()
}

/// Source and destination of a packet, of one family.
///
/// For a UDP checksum the destination is the one at the end of the way, which is not always the
/// one in the IP header (RFC 8200 §8.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AddressPair {
    /// Both IPv4.
    V4 {
        /// Who sends it.
        source: Ipv4Addr,
        /// Where it ends.
        destination: Ipv4Addr,
    },
    /// Both IPv6.
    V6 {
        /// Who sends it.
        source: Ipv6Addr,
        /// Where it ends.
        destination: Ipv6Addr,
    },
}

impl AddressPair {
    /// The pair, if both are of one family.
    #[must_use]
    pub const fn new(source: IpAddr, destination: IpAddr) -> Option<Self> {
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Some(Self::V4 { source, destination }),
            (IpAddr::V6(source), IpAddr::V6(destination)) => Some(Self::V6 { source, destination }),
            _ => None,
        }
    }

    /// Who sends it.
    #[must_use]
    pub const fn source(self) -> IpAddr {
        match self {
            Self::V4 { source, .. } => IpAddr::V4(source),
            Self::V6 { source, .. } => IpAddr::V6(source),
        }
    }

    /// Where it ends.
    #[must_use]
    pub const fn destination(self) -> IpAddr {
        match self {
            Self::V4 { destination, .. } => IpAddr::V4(destination),
            Self::V6 { destination, .. } => IpAddr::V6(destination),
        }
    }

    /// The sum over the pseudo-header but for its length, to which header and payload are added.
    #[must_use]
    pub fn pseudo_header(self, protocol: Protocol) -> OnesComplement {
        let mut sum = OnesComplement::new();
        match self {
            Self::V4 { source, destination } => {
                sum.add(&source.octets());
                sum.add(&destination.octets());
            }
            Self::V6 { source, destination } => {
                sum.add(&source.octets());
                sum.add(&destination.octets());
            }
        }
        sum.add_word(u16::from(protocol.0));
        sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::strategies::octets;

    /// By the book: one word after the other.
    fn plain_sum(octets: &[u8]) -> u16 {
        let mut sum = 0_u32;
        for word in octets.chunks(2) {
            sum += u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        u16::try_from(sum).unwrap()
    }

    #[test]
    fn the_example_of_the_digest_is_brought_up_to_date() {
        let new = [0x65, 0xe0, 0x79, 0xf0, 0x2f, 0x1a, 0x36, 0x00];
        assert_eq!(updated(0xb85f, false, &[0; 8], &new), 0x7374);
    }

    #[test]
    fn the_example_of_rfc_1624_does_not_become_minus_zero() {
        // Its example: checksum 0xdd2f, a word changes from 0x5555 to 0x3285.
        assert_eq!(updated(0xdd2f, false, &[0x55, 0x55], &[0x32, 0x85]), 0x0000);
    }

    #[test]
    fn a_pair_has_one_family() {
        let (v4, v6) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST));
        assert_eq!(AddressPair::new(v4, v6), None);
        assert_eq!(AddressPair::new(v6, v4), None);
        for address in [v4, v6] {
            let pair = AddressPair::new(address, address).unwrap();
            assert_eq!((pair.source(), pair.destination()), (address, address));
        }
    }

    proptest! {
        #[test]
        fn pieces_of_any_length_sum_up_alike(octets in octets(200), cuts in any::<[u8; 3]>()) {
            let mut sum = OnesComplement::new();
            let mut rest = &octets[..];
            for cut in cuts {
                let (piece, behind) = rest.split_at(usize::from(cut).min(rest.len()));
                sum.add(piece);
                rest = behind;
            }
            sum.add(rest);
            prop_assert_eq!(sum.fold(), plain_sum(&octets));
            prop_assert_eq!(checksum(&octets), !plain_sum(&octets));
        }

        #[test]
        fn an_update_gives_what_a_new_sum_gives(
            old in octets(120),
            new in any::<[u8; 8]>(),
            at in 0_usize..100,
            count in 0_usize..=8,
        ) {
            prop_assume!(at + count <= old.len());
            let mut changed = old.clone();
            changed[at..at + count].copy_from_slice(&new[..count]);
            let update =
                updated(checksum(&old), at % 2 == 1, &old[at..at + count], &new[..count]);
            // In one's complement zero has two forms; all other numbers have one.
            let made = checksum(&changed);
            prop_assert!(update == made || (update ^ made == 0xffff && made.is_multiple_of(0xffff)));
        }

        #[test]
        fn a_header_with_its_checksum_is_right_and_any_other_is_not(
            mut octets in prop::collection::vec(any::<u8>(), 4..40),
            bit in any::<usize>(),
        ) {
            octets[2..4].fill(0);
            let sum = checksum(&octets);
            octets[2..4].copy_from_slice(&sum.to_be_bytes());
            prop_assert!(is_right(&octets));
            let bit = bit % (octets.len() * 8);
            octets[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!is_right(&octets));
        }
    }
}
