//! What was measured, and of what.

use core::time::Duration;

use crate::encoding::Route;

/// A session: what its packets can touch, and what became of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The ways of its packets.
    pub course: Course,
    /// How many were lost.
    pub loss: Readings<Loss>,
    /// How long they took.
    pub delay: Readings<Delay>,
}

/// The ways of the packets of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Course {
    /// Somebody answers: the way back is chosen apart.
    Apart {
        /// Ways there.
        there: Vec<Route>,
        /// Ways back; empty where nobody knows them.
        back: Vec<Route>,
    },
    /// Packets come back as they left. Forward is as far as a node stamps them, and everything where none
    /// does.
    Loop(Vec<Route>),
}

/// What was measured, by direction where that is known. What is known of directions goes before what is
/// known of both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Readings<T> {
    /// On the way there.
    pub forward: Option<T>,
    /// On the way back.
    pub backward: Option<T>,
    /// There and back.
    pub round_trip: Option<T>,
}

impl<T> Default for Readings<T> {
    fn default() -> Self {
        Self { forward: None, backward: None, round_trip: None }
    }
}

/// How many packets were lost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Loss {
    /// Packets whose fate is known.
    pub decided: u64,
    /// How many of them were lost.
    pub lost: u64,
}

/// How long packets took.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Delay {
    /// The usual one of them, such as their median.
    pub value: Duration,
    /// How far they lie from it.
    pub spread: Duration,
    /// What it is when nothing is wrong; unknown where the links of the topology say it.
    pub usual: Option<Duration>,
}

impl<T: Copy> Readings<T> {
    /// Of one direction each, or of both where either is not known.
    pub(super) const fn parts(&self) -> Parts<T> {
        match (self.forward, self.backward, self.round_trip) {
            (Some(forward), Some(backward), _) => Parts::Each(Some(forward), Some(backward)),
            (_, _, Some(both)) => Parts::Both(both),
            (forward, backward, None) => Parts::Each(forward, backward),
        }
    }
}

/// What of it counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parts<T> {
    Each(Option<T>, Option<T>),
    Both(T),
}
