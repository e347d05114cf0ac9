//! Which probes of a session were seen before.

use stamp_proto::packet::AuthenticationMode;
use stamp_proto::time::WallTime;

/// Sequence Numbers behind the highest that are told apart.
const WINDOW: u32 = u128::BITS;
/// A Session-Sender starts at 0; so many of its first probes may be lost or late.
const RESTART_WITHIN: u32 = 1_024;

/// What a probe is to its session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::reflector) enum Judgement {
    /// Not seen before.
    New,
    /// The first of a Session-Sender that began again.
    Restart,
    /// Seen before, or too old to tell.
    Replay,
}

/// The Sequence Numbers and timestamps of a session so far.
///
/// A sliding window as that of RFC 4303 §3.4.3, which may jump forward by any distance, and T1:
/// a probe that was sent later than every other of its session is no copy of one of them.
///
/// Authenticated, nothing is accepted that could be a copy. Unauthenticated, anyone could move the
/// window by forging a probe far ahead; so there only what was certainly seen is dropped, and the
/// session goes on behind a window that ran away. Dropping copies there keeps directional loss
/// right: a probe that the network doubled must not be answered by two numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::reflector) struct ReplayWindow {
    highest: u32,
    /// Bit n: the Sequence Number `highest - n` was seen. Halves, for the alignment of the session.
    seen: [u64; 2],
    /// Latest T1 of all.
    newest: i64,
    /// T1 of the first probe after a restart: what is older is of a former life.
    epoch: i64,
}

impl ReplayWindow {
    /// A session whose first probe is this one.
    pub(in crate::reflector) fn new(sequence: u32, probe_sent: Option<WallTime>) -> Self {
        let newest = probe_sent.map_or(i64::MIN, WallTime::unix_ns);
        Self { highest: sequence, seen: [0, 1], newest, epoch: i64::MIN }
    }

    /// Highest Sequence Number so far.
    pub(in crate::reflector) const fn highest(&self) -> u32 {
        self.highest
    }

    /// The probe was sent later than every other of the session.
    pub(in crate::reflector) fn is_newest(&self, probe_sent: Option<WallTime>) -> bool {
        probe_sent.is_some_and(|sent| self.newest != i64::MIN && sent.unix_ns() > self.newest)
    }

    /// Judges a probe and, unless it is a replay, enters it.
    pub(in crate::reflector) fn enter(
        &mut self,
        mode: AuthenticationMode,
        sequence: u32,
        probe_sent: Option<WallTime>,
    ) -> Judgement {
        let judgement = self.judge(mode, sequence, probe_sent);
        match judgement {
            Judgement::New => self.mark(sequence, probe_sent),
            Judgement::Restart => {
                *self = Self::new(sequence, probe_sent);
                self.epoch = self.newest;
            }
            Judgement::Replay => {}
        }
        judgement
    }

    /// What a probe is; changes nothing.
    pub(in crate::reflector) fn judge(
        &self,
        mode: AuthenticationMode,
        sequence: u32,
        probe_sent: Option<WallTime>,
    ) -> Judgement {
        let authenticated = mode == AuthenticationMode::Authenticated;
        let former_life = probe_sent.is_none_or(|sent| sent.unix_ns() < self.epoch);
        if authenticated && self.epoch != i64::MIN && former_life {
            return Judgement::Replay;
        }
        let Some(behind) = self.behind(sequence) else {
            return Judgement::New;
        };
        let newest = self.is_newest(probe_sent);
        if newest && (authenticated || sequence < RESTART_WITHIN) {
            return Judgement::Restart;
        }
        let known = behind >= WINDOW || self.bits().checked_shr(behind).unwrap_or(0) & 1 == 1;
        match (known, authenticated) {
            (true, true) => Judgement::Replay,
            (true, false) if behind < WINDOW && !newest => Judgement::Replay,
            _ => Judgement::New,
        }
    }

    fn mark(&mut self, sequence: u32, probe_sent: Option<WallTime>) {
        let bits = match self.behind(sequence) {
            Some(behind) => self.bits() | 1_u128.checked_shl(behind).unwrap_or(0),
            None => {
                let ahead = sequence.wrapping_sub(self.highest);
                self.highest = sequence;
                self.bits().checked_shl(ahead).unwrap_or(0) | 1
            }
        };
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bits.to_be_bytes();
        self.seen = [
            u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            u64::from_be_bytes([i, j, k, l, m, n, o, p]),
        ];
        if let Some(sent) = probe_sent {
            self.newest = self.newest.max(sent.unix_ns());
        }
    }

    /// How far `sequence` is behind the highest, modulo 2^32; `None` when it is ahead.
    const fn behind(&self, sequence: u32) -> Option<u32> {
        let behind = self.highest.wrapping_sub(sequence);
        if behind < 1 << 31 { Some(behind) } else { None }
    }

