//! Micro sessions on the member links of a LAG (RFC 9534): separate cables here, a bond in the module
//! `bonding`, which needs a kernel that has it; see `tests/guest/run`.

use std::net::IpAddr;

use serde_json::Value;
use stamp_tests::netns::{self, Families, Finished, Host, Program, Trial};

use crate::measure::PORT;

pub(crate) fn trials() -> Vec<Trial> {
    let cables = netns::trials![
        each_member_link_has_a_session_of_its_own,
        a_bad_member_is_named,
        links_that_are_crossed_have_other_numbers_at_the_far_end,
        a_far_end_without_members_is_measured_all_the_same,
    ];
    cables.into_iter().chain(bonding::trials()).collect()
}

/// Addresses that all links share.
const NEAR: &str = "192.0.2.1";
const FAR: &str = "192.0.2.2";
const LINKS: [&str; 2] = ["eth1", "eth2"];

/// Two hosts with two cables between them, and the same address at each.
struct Lag {
    near: Host,
    far: Host,
}

impl Lag {
    fn new() -> Self {
        Self::cabled(LINKS)
    }

    /// The cables of the near links lead to these far ones.
    fn cabled(far_links: [&str; 2]) -> Self {
        let lag =
            Self { near: Host::new("near", Families::V4), far: Host::new("far", Families::V4) };
        for (here, there) in LINKS.into_iter().zip(far_links) {
            lag.near.join(here, &lag.far, there);
            let ends = [(&lag.near, here, NEAR), (&lag.far, there, FAR)];
            for (host, link, own) in ends {
                // Every link has the address; the way back is one of them.
                host.set_sysctl(&format!("net.ipv4.conf.{link}.rp_filter"), "0");
                host.add_address(link, &format!("{own}/24"));
            }
            lag.near.set_neighbour(here, address(FAR), lag.far.mac(there));
            lag.far.set_neighbour(there, address(NEAR), lag.near.mac(here));
        }
        lag
    }

    fn reflector(&self, flags: &[&str]) -> Program {
        crate::measure::reflector(&self.far, &[&["--stateful"], flags].concat())
    }

