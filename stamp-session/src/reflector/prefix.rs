//! Address prefixes, and the longest one that holds an address.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const IPV4_BITS: u8 = 32;
const IPV6_BITS: u8 = 128;
/// Where an IPv4 address starts when it is written as an IPv6 one (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// An address as 128 bits, IPv4 in its mapped form; both spellings of one address are equal.
pub(super) fn address_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The first and the last address, as 128 bits, that begin with the first `length` bits of this one.
pub(super) fn range(address: IpAddr, length: u8) -> (u128, u128) {
    let length = match address {
        IpAddr::V4(_) => MAPPED_BITS.saturating_add(length.min(IPV4_BITS)),
        IpAddr::V6(_) => length.min(IPV6_BITS),
    };
    let low = address_bits(address) & mask(length);
    (low, low | !mask(length))
}

/// The first `length` bits of an address of that family, the others zero.
pub(super) fn leading_bits(address: IpAddr, ipv4_length: u8, ipv6_length: u8) -> u128 {
    let address = address.to_canonical();
    let length = match address {
        IpAddr::V4(_) => MAPPED_BITS.saturating_add(ipv4_length.min(IPV4_BITS)),
        IpAddr::V6(_) => ipv6_length.min(IPV6_BITS),
    };
    address_bits(address) & mask(length)
}

fn mask(length: u8) -> u128 {
    let zeros = IPV6_BITS.saturating_sub(length);
    u128::MAX.checked_shl(u32::from(zeros)).unwrap_or(0)
}

/// An address prefix, such as 192.0.2.0/24.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Prefix {
    bits: u128,
    /// As in IPv6: that of an IPv4 prefix is 96 more than what it is written with.
    length: u8,
    ipv4: bool,
}

/// Why an address and a length are no prefix.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PrefixError {
    #[error("prefix length {length} is more than the {bits} bits of {address}")]
    LengthTooLong { address: IpAddr, length: u8, bits: u8 },
    #[error("{address}/{length} has bits set behind the prefix; did you mean {prefix}?")]
    HostBitsSet { address: IpAddr, length: u8, prefix: Prefix },
}

impl Prefix {
    /// The addresses whose first `length` bits are those of `address`.
    ///
    /// # Errors
    ///
    /// When `length` is longer than an address of that family, or `address` has bits behind it: an
    /// access list must not mean something else than what it shows.
    pub fn new(address: IpAddr, length: u8) -> Result<Self, PrefixError> {
        let (bits, ipv4, shift) = match address {
            IpAddr::V4(_) => (IPV4_BITS, true, MAPPED_BITS),
            IpAddr::V6(_) => (IPV6_BITS, false, 0),
        };
        if length > bits {
            return Err(PrefixError::LengthTooLong { address, length, bits });
        }
        let wide = length.saturating_add(shift);
        let prefix = Self { bits: address_bits(address) & mask(wide), length: wide, ipv4 };
        if prefix.bits != address_bits(address) {
            return Err(PrefixError::HostBitsSet { address, length, prefix });
        }
        Ok(prefix)
    }

    /// One address alone.
    #[must_use]
    pub fn host(address: IpAddr) -> Self {
        let bits = address_bits(address);
        Self { bits, length: IPV6_BITS, ipv4: address.is_ipv4() }
    }

    /// The address is inside; one of the other family never is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.ipv4 && address_bits(address) & mask(self.length) == self.bits
    }

    /// Its first address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        let wide = Ipv6Addr::from_bits(self.bits);
        if self.ipv4 {
            let [.., a, b, c, d] = wide.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        } else {
            IpAddr::V6(wide)
        }
    }

    /// How many bits it fixes, up to 32 or 128.
    #[must_use]
    pub const fn length(&self) -> u8 {
        if self.ipv4 { self.length.saturating_sub(MAPPED_BITS) } else { self.length }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), self.length())
    }
}

/// Values by prefix, found by the longest prefix that holds an address.
///
/// One sorted list per length: a look-up takes as many binary searches as there are lengths, however
/// many prefixes an operator writes.
#[derive(Clone, Debug)]
pub(super) struct PrefixTable<T> {
    groups: Vec<Group<T>>,
}

#[derive(Clone, Debug)]
struct Group<T> {
    length: u8,
    ipv4: bool,
    entries: Vec<(u128, T)>,
}

impl<T> PrefixTable<T> {
    /// # Errors
    ///
    /// The prefix that came twice.
    pub(super) fn new(entries: impl IntoIterator<Item = (Prefix, T)>) -> Result<Self, Prefix> {
        let mut groups: Vec<Group<T>> = Vec::new();
        for (prefix, value) in entries {
            let (length, ipv4) = (prefix.length, prefix.ipv4);
            let same = |group: &&mut Group<T>| group.length == length && group.ipv4 == ipv4;
            match groups.iter_mut().find(same) {
                Some(group) => group.entries.push((prefix.bits, value)),
                None => {
                    groups.push(Group { length, ipv4, entries: vec![(prefix.bits, value)] });
                }
            }
        }
        groups.sort_by_key(|group| core::cmp::Reverse(group.length));
        for group in &mut groups {
            group.entries.sort_by_key(|(bits, _)| *bits);
            let mut pairs = group.entries.iter().zip(group.entries.iter().skip(1));
            if let Some(((bits, _), _)) = pairs.find(|(first, second)| first.0 == second.0) {
                return Err(Prefix { bits: *bits, length: group.length, ipv4: group.ipv4 });
            }
        }
        Ok(Self { groups })
    }

