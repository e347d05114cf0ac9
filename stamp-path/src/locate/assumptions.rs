//! What is taken for granted.

use core::time::Duration;

/// What is taken for granted of networks, hosts and values.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumptions {
    /// How likely it is that a given link is at fault before anything is known. Half as likely is one
    /// direction of it, a fifth as likely a node.
    pub rarity: f64,
    /// How likely it is that what a session shows comes from elsewhere: a busy host, a wrong clock.
    pub own_trouble: f64,
    /// Share of packets that a sound way may lose.
    pub usual_loss: f64,
    /// How far delays of a sound way lie from what is expected.
    pub usual_delay: Duration,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            rarity: 0.002,
            own_trouble: 0.001,
            usual_loss: 0.0005,
            usual_delay: Duration::from_micros(500),
        }
    }
}
