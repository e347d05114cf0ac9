//! A process in the sandbox tries what it may and what it may not.
//!
//! Nothing of it can be undone, so each trial is a process of its own: this program again, with a
//! variable that says which folders it plays with.

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use stamp_net::{FrameFilter, FrameOptions, FrameSocket, NetError};
use stamp_service::sandbox::{self, Layer, Mode, Needs, Sandbox, SandboxError};

/// The folder that a process in the sandbox plays in.
const INSIDE: &str = "STAMP_TRIAL_INSIDE";
/// How it ends where the kernel lacks a layer.
const LACKING: u8 = 77;

fn main() -> ExitCode {
    if let Some(ended) = sandbox::run_if_asked() {
        return ended;
    }
    if let Ok(folder) = std::env::var(INSIDE) {
        return match inside(Path::new(&folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprint!("{error}");
                ExitCode::from(LACKING)
            }
        };
    }
    let trials = vec![Trial::test("a_process_in_it_does_what_it_must_and_no_more", outside)];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn outside() -> Result<(), Failed> {
    let folder = std::env::temp_dir().join(format!("stamp-sandbox-{}", std::process::id()));
    for name in ["read", "written", "other"] {
        fs::create_dir_all(folder.join(name))?;
        fs::write(folder.join(name).join("file"), name)?;
    }
    let output = Command::new(std::env::current_exe()?).env(INSIDE, &folder).output()?;
    fs::remove_dir_all(&folder)?;
    let told = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(LACKING.into()) {
        // `all` and the like: nothing may be left out.
        let must = std::env::var_os("STAMP_TEST_REQUIRE").is_some();
        println!("skipped: {told}");
        return if must { Err(told.into_owned().into()) } else { Ok(()) };
    }
    if output.status.success() { Ok(()) } else { Err(format!("{}: {told}", output.status).into()) }
}

/// Everything in one process, in the order of a service.
fn inside(folder: &Path) -> Result<(), SandboxError> {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let other_port = taken.local_addr().expect("it is bound").port();
    let needs = Needs {
        readable: vec![folder.join("read")],
        writable: vec![folder.join("written")],
        tcp_ports: vec![0],
        ..Needs::default()
    };
    let mut sandbox = Sandbox::enter(Mode::Require, &needs)?;
    let web = TcpListener::bind("127.0.0.1:0").expect("the port that was announced");
    sandbox.close()?;
    for (layer, state) in sandbox.layers() {
        assert_eq!(*state, Ok(()), "{layer:?}");
    }
    assert_eq!(sandbox.layers().count(), Layer::ALL.len());

    possible(folder, &web);
    // Threads of later are no freer.
    let elsewhere = folder.to_owned();
    std::thread::spawn(move || impossible(&elsewhere, other_port)).join().expect("it ends well");
    impossible(folder, other_port);
    raw_sockets();
    Ok(())
}

fn possible(folder: &Path, web: &TcpListener) {
    assert_eq!(fs::read_to_string(folder.join("read/file")).expect("configured"), "read");
    fs::write(folder.join("written/file"), "more").expect("a file of events");
    fs::rename(folder.join("written/file"), folder.join("written/old")).expect("rotation");
    fs::write(folder.join("written/file"), "anew").expect("another after it");
    fs::read_to_string("/proc/self/status").expect("counters of the process");
    let probe = UdpSocket::bind("127.0.0.1:0").expect("a session that a reload adds");
    let far = UdpSocket::bind("127.0.0.1:0").expect("its far end");
    probe.send_to(b"probe", far.local_addr().expect("it is bound")).expect("it is sent");
    let address = web.local_addr().expect("it is bound");
    TcpStream::connect(address).expect("a webhook");
    web.accept().expect("a scrape");
    UnixStream::pair().expect("wakers");
    std::net::ToSocketAddrs::to_socket_addrs("localhost:862").expect("names are looked up");
}

fn impossible(folder: &Path, other_port: u16) {
    fs::read_to_string(folder.join("other/file")).expect_err("nobody named that folder");
    fs::write(folder.join("read/file"), "changed").expect_err("it is for reading");
    fs::write(folder.join("other/new"), "left").expect_err("nobody named that folder");
    fs::read_dir(folder).expect_err("nor the one above");
    Command::new("/bin/true").status().expect_err("no program is run");
    TcpListener::bind(("127.0.0.2", other_port)).expect_err("the port was not announced");
    std::os::unix::fs::chroot(folder).expect_err("no such call is made");
}

/// By the helper where the process had the right, and only there.
fn raw_sockets() {
    let held = stamp_net::capability::own().expect("it can be read");
    assert!(stamp_net::capability::Capability::ALL.iter().all(|one| !held.has(*one)), "{held:?}");
    let with_helper = stamp_net::capability::effective().expect("it can be read");
    let opened = FrameSocket::open(&FrameOptions::new("lo", FrameFilter::nothing()));
    match opened {
        Ok(_) => assert!(with_helper.has(stamp_net::capability::Capability::NetRaw)),
        Err(error) => {
            assert!(matches!(error, NetError::PermissionDenied { .. }), "{error}");
            assert!(!with_helper.has(stamp_net::capability::Capability::NetRaw));
        }
    }
}