    /// The value of the longest prefix that holds `address`.
    pub(super) fn longest(&self, address: IpAddr) -> Option<&T> {
        let address = address.to_canonical();
        let (bits, ipv4) = (address_bits(address), address.is_ipv4());
        self.groups.iter().filter(|group| group.ipv4 == ipv4).find_map(|group| {
            let wanted = bits & mask(group.length);
            let place = group.entries.binary_search_by_key(&wanted, |(bits, _)| *bits).ok()?;
            group.entries.get(place).map(|(_, value)| value)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prefix(address: &str, length: u8) -> Prefix {
        Prefix::new(address.parse().unwrap(), length).unwrap()
    }

    #[test]
    fn bits_behind_the_prefix_are_an_error_that_shows_what_was_meant() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let error = Prefix::new(address, 24).unwrap_err();
        assert_eq!(
            error.to_string(),
            "192.0.2.1/24 has bits set behind the prefix; did you mean 192.0.2.0/24?"
        );
        assert!(matches!(Prefix::new(address, 33), Err(PrefixError::LengthTooLong { .. })));
        assert!(Prefix::new("2001:db8::".parse().unwrap(), 128).is_ok());
        assert!(Prefix::new("2001:db8::".parse().unwrap(), 129).is_err());
    }

    #[test]
    fn all_of_ipv6_holds_no_ipv4_address() {
        let ipv6 = prefix("::", 0);
        let ipv4 = prefix("0.0.0.0", 0);
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        assert!(!ipv6.contains(address));
        assert!(ipv4.contains(address));
        assert!(ipv4.contains(mapped), "a mapped address is an IPv4 address");
        assert!(!ipv6.contains(mapped));
    }

    #[test]
    fn a_prefix_is_shown_as_it_is_written() {
        assert_eq!(prefix("10.0.0.0", 8).to_string(), "10.0.0.0/8");
        assert_eq!(prefix("2001:db8::", 32).to_string(), "2001:db8::/32");
        assert_eq!(Prefix::host("192.0.2.7".parse().unwrap()).to_string(), "192.0.2.7/32");
    }

    #[test]
    fn the_same_prefix_twice_is_refused() {
        let twice = [(prefix("10.0.0.0", 8), 1), (prefix("10.0.0.0", 8), 2)];
        assert_eq!(PrefixTable::new(twice).unwrap_err(), prefix("10.0.0.0", 8));
        // ::ffff:0:0/96 is not 0.0.0.0/0 although the bits are the same.
        let families = [(prefix("0.0.0.0", 0), 1), (prefix("::ffff:0:0", 96), 2)];
        assert!(PrefixTable::new(families).is_ok());
    }

    fn addresses() -> impl Strategy<Value = IpAddr> {
        // Few distinct bits, so that prefixes and addresses meet.
        prop_oneof![
            any::<[bool; 8]>().prop_map(|bits| {
                let spread = bits.iter().fold(0_u32, |all, bit| (all << 4) | u32::from(*bit));
                IpAddr::V4(Ipv4Addr::from_bits(spread))
            }),
            any::<[bool; 8]>().prop_map(|bits| {
                let spread = bits.iter().fold(0_u128, |all, bit| (all << 16) | u128::from(*bit));
                IpAddr::V6(Ipv6Addr::from_bits(spread))
            }),
        ]
    }

    /// Bit by bit, on the octets, sharing nothing with the code above.
    fn naive_contains(network: IpAddr, length: u8, address: IpAddr) -> bool {
        let bits = |address: IpAddr| -> Vec<bool> {
            let octets = match address {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            octets
                .iter()
                .flat_map(|octet| (0..8).map(move |bit| octet >> (7 - bit) & 1 == 1))
                .collect()
        };
        let length = usize::from(length);
        network.is_ipv4() == address.is_ipv4() && bits(network)[..length] == bits(address)[..length]
    }

    fn truncated(address: IpAddr, length: u8) -> (IpAddr, u8) {
        match address {
            IpAddr::V4(address) => {
                let length = length % 33;
                let kept = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                (IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & kept)), length)
            }
            IpAddr::V6(address) => {
                let length = length % 129;
                let kept = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                (IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & kept)), length)
            }
        }
    }

    proptest! {
        #[test]
        fn the_table_finds_what_a_naive_search_finds(
            networks in prop::collection::vec((addresses(), any::<u8>()), 0..12),
            address in addresses(),
        ) {
            let mut networks: Vec<_> =
                networks.into_iter().map(|(address, length)| truncated(address, length)).collect();
            networks.sort();
            networks.dedup();
            let table = PrefixTable::new(networks.iter().map(|&(address, length)| {
                (Prefix::new(address, length).unwrap(), (address, length))
            })).unwrap();
            let expected = networks
                .iter()
                .filter(|(network, length)| naive_contains(*network, *length, address))
                .max_by_key(|(_, length)| *length);
            prop_assert_eq!(table.longest(address), expected);
        }

        #[test]
        fn a_prefix_holds_what_a_naive_comparison_says(
            network in addresses(), length in any::<u8>(), address in addresses(),
        ) {
            let (network, length) = truncated(network, length);
            let prefix = Prefix::new(network, length).unwrap();
            prop_assert_eq!(prefix.contains(address), naive_contains(network, length, address));
        }
    }
}
