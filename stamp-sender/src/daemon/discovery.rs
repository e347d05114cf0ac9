//! What others know to be worth measuring: target groups as Prometheus reads them, watched.

mod files;
mod groups;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::config::{Discovery, Found, Refused};
pub use groups::Target;
pub use watch::Provider;
use watch::{Look, Watch};

/// Everything that is watched.
pub(super) struct Discoverer {
    watches: BTreeMap<Provider, Watch>,
    found: Found,
    looks: UnboundedReceiver<Look>,
    looked: UnboundedSender<Look>,
    /// What others may see of it.
    states: States,
}

/// How each provider fares, in the order of their names.
pub(super) type States = BTreeMap<Provider, State>;

/// How a provider fares.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// When it told something that could be used.
    pub(super) succeeded: Option<SystemTime>,
    /// How often it did not.
    pub(super) failures: u64,
    /// Why the latest look was one of these.
    pub(super) trouble: Option<String>,
    /// Targets that it names.
    pub(super) targets: usize,
    /// Those that are no session, with the reason.
    pub(super) refused: Vec<(String, String)>,
}

impl Default for Discoverer {
    fn default() -> Self {
        let (looked, looks) = unbounded_channel();
        let (watches, found, states) = Default::default();
        Self { watches, found, looks, looked, states }
    }
}

impl Discoverer {
    /// What was found until now.
    pub(super) fn found(&self) -> Found {
        self.found.clone()
    }

    /// Watches what `entries` name and nothing else; `found` and `refused` are what was made of it.
    /// Returns those that were not refused before: whoever reads of them looks at the states, which are
    /// posted first.
    #[must_use = "somebody has to read of them"]
    pub(super) fn watch<'r>(
        &mut self,
        entries: &[Discovery],
        found: &Found,
        refused: &'r [Refused],
    ) -> Vec<&'r Refused> {
        let mut news = Vec::new();
        let is_wanted =
            |provider: &Provider| entries.iter().any(|entry| entry.provider == *provider);
        self.watches.retain(|provider, _| is_wanted(provider));
        self.states.retain(|provider, _| is_wanted(provider));
        self.found.retain(|provider, _| is_wanted(provider));
        for entry in entries {
            let provider = &entry.provider;
            if !self.watches.contains_key(provider) {
                let known = found.get(provider).cloned().unwrap_or_default();
                self.found.insert(provider.clone(), Arc::clone(&known));
                let watch = Watch::begin(provider.clone(), known.to_vec(), self.looked.clone());
                self.watches.insert(provider.clone(), watch);
            }
            let state = self.states.entry(provider.clone()).or_default();
            let before = std::mem::take(&mut state.refused);
            for refused in refused.iter().filter(|refused| refused.provider == *provider) {
                let told = (refused.target.clone(), refused.reason.clone());
                if !before.contains(&told) {
                    news.push(refused);
                }
                state.refused.push(told);
            }
        }
        news
    }

    /// How each of them fares.
    pub(super) fn states(&self) -> &States {
        &self.states
    }

    /// Waits for the next look, and notes what came of it; whether other targets are there now.
    pub(super) async fn looked(&mut self) -> bool {
        let Some(Look { provider, result }) = self.looks.recv().await else { return false };
        let Some(state) = self.states.get_mut(&provider) else { return false };
        let source = provider.label();
        let targets = match result {
            Ok(targets) => {
                if state.trouble.take().is_some() {
                    tracing::info!(source, "discovery works again");
                }
                state.succeeded = Some(SystemTime::now());
                targets
            }
            Err((reason, targets)) => {
                state.failures += 1;
                // Once for each trouble.
                if state.trouble.as_ref() != Some(&reason) {
                    tracing::error!(source, reason, "discovery fails; what was known stays");
                    state.trouble = Some(reason);
                }
                targets
            }
        };
        state.targets = targets.len();
        let is_other = self.found.get(&provider).is_none_or(|known| **known != targets);
        if is_other {
            self.found.insert(provider, Arc::new(targets));
        }
        is_other
    }
}
