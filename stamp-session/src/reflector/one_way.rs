//! Probes that want no reply: what they tell stays here (RFC 9503 §4.1.1).

mod table;

use core::net::SocketAddr;

use stamp_proto::packet::Ssid;
use stamp_proto::time::{TimeDelta, WallTime};

use super::checks::Screened;
use super::{Reflector, count};
use crate::clock::MonotonicTime;
use crate::datagram::Received;

pub(super) use table::OneWayTable;
pub use table::OneWayView;

/// What one probe of a one-way measurement says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OneWayArrival {
    /// Its Sequence Number.
    pub sequence: u32,
    /// Its session.
    pub ssid: Ssid,
    /// Whence it came.
    pub from: SocketAddr,
    /// Where it arrived.
    pub to: SocketAddr,
    /// When it left, by the clock of its Session-Sender (T1); `None` when that wrote nothing.
    pub probe_sent: Option<WallTime>,
    /// When it arrived (T2).
    pub probe_received: WallTime,
    /// Both clocks say that they are synchronised.
    pub clock_synchronized: bool,
}

impl OneWayArrival {
    /// T2 - T1; means what it says between synchronised clocks only.
    #[must_use]
    pub fn forward_delay(&self) -> Option<TimeDelta> {
        self.probe_sent.map(|sent| self.probe_received.since(sent))
    }
}

impl Reflector {
    pub(super) fn observe(
        &mut self,
        now: MonotonicTime,
        probe: &Received<'_>,
        screened: &Screened,
    ) -> OneWayArrival {
        let packet = &screened.packet;
        let arrival = OneWayArrival {
            sequence: packet.sequence,
            ssid: packet.ssid,
            from: probe.from,
            to: probe.to,
            probe_sent: self.probe_sent(packet, probe.stamp.time),
            probe_received: probe.stamp.time,
            clock_synchronized: packet.error_estimate.synchronized()
                && self.config.clock.synchronized,
        };
        if !self.one_way.enter(now, &arrival) {
            count(&mut self.counts.one_way_untracked);
        }
        arrival
    }
}
