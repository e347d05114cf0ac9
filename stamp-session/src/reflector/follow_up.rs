//! When the latest reply of a session left, for sessions that ask (RFC 8972 §4.7).
//!
//! Kept beside the session table, so that a session that does not ask takes nothing. An entry stays
//! until another session that asks has its place: there are never more than places of sessions.

use std::collections::HashMap;

use stamp_proto::time::Stamp;

use super::keyed_hash::KeyedHash;
use super::reply::ReplyToken;

/// The latest reply of each session that asks, by the place of the session.
#[derive(Debug)]
pub(super) struct FollowUps {
    latest: HashMap<u32, Latest, KeyedHash>,
}

/// The latest reply of one session.
#[derive(Clone, Copy, Debug)]
struct Latest {
    generation: u32,
    number: u32,
    /// `None` until the kernel has told it.
    left: Option<Stamp>,
}

impl FollowUps {
    pub(super) fn new(hash: KeyedHash) -> Self {
        Self { latest: HashMap::with_hasher(hash) }
    }

    /// Number of the reply before this one, and when it left, if that is known.
    pub(super) fn before(&self, token: &ReplyToken) -> Option<(u32, Stamp)> {
        let latest = self.latest.get(&token.slot)?;
        let is_before =
            latest.generation == token.generation && latest.number.wrapping_add(1) == token.number;
        latest.left.filter(|_| is_before).map(|left| (latest.number, left))
    }

    /// A reply was made whose successor will be asked about it.
    pub(super) fn made(&mut self, token: &ReplyToken) {
        let ReplyToken { slot, generation, number } = *token;
        self.latest.insert(slot, Latest { generation, number, left: None });
    }

    /// A reply left; unless it is the latest of its session nobody asks about it any more.
    pub(super) fn left(&mut self, token: &ReplyToken, stamp: Stamp) {
        if let Some(latest) = self.latest.get_mut(&token.slot)
            && (latest.generation, latest.number) == (token.generation, token.number)
        {
            latest.left = Some(stamp);
        }
    }

    /// The session in this place numbers its replies anew.
    pub(super) fn restarted(&mut self, slot: u32) {
        self.latest.remove(&slot);
    }

    /// There are no sessions any more.
    pub(super) fn clear(&mut self) {
        self.latest = HashMap::with_hasher(*self.latest.hasher());
    }

    /// Octets that it takes, as allocated.
    pub(super) fn octets(&self) -> usize {
        self.latest.capacity().saturating_mul(size_of::<(u32, Latest)>())
    }
}
