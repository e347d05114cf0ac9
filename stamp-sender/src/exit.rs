//! Exit statuses: one meaning each, the same in every output mode.

use std::io::{self, Write};
use std::process::ExitCode;

use stamp_config::key_file::KeyFileError;
use stamp_lab::LabError;
use stamp_net::NetError;
use stamp_service::sandbox::SandboxError;
use stamp_session::sender::SenderConfigError;
use stamp_worker::WorkerError;

use crate::check::Verdict;
use crate::target::TargetError;

/// How a run ended that did what it was asked to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// Every host answered at least once; no limit that was given was broken.
    Done,
    /// Some host never answered, or a limit that was given was broken.
    Unmet,
    /// The name or route of a host is missing; the others were measured.
    Missing,
    /// Interrupted before the first reply.
    Interrupted,
    /// What a check found, by the rules of monitoring plugins.
    Verdict(Verdict),
}

impl Status {
    /// Of a run that left out a host without name or route.
    #[must_use]
    pub const fn with_missing_host(self) -> Self {
        match self {
            Self::Done | Self::Unmet | Self::Missing => Self::Missing,
            other @ (Self::Interrupted | Self::Verdict(_)) => other,
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Unmet => 1,
            Self::Missing => 2,
            Self::Interrupted => 130,
            Self::Verdict(verdict) => verdict.code(),
        }
    }
}

/// Why something could not be done at all.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A target that cannot be used.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A key file that cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A flag that contradicts another or what was found.
    #[error("{flag}: {problem}")]
    Usage {
        /// The flag.
        flag: &'static str,
        /// What is wrong, what is allowed.
        problem: String,
    },
    /// What a flag is about is not there now, and may come.
    #[error("{flag}: {problem}")]
    Absent {
        /// The flag.
        flag: &'static str,
        /// What is not there.
        problem: String,
    },
    /// The far end is not what was asked for.
    #[error("{0}")]
    Requirement(String),
    /// An input file that cannot be read or understood.
    #[error("{0}")]
    Input(String),
    /// A topology file that cannot be read or understood.
    #[error("{0}")]
    Topology(String),
    /// The kernel refused.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The packet worker could not start or broke down.
    #[error(transparent)]
    Worker(WorkerError),
    /// More sockets than the process may have.
    #[error(
        "{needed} file descriptors are needed and {limit} allowed: fewer hosts at once, or a higher \
         hard limit (ulimit -Hn, LimitNOFILE=)"
    )]
    Descriptors {
        /// How many have to be opened.
        needed: u64,
        /// How many may be.
        limit: u64,
    },
    /// A layer of the sandbox is required and not there.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// One session of a file.
    #[error("{told}")]
    Session {
        /// Which, why, and where that stands.
        told: String,
        /// The same as whoever opened it said it; `told` has its words.
        failure: Box<Failure>,
    },
    /// This machine builds no lab, or not this one.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The process of a lab refused something, or there is none.
    #[error("{problem}")]
    Refused {
        /// The exit status.
        status: u8,
        /// Why.
        problem: String,
    },
    /// Results could not be written.
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
    /// Whoever read the results has seen enough (`| head`), which is no news to the user.
    fn is_reader_gone(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// A name or a route is missing: nothing is wrong with what else was asked for.
    #[must_use]
    pub const fn is_missing_host(&self) -> bool {
        self.code() == 2
    }

    /// 1 a requirement is not met, 2 a name or route is missing, 3 usage or input, 4 permission, port or system call.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Refused { status, .. } => *status,
            Self::Session { failure, .. } => failure.code(),
            Self::Target(TargetError::Resolve { .. } | TargetError::Family { .. })
            | Self::Net(NetError::NoRoute { .. })
            | Self::Worker(WorkerError::Net(NetError::NoRoute { .. })) => 2,
            Self::Requirement(_) => 1,
            Self::Target(_)
            | Self::KeyFile(_)
            | Self::Usage { .. }
            | Self::Absent { .. }
            | Self::Input(_)
            | Self::Topology(_)
            | Self::Net(NetError::NoSuchInterface { .. } | NetError::NotVrf { .. })
            | Self::Worker(WorkerError::Sender(_) | WorkerError::Reflector(_)) => 3,
            Self::Net(_)
            | Self::Lab(_)
            | Self::Sandbox(_)
            | Self::Worker(_)
            | Self::Descriptors { .. }
            | Self::Output(_)
            | Self::System { .. } => 4,
        }
    }
}

impl From<WorkerError> for Failure {
    fn from(error: WorkerError) -> Self {
        match error {
            WorkerError::Sender(impossible @ SenderConfigError::TooManyOutstanding { .. }) => {
                Self::Usage { flag: "--interval, --timeout", problem: impossible.to_string() }
            }
            error => Self::Worker(error),
        }
    }
}

/// Tells what clap found; help and version are no errors.
pub fn usage(error: &clap::Error) -> ExitCode {
    // Nothing can be told when standard error is closed as well.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 3 } else { 0 })
}

/// Writes to standard error; when nobody can read it, nobody misses it.
pub fn tell(text: &str) {
    let mut stream = io::stderr().lock();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Tells why something was not done.
pub fn tell_failure(failure: &Failure) {
    tell(&format!("stamp-sender: {}\n", with_causes(failure)));
}

/// Tells why nothing was done and gives the status.
pub fn report(ended: Result<Status, Failure>) -> ExitCode {
    match ended {
        Ok(status) => ExitCode::from(status.code()),
        Err(failure) => {
            if !failure.is_reader_gone() {
                tell_failure(&failure);
            }
            ExitCode::from(failure.code())
        }
    }
}

/// The failure and what led to it, as one line.
pub fn with_causes(failure: &dyn std::error::Error) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(error) = cause {
        // A cause that the message already quotes is not said twice.
        let words = error.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_failure_has_the_status_of_the_contract() {
        let usage = Failure::Usage { flag: "--size", problem: "too small".to_owned() };
        assert_eq!(usage.code(), 3);
        let resolve = TargetError::Resolve { text: "x".to_owned(), source: io::Error::other("no") };
        assert_eq!(Failure::Target(resolve).code(), 2);
        assert_eq!(Failure::Target(TargetError::Form { text: ":".to_owned() }).code(), 3);
        assert_eq!(Failure::Output(io::Error::other("pipe")).code(), 4);
        assert_eq!(Status::Unmet.code(), 1);
        assert_eq!(Status::Unmet.with_missing_host().code(), 2);
        assert_eq!(Status::Interrupted.with_missing_host().code(), 130);
        assert_eq!(Status::Interrupted.code(), 130);
    }
}
