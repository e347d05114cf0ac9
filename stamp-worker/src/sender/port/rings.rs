//! Probes that come back, taken off the wire before this host's own filters see them.
//!
//! A kernel drops an IPv4 packet with its own address as source, and an IPv6 packet whose Segment
//! Routing Header it was not told to accept, and says nothing. A packet socket gets its copy first.

use std::sync::Arc;

use stamp_net::{FrameSocket, NetError, Poller};
use stamp_session::datagram::Received;

use super::COUNT;
use super::homecoming::Homecoming;
use super::registry::{OfInterface, SharedSockets, SocketTable};
use super::shared_ring::SharedRing;
use super::sightings::{Place, Sightings};
use crate::clock::{now, user_stamp};

/// What one session takes from the rings of the interfaces that its probes may come back on.
#[derive(Debug)]
pub struct Rings {
    interfaces: Vec<String>,
    home: Homecoming,
    rings: Vec<Arc<SharedRing>>,
    /// By which the rings know the session, once its worker has it.
    number: Option<u32>,
    sightings: Sightings,
}

impl Rings {
    /// To take probes that are back off these interfaces. Their rings belong to the worker, and are opened when
    /// it gets its session.
    ///
    /// # Errors
    ///
    /// Those of [`FrameSocket::check_right`].
    pub fn open(interfaces: &[String], home: Homecoming) -> Result<Self, NetError> {
        FrameSocket::check_right()?;
        Ok(Self {
            interfaces: interfaces.to_vec(),
            home,
            rings: Vec::new(),
            number: None,
            // One place more: the socket.
            sightings: Sightings::new(COUNT * (interfaces.len() + 1)),
        })
    }

    /// Finds or opens the rings among those of a worker, and has its probes let in.
    pub(super) fn join(&mut self, shared: &SharedSockets) -> Result<(), NetError> {
        for name in &self.interfaces {
            let ring = shared.ring(name, self.interfaces.len())?;
            let let_in = ring.let_in(self.home.to);
            self.rings.push(ring);
            let_in?;
        }
        Ok(())
    }

    pub(super) fn watch(
        &mut self,
        poller: &Poller,
        number: u32,
        table: &mut SocketTable,
    ) -> Result<(), NetError> {
        self.number = Some(number);
        self.rings.iter().for_each(|ring| table.add_ring(ring));
        self.rings.iter().try_for_each(|ring| ring.listen(poller, number, self.home.to))
    }

    /// Hands over what arrived, up to [`COUNT`] datagrams of each interface.
    pub(super) fn receive(&mut self, each: &mut impl FnMut(Received<'_>)) -> usize {
        let Some(number) = self.number else { return 0 };
        let Self { rings, home, sightings, .. } = self;
        let mut count = 0;
        for ring in rings {
            let interface = ring.interface();
            count += ring.take(number, COUNT, |frame| {
                let stamp = frame.stamp.unwrap_or_else(|| user_stamp(now()));
                let read = home.read(ring.outermost(), &frame.octets, frame.checksum_ready);
                let Some((received, labelled)) = read else { return };
                let at = frame.stamp.map(|stamp| stamp.time);
                let place = Place::Ring { interface, at, labelled };
                if !sightings.again(place, received.octets) {
                    each(Received { interface, stamp, ..received });
                }
            });
        }
        count
    }

    /// Whether a ring has shown, or will not show any more, what the kernel delivers at the socket.
    ///
    /// A ring cannot tell that a probe is back when it came in a tunnel of the network that ends at
    /// this host: only the kernel knows where such tunnels end.
    pub(super) fn have_shown(&mut self, payload: &[u8]) -> bool {
        self.sightings.again(Place::Socket, payload)
    }

    /// Frames that are known to have found no room while this session listened. Which of them were its own, nobody
    /// knows: any may have been.
    pub(super) fn known_drops(&self) -> Option<u32> {
        let number = self.number?;
        Some(self.rings.iter().map(|ring| ring.known_drops(number)).sum::<u64>() as u32)
    }

    /// The same, after a question to the kernel.
    pub(super) fn dropped(&self) -> Option<u32> {
        let number = self.number?;
        let dropped = self.rings.iter().map(|ring| ring.dropped(number)).sum::<Option<u64>>()?;
        Some(dropped as u32)
    }
}

impl Drop for Rings {
    fn drop(&mut self) {
        for ring in &self.rings {
            ring.forget(self.home.to);
            if let Some(number) = self.number {
                ring.leave(number);
            }
        }
    }
}
