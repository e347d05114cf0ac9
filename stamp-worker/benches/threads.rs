//! Processor time of other threads of this process.

use std::fs;

/// Nanoseconds that the threads of this name have run so far, but for the main one, which bears the
/// name of the program.
///
/// Exact for a thread that waits; of a running one the kernel may hold the last tick back.
pub(crate) fn processor_ns(name: &str) -> u64 {
    let tasks = fs::read_dir("/proc/self/task").expect("the kernel lists our threads");
    let paths = tasks.filter_map(|task| Some(task.ok()?.path()));
    let main = std::process::id().to_string();
    let named = paths.filter(|path| !path.ends_with(&main)).filter(|path| {
        // A thread may end while we look.
        fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    });
    let run = |path: std::path::PathBuf| {
        fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok()
    };
    named.filter_map(run).sum()
}
