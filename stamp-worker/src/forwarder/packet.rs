//! The shell that reads packets from packet sockets: frames in from a ring, frames out. It can do
//! everything that the core decides.
//!
//! Such a socket sees a copy, so the kernel must do nothing with the original. Packets to a SID end
//! in a blackhole route of the kernel for as long as a worker has it; labels end at the edge of a
//! kernel that does not forward labels on that interface, which is seen to before anything starts.

mod exits;
mod prepare;
mod thread;
mod vrfs;
mod ways;

use std::sync::mpsc;
use std::thread::JoinHandle;

use stamp_net::route::Blackhole;
use stamp_session::forwarding::ForwardingSnapshot;

use super::ForwarderSetup;
use crate::error::WorkerError;
use crate::line::Line;
use crate::roll_call::RollCall;
use prepare::Prepared;
use thread::{Command, ForwarderThread};

/// Of the thread.
const NAME: &str = "forwarder";

/// A thread that forwards.
///
/// Dropping it stops the thread and takes its blackhole routes away.
#[derive(Debug)]
pub(super) struct PacketShell {
    /// Numbers of the interfaces that have a ring.
    open: Vec<u32>,
    line: Line<Command>,
    thread: Option<JoinHandle<ForwardingSnapshot>>,
    blackholes: Vec<Blackhole>,
}

impl PacketShell {
    /// Starts a node.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Forwarder`] when the kernel would act on the same packets, the capability
    /// that is missing, the interface that does not exist, or another refusal of the system.
    pub(super) fn start(setup: &ForwarderSetup) -> Result<Self, WorkerError> {
        let mut prepared = Prepared::new(setup, &[], &[])?;
        let blackholes = std::mem::take(&mut prepared.blackholes);
        let open = prepared.interfaces();
        let (commands, inbox) = mpsc::channel();
        let thread = ForwarderThread::new(prepared, inbox)?;
        let line = Line::new(NAME, commands, thread.waker());
        let thread = std::thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || thread.run())
            .map_err(WorkerError::Thread)?;
        Ok(Self { open, line, thread: Some(thread), blackholes })
    }

    /// Goes on with another set-up; what stays keeps its counters and loses no packet.
    ///
    /// # Errors
    ///
    /// As [`Self::start`]; then nothing has changed.
    pub(super) fn reconfigure(&mut self, setup: &ForwarderSetup) -> Result<(), WorkerError> {
        let mut prepared = Prepared::new(setup, &self.open, &self.blackholes)?;
        let added = std::mem::take(&mut prepared.blackholes);
        let open = prepared.interfaces();
        let prepared = Box::new(prepared);
        self.line.ask(|answer| Command::Reconfigure { prepared, answer })??;
        self.open = open;
        self.blackholes.extend(added);
        let sids: Vec<_> = setup.sids().map(|sid| (sid.prefix(), sid.bits())).collect();
        self.blackholes.retain(|blackhole| sids.contains(&blackhole.prefix()));
        Ok(())
    }

    /// Asks the thread from another one.
    pub(super) fn asker(&self) -> PacketAsker {
        PacketAsker(self.line.clone())
    }

    /// What was done so far; nothing when the thread has ended.
    pub(super) fn snapshot(&self) -> ForwardingSnapshot {
        self.line.ask(Command::Snapshot).unwrap_or_default()
    }

    /// The same, and [`Self::queue_drops`]; `None` when the thread does not answer.
    pub(super) fn counted(&self) -> Option<(ForwardingSnapshot, u64)> {
        let counted = self.line.ask_shortly(Command::Snapshot)?;
        Some((counted, self.line.ask_shortly(Command::QueueDrops)?))
    }

    /// Frames that found no room in a ring: the worker did not keep up.
    pub(super) fn queue_drops(&self) -> u64 {
        self.line.ask(Command::QueueDrops).unwrap_or(0)
    }

    /// Stops it and returns its counters.
    pub(super) fn stop(mut self) -> ForwardingSnapshot {
        self.end().unwrap_or_default()
    }

    fn end(&mut self) -> Option<ForwardingSnapshot> {
        self.line.tell(Command::Stop);
        self.thread.take()?.join().ok()
    }
}

/// Asks the thread, for as long as it runs.
#[derive(Clone, Debug)]
pub(super) struct PacketAsker(Line<Command>);

impl PacketAsker {
    /// Asks whether it is there.
    pub(super) fn call(&self, roll: &mut RollCall) {
        self.0.call(roll, Command::Here);
    }
}

impl Drop for PacketShell {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
