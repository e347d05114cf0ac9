//! `stamp-sender lab` as its user meets it: a lab comes, is used, and leaves nothing behind.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use stamp_tests::netns::{self, Families, Finished, Host, Need, Program, Trial, trials};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_lab_is_built_used_and_taken_down: [Need::IPV6],
        programs_end_with_their_lab: [Need::IPV6],
        a_killed_lab_takes_its_programs_along: [Need::IPV6],
        labs_have_names: [Need::IPV6],
        what_is_not_there_is_named: [Need::IPV6],
        mistakes_in_the_file_are_told_before_anything_is_built,
    ]
}

const PAIR: &str = r#"
[[node]]
name = "a"
loopbacks = ["192.0.2.1", "2001:db8::1"]
[[node]]
name = "b"
loopbacks = ["192.0.2.2", "2001:db8::2"]
[[link]]
ends = ["a", "b"]
delay = "1ms"
"#;

/// An ordinary user at a machine of his own, with a topology file.
pub(super) struct User {
    host: Host,
    folder: PathBuf,
}

impl User {
    pub(super) fn new(topology: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("stamp-labs-{}-{number}", std::process::id()));
        fs::create_dir(&folder).expect("a folder can be made");
        fs::write(folder.join("net.toml"), topology).expect("the file is written");
        Self { host: Host::new("machine", Families::Both), folder }
    }

    pub(super) fn start(&self, arguments: &str) -> Program {
        let mut command = netns::binary("stamp-sender");
        command.arg("lab").args(arguments.split_whitespace());
        let command = command.current_dir(&self.folder).env("XDG_RUNTIME_DIR", &self.folder);
        self.host.spawn_as_user(command)
    }

    pub(super) fn lab(&self, arguments: &str) -> Finished {
        self.start(arguments).wait()
    }

    /// Writes a file where programs are started.
    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).expect("the file is written");
    }

    /// The process that holds the lab, by what it was started with.
    fn holder(&self) -> Pid {
        let holds = |folder: &Path| {
            let line = fs::read(folder.join("cmdline")).unwrap_or_default();
            let environment = fs::read(folder.join("environ")).unwrap_or_default();
            let has = |octets: &[u8], text: &str| {
                octets.split(|octet| *octet == 0).any(|word| word == text.as_bytes())
            };
            let runtime = format!("XDG_RUNTIME_DIR={}", self.folder.display());
            has(&line, "hold") && has(&environment, &runtime)
        };
        let processes = fs::read_dir("/proc").expect("there is /proc").flatten();
        let found = processes.map(|entry| entry.path()).find(|folder| holds(folder));
        let folder = found.expect("the lab has a process");
        let number = folder.file_name().and_then(|name| name.to_str()?.parse().ok());
        Pid::from_raw(number.expect("a process has a number"))
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // A trial that failed half way leaves no lab behind.
        let _down = self.lab("down");
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn a_lab_is_built_used_and_taken_down() {
    let user = User::new(PAIR);
    let up = user.lab("up net.toml");
    up.assert_code(0);
    assert!(up.stdout.starts_with("lab \"default\": 2 nodes, 1 links, up in "), "{up}");
    assert!(up.stdout.contains("a > b      delay 1ms; 0 packets, 0 lost"), "{up}");
    let at_a = user.lab("exec a cat /proc/net/if_inet6");
    at_a.assert_code(0);
    // The own address and that on the link.
    assert!(at_a.stdout.contains("20010db8000000000000000000000001"), "{at_a}");
    assert!(at_a.stdout.contains("fd0001ab000000010000000000000001"), "{at_a}");
    let names = user.lab("exec b cat /etc/hosts");
    assert!(names.stdout.contains("2001:db8::1 a\n"), "{names}");
    let changed = user.lab("degrade a-b:b>a --loss 5%");
    assert!(changed.stdout.contains("b > a      delay 1ms, loss 5%;"), "{changed}");
    assert!(changed.stdout.contains("a > b      delay 1ms;"), "{changed}");
    user.lab("down").assert_code(0);
    let folder = fs::read_dir(user.folder.join("stamp-lab")).expect("the folder stays");
    assert_eq!(folder.count(), 0);
    user.lab("show").assert_code(2);
}

fn programs_end_with_their_lab() {
    let user = User::new(PAIR);
    user.lab("up net.toml").assert_code(0);
    let reflector = netns::binary("stamp-reflector");
    let path = reflector.get_program().display();
    let program = user.start(&format!("exec b {path} --listen :8620"));
    user.host.wait_for_udp_listener(&program, 8620);
    user.lab("down").assert_code(0);
    // Asked to end, it ends as it does when an operator asks.
    program.wait().assert_code(0);
}

fn a_killed_lab_takes_its_programs_along() {
    let user = User::new(PAIR);
    user.lab("up net.toml").assert_code(0);
    let reflector = netns::binary("stamp-reflector");
    let path = reflector.get_program().display();
    let program = user.start(&format!("exec b {path} --listen :8620"));
    user.host.wait_for_udp_listener(&program, 8620);
    kill(user.holder(), Signal::SIGKILL).expect("it runs");
    let ended = program.wait();
    assert_eq!(ended.signal, Some(Signal::SIGKILL), "{ended}");
    user.lab("show").assert_code(2);
    // What it left on disk stands in nobody's way.
    user.lab("up net.toml").assert_code(0);
}

fn labs_have_names() {
    let user = User::new(PAIR);
    user.lab("up net.toml").assert_code(0);
    let again = user.lab("up net.toml");
    again.assert_code(4);
    assert!(again.stderr.contains("lab \"default\" is up already"), "{again}");
    let other = user.lab("--name other up net.toml");
    assert!(other.stdout.starts_with("lab \"other\": 2 nodes"), "{other}");
    user.lab("--name other down").assert_code(0);
    user.lab("show").assert_code(0);
}

fn what_is_not_there_is_named() {
    let user = User::new(PAIR);
    let none = user.lab("exec a true");
    none.assert_code(2);
    assert!(none.stderr.contains("no lab \"default\" is up; build one"), "{none}");
    user.lab("up net.toml").assert_code(0);
    for (arguments, status, words) in [
        ("exec x true", 2, "the lab has no node \"x\""),
        ("exec a /nonexistent", 127, "/nonexistent: No such file"),
        ("degrade x --delay 1ms", 2, "the lab has no link \"x\""),
        ("degrade a-b:a>c --delay 1ms", 2, "link a-b joins a and b"),
        ("degrade a-b:a --delay 1ms", 3, "write LINK:FROM>TO"),
        ("degrade a-b", 3, "required arguments"),
        ("degrade a-b --loss 2", 3, "expected a share from 0% to 100%"),
    ] {
        let finished = user.lab(arguments);
        finished.assert_code(status);
        assert!(finished.stderr.contains(words), "{words}: {finished}");
    }
}

fn mistakes_in_the_file_are_told_before_anything_is_built() {
    let user = User::new("[[node]]\nname = 7\n[[link]]\nends = [\"a\", \"b\"]\n");
    let refused = user.lab("up net.toml");
    refused.assert_code(3);
    for words in
        ["net.toml:2:8: node[0].name = 7: ", "net.toml:4:9: link[0].ends = \"a\": no [[node]]"]
    {
        assert!(refused.stderr.contains(words), "{words}: {refused}");
    }
    let missing = user.lab("up other.toml");
    missing.assert_code(3);
    assert!(missing.stderr.contains("other.toml: No such file"), "{missing}");
}
