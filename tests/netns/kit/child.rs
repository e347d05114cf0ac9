//! What this test program does when its own tests start it as a program.

use std::env;
use std::net::UdpSocket;
use std::process::{Command, ExitCode};
use std::thread;

use stamp_tests::netns::{self, Families, Host, Need, Trial, trials};

const PART: &str = "STAMP_TEST_KIT_PART";

/// The parts this program can play.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// Binds UDP port 8620, says so and stays.
    Listen,
    /// A test program with one test that runs and two whose need is not met.
    Skip,
    /// A test program whose one test waits for a line that never comes.
    AwaitInVain,
}

impl Part {
    /// The part that was asked for, if one was.
    pub(crate) fn asked_for() -> Option<Self> {
        match env::var(PART).ok()?.as_str() {
            "listen" => Some(Self::Listen),
            "skip" => Some(Self::Skip),
            "await in vain" => Some(Self::AwaitInVain),
            other => panic!("{PART}={other}"),
        }
    }

    /// A command that starts this program in the part.
    pub(super) fn command(self) -> Command {
        let name = match self {
            Self::Listen => "listen",
            Self::Skip => "skip",
            Self::AwaitInVain => "await in vain",
        };
        let mut command = Command::new(env::current_exe().expect("Linux knows it"));
        command.env(PART, name);
        command
    }

    pub(crate) fn play(self) -> ExitCode {
        match self {
            Self::Listen => {
                let _socket = UdpSocket::bind("0.0.0.0:8620").expect("the port is free");
                println!("listening");
                loop {
                    thread::park();
                }
            }
            Self::Skip => netns::harness(&[skipped]),
            Self::AwaitInVain => netns::harness(&[|| trials![waits_in_vain]]),
        }
    }
}

fn skipped() -> Vec<Trial> {
    const WINGS: Need =
        Need { name: "wings", allow: "grow wings", met: || false, beyond_namespaces: false };
    trials![walks, flies: [WINGS], soars: [WINGS, Need::IPV6]]
}

fn walks() {}

fn flies() {
    panic!("without wings");
}

fn soars() {
    panic!("without wings");
}

fn waits_in_vain() {
    let host = Host::new("host", Families::V4);
    let program = host.spawn(Command::new("sh").args(["-c", "echo something else; exit 4"]));
    program.wait_for_line(|line| line == "ready");
}
