//! How the user ends the act.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;

/// Signals by which the user has seen enough.
pub(super) struct Stops([Signal; 2]);

impl Stops {
    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// When the kernel does not let it.
    pub(super) fn listen() -> Result<Self, Failure> {
        let on = |kind| {
            signal(kind).map_err(|source| Failure::System { what: "handling a signal", source })
        };
        Ok(Self([on(SignalKind::interrupt())?, on(SignalKind::terminate())?]))
    }

    /// The next of them.
    pub(super) async fn next(&mut self) {
        let [interrupt, terminate] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
