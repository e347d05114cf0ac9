//! What signals ask of the service.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    Stop,
    Reload,
    Status,
}

pub struct Signals {
    stop: [Signal; 2],
    reload: Signal,
    status: Signal,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// When the kernel does not let it.
    pub fn listen() -> Result<Self, Failure> {
        let on = |kind| {
            signal(kind).map_err(|source| Failure::System { what: "handling a signal", source })
        };
        Ok(Self {
            stop: [on(SignalKind::terminate())?, on(SignalKind::interrupt())?],
            reload: on(SignalKind::hangup())?,
            status: on(SignalKind::user_defined1())?,
        })
    }

    pub async fn next(&mut self) -> Asked {
        let [terminate, interrupt] = &mut self.stop;
        tokio::select! {
            _ = terminate.recv() => Asked::Stop,
            _ = interrupt.recv() => Asked::Stop,
            _ = self.reload.recv() => Asked::Reload,
            _ = self.status.recv() => Asked::Status,
        }
    }
}
