//! The replies that a probe asks for, and what they would cost.

/// How many replies, how long and how far apart.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ReflectedPackets {
    /// Length of the Reflected Packet: octets of the payload of each.
    pub octets: u16,
    /// Number of the Reflected Packets; zero asks for none.
    pub count: u16,
    /// Interval Between the Reflected Packets, up to 4.29 s.
    pub interval_ns: u32,
}

impl ReflectedPackets {
    /// Octets of each, rounded up to a multiple of 4.
    #[must_use]
    pub const fn rounded_octets(&self) -> u32 {
        (self.octets as u32).next_multiple_of(4)
    }

    /// From the first to the last.
    #[must_use]
    pub const fn duration_ns(&self) -> u64 {
        (self.count as u64).saturating_sub(1).saturating_mul(self.interval_ns as u64)
    }

    /// Octets of all of them, if each has `octets`.
    #[must_use]
    pub const fn volume_octets(&self, octets: u32) -> u64 {
        (self.count as u64).saturating_mul(octets as u64)
    }

    /// Octets in a second, rounded up, if each has `octets`; `None` when all come at once.
    #[must_use]
    pub fn octets_per_second(&self, octets: u32) -> Option<u64> {
        const NS_PER_SECOND: u64 = 1_000_000_000;
        let interval = core::num::NonZeroU64::new(u64::from(self.interval_ns))?;
        Some(u64::from(octets).saturating_mul(NS_PER_SECOND).div_ceil(interval.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_rounded_up_to_a_multiple_of_four() {
        for (octets, rounded) in [(0, 0), (1, 4), (4, 4), (125, 128), (u16::MAX, 65_536)] {
            let packets = ReflectedPackets { octets, ..Default::default() };
            assert_eq!(packets.rounded_octets(), rounded);
        }
    }

    #[test]
    fn what_replies_would_cost_is_known_beforehand() {
        let packets = ReflectedPackets { octets: 125, count: 3, interval_ns: 1_000_000 };
        assert_eq!(packets.duration_ns(), 2_000_000);
        assert_eq!(packets.volume_octets(128), 384);
        assert_eq!(packets.octets_per_second(128), Some(128_000));
        assert_eq!(packets.octets_per_second(u32::MAX), Some(4_294_967_295_000));
        let at_once = ReflectedPackets { interval_ns: 0, ..packets };
        assert_eq!((at_once.duration_ns(), at_once.octets_per_second(128)), (0, None));
        let odd = ReflectedPackets { interval_ns: 3, ..packets };
        assert_eq!(odd.octets_per_second(1), Some(333_333_334), "rounded up");
        assert_eq!(ReflectedPackets::default().duration_ns(), 0);
        let most = ReflectedPackets { octets: 0, count: u16::MAX, interval_ns: u32::MAX };
        assert_eq!(most.duration_ns(), 65_534 * 4_294_967_295);
    }
}
