//! One thread of a program that is kept from running, as if it hung.

use std::fs;
use std::marker::PhantomData;

use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// A thread that does not run until this is dropped.
///
/// Signals stop all threads of a process; a debugger stops one, and needs no right for a child of its own user. It is
/// the thread that began this which is the debugger, and has to end it.
#[derive(Debug)]
pub struct HeldThread {
    thread: Pid,
    _stays_here: PhantomData<*const ()>,
}

impl HeldThread {
    /// Holds the thread of that name.
    #[track_caller]
    pub(super) fn hold(process: u32, name: &str) -> Self {
        let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("it runs").flatten();
        let is_it = |path: &std::path::PathBuf| {
            fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
        };
        let mut found = tasks.map(|task| task.path()).filter(is_it);
        let path = found.next().unwrap_or_else(|| panic!("no thread {name}"));
        assert!(found.next().is_none(), "two threads {name}");
        let number = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        let thread = Pid::from_raw(number.expect("threads have numbers"));
        ptrace::seize(thread, ptrace::Options::empty()).expect("a child can be held");
        let held = Self { thread, _stays_here: PhantomData };
        ptrace::interrupt(thread).expect("it is ours");
        let stopped = waitpid(thread, Some(WaitPidFlag::__WALL)).expect("it stops");
        assert!(!matches!(stopped, WaitStatus::Exited(..) | WaitStatus::Signaled(..)), "it ended");
        held
    }
}

impl Drop for HeldThread {
    fn drop(&mut self) {
        // One that has ended runs no more.
        let _ended = ptrace::detach(self.thread, None);
    }
}
