//! What the program counted.

/// Why a packet ended at the ingress, in the order of `bpf/tables.h`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DropReason {
    /// A header that has to be acted on cannot be read.
    Malformed,
    /// A label or SID of this node, through an interface that it is not accepted on.
    Interface,
    /// A second timestamp label of this node.
    SecondTimestamp,
    /// The TTL or hop limit ends here.
    HopLimit,
    /// The SID is the last segment and no packet is inside.
    UpperLayer,
    /// No router sends a packet to this address.
    Destination,
    /// More packets than this label or SID may have.
    RateLimited,
    /// No route leads on, or only back to this host.
    NoRoute,
    /// Larger than the link it has to leave through takes.
    TooBig,
    /// The kernel did not let it be changed.
    SendError,
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Malformed,
        Self::Interface,
        Self::SecondTimestamp,
        Self::HopLimit,
        Self::UpperLayer,
        Self::Destination,
        Self::RateLimited,
        Self::NoRoute,
        Self::TooBig,
        Self::SendError,
    ];
}

/// What became of a packet that goes on, in the order of `bpf/tables.h`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Handling {
    /// T2 is in it.
    Stamped,
    /// A piece of a packet.
    Fragment,
    /// Something else than UDP.
    NotUdp,
    /// No IP packet, or one whose headers cannot be read.
    Unreadable,
    /// To a port that is none of those configured.
    ForeignPort,
    /// The payload ends before the timestamp would.
    TooShort,
}

impl Handling {
    /// Everything that becomes of one.
    pub const ALL: [Self; 6] = [
        Self::Stamped,
        Self::Fragment,
        Self::NotUdp,
        Self::Unreadable,
        Self::ForeignPort,
        Self::TooShort,
    ];
}

/// Packets since the program was loaded.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TcCounts {
    dropped: Vec<u64>,
    handled: Vec<u64>,
}

/// How many counters a program with this many rules has.
pub(super) const fn counters(rules: usize) -> usize {
    DropReason::ALL.len() + rules * Handling::ALL.len()
}

impl TcCounts {
    pub(super) fn read(counted: &[u64], rules: usize) -> Self {
        let counted = counted.get(..counters(rules)).unwrap_or(counted);
        let (dropped, handled) = counted.split_at(DropReason::ALL.len().min(counted.len()));
        Self { dropped: dropped.to_vec(), handled: handled.to_vec() }
    }

    /// Packets that ended for this reason.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason as usize).copied().unwrap_or(0)
    }

    /// Packets of one rule, by its place among those that were loaded, that went on like this.
    #[must_use]
    pub fn handled(&self, rule: usize, handling: Handling) -> u64 {
        let at = rule * Handling::ALL.len() + handling as usize;
        self.handled.get(at).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of an `enum` in C, as Rust spells them.
    fn words(name: &str, prefix: &str) -> Vec<String> {
        let text = include_str!("../../bpf/tables.h");
        let body = text.split(&format!("enum {name} {{")).nth(1).unwrap();
        let body = body.split('}').next().unwrap();
        let words = body.split(',').map(str::trim).filter(|word| !word.is_empty());
        let plain = words.map(|word| word.trim_start_matches(prefix).to_lowercase());
        let mut words: Vec<String> = plain.map(|word| word.replace('_', "")).collect();
        // The last one only counts the others.
        words.pop();
        words
    }

    #[test]
    fn both_sides_count_in_the_same_order() {
        let ours = DropReason::ALL.map(|reason| format!("{reason:?}").to_lowercase());
        assert_eq!(words("drop", "DROP_"), ours);
        let ours = Handling::ALL.map(|handling| format!("{handling:?}").to_lowercase());
        assert_eq!(words("handling", "UNSTAMPED_"), ours);
        for (index, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
    }

    #[test]
    fn each_counter_has_its_place() {
        let counted: Vec<u64> = (0..counters(2) as u64).collect();
        let counts = TcCounts::read(&counted, 2);
        assert_eq!(counts.dropped(DropReason::SendError), 9);
        assert_eq!(counts.handled(0, Handling::Stamped), 10);
        assert_eq!(counts.handled(1, Handling::TooShort), 21);
        assert_eq!(counts.handled(2, Handling::Stamped), 0);
    }
}
