//! The machines a page's reader sits at.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, process};

use stamp_tests::conformance::guide::{Ran, Stage, Step};
use stamp_tests::conformance::tree;
use stamp_tests::netns::{self, Families, Family, Host, Program};
use stamp_tests::wire::Wire;

/// What pages call the file with a key.
const KEY_FILE: &str = "keys";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Named hosts, and what connects them.
pub(crate) struct Machines {
    hosts: Vec<Host>,
    wire: Option<Wire>,
    folder: Folder,
    /// Commands that end in `&`.
    running: Vec<Program>,
}

impl Machines {
    /// A machine of its own, for prompts without a host.
    pub(crate) fn one() -> Self {
        Self::of(vec![Host::new("here", Families::Both)], None)
    }

    /// A machine of its own with the topology file of three paths.
    pub(crate) fn with_topology() -> Self {
        let machines = Self::one();
        let file = machines.folder.0.join("three-paths.toml");
        fs::write(file, stamp_lab::THREE_PATHS).expect("the file is written");
        machines
    }

    /// The same with the files that stand under `examples`.
    pub(crate) fn with_examples() -> Self {
        let machines = Self::with_topology();
        for part in ["classes", "topologies"] {
            let (from, to) =
                (tree::root().join("examples").join(part), machines.folder.0.join("examples"));
            fs::create_dir_all(to.join(part)).expect("the folder is ours");
            for entry in fs::read_dir(from).expect("it is shipped").flatten() {
                let copy = to.join(part).join(entry.file_name());
                fs::copy(entry.path(), copy).expect("the file is copied");
            }
        }
        machines
    }

    /// `near` and `far` on one link.
    pub(crate) fn two_hosts(families: Families) -> Self {
        let hosts = netns::two_hosts(families);
        Self::of(vec![hosts.near, hosts.far], None)
    }

    /// `near` and `far` on two links, `eth1` and `eth2`, with the same addresses on both.
    pub(crate) fn two_links() -> Self {
        let [near, far] = ["near", "far"].map(|name| Host::new(name, Families::V4));
        for link in ["eth1", "eth2"] {
            near.join(link, &far, link);
            for (host, own) in [(&near, "192.0.2.1/24"), (&far, "192.0.2.2/24")] {
                // The way back may be the other link.
                host.set_sysctl(&format!("net.ipv4.conf.{link}.rp_filter"), "0");
                host.add_address(link, own);
            }
        }
        Self::of(vec![near, far], None)
    }

    /// `near` and `far` on a link of the test's own.
    pub(crate) fn wired() -> Self {
        let wired = netns::wired(Families::V4);
        Self::of(vec![wired.near, wired.far], Some(wired.wire))
    }

    /// `near` and `far` with a router between them whose link to `far` is narrow.
    pub(crate) fn small_mtu(octets: u32) -> Self {
        let hosts = netns::with_router(Families::V4, octets);
        Self::of(vec![hosts.near, hosts.far, hosts.router], None)
    }

    /// `near` and `far`: one link in a VRF at both ends, and one in none.
    pub(crate) fn with_vrf(name: &str, table: u32) -> Self {
        let machines = Self::two_hosts(Families::Both);
        let [near, far] = &machines.hosts[..] else { panic!("two hosts") };
        near.join("eth1", far, "eth1");
        for (number, host) in (1..).zip([near, far]) {
            host.add_address("eth1", &format!("fd00::{number}/64"));
            for arguments in [
                format!("link add {name} type vrf table {table}"),
                format!("link set {name} up"),
                format!("link set eth0 master {name}"),
            ] {
                let mut ip = Command::new("ip");
                host.spawn(ip.args(arguments.split(' '))).wait().assert_code(0);
            }
        }
        machines
    }

    fn of(hosts: Vec<Host>, wire: Option<Wire>) -> Self {
        Self { hosts, wire, folder: Folder::with_key_file(), running: Vec::new() }
    }

    /// The link.
    pub(crate) fn wire(&self) -> &Wire {
        self.wire.as_ref().expect("these machines have a link of the test's own")
    }

    /// The host of that name, or the only one.
    fn host(&self, name: &str) -> &Host {
        let named = self.hosts.iter().find(|host| host.name() == name || name.is_empty());
        named.unwrap_or_else(|| panic!("no host `{name}` on this stage"))
    }

    /// The command with addresses in place of the names of hosts, which no resolver knows.
    fn with_addresses(&self, command: &str) -> String {
        let words = command.split(' ').map(|word| {
            let (name, rest) = word.split_at(word.find(':').unwrap_or(word.len()));
            match self.hosts.iter().find(|host| host.name() == name) {
                None => word.to_owned(),
                Some(host) if host.families().has_v4() => {
                    format!("{}{rest}", host.address(Family::V4))
                }
                Some(host) => format!("[{}]{rest}", host.address(Family::V6)),
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        // A page that builds a lab need not show each time how it is taken down.
        if !self.folder.0.join("stamp-lab").exists() {
            return;
        }
        let mut down = netns::binary("stamp-sender");
        down.args(["lab", "down"]).env("XDG_RUNTIME_DIR", &self.folder.0);
        let _ended = self.host("").spawn_as_user(&mut down).wait();
    }
}

impl Stage for Machines {
    fn run(&mut self, step: &Step) -> io::Result<Ran> {
        let mut command = Command::new("sh");
        let line = format!("exec {}", self.with_addresses(&step.command));
        command.arg("-c").arg(line).current_dir(&self.folder.0).env("PATH", path());
        command.env("XDG_RUNTIME_DIR", &self.folder.0);
        let host = self.host(&step.host);
        let program = match step.as_root {
            true => host.spawn(&mut command),
            false => host.spawn_as_user(&mut command),
        };
        if step.in_background {
            if step.command.contains("stamp-sender run") {
                program.wait_for_error_line(|line| line.contains("msg=\"session is up\""));
            } else {
                host.wait_for_udp_listener(&program, listening_port(&step.command));
            }
            self.running.push(program);
            return Ok(Ran { status: 0, output: String::new() });
        }
        let finished = program.wait();
        let output = format!("{}{}", finished.stdout, finished.stderr);
        Ok(Ran { status: finished.code.unwrap_or(-1), output })
    }
}

/// Whether the kernel makes such a device; `ip` is asked, which may be missing as well.
pub(crate) fn adds_link(host: &Host, kind: &str) -> bool {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("ip link add of-the-test {kind}"));
    host.spawn(&mut shell).wait().code == Some(0)
}

/// The programs under test in front of everything else.
fn path() -> OsString {
    let program = netns::binary("stamp-sender");
    let folder = Path::new(program.get_program()).parent().expect("a program lies in a folder");
    let others = env::var_os("PATH").unwrap_or_default();
    let paths = [folder.to_path_buf()].into_iter().chain(env::split_paths(&others));
    env::join_paths(paths).expect("no path holds a colon")
}

/// The port behind `--listen`, or that of the protocol.
fn listening_port(command: &str) -> u16 {
    let address = command.split_whitespace().skip_while(|word| *word != "--listen").nth(1);
    let port = address.and_then(|address| address.rsplit(':').next());
    port.map_or(862, |port| port.parse().expect("a page names a port"))
}

/// A folder of this page's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn with_key_file() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("stamp-guide-{}-{number}", process::id()));
        fs::create_dir(&folder).expect("a folder for the page can be made");
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(folder.join(KEY_FILE)).expect("the key file can be made");
        writeln!(file, "1 {KEY}").expect("the key is written");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing depends on it; the folder for temporary files is emptied by the system.
        let _ = fs::remove_dir_all(&self.0);
    }
}
