//! Why a worker cannot be started.

use std::io;

use stamp_net::NetError;
use stamp_session::forwarding::ForwardingConfigError;
use stamp_session::reflector::ReflectorConfigError;
use stamp_session::sender::SenderConfigError;

use crate::forwarder::ForwarderRefusal;
use crate::traffic::TrafficError;

/// Why workers cannot be started or changed.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The kernel refused.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The reflector's configuration contradicts itself.
    #[error(transparent)]
    Reflector(#[from] ReflectorConfigError),
    /// A session's configuration contradicts itself.
    #[error(transparent)]
    Sender(#[from] SenderConfigError),
    /// Labels and SIDs contradict each other.
    #[error(transparent)]
    Forwarding(#[from] ForwardingConfigError),
    /// A node cannot forward without the kernel doing so too.
    #[error(transparent)]
    Forwarder(#[from] ForwarderRefusal),
    /// Counters of real traffic cannot be had.
    #[error(transparent)]
    Traffic(#[from] TrafficError),
    /// The kernel gives no further thread.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// Listeners do not have one socket for each worker.
    #[error("a listener has {sockets} sockets for {workers} workers")]
    Sockets {
        /// Sockets of the listener.
        sockets: usize,
        /// Workers of the pool.
        workers: usize,
    },
    /// A worker has ended before it was told to.
    #[error("a packet worker has ended")]
    Ended,
}
