//! Routes and rules of this host, so that packets of a class get the segments of its path.
//!
//! Routes stand in tables of their own, and rules lead packets there: one for each DSCP, one for traffic of any.
//! What is there bears a number of its own. It is read first, and only what differs is changed: new
//! routes before the rules that lead to them, and both before the old ones are taken away. Whatever made
//! it differ, a change, a restart after a kill or somebody's hand, the same plan mends it.

mod kernel;
mod plan;
mod show;
mod wanted;

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::config;
use super::outcome::{Change, Outcome};
use super::table::ChosenPath;
use crate::exit::Failure;
use kernel::Kernel;
use plan::Step;
use wanted::Wanted;

/// The mark of the questions that the writer itself puts to the routing tables, which its own routes are
/// not to answer: "STMP".
const OWN_QUESTIONS: u32 = 0x5354_4d50;

/// Routes of this host as they are to be.
pub struct Writer {
    config: config::Linux,
    dry_run: bool,
    kernel: Kernel,
    /// What a dry run would have done when it was asked last.
    told: Vec<Step>,
}

impl Writer {
    /// Looks at nothing yet.
    ///
    /// # Errors
    ///
    /// When the topology cannot be read.
    pub fn new(config: &config::Linux, dry_run: bool) -> Result<Self, Failure> {
        let kernel = Kernel::new(config)?;
        Ok(Self { config: config.clone(), dry_run, kernel, told: Vec::new() })
    }

    /// Sees to it that the host sends traffic over these paths, or tells how it would.
    pub fn apply(&mut self, paths: &[ChosenPath]) -> Outcome {
        let mut wanted = self.kernel.answering(|answers| wanted::of(paths, &self.config, answers));
        let refused = std::mem::take(&mut wanted.refused);
        let mut outcome = self.reach(&wanted);
        outcome.refused.extend(refused);
        outcome
    }

    /// Takes away all that is its own.
    pub fn undo(&mut self) -> Outcome {
        self.reach(&Wanted::default())
    }

    fn reach(&mut self, wanted: &Wanted) -> Outcome {
        let now = match self.kernel.state() {
            Ok(now) => now,
            Err(error) => return Outcome::failed(format!("reading routes: {error}")),
        };
        let steps = plan::plan(&now, &wanted.state);
        let whose = |step: &Step| wanted.whose(step).or_else(|| self.kernel.was_of(step));
        let changes: Vec<(Step, Change)> = steps
            .iter()
            .map(|step| {
                let what = show::line(step, self.config.protocol, self.kernel.links());
                (step.clone(), Change { policy: whose(step), what, result: Ok(()) })
            })
            .collect();
        if self.dry_run {
            let is_news = self.told != steps;
            self.told = steps;
            let changes = changes.into_iter().map(|(_, change)| change);
            let changes = changes.filter(|_| is_news).collect();
            return Outcome { changes, ..Outcome::default() };
        }
        let made = changes.into_iter().map(|(step, change)| {
            let result = self.kernel.take(&step).map_err(|error| with_causes(&error));
            Change { result, ..change }
        });
        let changes = made.collect();
        self.kernel.remember(wanted.policies.clone());
        Outcome { changes, ..Outcome::default() }
    }
}

/// Which policy a route is of.
type Policies = BTreeMap<(u32, IpNet), String>;

fn with_causes(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}
