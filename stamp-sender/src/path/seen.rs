//! The network as far as whoever asks can know it.

use stamp_path::Topology;
use stamp_path::compute::{
    Absence, Answer, Constraint, ImposedLabels, ImposedSids, ListError, Network, Request, View,
    label_lists, sid_lists,
};
use stamp_path::path::{Hop, Path};

/// A topology, and a view of it where some domain hides something.
#[derive(Debug)]
pub(super) struct Seen<'t> {
    whole: &'t Topology,
    view: Option<View>,
}

impl<'t> Seen<'t> {
    /// On the way that is asked for.
    pub(super) fn of(whole: &'t Topology, request: &Request) -> Self {
        Self { whole, view: View::of(whole, request.from, request.to) }
    }

    /// Nodes and links that ways are made of.
    pub(super) fn topology(&self) -> &Topology {
        self.view.as_ref().map_or(self.whole, View::topology)
    }

    /// Looks for ways, first over what is known.
    pub(super) fn search(
        &self,
        request: &Request,
        find: impl Fn(&Network<'_>, &Request) -> Result<Vec<Answer>, Absence>,
    ) -> Result<Vec<Answer>, Absence> {
        match &self.view {
            Some(view) => view.search(request, find),
            None => find(&Network::new(self.whole), request),
        }
    }

    /// The best way.
    pub(super) fn best(&self, request: &Request) -> Option<Answer> {
        let found = self.search(request, |network, request| network.ranked(request, 1));
        found.ok()?.into_iter().next()
    }

    /// Links that one constraint alone keeps out, among those that are shown.
    pub(super) fn kept_out(&self, request: &Request, constraint: &Constraint) -> Vec<Hop> {
        let shown = self.view.as_ref().map(|view| view.over_known(request));
        Network::new(self.topology()).kept_out(shown.as_ref().unwrap_or(request), constraint)
    }

    /// The labels that lead over a way, a list for each node that puts one on.
    pub(super) fn label_lists(&self, path: &Path) -> Result<Vec<ImposedLabels>, ListError> {
        label_lists(self.whole, self.view.as_ref(), path)
    }

    /// The SIDs that lead over a way, where all of it is shown, a list for each node that puts one on.
    pub(super) fn sid_lists(&self, path: &Path) -> Option<Vec<ImposedSids>> {
        if self.is_unknown(path) {
            return None;
        }
        sid_lists(self.topology(), path).ok()
    }

    /// What a way costs cannot be known.
    pub(super) fn is_unknown(&self, path: &Path) -> bool {
        self.view.as_ref().is_some_and(|view| view.is_unknown(path))
    }
}
