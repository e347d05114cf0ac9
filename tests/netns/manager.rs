//! What both programs tell the service manager.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;

use stamp_tests::netns::{self, Families, Host, Program, Signal, Trial, trials};

use crate::folder::Folder;

pub(crate) fn trials() -> Vec<Trial> {
    trials![the_manager_hears_from_a_sender, the_manager_hears_from_a_reflector]
}

/// The manager's end.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn new(folder: &Folder) -> Self {
        let path = folder.path("notify");
        let socket = UnixDatagram::bind(&path).expect("the folder is ours");
        Self { socket, path }
    }

    /// Starts a program as a service of this manager, to be heard of every second.
    fn start(&self, host: &Host, command: &mut Command) -> Program {
        command.env("NOTIFY_SOCKET", &self.path).env("WATCHDOG_USEC", "1000000");
        host.spawn(command)
    }

    /// What it is told next.
    fn next(&self) -> String {
        let mut octets = [0; 512];
        let count = self.socket.recv(&mut octets).expect("word comes");
        String::from_utf8_lossy(&octets[..count]).trim_end().to_owned()
    }

    /// What it is told next besides that the service is alive.
    fn news(&self) -> String {
        loop {
            let told = self.next();
            if told != "WATCHDOG=1" {
                return told;
            }
        }
    }

    /// Ready, alive, reloading and ready again, stopping.
    fn hears_a_life(&self, program: &Program) {
        assert_eq!(self.next(), "READY=1");
        assert_eq!([self.next(), self.next()], ["WATCHDOG=1", "WATCHDOG=1"]);
        program.signal(Signal::SIGHUP);
        let reloading = self.news();
        assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
        assert_eq!(self.news(), "READY=1");
        program.signal(Signal::SIGTERM);
        assert_eq!(self.news(), "STOPPING=1");
        program.wait().assert_code(0);
    }
}

fn the_manager_hears_from_a_sender() {
    let host = Host::new("host", Families::V4);
    let folder = Folder::new();
    let manager = Manager::new(&folder);
    let text = "[[session]]\nname = \"a\"\ntarget = \"127.0.0.1:8620\"\n";
    let file = folder.write("sender.toml", text);
    let program = manager.start(&host, netns::binary("stamp-sender").arg("run").arg(&file));
    manager.hears_a_life(&program);
}

fn the_manager_hears_from_a_reflector() {
    let host = Host::new("host", Families::V4);
    let folder = Folder::new();
    let manager = Manager::new(&folder);
    let file = folder.write("reflector.toml", "listen = \"127.0.0.1:8620\"\n");
    let program = manager.start(&host, netns::binary("stamp-reflector").arg(&file));
    manager.hears_a_life(&program);
}
