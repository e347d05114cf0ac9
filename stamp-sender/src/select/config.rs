//! `[select]`: the Prometheus that `stamp-sender select` asks, and where it tells what it has decided.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use stamp_config::Setting;
use stamp_config::document::{Problem, Section};
use stamp_config::quantity::{duration_with_unit, print_duration};
use stamp_config::web::Listen;
use stamp_metrics::http::client::Url;

use super::matcher::Matcher;
use crate::server_url::ServerUrl;

/// Where values come from and where decisions go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Select {
    /// Where Prometheus, or whatever answers as it does, is asked.
    pub prometheus: Url,
    /// The token to show it.
    pub token_file: Option<PathBuf>,
    /// Whom to trust, if not the authorities of this host.
    pub ca_file: Option<PathBuf>,
    /// How often it is asked.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Values that were scraped longer ago say nothing.
    pub stale_after: Duration,
    /// What else tells the series of our senders from others.
    pub matchers: Vec<Matcher>,
    /// Where decisions and metrics are told.
    pub listen: Vec<SocketAddr>,
    /// That was written, so that an address that cannot be had is a mistake.
    pub is_configured: bool,
    /// TLS and users there.
    pub config_file: Option<PathBuf>,
    /// The file of the token of whoever may drain something there.
    pub control_token_file: Option<PathBuf>,
}

/// Where `select` is found unless told otherwise.
const PORT: u16 = 9865;

/// From half a second to an hour.
struct Interval(Duration);

impl Setting for Interval {
    const EXPECTED: &'static str = "a duration from 500ms to 1h, such as 5s";
    fn read(text: &str) -> Option<Self> {
        within(text, Duration::from_millis(500), Duration::from_secs(3_600)).map(Self)
    }
}

/// From a tenth of a second to a minute.
struct Timeout(Duration);

impl Setting for Timeout {
    const EXPECTED: &'static str = "a duration from 100ms to 1m, such as 5s";
    fn read(text: &str) -> Option<Self> {
        within(text, Duration::from_millis(100), Duration::from_secs(60)).map(Self)
    }
}

/// From a second to a day.
struct Age(Duration);

impl Setting for Age {
    const EXPECTED: &'static str = "a duration from 1s to 24h, such as 90s";
    fn read(text: &str) -> Option<Self> {
        within(text, Duration::from_secs(1), Duration::from_secs(86_400)).map(Self)
    }
}

fn within(text: &str, least: Duration, most: Duration) -> Option<Duration> {
    duration_with_unit(text).filter(|span| (least..=most).contains(span))
}

impl Select {
    /// The table, with what is wrong reported where it stands. Paths are relative to `folder`.
    pub fn read(section: &Section<'_>, folder: &Path) -> Option<Self> {
        let prometheus = section.require("prometheus").map(|url: ServerUrl| url.0);
        let beside = |key: &'static str| section.get(key).map(|file: String| folder.join(file));
        let (token_file, ca_file) = (beside("token-file"), beside("ca-file"));
        let config_file = beside("config-file");
        let control_token_file = beside("control-token-file");
        let interval = section.get("interval").map_or(Duration::from_secs(5), |it: Interval| it.0);
        let timeout = section.get("timeout").map_or(Duration::from_secs(5), |it: Timeout| it.0);
        let stale_after =
            section.get("stale-after").map_or(Duration::from_secs(90), |it: Age| it.0);
        let matchers = section.list("match").unwrap_or_default();
        let written: Option<Vec<Listen>> = section.list("listen");
        let is_configured = written.is_some();
        let listen = match written.as_deref().map(Listen::all) {
            None => vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT)],
            Some(Ok(addresses)) => addresses,
            Some(Err(reason)) => {
                let reason = reason.to_owned();
                section.problem("listen", Problem::Contradiction { reason });
                Vec::new()
            }
        };
        Some(Self {
            prometheus: prometheus?,
            token_file,
            ca_file,
            interval,
            timeout,
            stale_after,
            matchers,
            listen,
            is_configured,
            config_file,
            control_token_file,
        })
    }

    /// In the form of the file.
    pub fn show(&self) -> String {
        let mut text = format!("\n[select]\nprometheus = {:?}\n", self.prometheus.text());
        let files = [
            ("token-file", &self.token_file),
            ("ca-file", &self.ca_file),
            ("config-file", &self.config_file),
            ("control-token-file", &self.control_token_file),
        ];
        for (key, file) in files {
            if let Some(file) = file {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{key} = {:?}", file.display().to_string());
            }
        }
        for (key, span) in [
            ("interval", self.interval),
            ("timeout", self.timeout),
            ("stale-after", self.stale_after),
        ] {
            let _ = writeln!(text, "{key} = {:?}", print_duration(span));
        }
        let list = |words: Vec<String>| {
            let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
            words.join(", ")
        };
        if !self.matchers.is_empty() {
            let words = list(self.matchers.iter().map(ToString::to_string).collect());
            let _ = writeln!(text, "match = [{words}]");
        }
        let listen = match self.listen.as_slice() {
            [] => "\"off\"".to_owned(),
            addresses => list(addresses.iter().map(ToString::to_string).collect()),
        };
        let _ = writeln!(text, "listen = [{listen}]");
        text
    }
}

#[cfg(test)]
mod tests {
    use stamp_config::document;

    use super::*;

    fn read(text: &str) -> Result<Option<Select>, String> {
        let read = document::read("f", text, |root| {
            root.section("select", |section| Select::read(section, Path::new("/etc/stamp")))
        });
        read.map(Option::flatten).map_err(|errors| errors.to_string())
    }

    #[test]
    fn a_table_is_read_and_shown_as_it_was() {
        let text = "[select]\nprometheus = \"https://prometheus.example/sub/\"\n\
                    token-file = \"token\"\ninterval = \"2s\"\nstale-after = \"30s\"\n\
                    match = [\"job=\\\"stamp-sender\\\"\", \"site=~\\\"ams.*\\\"\"]\n\
                    listen = [\"[::1]:9865\"]\ncontrol-token-file = \"control\"\n";
        let select = read(text).unwrap().unwrap();
        assert_eq!(select.token_file.as_deref(), Some(Path::new("/etc/stamp/token")));
        assert_eq!((select.interval, select.timeout.as_secs()), (Duration::from_secs(2), 5));
        assert_eq!(select.matchers.len(), 2);
        assert_eq!(read(&select.show()).unwrap(), Some(select));
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_with_what_is_allowed() {
        for (text, expected) in [
            ("[select]\n", "select.prometheus"),
            (
                "[select]\nprometheus = \"ftp://a\"\n",
                "http://HOST:PORT/PATH or https://HOST:PORT/PATH",
            ),
            (
                "[select]\nprometheus = \"http://a\"\ninterval = \"1ms\"\n",
                "a duration from 500ms to 1h",
            ),
            (
                "[select]\nprometheus = \"http://a\"\nstale-after = \"2d\"\n",
                "a duration from 1s to 24h",
            ),
            ("[select]\nprometheus = \"http://a\"\nmatch = [\"job\"]\n", "LABEL=\"VALUE\""),
            ("[select]\nprometheus = \"http://a\"\nlisten = [\"off\", \":1\"]\n", "stands alone"),
            ("[select]\nprometheus = \"http://a\"\nfrom = \"x\"\n", "select.from"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(expected) && told.contains("f:"), "{text}: {told}");
        }
        assert_eq!(read(""), Ok(None));
    }
}
