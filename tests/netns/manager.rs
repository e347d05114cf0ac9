//! What both programs tell the service manager, and the sockets that it keeps for them.

use std::cell::RefCell;
use std::fs;
use std::io::{ErrorKind, IoSliceMut};
use std::iter;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;

use nix::cmsg_space;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use serde_json::Value;
use stamp_tests::netns::{self, Families, Host, Need, Program, Signal, Trial, trials};

use crate::daemon::faults::assert_no_counter_went_back;
use crate::folder::Folder;
use crate::http::{At, ask, scrape};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        the_manager_hears_from_a_sender,
        the_manager_hears_from_a_reflector,
        the_manager_hears_nothing_while_a_thread_of_a_sender_hangs,
        the_manager_hears_nothing_while_a_thread_of_a_reflector_hangs: [Need::IPV6],
        a_restart_with_kept_sockets_loses_no_probe,
        kept_sockets_that_do_not_fit_are_closed_and_forgotten,
        pages_are_served_at_a_listener_that_was_passed_on,
        a_sender_serves_where_its_command_line_says_before_its_file,
    ]
}

/// The manager's end.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
    /// Sockets it was given to keep, by the names they were given under. A program started from here
    /// inherits them.
    kept: RefCell<Vec<(String, RawFd)>>,
}

impl Manager {
    fn new(folder: &Folder) -> Self {
        let path = folder.path("notify");
        let socket = UnixDatagram::bind(&path).expect("the folder is ours");
        Self { socket, path, kept: RefCell::default() }
    }

    /// Starts a program as a service of this manager, to be heard of every second.
    fn start(&self, host: &Host, command: &mut Command) -> Program {
        command.env("NOTIFY_SOCKET", &self.path).env("WATCHDOG_USEC", "1000000");
        host.spawn(command)
    }

    /// The reflector with these arguments, with sockets passed on.
    fn start_with(&self, host: &Host, passed: &[(String, RawFd)], words: &[&str]) -> Program {
        self.start_program_with(host, "stamp-reflector", passed, words)
    }

    /// The same of either program.
    fn start_program_with(
        &self,
        host: &Host,
        name: &str,
        passed: &[(String, RawFd)],
        words: &[&str],
    ) -> Program {
        let names: Vec<&str> = passed.iter().map(|(name, _)| name.as_str()).collect();
        let numbers = passed.iter().enumerate();
        // Far above first, so that none is overwritten before it was moved.
        let above: String =
            numbers.clone().map(|(at, (_, fd))| format!(" {}<&{fd}", at + 100)).collect();
        let moved: String =
            numbers.map(|(at, _)| format!(" {}<&{} {}<&-", at + 3, at + 100, at + 100)).collect();
        let script = format!("exec{above}; exec{moved}; LISTEN_PID=$$ exec \"$@\"");
        let mut command = Command::new("bash");
        let program = netns::binary(name).get_program().to_owned();
        command.args(["-c", &script, "bash"]).arg(program).args(words);
        command.env("LISTEN_FDS", passed.len().to_string()).env("LISTEN_FDNAMES", names.join(":"));
        self.start(host, &mut command)
    }

    /// What it is told next besides to keep sockets, which it does.
    fn next(&self) -> String {
        loop {
            let told = self.receive();
            let Some(named) = told.strip_prefix("FDSTORE=1\nFDNAME=") else { return told };
            assert!(self.kept.borrow().iter().any(|(name, _)| name == named), "{told}");
        }
    }

    fn receive(&self) -> String {
        let mut octets = [0; 512];
        let mut control = cmsg_space!([RawFd; 64]);
        let mut vectors = [IoSliceMut::new(&mut octets)];
        let flags = MsgFlags::empty();
        let message =
            recvmsg::<()>(self.socket.as_raw_fd(), &mut vectors, Some(&mut control), flags);
        let message = message.expect("word comes");
        let passed = message.cmsgs().expect("there is room").flat_map(|control| match control {
            ControlMessageOwned::ScmRights(passed) => passed,
            _ => Vec::new(),
        });
        let (passed, count): (Vec<RawFd>, usize) = (passed.collect(), message.bytes);
        let told = String::from_utf8_lossy(&octets[..count]).trim_end().to_owned();
        if let Some((_, name)) = told.split_once("FDNAME=") {
            self.kept.borrow_mut().extend(passed.iter().map(|fd| (name.to_owned(), *fd)));
        }
        told
    }

