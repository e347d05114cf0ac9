//! What a session that may go over to plain loopback must ask for and tell, by what came back and what
//! did not.
//!
//! Written from the drawing in `stamp-session`'s `fallback.rs` as rules over lists, in the order in
//! which a session learns things.

use std::collections::HashSet;

use stamp_session::sender::Stamping;

/// Plain probes that come first, and most of them, before the far node is asked once more.
const PAUSES: (u64, u64) = (10, 640);

/// A change to plain loopback or back: first and last probe of the cause, and how many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Turn {
    pub(crate) plain: bool,
    pub(crate) reason: &'static str,
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) run: u64,
}

/// The rules, as far as they have come.
#[derive(Debug)]
pub(crate) struct Rules {
    /// So many in a row make the difference.
    limit: usize,
    /// Probes in a row without T2, and whether each was lost; ends a row, and begins one, with T2.
    row: Vec<(u32, bool)>,
    /// Since the row was long enough: everything is plain but for single trials.
    plain: Option<Plain>,
    pub(crate) turns: Vec<Turn>,
    pub(crate) trials: HashSet<u32>,
    pub(crate) trials_lost: u64,
    pub(crate) plain_sent: u64,
}

#[derive(Debug, Default)]
struct Plain {
    /// Probes that were sent plain in it.
    sent: u64,
    /// It was told.
    told: bool,
    lost_trials: usize,
    /// The trial that is under way.
    trial: Option<u32>,
    /// How many plain probes must have been sent before the next; none until one of them came back.
    next_at: Option<u64>,
    /// How long the latest pause was.
    pause: u64,
}

impl Rules {
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            limit: limit as usize,
            row: Vec::new(),
            plain: None,
            turns: Vec::new(),
            trials: HashSet::new(),
            trials_lost: 0,
            plain_sent: 0,
        }
    }

    /// The probe that is sent now asks the far node.
    pub(crate) fn sent(&mut self, sequence: u32) -> bool {
        let Some(plain) = &mut self.plain else { return true };
        let due = plain.next_at.is_some_and(|at| plain.sent >= at) && plain.trial.is_none();
        if due {
            plain.trial = Some(sequence);
            self.trials.insert(sequence);
        } else {
            plain.sent += 1;
            self.plain_sent += 1;
        }
        due
    }

    /// The session was down and is up.
    pub(crate) fn outage_over(&mut self) {
        if let Some(plain) = &mut self.plain {
            plain.next_at = Some(plain.sent);
            plain.pause = PAUSES.0;
        }
    }

    pub(crate) fn returned(&mut self, sequence: u32, asked: bool, stamping: Stamping) {
        let has_instant = matches!(stamping, Stamping::Stamped | Stamping::Implausible);
        match &mut self.plain {
            _ if asked && has_instant => self.stamps(sequence),
            None if asked => {
                self.row.push((sequence, false));
                let whole = self.row.iter().all(|(_, lost)| !lost);
                if self.is_long_enough() && whole {
                    self.settle(sequence, stamping.label());
                }
            }
            Some(plain) if plain.trial == Some(sequence) => {
                self.settle(sequence, stamping.label());
            }
            Some(plain) if !asked => {
                plain.next_at.get_or_insert(plain.sent);
            }
            None | Some(_) => {}
        }
    }

    pub(crate) fn lost(&mut self, sequence: u32, asked: bool) {
        self.trials_lost += u64::from(self.trials.contains(&sequence));
        match &mut self.plain {
            None if asked => {
                self.row.push((sequence, true));
                let _ = self.is_long_enough();
            }
            Some(plain) if plain.trial == Some(sequence) => {
                plain.lost_trials += 1;
                if plain.told || plain.lost_trials >= self.limit {
                    self.settle(sequence, "lost");
                } else {
                    // Was it the path? Then no plain probe comes back either.
                    (plain.trial, plain.next_at) = (None, None);
                }
            }
            None | Some(_) => {}
        }
    }

    fn is_long_enough(&mut self) -> bool {
        let enough = self.row.len() >= self.limit;
        if enough {
            self.plain = Some(Plain { pause: PAUSES.0, ..Plain::default() });
        }
        enough
    }

    fn settle(&mut self, last: u32, reason: &'static str) {
        let plain = self.plain.as_mut().expect("only then");
        if plain.told {
            plain.pause = (plain.pause * 2).min(PAUSES.1);
        }
        plain.trial = None;
        plain.next_at = Some(plain.sent + plain.pause);
        if !std::mem::replace(&mut plain.told, true) {
            let (first, run) = (self.row[0].0, self.row.len() as u64);
            self.turns.push(Turn { plain: true, reason, first, last, run });
        }
    }

    fn stamps(&mut self, sequence: u32) {
        self.row.clear();
        if let Some(Plain { told: true, sent: run, .. }) = self.plain.take() {
            let (plain, reason) = (false, "stamped");
            self.turns.push(Turn { plain, reason, first: sequence, last: sequence, run });
        }
    }
}