    fn bits(&self) -> u128 {
        let [upper, lower] = self.seen;
        (u128::from(upper) << 64) | u128::from(lower)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;
    const AUTHENTICATED: AuthenticationMode = AuthenticationMode::Authenticated;
    const BOTH: [AuthenticationMode; 2] = [OPEN, AUTHENTICATED];

    fn sent(ms: i64) -> Option<WallTime> {
        Some(WallTime::from_unix_ns(1_700_000_000_000_000_000 + ms * 1_000_000))
    }

    /// A session that sent `sequences`, probe n at n milliseconds.
    fn window(mode: AuthenticationMode, sequences: &[u32]) -> ReplayWindow {
        let mut window = ReplayWindow::new(sequences[0], sent(i64::from(sequences[0])));
        for sequence in &sequences[1..] {
            let judgement = window.enter(mode, *sequence, sent(i64::from(*sequence)));
            assert_eq!(judgement, Judgement::New, "{sequence}");
        }
        window
    }

    #[test]
    fn a_copy_is_a_replay() {
        for mode in BOTH {
            let mut window = window(mode, &[0, 1, 2, 5, 3]);
            for sequence in [0, 1, 2, 3, 5] {
                let again = window.enter(mode, sequence, sent(i64::from(sequence)));
                assert_eq!(again, Judgement::Replay, "{sequence}");
            }
            assert_eq!(window.enter(mode, 4, sent(4)), Judgement::New, "4 was only late");
        }
    }

    #[test]
    fn a_big_jump_forward_is_followed() {
        for mode in BOTH {
            let mut window = window(mode, &[7, 1_000_000_000, 3_000_000_000]);
            let again = window.enter(mode, 3_000_000_000, sent(3_000_000_000));
            assert_eq!(again, Judgement::Replay);
        }
    }

    #[test]
    fn the_sequence_wraps() {
        for mode in BOTH {
            let start = u32::MAX - 1;
            let mut window = ReplayWindow::new(start, sent(0));
            for step in 1..300 {
                let sequence = start.wrapping_add(step);
                assert_eq!(window.enter(mode, sequence, sent(i64::from(step))), Judgement::New);
            }
            assert_eq!(window.enter(mode, 290, sent(292)), Judgement::Replay);
        }
    }

    #[test]
    fn behind_the_window_only_an_authenticated_session_is_strict() {
        let late = [0, 1, 2, 500];
        assert_eq!(
            window(AUTHENTICATED, &late).enter(AUTHENTICATED, 3, sent(3)),
            Judgement::Replay
        );
        assert_eq!(window(OPEN, &late).enter(OPEN, 3, sent(3)), Judgement::New);
    }

    #[test]
    fn one_forged_probe_far_ahead_does_not_end_an_open_session() {
        let mut window = window(OPEN, &[2_000, 2_001]);
        assert_eq!(window.enter(OPEN, 1_000_000, sent(2_001)), Judgement::New);
        for sequence in 2_002..2_400 {
            assert_eq!(window.enter(OPEN, sequence, sent(i64::from(sequence))), Judgement::New);
        }
    }

    #[test]
    fn a_sender_that_starts_again_is_recognised_by_its_clock() {
        for mode in BOTH {
            let mut window = window(mode, &[0, 1, 2, 3]);
            assert_eq!(window.enter(mode, 0, sent(9_000)), Judgement::Restart);
            assert_eq!(window.highest(), 0);
            assert_eq!(window.enter(mode, 1, sent(9_001)), Judgement::New);
            assert_eq!(window.enter(mode, 1, sent(9_001)), Judgement::Replay);
        }
    }

    #[test]
    fn nothing_of_a_former_life_is_accepted_when_authenticated() {
        let mut window = window(AUTHENTICATED, &[0, 1, 2, 1_000]);
        assert_eq!(window.enter(AUTHENTICATED, 0, sent(9_000)), Judgement::Restart);
        // Number 500 was lost the first time; 1 000 and 2 are replays of what was answered then.
        for sequence in [2, 500, 1_000] {
            let replayed = window.enter(AUTHENTICATED, sequence, sent(i64::from(sequence)));
            assert_eq!(replayed, Judgement::Replay, "{sequence}");
        }
        assert_eq!(window.enter(AUTHENTICATED, 1, None), Judgement::Replay, "no T1, no proof");
    }

    #[test]
    fn without_a_timestamp_the_window_alone_decides() {
        for mode in BOTH {
            let mut window = ReplayWindow::new(10, None);
            assert_eq!(window.enter(mode, 11, None), Judgement::New);
            assert_eq!(window.enter(mode, 9, None), Judgement::New);
            assert_eq!(window.enter(mode, 11, None), Judgement::Replay);
            assert_eq!(window.enter(mode, 0, None), Judgement::New);
        }
    }

    proptest! {
        /// A model that remembers everything and shares no code with the window.
        #[test]
        fn each_probe_is_accepted_exactly_once(
            start in any::<u32>(),
            steps in prop::collection::vec(0_u32..40, 1..200),
        ) {
            for mode in BOTH {
                let mut window = ReplayWindow::new(start, sent(0));
                let mut seen = HashSet::from([0_u32]);
                let mut position = 0_u32;
                for step in &steps {
                    // Sometimes ahead, sometimes up to 20 behind.
                    position = (position + step).saturating_sub(20);
                    let sequence = start.wrapping_add(position);
                    let judgement = window.enter(mode, sequence, sent(i64::from(position)));
                    let expected = seen.insert(position);
                    // Never more than 128 behind the highest here.
                    let near = seen.iter().max().unwrap() - position < 128;
                    if near {
                        prop_assert_eq!(judgement == Judgement::New, expected);
                    }
                }
            }
        }
    }
}
