//! `stamp-sender` against `stamp-reflector`, two hosts and a network between them.

mod answers;
mod endings;
mod loss;
mod malformed;
mod network;
mod packets;
mod traffic;

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use stamp_tests::netns::{self, Finished, Host, Program, Trial};
use stamp_tests::wire::{Datagram, Which};

/// Port of the reflectors: one that every user may listen on.
pub(super) const PORT: u16 = 8620;
/// SSID of the measured session, which tells it from the one-probe check before it.
pub(super) const SSID: u16 = 4711;

pub(crate) fn trials() -> Vec<Trial> {
    let groups = [
        loss::trials(),
        network::trials(),
        endings::trials(),
        answers::trials(),
        traffic::trials(),
        malformed::trials(),
        packets::trials(),
    ];
    groups.into_iter().flatten().collect()
}

/// Starts a reflector on every address of `host`.
#[track_caller]
pub(super) fn reflector(host: &Host, flags: &[&str]) -> Program {
    let mut command = netns::binary("stamp-reflector");
    command.args(["--listen", &format!(":{PORT}"), "--rate-limit", "off"]).args(flags);
    let program = host.spawn(&mut command);
    program.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    host.wait_for_udp_listener(&program, PORT);
    program
}

/// The sender with flags that every run of these tests has.
fn sender(target: &str, flags: &[&str]) -> Command {
    let mut command = netns::binary("stamp-sender");
    command.args([target, "-p", &PORT.to_string(), "--ssid", &SSID.to_string()]).args(flags);
    command
}

/// Measures and returns how it ended.
#[track_caller]
pub(super) fn measure(host: &Host, target: &str, flags: &[&str]) -> Finished {
    host.spawn(&mut sender(target, flags)).wait()
}

/// The only session of a `--json` document.
#[track_caller]
pub(crate) fn session(finished: &Finished) -> Value {
    let document = finished.json();
    let sessions = document["sessions"].as_array().expect("sessions").clone();
    assert_eq!(sessions.len(), 1, "{document}");
    sessions.into_iter().next().expect("one session")
}

/// How many probes left in a run of so many slots: one in each, but for those that a busy machine missed, which the run
/// says.
#[track_caller]
pub(crate) fn sent(session: &Value, slots: u64) -> u64 {
    let packets = &session["packets"];
    let count = |key: &str| packets[key].as_u64().expect("a count");
    assert_eq!(packets["unsent"], packets["unsent_by_reason"]["missed_slot"], "{session}");
    assert_eq!(count("sent") + count("unsent"), slots, "{session}");
    assert!(count("sent") > 0, "{session}");
    count("sent")
}

/// The same where each got one reply, in time, that is right.
#[track_caller]
pub(crate) fn answered(session: &Value, slots: u64) -> u64 {
    let (sent, packets) = (sent(session, slots), &session["packets"]);
    assert_eq!((&packets["received"], &packets["lost"]["round_trip"]), (&sent.into(), &0.into()));
    for key in ["duplicate", "late", "rejected"] {
        assert_eq!(packets[key], 0, "{key}: {session}");
    }
    sent
}

/// Probes of the measured session with these sequence numbers, or the replies to them.
fn probes(sequences: &'static [u32], octets: Layout) -> Which {
    Which::only(move |datagram: &Datagram<'_>| {
        let payload = datagram.payload;
        ssid(payload, octets) == Some(SSID)
            && sequence(payload, octets).is_some_and(|number| sequences.contains(&number))
    })
}

/// Where the Sequence Number of the probe stands in a payload, and where the SSID.
#[derive(Clone, Copy, Debug)]
struct Layout {
    ssid: usize,
    sequence: usize,
}

const OPEN_PROBE: Layout = Layout { ssid: 14, sequence: 0 };
const OPEN_REPLY: Layout = Layout { ssid: 14, sequence: 24 };
const AUTHENTICATED_PROBE: Layout = Layout { ssid: 26, sequence: 0 };
const AUTHENTICATED_REPLY: Layout = Layout { ssid: 26, sequence: 48 };

fn ssid(payload: &[u8], layout: Layout) -> Option<u16> {
    let octets = payload.get(layout.ssid..)?.first_chunk()?;
    Some(u16::from_be_bytes(*octets))
}

fn sequence(payload: &[u8], layout: Layout) -> Option<u32> {
    let octets = payload.get(layout.sequence..)?.first_chunk()?;
    Some(u32::from_be_bytes(*octets))
}

/// A key file that both ends of one test read.
pub(crate) struct KeyFile(PathBuf);

impl KeyFile {
    pub(crate) fn new(name: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        // Trials run in parallel in one process.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!(
            "stamp-{name}-{}-{}.keys",
            std::process::id(),
            number
        ));
        std::fs::write(
            &path,
            "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
        )
        .expect("a key file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("a path in ASCII")
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
