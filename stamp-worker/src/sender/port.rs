//! How the probes of a session leave this host, and how what they bring about comes back.

use stamp_net::{ErrorBatch, NetError, Poller, ReceiveBatch, SendBatch, UdpSocket};

/// The ways out and in of one session. It keeps its five-tuple, so it keeps its path.
#[derive(Debug)]
pub enum Port {
    /// One socket: replies come to where probes leave from.
    Socket(UdpSocket),
    /// Probes leave from `out` and come back themselves on `back`, which is bound to the address
    /// and port they are sent to.
    Loop {
        /// Where probes leave.
        out: UdpSocket,
        /// Where they return.
        back: UdpSocket,
    },
}

impl From<UdpSocket> for Port {
    fn from(socket: UdpSocket) -> Self {
        Self::Socket(socket)
    }
}

impl Port {
    /// Watches both ways; events carry `token`.
    pub(super) fn watch(&self, poller: &Poller, token: u32) -> Result<(), NetError> {
        poller.add(self.out(), token)?;
        match self {
            Self::Socket(_) => Ok(()),
            Self::Loop { back, .. } => poller.add(back, token),
        }
    }

    /// The kernel tells when probes left.
    pub(super) const fn transmit_stamps(&self) -> bool {
        self.out().transmit_stamps()
    }

    pub(super) fn send(&self, batch: &mut SendBatch) -> usize {
        self.out().send(batch)
    }

    /// What waits on the error queue of the way out: transmit stamps and ICMP errors.
    pub(super) fn errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        self.out().errors(batch)
    }

    pub(super) fn receive(&self, batch: &mut ReceiveBatch) -> Result<usize, NetError> {
        self.back().receive(batch)
    }

    /// Datagrams that the queue of the way in has dropped since it was opened.
    pub(super) fn queue_drops(&self) -> Option<u32> {
        self.back().queue_drops()
    }

    const fn out(&self) -> &UdpSocket {
        match self {
            Self::Socket(socket) => socket,
            Self::Loop { out, .. } => out,
        }
    }

    const fn back(&self) -> &UdpSocket {
        match self {
            Self::Socket(socket) => socket,
            Self::Loop { back, .. } => back,
        }
    }
}
