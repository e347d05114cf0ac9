//! Everything a service gives away before packets of strangers reach it.
//!
//! ```text
//!  read the file ─► enter: helper, capabilities, files ─► threads, sockets ─► close: system calls ─► ready
//! ```
//!
//! [`Sandbox::enter`] comes before the first thread, for capabilities and rules about files belong to
//! threads and are inherited; [`Sandbox::close`] comes when everything is bound, and is for all of them.
//! What a reload needs rights for is done by the helper, a process that takes a few typed requests over
//! a line that nobody else has ([`stamp_net::rights`]).

mod calls;
mod capabilities;
mod delegate;
mod files;
mod needs;

use std::fmt;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};

pub use delegate::run_if_asked;
pub use needs::Needs;

/// How much of it is wanted.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Mode {
    /// All of it, or no service.
    Require,
    /// Whatever the kernel has.
    #[default]
    BestEffort,
    /// Nothing.
    Off,
}

impl Mode {
    /// Every word for it.
    pub const WORDS: &'static [&'static str] = &["require", "best-effort", "off"];

    /// What a word means.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        match word {
            "require" => Some(Self::Require),
            "best-effort" => Some(Self::BestEffort),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Require => "require",
            Self::BestEffort => "best-effort",
            Self::Off => "off",
        })
    }
}

/// One thing that is given away.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Layer {
    /// Capabilities; the helper has those that may be needed again.
    Capabilities,
    /// Files beyond those of the configuration, and TCP ports (Landlock).
    Landlock,
    /// System calls that a service has no use for.
    Seccomp,
}

impl Layer {
    /// All of them, in the order they are laid.
    pub const ALL: [Self; 3] = [Self::Capabilities, Self::Landlock, Self::Seccomp];

    /// A word for labels and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Capabilities => "capabilities",
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
        }
    }
}

/// What became of a layer: in force, or why not.
type State = Result<(), String>;

/// A layer that was required and is not there.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("sandbox = \"require\": no {}: {reason}", layer.label())]
pub struct SandboxError {
    /// Which.
    pub layer: Layer,
    /// Why not.
    pub reason: String,
}

/// Set once this process has given files away.
static FILES_ARE_LIMITED: AtomicBool = AtomicBool::new(false);

/// What an operator should know about a mistake that reads like this.
#[must_use]
pub fn hint(mistake: &str) -> Option<&'static str> {
    let denied = mistake.contains("Permission denied");
    (denied && FILES_ARE_LIMITED.load(Ordering::Relaxed)).then_some(
        "the sandbox opens files in folders that the file named at the start: another takes a \
         restart, or sandbox = \"off\"",
    )
}

/// What a process has given away so far.
#[derive(Debug)]
pub struct Sandbox {
    mode: Mode,
    runs_commands: bool,
    loads_programs: bool,
    states: [State; Layer::ALL.len()],
    /// Ends with this process, which has it only to be named in the log.
    helper: Option<Child>,
}

impl Sandbox {
    /// Starts the helper, if there is a right it would have alone, and gives capabilities and files away. To be called while the process has
    /// one thread.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] in [`Mode::Require`] only.
    pub fn enter(mode: Mode, needs: &Needs) -> Result<Self, SandboxError> {
        let off = || Err("sandbox = \"off\"".to_owned());
        let mut sandbox = Self {
            mode,
            runs_commands: needs.runs_commands,
            loads_programs: needs.loads_programs(),
            states: std::array::from_fn(|_| off()),
            helper: None,
        };
        if mode == Mode::Off {
            return Ok(sandbox);
        }
        let given_away = delegate::start(&needs.capabilities).and_then(|helper| {
            sandbox.helper = helper;
            capabilities::keep(&needs.capabilities)
        });
        sandbox.lay(Layer::Capabilities, given_away)?;
        if needs.runs_commands {
            // What the operator asks for cannot be required away.
            let reason = "a command is configured, which may need any file".to_owned();
            sandbox.states[Layer::Landlock as usize] = Err(reason);
        } else {
            sandbox.lay(Layer::Landlock, files::limit(needs))?;
        }
        sandbox.states[Layer::Seccomp as usize] = Err("not yet".to_owned());
        Ok(sandbox)
    }

    /// Gives away system calls, for all threads. To be called when everything is bound.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] in [`Mode::Require`] only.
    pub fn close(&mut self) -> Result<(), SandboxError> {
        if self.mode == Mode::Off {
            return Ok(());
        }
        let wanted = calls::Wanted {
            commands: self.runs_commands,
            programs: self.loads_programs,
            raw_sockets: false,
        };
        let result = calls::allow_only(wanted);
        self.lay(Layer::Seccomp, result)
    }

    /// Other programs can be run, now and later.
    #[must_use]
    pub fn lets_commands_run(&self) -> bool {
        self.mode == Mode::Off || self.runs_commands
    }

    /// What is in force, or why not.
    pub fn layers(&self) -> impl Iterator<Item = (Layer, &Result<(), String>)> {
        Layer::ALL.into_iter().zip(&self.states)
    }

    /// The same as words and truths, for metrics.
    #[must_use]
    pub fn in_force(&self) -> Vec<(&'static str, bool)> {
        self.layers().map(|(layer, state)| (layer.label(), state.is_ok())).collect()
    }

    /// Says so in the log.
    pub fn tell(&self) {
        let helper = self.helper.as_ref().map(Child::id);
        let on = |layer: Layer| self.states[layer as usize].is_ok();
        tracing::info!(
            helper,
            capabilities = on(Layer::Capabilities),
            landlock = on(Layer::Landlock),
            seccomp = on(Layer::Seccomp),
            "sandbox: {}",
            self.mode
        );
        if self.mode == Mode::Off {
            return;
        }
        for (layer, state) in self.layers() {
            if let Err(reason) = state {
                tracing::warn!(layer = layer.label(), reason, "the sandbox lacks a layer");
            }
        }
    }

    fn lay(&mut self, layer: Layer, result: State) -> Result<(), SandboxError> {
        let missing = result.as_ref().err().filter(|_| self.mode == Mode::Require);
        let refused = missing.map(|reason| SandboxError { layer, reason: reason.clone() });
        if layer == Layer::Landlock && result.is_ok() {
            FILES_ARE_LIMITED.store(true, Ordering::Relaxed);
        }
        self.states[layer as usize] = result;
        refused.map_or(Ok(()), Err)
    }
}
