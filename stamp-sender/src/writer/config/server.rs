//! `kind = "webhook"`.

use std::path::PathBuf;
use std::time::Duration;

use stamp_config::Setting;
use stamp_config::quantity::{duration_with_unit, print_duration};
use stamp_metrics::http::client::Url;

use super::words::Method;
use super::{Reader, show_file};
use crate::server_url::ServerUrl;

/// A server that is sent the table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// Where it is.
    pub url: Url,
    /// How it is sent.
    pub method: Method,
    /// How long one request may take.
    pub timeout: Duration,
    /// The token to show it.
    pub token_file: Option<PathBuf>,
    /// Whom to trust, if not the authorities of this host.
    pub ca_file: Option<PathBuf>,
}

impl Server {
    pub(super) fn show(&self) -> String {
        format!(
            "url = {:?}\nmethod = \"{}\"\ntimeout = {:?}\n{}{}",
            self.url.text(),
            self.method.word(),
            print_duration(self.timeout),
            show_file("token-file", self.token_file.as_deref()),
            show_file("ca-file", self.ca_file.as_deref())
        )
    }
}

impl Reader<'_, '_> {
    pub(super) fn server(&self) -> Option<Server> {
        let url = self.section.require("url").map(|url: ServerUrl| url.0);
        let method = self.section.get("method").unwrap_or_default();
        let timeout = self.section.get("timeout").map_or(Duration::from_secs(10), |it: Span| it.0);
        let (token_file, ca_file) = (self.path("token-file"), self.path("ca-file"));
        Some(Server { url: url?, method, timeout, token_file, ca_file })
    }
}

struct Span(Duration);

impl Setting for Span {
    const EXPECTED: &'static str = "a duration from 10ms to 10m, such as 10s";
    fn read(text: &str) -> Option<Self> {
        let allowed = Duration::from_millis(10)..=Duration::from_secs(600);
        duration_with_unit(text).filter(|span| allowed.contains(span)).map(Self)
    }
}
