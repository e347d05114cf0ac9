//! `[[discovery]]`: where others name targets, and what sessions are made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stamp_config::Setting;
use stamp_config::document::{self, Problem, Section};
use stamp_config::quantity::Expiry;
use stamp_metrics::catalogue::is_reserved_label;

use super::session::{Profile, Reader, SessionSpec};
use super::settings;
use crate::daemon::discovery::{Provider, Target};
use crate::server_url::ServerUrl;

/// How often a server is asked unless told otherwise.
const EVERY: Duration = Duration::from_secs(60);

/// Keys of a session besides its flags that a label may set.
const KEYS: [&str; 9] = [
    "name",
    "target",
    "profile",
    "window",
    "loss-threshold",
    "policy",
    "candidate",
    "preference",
    "weight",
];

/// An entry of the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Discovery {
    /// Where targets are named.
    pub provider: Provider,
    reader: Arc<Reader>,
    /// What stands in the entry itself.
    own: Profile,
    profile: Option<String>,
    name: Option<NamePattern>,
}

/// How sessions are called: text with labels in braces.
#[derive(Clone, Debug, Eq, PartialEq)]
struct NamePattern(String);

impl Setting for NamePattern {
    const EXPECTED: &'static str =
        "a text with {target} or labels in braces, such as {site}-{target}";
    fn read(text: &str) -> Option<Self> {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            if before.contains('}') || name.is_empty() || name.contains('{') {
                return None;
            }
            rest = after;
        }
        (!text.is_empty() && !rest.contains('}')).then(|| Self(text.to_owned()))
    }
}

impl NamePattern {
    /// The name of a target; the name of a label that it lacks otherwise.
    fn name(&self, target: &str, labels: &BTreeMap<String, String>) -> Result<String, String> {
        let (mut name, mut rest) = (String::new(), self.0.as_str());
        while let Some((before, (label, after))) =
            rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            let value = if label == "target" { Some(target) } else { None };
            let value = value.or_else(|| labels.get(label).map(String::as_str));
            name.push_str(before);
            name.push_str(value.ok_or_else(|| format!("name: it has no label {label}"))?);
            rest = after;
        }
        name.push_str(rest);
        Ok(name)
    }
}

impl Discovery {
    /// An entry, with what is wrong reported where it stands.
    pub(super) fn read(section: &Section<'_>, reader: &Arc<Reader>) -> Option<Self> {
        let provider = provider(section, &reader.folder);
        let own = Profile::read(section, &reader.folder);
        let profile: Option<String> = section.get("profile");
        if let Some(name) = profile.as_ref().filter(|name| !reader.profiles.contains_key(*name)) {
            section.problem("profile", reader.unknown_profile(name));
        }
        let name = section.get("name");
        Some(Self { provider: provider?, reader: Arc::clone(reader), own, profile, name })
    }

    /// The session of a target.
    ///
    /// # Errors
    ///
    /// Why it cannot be one.
    pub fn session(&self, target: &Target) -> Result<SessionSpec, String> {
        let (mut keys, mut labels) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in target.labels.iter().filter(|(_, value)| !value.is_empty()) {
            let key = name.replace('_', "-");
            if name.starts_with("__") {
                // Between discovery and relabelling, in Prometheus; nothing here.
            } else if KEYS.contains(&key.as_str()) || settings::is_for_labels(&key) {
                keys.insert(key, value.as_str());
            } else if settings::keys().any(|(known, _)| known == key) {
                return Err(format!("{name}: only the file of this service may say so"));
            } else if is_reserved_label(name) {
                labels.insert(format!("exported_{name}"), value.as_str());
            } else {
                labels.insert(name.clone(), value.as_str());
            }
        }
        let address = keys.remove("target").unwrap_or(&target.address).to_owned();
        let name = match (keys.remove("name"), &self.name) {
            (Some(name), _) => name.to_owned(),
            (None, Some(pattern)) => pattern.name(&address, &target.labels)?,
            (None, None) => address.clone(),
        };
        if let Some(profile) = &self.profile {
            keys.entry("profile".to_owned()).or_insert(profile);
        }
        let mut text = String::new();
        let mut push = |key: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key} = {}", toml::Value::from(value));
        };
        push("name", &name);
        push("target", &address);
        keys.iter().for_each(|(key, value)| push(key, value));
        if !labels.is_empty() {
            text.push_str("[labels]\n");
            for (name, value) in labels {
                let _ =
                    writeln!(text, "{} = {}", toml::Value::from(name), toml::Value::from(value));
            }
        }
        let read = document::read("", &text, |root| self.reader.read(root, &self.own));
        match read {
            Ok(Some(spec)) => {
                let settings = spec.settings.placeless();
                Ok(SessionSpec { settings, discovered: true, ..spec })
            }
            Ok(None) => Err("it is no session".to_owned()),
            Err(errors) => {
                let words = errors.0.iter().map(|error| match &error.value {
                    Some(value) => format!("{} = {value}: {}", error.key, error.problem),
                    None => format!("{}: {}", error.key, error.problem),
                });
                Err(words.collect::<Vec<_>>().join("; "))
            }
        }
    }
}