    fn measure(&self, flags: &[&str]) -> Finished {
        let mut command = netns::binary("stamp-sender");
        let port = PORT.to_string();
        command
            .args([FAR, "-p", &port, "-c", "50", "-i", "10ms", "-W", "1s", "-S", NEAR])
            .args(flags);
        self.near.spawn(&mut command).wait()
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn sessions(finished: &Finished) -> Vec<Value> {
    finished.json()["sessions"].as_array().expect("sessions").clone()
}

fn each_member_link_has_a_session_of_its_own() {
    let lag = Lag::new();
    let _reflector = lag.reflector(&["--lag-members", "eth1", "--lag-members", "eth2"]);
    let sessions = sessions(&lag.measure(&["--lag-members", "eth1,eth2", "--json"]));
    assert_eq!(sessions.len(), 2);
    for (session, number) in sessions.iter().zip(1..) {
        assert_eq!(session["name"], format!("{FAR} on eth{number}"));
        assert_eq!(session["packets"]["lost"]["round_trip"], 0, "{session}");
        let (micro, received) =
            (&session["answers"]["micro_session"], &session["packets"]["received"]);
        assert_eq!((&micro["told"], &micro["refused"]), (received, &0.into()), "{session}");
        assert_eq!(micro["member"], format!("eth{number}"), "{session}");
        assert_eq!(
            (&micro["member_id"], &micro["far_member_id"]),
            (&number.into(), &number.into())
        );
    }
}

fn a_bad_member_is_named() {
    let lag = Lag::new();
    let _reflector = lag.reflector(&["--lag-members", "eth1", "--lag-members", "eth2"]);
    // What the second cable brings is for nobody.
    lag.near.set_neighbour("eth2", address(FAR), [2, 0, 0, 0, 0, 99]);
    let report = lag.measure(&["--lag-members", "eth1,eth2", "-q"]);
    assert!(report.stdout.contains("eth2 is bad: nothing came back over it."), "{report}");
    assert!(!report.stdout.contains("eth1 is bad"), "{report}");
}

fn links_that_are_crossed_have_other_numbers_at_the_far_end() {
    let lag = Lag::cabled(["eth2", "eth1"]);
    let _reflector = lag.reflector(&["--lag-members", "eth1", "--lag-members", "eth2"]);
    let sessions = sessions(&lag.measure(&["--lag-members", "eth1,eth2", "--json"]));
    // Each end keeps to the link: what differs is what it is called.
    let far: Vec<&Value> = sessions
        .iter()
        .map(|session| &session["answers"]["micro_session"]["far_member_id"])
        .collect();
    assert_eq!(far, [2, 1]);
}

fn a_far_end_without_members_is_measured_all_the_same() {
    let lag = Lag::new();
    let _reflector = lag.reflector(&[]);
    let sessions = sessions(&lag.measure(&["--lag-members", "eth1", "--json"]));
    let micro = &sessions[0]["answers"]["micro_session"];
    assert_eq!((&micro["told"], &micro["far_member_id"]), (&0.into(), &Value::Null));
    assert_ne!(micro["refused"], 0);
    let findings = sessions[0]["findings"].as_array().expect("findings");
    assert!(findings.iter().any(|finding| finding["kind"] == "not_told"), "{findings:?}");
}

/// Members of real bonds.
mod bonding {
    use std::process::Command;

    use stamp_tests::netns::{Families, Host, Need, Trial, trials};

    use super::{FAR, LINKS, Lag, NEAR, PORT, sessions};
    use crate::daemon::Daemon;
    use crate::http::wait_for;
    use crate::vrf::ip;

    const BOND: Need = Need {
        name: "a kernel with bonding, and `ip`",
        allow: "sudo modprobe bonding, or tests/guest/run bonding::",
        met: || {
            let mut shell = Command::new("sh");
            shell.args(["-c", "ip link add of-the-test type bond"]);
            Host::new("probe", Families::V4).spawn(&mut shell).wait().code == Some(0)
        },
        beyond_namespaces: false,
    };

    pub(super) fn trials() -> Vec<Trial> {
        trials![
            the_members_of_a_bond_are_found_and_measured_one_by_one: [BOND],
            a_member_that_loses_is_told_from_the_bond: [BOND],
            a_bond_that_has_no_members_yet_is_waited_for: [BOND],
        ]
    }

    /// Two hosts with a bond of two cables between them.
    fn bonded() -> Lag {
        let lag =
            Lag { near: Host::new("near", Families::V4), far: Host::new("far", Families::V4) };
        for link in LINKS {
            lag.near.join(link, &lag.far, link);
        }
        for (host, own) in [(&lag.near, NEAR), (&lag.far, FAR)] {
            ip(host, "link add bond0 type bond mode balance-xor");
            for link in LINKS {
                ip(host, &format!("link set {link} down"));
                ip(host, &format!("link set {link} master bond0"));
            }
            ip(host, "link set bond0 up");
            ip(host, &format!("address add {own}/24 dev bond0"));
        }
        lag
    }

    fn the_members_of_a_bond_are_found_and_measured_one_by_one() {
        let lag = bonded();
        let _reflector = lag.reflector(&["--lag-members", "bond0"]);
        let sessions = sessions(&lag.measure(&["--lag-members", "bond0", "--json"]));
        assert_eq!(sessions.len(), 2, "{sessions:?}");
        for (session, number) in sessions.iter().zip(1..) {
            assert_eq!(session["name"], format!("{FAR} on eth{number}"));
            let (micro, packets) = (&session["answers"]["micro_session"], &session["packets"]);
            assert_eq!(
                (&packets["lost"]["round_trip"], &packets["rejected"]),
                (&0.into(), &0.into()),
                "{session}"
            );
            assert_eq!(micro["told"], packets["received"], "{session}");
            assert_eq!(micro["far_member_id"], number, "{session}");
        }
    }

    fn a_bond_that_has_no_members_yet_is_waited_for() {
        let lag = bonded();
        let _reflector = lag.reflector(&["--lag-members", "bond0"]);
        ip(&lag.near, "link add bond1 type bond mode balance-xor");
        ip(&lag.near, "link set bond1 up");
        ip(&lag.near, "address add 192.0.2.3/24 dev bond1");
        let of = |bond: &str| {
            format!(
                "[[session]]\nname = \"over-{bond}\"\ntarget = \"{FAR}\"\nport = {PORT}\n\
                 interval = \"10ms\"\nlag-members = \"{bond}\"\n"
            )
        };
        let daemon = Daemon::start_to(&lag.near, FAR, &format!("{}{}", of("bond0"), of("bond1")));
        daemon.told("session=over-bond1 reason=\"lag-members: the bond bond1 has no members\"");
        daemon.told("msg=\"session is up\" session=\"over-bond0 on eth1\"");
        // One moves over: what is left of the first goes on.
        ip(&lag.near, "link set eth2 down");
        ip(&lag.near, "link set eth2 master bond1");
        let sent = "stamp_session_packets_sent_total{session=\"over-bond1 on eth2\"}";
        wait_for((&lag.near, 9_862), sent, |sent| sent > 0.0);
        let _ = daemon.stop();
    }

    fn a_member_that_loses_is_told_from_the_bond() {
        let lag = bonded();
        let _reflector = lag.reflector(&["--lag-members", "bond0"]);
        // The bond itself would send nothing there.
        ip(&lag.far, "link set eth2 down");
        let report = lag.measure(&["--lag-members", "bond0", "-q"]);
        assert!(report.stdout.contains("eth2 is bad"), "{report}");
        assert!(!report.stdout.contains("eth1 is bad"), "{report}");
    }
}
