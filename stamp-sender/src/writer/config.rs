//! `[[writer]]`: where the chosen paths are carried, read by `run` and `write` alike.

mod file;
mod frr;
mod linux;
mod pola;
mod server;
mod words;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use stamp_config::document::{Problem, Section};
use stamp_config::web::{Listen, Web};
use stamp_metrics::http::client::Url;

pub use file::File;
pub use frr::Frr;
pub use linux::Linux;
pub use pola::{Commands, Pola};
pub use server::Server;
use words::{Changes, Kind, WriterName};
pub use words::{Method, OnExit};

use crate::daemon::Paths;
use crate::server_url::ServerUrl;

/// Everything that is written to, and where the writers themselves are seen.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Writers {
    /// In the order of the file, each of its own name.
    pub writers: Vec<Writer>,
    /// Where `write` tells its metrics; nowhere unless asked.
    pub listen: Vec<SocketAddr>,
    /// TLS and users there.
    pub config_file: Option<PathBuf>,
    /// The topology of those that name none.
    pub topology: Option<PathBuf>,
}

/// One place that chosen paths are carried to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Writer {
    /// What it is called in logs and metrics.
    pub name: String,
    /// It says what it would do, and does nothing.
    pub dry_run: bool,
    /// Who chooses.
    pub source: Source,
    /// Which of the paths it carries.
    pub choice: Choice,
    /// How often the path of a policy may change within an hour.
    pub changes_per_hour: u32,
    /// What becomes of what it wrote when it ends.
    pub on_exit: OnExit,
    /// Where to.
    pub target: Target,
}

/// The daemon whose choice is followed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Source {
    /// Where it is asked, without the path.
    pub url: Url,
    /// The token to show it.
    pub token_file: Option<PathBuf>,
    /// Whom to trust, if not the authorities of this host.
    pub ca_file: Option<PathBuf>,
}

/// Paths of these; of all where a list is empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Choice {
    /// Where the path begins.
    pub headends: Vec<String>,
    /// The policy by name.
    pub policies: Vec<String>,
    /// The class of its traffic.
    pub classes: Vec<String>,
}

/// A kind of place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// Routes and rules of this host.
    Linux(Linux),
    /// A configuration of FRR.
    Frr(Frr),
    /// Files that the PCE Pola reads.
    Pola(Pola),
    /// A file with the table.
    File(File),
    /// A server that is sent the table.
    Server(Server),
}

impl Choice {
    /// The path of a policy is one of these.
    pub fn takes(&self, policy: &str, headend: Option<&str>, class: Option<&str>) -> bool {
        let among = |names: &[String], name: Option<&str>| {
            names.is_empty() || name.is_some_and(|name| names.iter().any(|it| it == name))
        };
        among(&self.policies, Some(policy))
            && among(&self.headends, headend)
            && among(&self.classes, class)
    }
}

/// What stands in the same file.
#[derive(Clone, Copy)]
pub struct Beside<'f> {
    /// The daemon there is followed unless told otherwise.
    pub web: &'f Web,
    /// Tells where segments are.
    pub topology: Option<&'f Path>,
    /// What that daemon chooses among.
    pub paths: &'f Paths,
}

impl Writers {
    /// What the root table says. Paths are relative to `folder`.
    pub fn read(root: &Section<'_>, folder: &Path, beside: Beside<'_>) -> Self {
        let (mut names, mut makers) = (BTreeSet::new(), Vec::new());
        let mut folders = BTreeSet::new();
        let read = root.sections("writer", |section| {
            let reader = Reader { section, folder, beside: &beside };
            let writer = reader.read()?;
            if !names.insert(writer.name.clone()) {
                let reason = format!("another writer is called {}; give a name", writer.name);
                reader.wrong(if section.has("name") { "name" } else { "kind" }, reason);
            }
            if let Target::Linux(linux) = &writer.target {
                if makers.iter().any(|other: &Linux| other.meets(linux)) {
                    let reason = "another writer of this kind has the same protocol number, tables or \
                                  priorities: give protocol, table and priority";
                    reader.wrong("kind", reason.to_owned());
                }
                makers.push(linux.clone());
            }
            if let Target::Pola(pola) = &writer.target {
                reader.refuse_what_pola_cannot_say(&writer.choice);
                if !folders.insert(pola.folder.clone()) {
                    let reason = "what another writer has there would be taken away: give a folder";
                    reader.wrong("folder", reason.to_owned());
                }
            }
            Some(writer)
        });
        let (listen, config_file) = root.section_or_empty("write", |write| {
            let words: Vec<Listen> = write.list("listen").unwrap_or_default();
            let listen = Listen::all(&words).unwrap_or_else(|reason| {
                write.problem("listen", Problem::Contradiction { reason: reason.to_owned() });
                Vec::new()
            });
            (listen, write.get("config-file").map(|file: String| folder.join(file)))
        });
        let topology = beside.topology.map(ToOwned::to_owned);
        Self { writers: read.into_iter().flatten().collect(), listen, config_file, topology }
    }

