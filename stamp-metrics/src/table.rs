//! A table of paths that others follow: all of it at first, then what changes, row by row.
//!
//! Only the latest of each row is kept, so whoever is slow costs nothing: where changes are missing, all
//! of the table is told again.

mod follower;
mod scope;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::watch;

pub use follower::Follower;
pub use scope::Scope;

/// The path of a policy as it is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// The policy; no two rows have the same.
    pub policy: String,
    /// Class of service of its traffic.
    pub class: Option<String>,
    /// Where it leads.
    pub endpoint: IpAddr,
    /// Where packets go that belong to the class.
    pub prefixes: Vec<IpNet>,
    /// A JSON object, in one line.
    pub object: String,
}

/// Which rows somebody wants.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Asked {
    /// Those whose class covers this, or whose endpoint it is.
    pub to: Option<IpNet>,
    /// Those of this class.
    pub class: Option<String>,
    /// What whoever asks may see, if that is not all.
    pub scope: Option<Arc<Scope>>,
}

impl Asked {
    /// All of them are.
    fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether this one is wanted.
    #[must_use]
    pub fn wants(&self, row: &Row) -> bool {
        let is_class = self.class.is_none() || self.class == row.class;
        let may_see = self.scope.as_ref().is_none_or(|scope| scope.sees(row));
        is_class && may_see && self.to.is_none_or(|to| row.leads_to(to))
    }

    /// What is told of a row.
    fn object<'r>(&self, row: &'r Row) -> Cow<'r, str> {
        match &self.scope {
            None => Cow::Borrowed(&row.object),
            Some(scope) => scope.shown(row),
        }
    }

    /// The same with the number of its change.
    fn numbered(&self, row: &Row, sequence: u64) -> String {
        let object = self.object(row);
        let open = object.strip_suffix('}').unwrap_or(&object);
        format!("{open},\"sequence\":{sequence}}}")
    }
}

impl Row {
    fn leads_to(&self, to: IpNet) -> bool {
        to == IpNet::from(self.endpoint) || self.prefixes.iter().any(|prefix| prefix.contains(&to))
    }
}

/// All rows, for whoever asks or follows.
pub struct Table {
    state: Mutex<State>,
    /// The number of the latest change.
    news: watch::Sender<u64>,
    /// The present as text.
    time: fn() -> String,
}

#[derive(Default)]
struct State {
    sequence: u64,
    /// Each with the number of its latest change.
    rows: Vec<(u64, Arc<Row>)>,
    /// Whose the latest changes were, up to that of `sequence`.
    changed: VecDeque<String>,
}

/// Changes that somebody may be behind before all of the table is told again.
const REMEMBERED: usize = 4_096;

impl Table {
    /// Without rows yet; `time` tells the present.
    #[must_use]
    pub fn new(time: fn() -> String) -> Self {
        Self { state: Mutex::default(), news: watch::Sender::new(0), time }
    }

    /// These are the rows now. Those that are as before are no change.
    pub fn publish(&self, rows: Vec<Row>) {
        let mut state = self.state();
        let before = std::mem::take(&mut state.rows);
        for row in rows {
            let same = before.iter().find(|(_, known)| **known == row);
            let entry = match same {
                Some(same) => same.clone(),
                None => (state.change(&row.policy), Arc::new(row)),
            };
            state.rows.push(entry);
        }
        let gone = before.iter().filter(|(_, row)| state.row(&row.policy).is_none());
        let gone: Vec<String> = gone.map(|(_, row)| row.policy.clone()).collect();
        for policy in &gone {
            state.change(policy);
        }
        let sequence = state.sequence;
        drop(state);
        self.news.send_if_modified(|known| std::mem::replace(known, sequence) != sequence);
    }

    /// The rows that are asked for, as a JSON document.
    #[must_use]
    pub fn document(&self, asked: &Asked) -> String {
        let state = self.state();
        let wanted = state.rows.iter().filter(|(_, row)| asked.wants(row));
        let rows: Vec<Cow<'_, str>> = wanted.map(|(_, row)| asked.object(row)).collect();
        let (sequence, rows, time) = (state.sequence, rows.join(","), (self.time)());
        format!(
            "{{\"schema_version\":1,\"time\":\"{time}\",\"sequence\":{sequence},\"paths\":[{rows}]}}"
        )
    }

    /// Follows those that are asked for.
    #[must_use]
    pub fn follow(self: &Arc<Self>, asked: Asked) -> Follower {
        Follower::new(Arc::clone(self), asked)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The number of a change of this policy, which is the latest.
    fn change(&mut self, policy: &str) -> u64 {
        self.sequence += 1;
        self.changed.push_back(policy.to_owned());
        if self.changed.len() > REMEMBERED {
            self.changed.pop_front();
        }
        self.sequence
    }

    fn row(&self, policy: &str) -> Option<&(u64, Arc<Row>)> {
        self.rows.iter().find(|(_, row)| row.policy == policy)
    }

    /// The changes behind that number, each with its own and whose it was; none where some are forgotten.
    fn behind(&self, number: u64) -> Option<impl Iterator<Item = (u64, &String)>> {
        let missing = usize::try_from(self.sequence.saturating_sub(number)).ok()?;
        let first = self.changed.len().checked_sub(missing)?;
        Some((number + 1..).zip(self.changed.iter().skip(first)))
    }
}

#[cfg(test)]
mod tests;