    /// Forgets what it was told until now, and from then on does not wait to be told something.
    fn forget(&self) {
        self.socket.set_nonblocking(true).expect("a socket");
        while self.socket.recv(&mut [0; 512]).is_ok() {}
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

/// While one of its threads hangs a program is not said to be alive, though it answers over HTTP, and says which.
#[track_caller]
fn is_not_alive_without(thread: &str, (manager, program): (&Manager, &Program), at: At<'_>) {
    let before = scrape(at);
    let held = program.hold_thread(thread);
    let silent = format!("packet thread {thread} does not answer");
    program.wait_for_error_line(|line| {
        line.contains(&format!("{silent}: the service manager is not told"))
    });
    manager.forget();
    // That it does not is known after longer than the manager waits.
    assert_eq!(ask(at, "GET", "/-/ready", ""), (503, format!("{silent}\n")));
    let ping = manager.socket.recv(&mut [0; 512]).map_err(|error| error.kind());
    assert_eq!(ping, Err(ErrorKind::WouldBlock), "it was said to be alive");
    manager.socket.set_nonblocking(false).expect("a socket");
    assert_eq!(ask(at, "GET", "/-/healthy", "").0, 200);
    let meanwhile = scrape(at);
    drop(held);
    assert_eq!(manager.next(), "WATCHDOG=1");
    assert_eq!(ask(at, "GET", "/-/ready", "").0, 200);
    assert_no_counter_went_back(&before, &meanwhile);
    assert_no_counter_went_back(&meanwhile, &scrape(at));
}

fn the_manager_hears_nothing_while_a_thread_of_a_sender_hangs() {
    let host = Host::new("host", Families::V4);
    let folder = Folder::new();
    let manager = Manager::new(&folder);
    let text = "workers = 2\n[[session]]\nname = \"a\"\ntarget = \"127.0.0.1:8620\"\n\
                [[session]]\nname = \"b\"\ntarget = \"127.0.0.1:8620\"\n";
    let file = folder.write("sender.toml", text);
    let program = manager.start(&host, netns::binary("stamp-sender").arg("run").arg(&file));
    assert_eq!(manager.next(), "READY=1");
    is_not_alive_without("sender-1", (&manager, &program), (&host, 9862));
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
}

fn the_manager_hears_nothing_while_a_thread_of_a_reflector_hangs() {
    let net = netns::two_hosts(Families::Both);
    let folder = Folder::new();
    let manager = Manager::new(&folder);
    let text = "listen = \"0.0.0.0:862\"\nworkers = 2\ntimestamp-shell = \"packet\"\n\
                [[timestamp]]\nsid = \"fc00:bb:2:f::/64\"\ninterfaces = [\"eth0\"]\n";
    let file = folder.write("reflector.toml", text);
    let program = manager.start(&net.far, netns::binary("stamp-reflector").arg(&file));
    assert_eq!(manager.next(), "READY=1");
    for thread in ["reflector-1", "forwarder"] {
        is_not_alive_without(thread, (&manager, &program), (&net.far, 9863));
    }
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
}

/// Whether datagrams wait in a UDP socket of the host.
fn datagrams_wait(host: &Host) -> bool {
    let tables = ["/proc/thread-self/net/udp", "/proc/thread-self/net/udp6"];
    let tables =
        host.run(move || tables.map(|table| fs::read_to_string(table).unwrap_or_default()));
    let waits = |line: &str| {
        let queues = line.split_whitespace().nth(4).and_then(|queues| queues.split_once(':'));
        queues.is_some_and(|(_, receive)| receive.bytes().any(|digit| digit != b'0'))
    };
    tables.iter().any(|table| table.lines().skip(1).any(waits))
}

fn a_restart_with_kept_sockets_loses_no_probe() {
    let net = netns::two_hosts(Families::Both);
    let folder = Folder::new();
    let manager = Manager::new(&folder);
    let words = ["--listen", ":8620", "--workers", "2", "--rate-limit", "off"];
    let mut command = netns::binary("stamp-reflector");
    let before = manager.start(&net.far, command.args(words));
    assert_eq!(manager.news(), "READY=1");
    let kept = manager.kept.take();
    assert_eq!(kept.len(), 4, "two families, a socket for each worker: {kept:?}");

    let probing = [netns::Family::V4, netns::Family::V6].map(|family| {
        let mut sender = netns::binary("stamp-sender");
        sender
            .arg(net.far.address(family).to_string())
            .args(["-p", "8620", "-c", "300", "-i", "5ms"]);
        sender.args(["--timeout", "10s", "--ndjson", "--ask-follow-up"]);
        net.near.spawn(&mut sender)
    });
    for sender in &probing {
        sender.wait_for_line(|line| line.contains("\"sequence\":50,"));
    }
    before.signal(Signal::SIGTERM);
    before.wait().assert_code(0);
    while !datagrams_wait(&net.far) {
        assert!(probing.iter().all(Program::is_running), "nobody sends any more");
    }
    let after = manager.start_with(&net.far, &kept, &words);
    for _ in 0..2 {
        after.wait_for_error_line(|line| line.contains("goes on with the sockets passed on"));
    }
    for sender in &probing {
        let told = sender.wait();
        told.assert_code(0);
        let end = told.stdout.lines().last().expect("a summary");
        let end: Value = serde_json::from_str(end).expect("an object");
        let packets = &end["packets"];
        // A slot that this host had no time for is no probe.
        assert_eq!(packets["received"], packets["sent"], "{packets}");
        assert_eq!(packets["lost"]["round_trip"], 0, "{packets}");
    }
    after.signal(Signal::SIGTERM);
    after.wait().assert_code(0);
}

fn kept_sockets_that_do_not_fit_are_closed_and_forgotten() {
    let host = Host::new("host", Families::V4);
    let folder = Folder::new();
    let manager = Manager::new(&folder);
    // Lives until it is ready; what the manager was told by then.
    let life = |passed: &[_], listen: &str, workers: &str| {
        let words = ["--listen", listen, "--workers", workers];
        let program = manager.start_with(&host, passed, &words);
        let told: Vec<String> = iter::from_fn(|| Some(manager.receive()))
            .take_while(|told| told != "READY=1")
            .map(|told| told.replace('\n', " "))
            .collect();
        program.signal(Signal::SIGTERM);
        let finished = program.wait();
        finished.assert_code(0);
        while manager.receive() != "STOPPING=1" {}
        (told, finished.stderr)
    };
    let (told, _) = life(&[], "127.0.0.1:8620", "1");
    assert_eq!(told, ["FDSTORE=1 FDNAME=127.0.0.1_8620"]);
    let kept = manager.kept.take();

    let (told, said) = life(&kept, "127.0.0.1:8621", "1");
    assert_eq!(
        told,
        ["FDSTORE=1 FDNAME=127.0.0.1_8621", "FDSTOREREMOVE=1 FDNAME=127.0.0.1_8620"],
        "another port"
    );
    assert!(said.contains("nothing listens there\" local=127.0.0.1:8620"), "{said}");
    let one = manager.kept.take();

    let (told, _) = life(&one, "127.0.0.1:8621", "2");
    assert_eq!(told, ["FDSTORE=1 FDNAME=127.0.0.1_8621"], "another worker");
    let two = manager.kept.take();
    assert_eq!(two.len(), 2, "one more beside the one there was");

    let (told, _) = life(&two, "127.0.0.1:8621", "1");
    let again = ["FDSTOREREMOVE=1 FDNAME=127.0.0.1_8621", "FDSTORE=1 FDNAME=127.0.0.1_8621"];
    assert_eq!(told, again, "a worker less");
    assert_eq!(manager.kept.borrow().len(), 1);
}

/// A listener at this port of the loopback, as a manager passes it on.
fn web_listener(host: &Host, port: u16) -> (String, RawFd) {
    let listener = host.run(|| TcpListener::bind(("127.0.0.1", port))).expect("a free port");
    // For the program that is started.
    fcntl(&listener, FcntlArg::F_SETFD(FdFlag::empty())).expect("it is open");
    ("web".to_owned(), listener.into_raw_fd())
}

fn pages_are_served_at_a_listener_that_was_passed_on() {
    let host = Host::new("host", Families::V4);
    let folder = Folder::new();
    let manager = Manager::new(&folder);
    let passed = [web_listener(&host, 9863)];
    let file = folder
        .write("reflector.toml", "listen = \"127.0.0.1:8620\"\nweb.listen = \"127.0.0.1:9863\"\n");
    let program = manager.start_with(&host, &passed, &[file.to_str().expect("a plain path")]);
    assert_eq!(manager.news(), "READY=1");
    assert!(scrape((&host, 9863)).contains("stamp_reflector_"));
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
}

fn a_sender_serves_where_its_command_line_says_before_its_file() {
    let host = Host::new("host", Families::V4);
    let folder = Folder::new();
    let manager = Manager::new(&folder);
    let passed = [web_listener(&host, 9862)];
    let session = "[[session]]\nname = \"a\"\ntarget = \"127.0.0.1:8620\"\n";
    let file = folder.write("sender.toml", &format!("web.listen = \"127.0.0.1:9870\"\n{session}"));
    let words = ["run", file.to_str().expect("a plain path")];
    let flags = ["127.0.0.1:9862", "127.0.0.1:9872"]
        .map(|address| format!("--web.listen-address={address}"));
    let words: Vec<&str> = words.into_iter().chain(flags.iter().map(String::as_str)).collect();
    let program = manager.start_program_with(&host, "stamp-sender", &passed, &words);
    assert_eq!(manager.news(), "READY=1");
    for port in [9862, 9872] {
        assert!(scrape((&host, port)).contains("stamp_sender_sessions"), "{port}");
    }
    let elsewhere = host.run(|| TcpStream::connect("127.0.0.1:9870"));
    assert!(elsewhere.is_err(), "the file's address is nobody's");
    // What the command line says holds for every reading of the file.
    folder.write("sender.toml", &format!("web.listen = \"127.0.0.1:9871\"\n{session}"));
    program.signal(Signal::SIGHUP);
    program.wait_for_error_line(|line| line.contains("configuration reloaded"));
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
    let mut both = netns::binary("stamp-sender");
    both.args(words).arg("--web.listen-address=off");
    let refused = host.spawn(&mut both).wait();
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(refused.stderr.contains("--web.listen-address"), "{refused}");
}
