//! Commands of this machine.

use std::future::{pending, ready};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;

use nix::sys::stat::Mode;
use tokio::net::unix::pipe::{OpenOptions, Receiver};
use tokio::time::timeout;

use super::*;

/// What a test waits for at most: nothing that is right takes as long.
const LONGEST: Duration = Duration::from_secs(60);

/// A pipe with a name. It is open as long as a command or anything that it has started holds it.
struct Lifeline {
    path: PathBuf,
    pipe: Receiver,
}

impl Lifeline {
    fn new(name: &str) -> Self {
        let name = format!("stamp-program-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
        let pipe = OpenOptions::new().open_receiver(&path).unwrap();
        Self { path, pipe }
    }

    /// A shell that holds it as its third file.
    fn held_by(&self, script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("exec 3>{}; {script}", self.path.display())]);
        command
    }

    /// What was written to it next; nothing when nobody is left who could write.
    async fn next(&self) -> String {
        let mut octets = [0; 100];
        loop {
            timeout(LONGEST, self.pipe.readable()).await.expect("it runs on").unwrap();
            if let Ok(count) = self.pipe.try_read(&mut octets) {
                return String::from_utf8_lossy(&octets[..count]).into_owned();
            }
        }
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn block_on<F: Future>(future: impl FnOnce() -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { future().await })
}

#[test]
fn it_is_told_how_one_ended_and_all_that_it_said() {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "echo out; echo error >&2; head -c 200000 /dev/zero | tr '\\0' x; exit 3"]);
    let ended = block_on(|| run(command)).unwrap();
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!(ended.said, format!("out\nerror\n{}", "x".repeat(200_000)));
    let failure = block_on(|| run(Command::new("/nonexistent/program"))).unwrap_err();
    assert!(failure.starts_with("/nonexistent/program: No such file"), "{failure}");
}

#[test]
fn one_that_takes_too_long_is_asked_to_end() {
    block_on(|| async {
        let lifeline = Lifeline::new("asked");
        let script = "trap 'echo asked >&3; exit 0' TERM; tail -f /dev/null & echo up >&3; wait";
        let command = lifeline.held_by(script);
        let failure = run_until(command, lifeline.next(), pending::<()>()).await.unwrap_err();
        assert_eq!(failure, "/bin/sh took too long, and was ended: exit status: 0");
        assert_eq!(lifeline.next().await, "asked\n");
        assert_eq!(lifeline.next().await, "", "all of it is over");
    });
}

#[test]
fn one_that_will_not_end_is_killed_with_what_it_started() {
    block_on(|| async {
        let lifeline = Lifeline::new("killed");
        // What a shell ignores, those ignore that it starts.
        let command = lifeline.held_by("trap '' TERM; tail -f /dev/null & echo up >&3; wait");
        let failure = run_until(command, lifeline.next(), ready(())).await.unwrap_err();
        let killed = ExitStatus::from_raw(Signal::SIGKILL as i32);
        assert_eq!(failure, format!("/bin/sh took too long, and was ended: {killed}"));
        assert_eq!(lifeline.next().await, "", "all of it is over");
    });
}
