//! Which shell a node runs in.

use core::fmt;

use stamp_session::forwarding::ForwardingSnapshot;

use super::ForwarderSetup;
use super::packet::{PacketAsker, PacketShell};
use super::tc::{Prepared, TcShell};
use crate::error::WorkerError;

/// What an operator asks for.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum ShellWish {
    /// The fastest that can do everything that is configured, and has the rights for it here.
    #[default]
    Auto,
    /// This one, or none.
    Only(Shell),
}

impl From<Shell> for ShellWish {
    fn from(shell: Shell) -> Self {
        Self::Only(shell)
    }
}

/// How packets reach the core and leave.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Shell {
    /// Packet sockets.
    Packet,
    /// A program at the ingress of interfaces.
    Tc,
}

impl fmt::Display for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Packet => "packet",
            Self::Tc => "tc",
        })
    }
}

/// A shell at work.
#[derive(Debug)]
pub(super) struct Running {
    work: Work,
    passed_over: Option<WorkerError>,
    /// What was counted by those that are gone.
    before: ForwardingSnapshot,
}

#[derive(Debug)]
enum Work {
    Packet(PacketShell),
    Tc(TcShell),
    /// One has ended, and the next could not be started.
    None,
}

/// What was chosen, and seen to as far as nothing changes by it.
enum Chosen {
    Packet { passed_over: Option<WorkerError> },
    Tc(Box<Prepared>),
}

impl Chosen {
    /// # Errors
    ///
    /// What is in the way of the only shell that will do.
    fn by(setup: &ForwarderSetup) -> Result<Self, WorkerError> {
        let prepared = match setup.shell {
            ShellWish::Only(Shell::Packet) => return Ok(Self::Packet { passed_over: None }),
            ShellWish::Only(Shell::Tc) => Prepared::new(setup)?,
            ShellWish::Auto => match Prepared::new(setup) {
                Ok(prepared) => prepared,
                Err(refusal) => return Ok(Self::Packet { passed_over: Some(refusal) }),
            },
        };
        Ok(Self::Tc(Box::new(prepared)))
    }

    fn start(self, setup: &ForwarderSetup) -> Result<(Work, Option<WorkerError>), WorkerError> {
        Ok(match self {
            Self::Packet { passed_over } => (Work::Packet(PacketShell::start(setup)?), passed_over),
            Self::Tc(prepared) => (Work::Tc(TcShell::start(*prepared)?), None),
        })
    }
}

impl Running {
    pub(super) fn start(setup: &ForwarderSetup) -> Result<Self, WorkerError> {
        let (work, passed_over) = Chosen::by(setup)?.start(setup)?;
        let before = ForwardingSnapshot::of_rules(setup.timestamps.len());
        Ok(Self { work, passed_over, before })
    }

    /// Goes on with another set-up.
    pub(super) fn reconfigure(
        &mut self,
        old: &ForwarderSetup,
        new: &ForwarderSetup,
    ) -> Result<(), WorkerError> {
        match (Chosen::by(new)?, &mut self.work) {
            (Chosen::Packet { passed_over }, Work::Packet(packet)) => {
                packet.reconfigure(new)?;
                self.passed_over = passed_over;
            }
            (Chosen::Tc(prepared), Work::Tc(tc)) => {
                let counted = tc.reconfigure(*prepared)?;
                self.add(&counted);
            }
            (chosen, _) => self.change(chosen, old, new)?,
        }
        let before = std::mem::take(&mut self.before);
        self.before = before.carried(&old.triggers(), &new.triggers());
        Ok(())
    }

    /// Takes another shell. There are never two at once: each would send the packet on.
    fn change(
        &mut self,
        chosen: Chosen,
        old: &ForwarderSetup,
        new: &ForwarderSetup,
    ) -> Result<(), WorkerError> {
        let again = ForwarderSetup { shell: self.shell().into(), ..old.clone() };
        let counted = self.work.end();
        self.add(&counted);
        match chosen.start(new) {
            Ok((work, passed_over)) => {
                (self.work, self.passed_over) = (work, passed_over);
                Ok(())
            }
            Err(refusal) => {
                // As it was before, which was fine then.
                self.work = Chosen::by(&again)?.start(&again)?.0;
                Err(refusal)
            }
        }
    }

    fn add(&mut self, counted: &ForwardingSnapshot) {
        self.before = std::mem::take(&mut self.before).plus(counted);
    }

    pub(super) const fn shell(&self) -> Shell {
        match &self.work {
            Work::Tc(_) => Shell::Tc,
            Work::Packet(_) | Work::None => Shell::Packet,
        }
    }

    pub(super) const fn passed_over(&self) -> Option<&WorkerError> {
        self.passed_over.as_ref()
    }

    /// Asks its packet thread; none where the kernel does all of it.
    pub(super) fn asker(&self) -> Option<PacketAsker> {
        match &self.work {
            Work::Packet(packet) => Some(packet.asker()),
            Work::Tc(_) | Work::None => None,
        }
    }

    pub(super) fn snapshot(&self) -> ForwardingSnapshot {
        let counted = match &self.work {
            Work::Packet(packet) => packet.snapshot(),
            Work::Tc(tc) => tc.snapshot(),
            Work::None => ForwardingSnapshot::default(),
        };
        self.before.clone().plus(&counted)
    }

    /// Both, unless nobody answers.
    pub(super) fn counted(&self) -> Option<(ForwardingSnapshot, u64)> {
        let Work::Packet(packet) = &self.work else {
            return Some((self.snapshot(), self.queue_drops()));
        };
        let (counted, drops) = packet.counted()?;
        Some((self.before.clone().plus(&counted), drops))
    }

    pub(super) fn queue_drops(&self) -> u64 {
        match &self.work {
            Work::Packet(packet) => packet.queue_drops(),
            // Whatever comes in passes the program.
            Work::Tc(_) | Work::None => 0,
        }
    }

    pub(super) fn stop(mut self) -> ForwardingSnapshot {
        let counted = self.work.end();
        self.before.plus(&counted)
    }
}

impl Work {
    /// Ends it and tells what it counted.
    fn end(&mut self) -> ForwardingSnapshot {
        match std::mem::replace(self, Self::None) {
            Self::Packet(packet) => packet.stop(),
            Self::Tc(tc) => tc.stop(),
            Self::None => ForwardingSnapshot::default(),
        }
    }
}
