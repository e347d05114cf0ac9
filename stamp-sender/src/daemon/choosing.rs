//! The control side's part in choosing among paths.

use super::Daemon;
use super::wish::{Answers, Cause, Wanted, Wish};
use crate::paths::Plan;

impl Daemon {
    /// What is to be prepared for a wish: to drain something is to compute paths anew, unless there is
    /// no such thing.
    pub(super) fn drained(
        &mut self,
        wanted: Wanted,
        answers: Answers,
    ) -> Option<(Wanted, Answers)> {
        let Wanted::Drained(drain, is_drained) = wanted else { return Some((wanted, answers)) };
        let topology = &self.running.paths.topology;
        if let Err(reason) = self.chooser.drain(topology, drain, is_drained) {
            answers.tell(&Err(reason));
            return None;
        }
        // What is to be prepared now takes that in.
        self.chooser.takes_plan();
        Some((Wanted::Computed, answers))
    }

    /// Says what is wrong with paths, where that is news.
    pub(super) fn tell_plan(&self, plan: &Plan, cause: Cause) {
        if plan.elsewhere > 0 && matches!(cause, Cause::Start | Cause::Reload) {
            tracing::info!(policies = plan.elsewhere, "policies of other nodes are left to these");
        }
        for (list, reason) in plan.news(self.chooser.plan()) {
            tracing::warn!(list, reason, "no session can measure it");
        }
    }

    /// Decides anew which lists carry traffic, if there is anything new, and tells it.
    pub(super) fn choose(&mut self) {
        for session in self.fleet.take_ended() {
            self.chooser.ends(&session);
        }
        if self.chooser.has_news() {
            let now = stamp_worker::now();
            let moves = self.chooser.decide(now);
            let shown = self.chooser.shown(now);
            self.table.publish(self.chooser.rows(&shown));
            self.board.chooses(shown);
            self.board.draws(self.chooser.drawing());
            // Last: whoever hears of a move and asks for more is shown what it led to.
            for moved in moves {
                self.events.path(moved);
            }
        }
        // One that is under way may have begun before.
        if self.preparation.is_none() && self.chooser.takes_plan() {
            self.waiting.push(Wish::new(Wanted::Computed));
        }
    }
}
