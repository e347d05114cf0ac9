//! What the kernel knows of this process, as everybody calls it.

use std::fs;

use crate::catalogue::{CPU, MAX_FDS, OPEN_FDS, RESIDENT, START_TIME, THREADS, VIRTUAL};
use crate::exposition::{Family, Of};
use crate::program::Program;

/// Ticks a second in which the kernel tells processor time, on every platform we support
/// (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Figures of the process. `None` is unknown: a sandbox may hide the files.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    cpu_seconds: Option<f64>,
    resident_bytes: Option<f64>,
    virtual_bytes: Option<f64>,
    open_fds: Option<f64>,
    max_fds: Option<f64>,
    start_seconds: Option<f64>,
    threads: Option<f64>,
}

impl Process {
    /// As it is now.
    #[must_use]
    pub fn read() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let stat = text("/proc/self/stat");
        let status = text("/proc/self/status");
        let kilobytes = |key| field(&status, key).map(|kilobytes| kilobytes * 1024.0);
        // The name of the program stands in brackets and may hold anything.
        let fields: Vec<&str> =
            stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok().map(|it| it / TICKS);
        let booted = field(&text("/proc/stat"), "btime");
        Self {
            // The 14th, 15th and 22nd field; the third is the first behind the name.
            cpu_seconds: ticks(11).zip(ticks(12)).map(|(user, system)| user + system),
            start_seconds: booted.zip(ticks(19)).map(|(booted, start)| booted + start),
            resident_bytes: kilobytes("VmRSS:"),
            virtual_bytes: kilobytes("VmSize:"),
            threads: field(&status, "Threads:"),
            open_fds: fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as f64),
            max_fds: field(&text("/proc/self/limits"), "Max open files"),
        }
    }
}

/// The number behind a word at the beginning of a line.
fn field(text: &str, key: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Its metrics.
pub(crate) const fn families<P: AsRef<Program>, I>() -> [Family<P, I>; 7] {
    [
        Family::new(&CPU, Of::Program(|of, to| to.some(&[], of.as_ref().process.cpu_seconds))),
        Family::new(
            &RESIDENT,
            Of::Program(|of, to| to.some(&[], of.as_ref().process.resident_bytes)),
        ),
        Family::new(
            &VIRTUAL,
            Of::Program(|of, to| to.some(&[], of.as_ref().process.virtual_bytes)),
        ),
        Family::new(&OPEN_FDS, Of::Program(|of, to| to.some(&[], of.as_ref().process.open_fds))),
        Family::new(&MAX_FDS, Of::Program(|of, to| to.some(&[], of.as_ref().process.max_fds))),
        Family::new(
            &START_TIME,
            Of::Program(|of, to| to.some(&[], of.as_ref().process.start_seconds)),
        ),
        Family::new(&THREADS, Of::Program(|of, to| to.some(&[], of.as_ref().process.threads))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_all_of_it() {
        let process = Process::read();
        assert!(process.threads.is_some_and(|threads| threads >= 1.0));
        assert!(process.open_fds.zip(process.max_fds).is_some_and(|(open, max)| open <= max));
        assert!(process.resident_bytes < process.virtual_bytes);
        assert!(process.cpu_seconds.is_some());
        // After this program was written.
        assert!(process.start_seconds.is_some_and(|start| start > 1.7e9));
    }
}
