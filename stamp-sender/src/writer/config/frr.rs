//! `kind = "frr"`.

use std::path::PathBuf;

use super::{Reader, show_file};

/// A configuration of FRR.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frr {
    /// The file that is written.
    pub file: PathBuf,
    /// `vtysh` is run to put what has changed in force.
    pub apply: bool,
    /// The route map that colours routes to the prefixes of a class.
    pub route_map: String,
    /// Interfaces, and the session whose announced values are theirs.
    pub links: Vec<(String, String)>,
}

impl Frr {
    pub(super) fn show(&self) -> String {
        let links =
            self.links.iter().map(|(interface, session)| format!("{interface:?} = {session:?}"));
        let links: Vec<String> = links.collect();
        let links = match links.is_empty() {
            true => String::new(),
            false => format!("links = {{ {} }}\n", links.join(", ")),
        };
        format!(
            "{}apply = {}\nroute-map = {:?}\n{links}",
            show_file("file", Some(&self.file)),
            self.apply,
            self.route_map
        )
    }
}

impl Reader<'_, '_> {
    pub(super) fn frr(&self) -> Option<Frr> {
        let section = self.section;
        let file = section.require("file").map(|file: String| self.folder.join(file));
        let apply = section.get("apply").unwrap_or(false);
        let route_map = section.get("route-map").unwrap_or_else(|| "stamp".to_owned());
        let links = section.section("links", |links| {
            let entries = links.entries().into_iter();
            entries.filter_map(|(name, _, session)| Some((name, session?.text))).collect()
        });
        Some(Frr { file: file?, apply, route_map, links: links.unwrap_or_default() })
    }
}
