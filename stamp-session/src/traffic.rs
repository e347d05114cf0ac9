//! Counters of the traffic that a session stands for (RFC 8972 §4.5).

/// Packets of it that one host has sent and received. They begin again behind 2^32 - 1.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct TrafficCounters {
    /// Sent.
    pub transmitted: u32,
    /// Received.
    pub received: u32,
}

/// Where a shell has counters from.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum TrafficSource {
    /// All packets of the interface with this name, test packets among them.
    Interface(String),
    /// A command that prints them.
    Command(String),
}
