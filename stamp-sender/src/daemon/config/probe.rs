//! `[probe]`: what others may have measured once, by `/probe?target=`.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use stamp_config::document::{self, Problem, Section};
use stamp_config::{Form, Setting};

use super::session::{Profile, Reader, SessionSpec};

/// Probes that are sent unless told otherwise.
const COUNT: u64 = 10;

/// What others may ask for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Probing {
    reader: Arc<Reader>,
    targets: Vec<IpNet>,
    profile: Option<String>,
    /// Probes of one measurement.
    pub count: u64,
}

struct Count(u64);

impl Setting for Count {
    const EXPECTED: &'static str = "a count from 1 to 1000";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|count| (1..=1_000).contains(count)).map(Self)
    }
}

impl Probing {
    /// A table, with what is wrong reported where it stands.
    pub(super) fn read(section: &Section<'_>, reader: &Arc<Reader>) -> Option<Self> {
        let targets: Vec<IpNet> = section.list("targets").unwrap_or_default();
        if !section.has("targets") {
            let expected = "prefixes of addresses that may be measured";
            section.problem("targets", Problem::Missing { expected });
        }
        let profile: Option<String> = section.get("profile");
        if let Some(name) = profile.as_ref().filter(|name| !reader.profiles.contains_key(*name)) {
            section.problem("profile", reader.unknown_profile(name));
        }
        let count = section.get("count").map_or(COUNT, |count: Count| count.0);
        Some(Self { reader: Arc::clone(reader), targets, profile, count })
    }

    /// The session that measures a target once.
    ///
    /// # Errors
    ///
    /// Why it cannot be.
    pub fn session(&self, target: &str, profile: Option<&str>) -> Result<SessionSpec, String> {
        let mut text = String::new();
        let mut push = |key: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key} = {}", toml::Value::from(value));
        };
        push("name", target);
        push("target", target);
        if let Some(profile) = profile.or(self.profile.as_deref()) {
            push("profile", profile);
        }
        let read = document::read("", &text, |root| self.reader.read(root, &Profile::default()));
        let read = read.map_err(|errors| {
            let words = errors.0.iter().map(|error| format!("{}: {}", error.key, error.problem));
            words.collect::<Vec<_>>().join("; ")
        });
        read?.ok_or_else(|| "it is no session".to_owned())
    }

    /// Whoever asks may have this address measured.
    pub fn allows(&self, address: IpAddr) -> bool {
        self.targets.iter().any(|prefix| prefix.contains(&address.to_canonical()))
    }

    /// In the form of the file.
    pub(super) fn show(&self) -> String {
        let targets: Vec<String> = self.targets.iter().map(|it| format!("\"{it}\"")).collect();
        let profile = self.profile.as_ref().map(|name| format!("profile = {name:?}\n"));
        format!(
            "\n[probe]\ntargets = [{}]\n{}count = {}\n",
            targets.join(", "),
            profile.unwrap_or_default(),
            self.count
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::daemon::config::Configuration;

    fn read(text: &str) -> Result<Configuration, String> {
        Configuration::read("f", text, Path::new("")).map_err(|errors| errors.to_string())
    }

    #[test]
    fn a_target_is_measured_as_its_profile_says_where_that_is_allowed() {
        let text = "[profile.fast]\ninterval = \"10ms\"\n[profile.slow]\ninterval = \"1s\"\n\
                    [probe]\ntargets = [\"192.0.2.0/24\"]\nprofile = \"fast\"\ncount = 5\n";
        let configuration = read(text).unwrap();
        let probing = configuration.probing.as_ref().unwrap();
        let of = |profile| probing.session("192.0.2.1:8620", profile).unwrap();
        assert_eq!(of(None).settings.get("interval"), Some("10ms"));
        assert_eq!(of(Some("slow")).settings.get("interval"), Some("1s"));
        assert!(probing.session("192.0.2.1", Some("none")).unwrap_err().contains("fast, slow"));
        assert!(probing.session("192.0.2.1:x", None).is_err());
        assert!(probing.allows("::ffff:192.0.2.9".parse().unwrap()));
        assert!(!probing.allows("198.51.100.1".parse().unwrap()));
        let shown = probing.show();
        assert!(shown.contains("targets = [\"192.0.2.0/24\"]") && shown.contains("count = 5"));
    }

    #[test]
    fn what_may_be_measured_has_to_be_said() {
        assert!(read("[probe]\ncount = 5\n").unwrap_err().contains("prefixes of addresses"));
        let told = read("[probe]\ntargets = [\"192.0.2.0/24\"]\ncount = 0\n").unwrap_err();
        assert!(told.contains("f:3:9: probe.count = 0: expected a count from 1 to 1000"), "{told}");
    }
}
