//! Why the program ends, with the status that says so.

use core::error::Error;
use core::fmt;
use std::io;
use std::path::PathBuf;

use stamp_metrics::http::HttpError;
use stamp_net::NetError;
use stamp_service::sandbox::SandboxError;
use stamp_worker::WorkerError;

use crate::config::ConfigFailure;

/// Why nothing is reflected, or not what was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigFailure),
    /// A listener cannot be opened.
    #[error("cannot listen on {listener}: {}", refusal(source))]
    Listen {
        /// As the operator wrote it.
        listener: String,
        /// What the kernel said.
        source: NetError,
    },
    /// A member link is not there.
    #[error("lag-members: {0}")]
    Lag(NetError),
    /// The host has no address family that any listener wants.
    #[error("cannot listen on {listeners}: this host has neither IPv4 nor IPv6 for it")]
    NoFamily {
        /// As the operator wrote them.
        listeners: String,
    },
    /// The process may not open as many files as it has to.
    #[error(
        "{needed} file descriptors are needed and {limit} allowed: fewer listeners or --workers, or \
         a higher hard limit (ulimit -Hn, LimitNOFILE=)"
    )]
    Descriptors {
        /// How many it has to open.
        needed: u64,
        /// How many it may.
        limit: u64,
    },
    /// The packet workers do not start or have ended.
    #[error("{}", Chain(.0))]
    Worker(#[from] WorkerError),
    /// Timestamps cannot be written and packets not forwarded.
    #[error("cannot write timestamps and forward: {}", Chain(.0))]
    Forwarding(WorkerError),
    /// A layer of the sandbox is required and not there.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// Every label of the range is taken.
    #[error("label-range: none of the labels {first} to {last} is free")]
    LabelRange {
        /// First of the range.
        first: u32,
        /// Last of the range.
        last: u32,
    },
    /// A reload wants something that only a restart gives.
    #[error("{key} changes with a restart only")]
    Restart {
        /// The key that has another value now.
        key: &'static str,
    },
    /// Metrics cannot be told over HTTP.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A file to be written is there already or cannot be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Standard output is closed.
    #[error("standard output: {0}")]
    Output(io::Error),
    /// The system refused something else.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl Failure {
    /// The lines that go to standard error: what failed, and the ways out where there are several.
    pub(crate) fn report(&self) -> String {
        match self {
            Self::Config(ConfigFailure::Mistakes { flags, file }) => {
                let lines = self.to_string();
                // One may have several lines: what another file says of itself.
                let count = flags.len() + file.0.len();
                let plural = if count == 1 { "mistake" } else { "mistakes" };
                format!("{lines}\nstamp-reflector: {count} {plural} in the configuration\n")
            }
            Self::Listen { listener, source } if !source.remedies().is_empty() => {
                let mut text = format!(
                    "stamp-reflector: cannot listen on {listener}: no right to a port this low. Ways out:\n"
                );
                for remedy in source.remedies() {
                    text.push_str(&format!("  {remedy}\n"));
                }
                text
            }
            Self::Forwarding(error) => {
                let mut text = format!("stamp-reflector: {self}\n");
                let remedies = match error {
                    WorkerError::Forwarder(refusal) => {
                        refusal.remedy().map(str::to_owned).into_iter().collect()
                    }
                    WorkerError::Net(error) => error.remedies(),
                    _ => Vec::new(),
                };
                for remedy in remedies {
                    text.push_str(&format!("  {remedy}\n"));
                }
                text
            }
            other => format!("stamp-reflector: {other}\n"),
        }
    }

    /// 3: what was written is wrong; 4: the system refuses.
    pub(crate) const fn status(&self) -> u8 {
        match self {
            Self::Config(_)
            | Self::Http(HttpError::WebConfig(_))
            | Self::Restart { .. }
            | Self::Lag(NetError::NoSuchInterface { .. })
            | Self::LabelRange { .. }
            | Self::Forwarding(
                WorkerError::Forwarding(_) | WorkerError::Net(NetError::NoSuchInterface { .. }),
            )
            | Self::Worker(WorkerError::Reflector(_))
            | Self::Listen {
                source:
                    NetError::NoSuchInterface { .. }
                    | NetError::NotVrf { .. }
                    | NetError::MissingScope { .. },
                ..
            } => 3,
            Self::Listen { .. }
            | Self::Lag(_)
            | Self::Sandbox(_)
            | Self::NoFamily { .. }
            | Self::Descriptors { .. }
            | Self::Worker(_)
            | Self::Forwarding(_)
            | Self::Http(_)
            | Self::Write { .. }
            | Self::Output(_)
            | Self::System { .. } => 4,
        }
    }
}

