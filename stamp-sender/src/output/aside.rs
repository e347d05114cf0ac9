//! The running summary of machine formats: standard output is theirs alone, so a person reads it
//! on standard error.

use stamp_proto::time::WallTime;
use stamp_session::snapshot::SessionSnapshot;

use super::human::summary::{self, Look};
use super::ledger::Ledger;
use super::screen::Screen;

/// Writes how it is going to standard error.
pub fn summary(screen: &mut Screen, ledger: &Ledger, snapshots: &[SessionSnapshot], now: WallTime) {
    for record in ledger.records(snapshots) {
        let elapsed = u64::try_from(now.since(record.started.0).ns()).ok();
        screen.note(&summary::session(&record, elapsed, &Look::default()));
    }
}