    /// In the form of the file.
    pub fn show(&self) -> String {
        let mut text: String = self.writers.iter().map(Writer::show).collect();
        if !self.listen.is_empty() {
            let addresses: Vec<String> = self.listen.iter().map(|it| format!("\"{it}\"")).collect();
            let file = self.config_file.as_ref();
            let file = show_file("config-file", file.map(PathBuf::as_path));
            let line = format!("\n[write]\nlisten = [{}]\n{file}", addresses.join(", "));
            text.insert_str(0, &line);
        }
        text
    }
}

/// What one section is read with.
struct Reader<'r, 's> {
    section: &'r Section<'s>,
    folder: &'r Path,
    beside: &'r Beside<'r>,
}

impl Reader<'_, '_> {
    fn read(&self) -> Option<Writer> {
        let section = self.section;
        let kind: Option<Kind> = section.require("kind");
        let name = section.get("name").map(|name: WriterName| name.0);
        let source = self.source();
        let list = |key| section.list(key).unwrap_or_default();
        let choice = Choice {
            headends: list("headends"),
            policies: list("policies"),
            classes: list("classes"),
        };
        let dry_run = section.get("dry-run").unwrap_or(true);
        let changes = section.get("changes-per-hour").map_or(CHANGES_PER_HOUR, |it: Changes| it.0);
        let on_exit = section.get("on-exit").unwrap_or_default();
        let target = match kind {
            Some(Kind::Linux) => self.linux().map(Target::Linux),
            Some(Kind::Frr) => self.frr().map(Target::Frr),
            Some(Kind::Pola) => self.pola().map(Target::Pola),
            Some(Kind::File) => self.file().map(Target::File),
            Some(Kind::Webhook) => self.server().map(Target::Server),
            None => {
                section.take_any(|| {
                    let _ = (self.linux(), self.frr(), self.pola(), self.file(), self.server());
                });
                None
            }
        };
        Some(Writer {
            name: name.or_else(|| Some(kind?.word().to_owned()))?,
            dry_run,
            source: source?,
            choice,
            changes_per_hour: changes,
            on_exit,
            target: target?,
        })
    }

    fn source(&self) -> Option<Source> {
        let written = self.section.get("from").map(|url: ServerUrl| url.0);
        let url = written.or_else(|| default_source(self.beside.web));
        if url.is_none() && !self.section.has("from") {
            let reason = "web.listen names no port to follow: say where the daemon is";
            self.wrong("from", reason.to_owned());
        }
        let (token_file, ca_file) = (self.path("from-token-file"), self.path("from-ca-file"));
        Some(Source { url: url?, token_file, ca_file })
    }

    fn path(&self, key: &'static str) -> Option<PathBuf> {
        self.section.get(key).map(|file: String| self.folder.join(file))
    }

    fn topology(&self) -> Option<PathBuf> {
        let written = self.path("topology");
        written.or_else(|| self.beside.topology.map(ToOwned::to_owned))
    }

    fn wrong(&self, key: &'static str, reason: String) {
        self.section.problem(key, Problem::Contradiction { reason });
    }
}

/// Changes of a policy within an hour unless told otherwise.
const CHANGES_PER_HOUR: u32 = 60;

/// The daemon beside this process.
fn default_source(web: &Web) -> Option<Url> {
    let mut at = web.listen.iter().copied().find(|at| at.port() != 0)?;
    if at.ip().is_unspecified() {
        let is_ipv4 = at.is_ipv4();
        at.set_ip(if is_ipv4 {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    Url::read(&format!("http://{at}"))
}

impl Writer {
    fn show(&self) -> String {
        let Source { url, token_file, ca_file } = &self.source;
        let Choice { headends, policies, classes } = &self.choice;
        let list = |key: &str, list: &[String]| match list {
            [] => String::new(),
            list => format!("{key} = {list:?}\n"),
        };
        let common = format!(
            "\n[[writer]]\nkind = \"{}\"\nname = {:?}\ndry-run = {}\nfrom = {:?}\n{}{}{}{}{}\
             changes-per-hour = {}\non-exit = \"{}\"\n",
            self.target.kind().word(),
            self.name,
            self.dry_run,
            url.text(),
            show_file("from-token-file", token_file.as_deref()),
            show_file("from-ca-file", ca_file.as_deref()),
            list("headends", headends),
            list("policies", policies),
            list("classes", classes),
            self.changes_per_hour,
            self.on_exit.word(),
        );
        common
            + &match &self.target {
                Target::Linux(linux) => linux.show(),
                Target::Frr(frr) => frr.show(),
                Target::Pola(pola) => pola.show(),
                Target::File(file) => file.show(),
                Target::Server(server) => server.show(),
            }
    }
}

impl Target {
    const fn kind(&self) -> Kind {
        match self {
            Self::Linux(_) => Kind::Linux,
            Self::Frr(_) => Kind::Frr,
            Self::Pola(_) => Kind::Pola,
            Self::File(_) => Kind::File,
            Self::Server(_) => Kind::Webhook,
        }
    }
}

fn show_file(key: &str, file: Option<&Path>) -> String {
    file.map_or_else(String::new, |file| format!("{key} = {file:?}\n"))
}

#[cfg(test)]
mod tests;
