//! Which thread runs on which core.

use std::fs;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The cores that this process may use.
pub(crate) struct Cores(Vec<usize>);

impl Cores {
    /// To be asked before any thread is sent to one of them.
    pub(crate) fn of_this_process() -> Self {
        let allowed = sched_getaffinity(Pid::from_raw(0)).expect("our own cores");
        let is_allowed = |core: &usize| allowed.is_set(*core).unwrap_or(false);
        Self((0..CpuSet::count()).filter(is_allowed).collect())
    }

    /// The last is for threads of this name, the others are for everybody else and for the interrupts of most
    /// machines; whether there are enough for that.
    pub(crate) fn give_one_to(&self, name: &str) -> bool {
        let Some((last, others @ [_, ..])) = self.0.split_last() else { return false };
        for task in fs::read_dir("/proc/self/task").expect("the kernel lists our threads").flatten()
        {
            // A thread may end while we look.
            let Ok(comm) = fs::read_to_string(task.path().join("comm")) else { continue };
            let id = task.file_name().to_string_lossy().parse().expect("a number");
            let cores = if comm.trim_end() == name { std::slice::from_ref(last) } else { others };
            let mut set = CpuSet::new();
            cores.iter().for_each(|core| set.set(*core).expect("a core of this machine"));
            let _ = sched_setaffinity(Pid::from_raw(id), &set);
        }
        true
    }
}