/// Why a listener cannot be opened, without the address, which stands before it already.
fn refusal(error: &NetError) -> String {
    let NetError::AddressInUse { address, holder } = error else {
        return Chain(error).to_string();
    };
    match holder {
        Some(holder) if holder.pid == std::process::id() => {
            "a listener of this reflector that goes at the same time still has it: only a restart \
             makes this change"
                .to_owned()
        }
        Some(holder) => {
            format!("taken by {holder}; stop it or choose another port with --listen ADDR:PORT")
        }
        None => format!(
            "taken by a process that may not be seen from here (sudo ss -ulpn 'sport = :{}' names \
             it); stop it or choose another port with --listen ADDR:PORT",
            address.port()
        ),
    }
}

/// An error and what caused it, on one line.
struct Chain<'e, E>(&'e E);

impl<E: Error> fmt::Display for Chain<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use stamp_net::holder::PortHolder;

    use super::*;

    #[test]
    fn each_kind_of_failure_has_the_status_of_the_contract() {
        let listen = |source| Failure::Listen { listener: ":862".to_owned(), source };
        let address = "0.0.0.0:862".parse().unwrap();
        assert_eq!(listen(NetError::AddressInUse { address, holder: None }).status(), 4);
        assert_eq!(
            listen(NetError::PrivilegedPort { address, first_unprivileged: 1024 }).status(),
            4
        );
        assert_eq!(listen(NetError::NoSuchInterface { name: "eth9".into() }).status(), 3);
        assert_eq!(Failure::Restart { key: "workers" }.status(), 3);
        assert_eq!(Failure::Output(io::Error::other("closed")).status(), 4);
    }

    #[test]
    fn a_taken_port_names_its_holder_or_the_way_to_find_it() {
        let address = "0.0.0.0:862".parse().unwrap();
        let text = |holder| {
            let source = NetError::AddressInUse { address, holder };
            Failure::Listen { listener: ":862".to_owned(), source }.to_string()
        };
        let holder = |pid| Some(PortHolder { pid, command: "twampd".into() });
        let stranger = text(holder(u32::MAX));
        assert!(
            stranger
                .starts_with("cannot listen on :862: taken by twampd (process 4294967295); stop"),
            "{stranger}"
        );
        assert!(text(holder(std::process::id())).contains("only a restart"));
        assert!(text(None).contains("ss -ulpn 'sport = :862'"));
    }

    #[test]
    fn the_ways_out_of_a_low_port_stand_on_lines_of_their_own() {
        let address = "0.0.0.0:862".parse().unwrap();
        let source = NetError::PrivilegedPort { address, first_unprivileged: 1024 };
        let report = Failure::Listen { listener: ":862".to_owned(), source }.report();
        let lines: Vec<&str> = report.lines().collect();
        assert_eq!(lines.len(), 4, "{report}");
        assert!(lines[0].starts_with("stamp-reflector: cannot listen on :862: no right to a port"));
        assert!(lines[1].contains("setcap") && lines[3].contains("sysctl"), "{report}");
    }

    #[test]
    fn a_failure_tells_its_cause() {
        let source = NetError::Call { call: "bind", source: io::Error::other("no") };
        let failure = Failure::Listen { listener: ":862".to_owned(), source };
        assert_eq!(failure.to_string(), "cannot listen on :862: system call bind: no");
    }
}
