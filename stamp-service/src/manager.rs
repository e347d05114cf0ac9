//! What the service manager is told: that the service is ready, alive, reading its file again, or at
//! its end (`sd_notify`). Without a manager that listens nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

/// Everything is bound and running.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is read again; [`ready`] ends it, whatever came of it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The end has begun.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// It is alive: to be told at least as often as [`watchdog`] says.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// Tells that a service is alive for as long as no part of it hangs.
#[derive(Debug, Default)]
pub struct Life {
    /// Which part does.
    absent: Option<String>,
}

impl Life {
    /// Tells it, unless `absent` says which part hangs: then the manager may start the service anew.
    pub fn tell(&mut self, absent: Option<String>) {
        match &absent {
            None => {
                if self.absent.is_some() {
                    tracing::info!("every packet thread answers again");
                }
                alive();
            }
            Some(reason) if absent != self.absent => {
                tracing::error!("{reason}: the service manager is not told that this is alive");
            }
            Some(_) => {}
        }
        self.absent = absent;
    }
}

/// One line for whoever asks the manager how it is.
pub fn status(line: &str) {
    tell(&[NotifyState::Status(line)]);
}

/// How often the manager wants to hear that it is alive: twice in the time after which it would be
/// taken for dead. `None` where nobody waits for that.
#[must_use]
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|period| period / 2)
}

fn tell(states: &[NotifyState<'_>]) {
    // A manager that does not hear it has ways of its own to find out.
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager was not told");
    }
}
