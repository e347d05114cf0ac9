//! Services that have given their rights away: what a reload needs rights for still comes about.

use std::fs;
use std::process::Command;

use stamp_tests::netns::{self, Families, Program, Signal, Trial, trials};

use crate::folder::Folder;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_sender_without_rights_opens_what_a_reload_adds,
        a_reflector_without_rights_opens_what_a_reload_adds,
        a_file_elsewhere_is_out_of_reach,
    ]
}

const SENDER: &str = "\
sandbox = \"require\"
[defaults]
interval = \"10ms\"

[[session]]
name = \"plain\"
";

/// The process itself can do nothing that takes a right; the helper does.
#[track_caller]
fn assert_without_rights(program: &Program) {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).expect("it runs");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel's");
        line.trim().to_owned()
    };
    assert_eq!(field("CapEff:"), "0".repeat(16));
    assert_eq!(field("CapPrm:"), "0".repeat(16));
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("Seccomp:"), "2", "a filter is in force");
}

fn a_sender_without_rights_opens_what_a_reload_adds() {
    let net = netns::two_hosts(Families::V4);
    let reflector = Command::new(netns::binary("stamp-reflector").get_program());
    let far = net.far.spawn({ reflector }.args(["--listen", "0.0.0.0:862"]));
    net.far.wait_for_udp_listener(&far, 862);
    let folder = Folder::new();
    let session = format!("target = \"{}\"\n", net.far.ipv4());
    let text = format!("{SENDER}{session}");
    let file = folder.write("sender.toml", &text);
    let program = net.near.spawn(netns::binary("stamp-sender").arg("run").arg(file));
    program.wait_for_error_line(|line| line.contains("msg=\"session is up\" session=plain"));
    program.wait_for_error_line(|line| {
        line.contains("sandbox: require")
            && line.contains("capabilities=true landlock=true seccomp=true")
    });
    assert_without_rights(&program);
    let marked = format!("[[session]]\nname = \"marked\"\n{session}fwmark = 7\n");
    let labelled = format!(
        "[[session]]\nname = \"labelled\"\n{session}mode = \"loopback\"\nsegments = [16005]\n\
         via = \"eth0,{}\"\n",
        net.far.ipv4()
    );
    folder.write("sender.toml", &format!("{text}{marked}{labelled}"));
    program.signal(Signal::SIGHUP);
    program.wait_for_error_line(|line| line.contains("msg=\"session is up\" session=marked"));
    program.wait_for_error_line(|line| line.contains("msg=\"session runs\" session=labelled"));
    assert!(!program.stderr().contains("session is down\" session=plain"), "{}", program.stderr());
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
}

fn a_reflector_without_rights_opens_what_a_reload_adds() {
    let net = netns::two_hosts(Families::Both);
    let folder = Folder::new();
    let one = "sandbox = \"require\"\nlisten = [\"0.0.0.0:862\"]\ntimestamp-shell = \"packet\"\n";
    let file = folder.write("reflector.toml", one);
    let program = net.far.spawn(netns::binary("stamp-reflector").arg(file));
    net.far.wait_for_udp_listener(&program, 862);
    program.wait_for_error_line(|line| line.contains("sandbox: require"));
    assert_without_rights(&program);
    let more = one.replace("0.0.0.0:862\"", "0.0.0.0:862\", \"0.0.0.0:863\"");
    let stamp = "[[timestamp]]\nsid = \"fc00:bb:2:f::/64\"\ninterfaces = [\"eth0\"]\n";
    folder.write("reflector.toml", &format!("{more}{stamp}"));
    program.signal(Signal::SIGHUP);
    program.wait_for_error_line(|line| line.contains("configuration reloaded"));
    net.far.wait_for_udp_listener(&program, 863);
    let routes = || {
        let mut show = Command::new("ip");
        net.far.spawn(show.args(["-6", "route", "show", "type", "blackhole"])).wait().stdout
    };
    assert!(routes().contains("fc00:bb:2:f::/64"), "the helper has put it there");
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
    assert!(!routes().contains("fc00:bb:2:f::/64"), "and has taken it away");
}

fn a_file_elsewhere_is_out_of_reach() {
    let net = netns::two_hosts(Families::V4);
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    let keys = elsewhere.write("keys", "1 00112233445566778899aabbccddeeff\n");
    let text = format!("{SENDER}target = \"{}\"\n", net.far.ipv4());
    let file = folder.write("sender.toml", &text);
    let program = net.near.spawn(netns::binary("stamp-sender").arg("run").arg(file));
    program.wait_for_error_line(|line| line.contains("sandbox: require"));
    let keyed = format!("auth = true\nkey-file = \"{}\"\n", keys.display());
    folder.write("sender.toml", &format!("{text}{keyed}"));
    program.signal(Signal::SIGHUP);
    program.wait_for_error_line(|line| line.contains("the one before stays in force"));
    let told = program.stderr();
    assert!(told.contains("Permission denied"), "{told}");
    assert!(
        told.contains("the sandbox opens files in folders that the file named at the start"),
        "{told}"
    );
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
}