fn provider(section: &Section<'_>, folder: &Path) -> Option<Provider> {
    let beside = |key: &'static str| section.get(key).map(|file: String| folder.join(file));
    let files: Option<Vec<String>> = section.list("files");
    let url: Option<ServerUrl> = section.get("url");
    let every = section.get("refresh-interval").map(|it: Expiry| it.0);
    let (ca_file, token_file) = (beside("ca-file"), beside("token-file"));
    match (files, url) {
        (Some(_), Some(_)) => {
            section.problem("files", Problem::Conflict { with: "url" });
            None
        }
        (Some(files), None) => {
            let of_a_server = ["refresh-interval", "ca-file", "token-file"];
            for key in of_a_server.into_iter().filter(|key| section.has(key)) {
                section.problem(key, Problem::Needs { other: "url" });
            }
            let place = |file: String| folder.join(file);
            Some(Provider::Files(files.into_iter().map(place).collect()))
        }
        (None, Some(ServerUrl(url))) => {
            Some(Provider::Http { url, every: every.unwrap_or(EVERY), ca_file, token_file })
        }
        (None, None) => {
            if !section.has("files") && !section.has("url") {
                let expected = "a list of files, or url";
                section.problem("files", Problem::Missing { expected });
            }
            None
        }
    }
}

/// What was found, by who named it.
pub type Found = BTreeMap<Provider, Arc<Vec<Target>>>;

/// A target that is no session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// Who named it.
    pub provider: Provider,
    /// What was named.
    pub target: String,
    /// Why it is none.
    pub reason: String,
}

/// Sessions, and what was found and is none.
pub type Composed = (Vec<Arc<SessionSpec>>, Vec<Refused>);

/// The sessions of the file, and behind them those of what was found: equal ones once, and of two with
/// the same name the first.
pub fn compose(sessions: &[Arc<SessionSpec>], entries: &[Discovery], found: &Found) -> Composed {
    let mut all = sessions.to_vec();
    let mut names: BTreeMap<String, usize> =
        all.iter().enumerate().map(|(index, spec)| (spec.name.clone(), index)).collect();
    let mut refused = Vec::new();
    for entry in entries {
        let targets = found.get(&entry.provider).map_or(&[][..], |targets| targets.as_slice());
        let mut seen = BTreeSet::new();
        for target in targets {
            let made = entry.session(target).and_then(|spec| match names.get(&spec.name) {
                None => Ok(Some(spec)),
                Some(index) if all.get(*index).is_some_and(|it| it.is_like(&spec)) => Ok(None),
                Some(_) => Err(format!(
                    "another session has the name {:?}: give it a label \"name\", or the entry a \
                     name with labels in it",
                    spec.name
                )),
            });
            match made {
                Ok(Some(spec)) => {
                    names.insert(spec.name.clone(), all.len());
                    all.push(Arc::new(spec));
                }
                Ok(None) => {}
                Err(reason) if seen.insert((target.address.clone(), reason.clone())) => {
                    let (provider, target) = (entry.provider.clone(), target.address.clone());
                    refused.push(Refused { provider, target, reason });
                }
                Err(_) => {}
            }
        }
    }
    (all, refused)
}

#[cfg(test)]
mod tests;
