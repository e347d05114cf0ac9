//! The part of a table that somebody may see.

use std::borrow::Cow;

use ipnet::IpNet;
use serde_json::Value;

use super::Row;

/// What a client may ask for: paths of traffic to its prefixes. It sees what to impose there, and neither
/// where others send theirs nor the names of nodes and links, but for the first segment of a label stack.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scope {
    /// Destinations of its traffic.
    pub to: Vec<IpNet>,
    /// Classes of service that it may use; all of them where none is named.
    pub classes: Vec<String>,
}

impl Scope {
    /// All of these destinations are among its own.
    #[must_use]
    pub fn covers(&self, to: IpNet) -> bool {
        self.to.iter().any(|own| own.contains(&to))
    }

    pub(super) fn sees(&self, row: &Row) -> bool {
        let may_use = |class: &String| self.classes.is_empty() || self.classes.contains(class);
        let is_own = |prefix: &IpNet| self.common(*prefix).next().is_some();
        let leads = self.covers(row.endpoint.into()) || row.prefixes.iter().any(is_own);
        leads && row.class.as_ref().map_or(self.classes.is_empty(), may_use)
    }

    /// The parts of a prefix that are its own.
    fn common(&self, prefix: IpNet) -> impl Iterator<Item = IpNet> {
        self.to.iter().filter_map(move |own| match (own.contains(&prefix), prefix.contains(own)) {
            (true, _) => Some(prefix),
            (false, true) => Some(*own),
            (false, false) => None,
        })
    }

    /// What it sees of a row.
    pub(super) fn shown<'r>(&self, row: &'r Row) -> Cow<'r, str> {
        let Ok(mut object) = serde_json::from_str::<Value>(&row.object) else {
            return Cow::Borrowed("{}");
        };
        let prefixes = row.prefixes.iter().flat_map(|prefix| self.common(*prefix));
        let prefixes: Vec<Value> = prefixes.map(|prefix| prefix.to_string().into()).collect();
        if let Some(known) = object.pointer_mut("/traffic/prefixes") {
            *known = prefixes.into();
        }
        for hidden in ["headend", "active"] {
            if let Some(value) = object.get_mut(hidden) {
                *value = Value::Null;
            }
        }
        let lists = object.get_mut("lists").and_then(Value::as_array_mut);
        for (number, list) in lists.into_iter().flatten().enumerate() {
            // A stack has no label for the first segment: whoever imposes it has to know where frames leave to.
            let leaves_by_name = list.get("labels").is_some_and(Value::is_array);
            if let Some(segments) = list.get_mut("segments").and_then(Value::as_array_mut) {
                segments.truncate(usize::from(leaves_by_name));
            }
            // Its name tells that of the candidate path.
            list["name"] = format!("{}/{number}", row.policy).into();
        }
        Cow::Owned(object.to_string())
    }
}
