//! The ways that probes go and come, each with a far end that belongs to it.

use std::process::Command;

use stamp_tests::netns::{
    self, Families, Family, Host, Program, Routed, STAMPING_SID, Signal, TwoHosts,
};

use super::{PORT, SETTLED, goes_on_for, patient};
use crate::daemon::{Daemon, reflector_at};
use crate::folder::Folder;

/// A way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// To a stateful Session-Reflector and back.
    Ipv4,
    /// The same.
    Ipv6,
    /// The same over a SID of a router's kernel.
    Segments,
    /// To such a SID of the far host, and on to where they came from.
    Loopback,
    /// To a node that writes when they were there, and on to where they came from.
    EnhancedLoopback,
    /// To a Session-Reflector that tells of them and sends no reply.
    OneWay,
}

/// An End of a kernel.
const END: &str = "fc00:bb:2:1::";
/// No host has it, and no probe of loopback gets there.
const NOWHERE: &str = "2001:db8::fe";

/// A node that can be stopped: a program of its own at the ingress of the kernel goes on.
const NODE: &str = "listen = [\"127.0.0.1:8620\"]\ntimestamp-shell = \"packet\"\n[[timestamp]]\n\
                    sid = \"fc00:bb:2:f::/64\"\ninterfaces = [\"eth0\"]\n";

const CLOCKS: &str = "clock = { synchronized = true, error = \"1us\" }\n";

impl Form {
    pub(super) const fn families(self) -> Families {
        match self {
            Self::Ipv4 | Self::OneWay => Families::V4,
            Self::Ipv6 | Self::Segments | Self::Loopback | Self::EnhancedLoopback => Families::V6,
        }
    }

    /// Whether somebody answers who counts.
    pub(super) const fn is_answered(self) -> bool {
        matches!(self, Self::Ipv4 | Self::Ipv6 | Self::Segments)
    }

    /// What every session is told about it.
    fn settings(self) -> String {
        match self {
            Self::Ipv4 | Self::Ipv6 => String::new(),
            Self::Segments => format!("segments = [\"{END}\"]\n"),
            Self::Loopback => format!("mode = \"loopback\"\nsegments = [\"{END}\"]\n"),
            Self::EnhancedLoopback => format!(
                "mode = \"enhanced-loopback\"\nsrv6 = \"reduced\"\nsegments = [\"{STAMPING_SID}\"]\n\
                 {CLOCKS}far-{CLOCKS}"
            ),
            Self::OneWay => format!("mode = \"one-way\"\nreturn-path = \"none\"\n{CLOCKS}"),
        }
    }

    /// The same for a sender on the command line.
    fn flags(self) -> Vec<&'static str> {
        match self {
            Self::Ipv4 | Self::Ipv6 | Self::OneWay => vec![],
            Self::Segments => vec!["--segments", END],
            Self::Loopback => vec!["--mode", "loopback", "--segments", END],
            Self::EnhancedLoopback => {
                let mode = ["--mode", "enhanced-loopback", "--srv6", "reduced"];
                let clock = "synchronized,error=1us";
                let clocks = ["--clock", clock, "--far-clock", clock];
                mode.into_iter().chain(clocks).chain(["--segments", STAMPING_SID]).collect()
            }
        }
    }
}

/// Two hosts, and whatever belongs to a form at the far one or between them.
pub(super) struct Stage {
    pub(super) near: Host,
    pub(super) far: Host,
    form: Form,
    /// Where a SID is that lies on the way.
    router: Option<Host>,
    /// What answers, stamps or listens, where that is a program.
    program: Option<Program>,
    folder: Folder,
}

impl Stage {
    pub(super) fn new(form: Form) -> Self {
        let (near, far, router) = match form {
            Form::Segments => {
                let Routed { near, router, far } = netns::with_router(Families::V6, 1_500);
                (near, far, Some(router))
            }
            _ => {
                let TwoHosts { near, far } = netns::two_hosts(form.families());
                (near, far, None)
            }
        };
        let folder = Folder::new();
        let mut stage = Self { near, far, form, router, program: None, folder };
        match form {
            Form::Ipv4 | Form::Ipv6 => {}
            Form::Segments => stage.act_on_a_sid(stage.router.as_ref().expect("it is there")),
            Form::Loopback => stage.act_on_a_sid(&stage.far),
            Form::EnhancedLoopback => forward(&stage.far),
            Form::OneWay => stage.join_for_management(),
        }
        stage.route();
        stage.program = stage.start();
        stage
    }

    /// A kernel acts on a SID.
    fn act_on_a_sid(&self, host: &Host) {
        forward(host);
        let line = format!("-6 route add {END}/128 encap seg6local action End dev eth0");
        host.spawn(Command::new("ip").args(line.split(' '))).wait().assert_code(0);
        for (host, interface) in
            [(host, "all"), (host, "eth0"), (&self.far, "all"), (&self.far, "eth0")]
        {
            host.set_sysctl(&format!("net.ipv6.conf.{interface}.seg6_enabled"), "1");
        }
    }

    /// A network beside that of the probes.
    fn join_for_management(&self) {
        self.near.join("eth1", &self.far, "eth1");
        self.near.add_address("eth1", "198.51.100.1/24");
        self.far.add_address("eth1", "198.51.100.2/24");
    }

    /// The way to SIDs at the far host.
    fn route(&self) {
        if matches!(self.form, Form::Loopback | Form::EnhancedLoopback) {
            self.near.add_route("fc00:bb:2::/48", Some(self.far.ipv6().into()), "eth0");
        }
    }

    fn start(&self) -> Option<Program> {
        let web = ["--web.listen-address", "0.0.0.0:9863", "--clock", "synchronized,error=1us"];
        match self.form {
            Form::Ipv4 => Some(reflector_at(&self.far, "0.0.0.0:862", &[])),
            Form::OneWay => Some(reflector_at(&self.far, "0.0.0.0:862", &web)),
            Form::Ipv6 | Form::Segments => Some(reflector_at(&self.far, "[::]:862", &[])),
            Form::Loopback => None,
            Form::EnhancedLoopback => {
                let file = self.folder.write("node.toml", NODE);
                let node = self.far.spawn(netns::binary("stamp-reflector").arg(file));
                node.wait_for_error_line(|line| line.contains("msg=\"listening on "));
                Some(node)
            }
        }
    }

    /// What belongs to the form, where it is a program.
    pub(super) fn program(&self) -> &Program {
        self.program.as_ref().expect("it is a program")
    }

    /// Ends it as no program wants to end.
    #[track_caller]
    pub(super) fn kill(&self) {
        self.program().signal(Signal::SIGKILL);
        assert_eq!(self.program().wait().signal, Some(Signal::SIGKILL));
    }

    /// Starts it again.
    #[track_caller]
    pub(super) fn start_again(&mut self) {
        self.program = self.start();
    }

    /// Takes the interface of the sender up again, and what was gone with it.
    pub(super) fn set_up(&self) {
        self.near.set_up("eth0");
        self.route();
        if let Some(router) = &self.router {
            self.near.add_route("::/0", Some(router.ipv6().into()), "eth0");
        }
    }

    fn target(&self) -> String {
        match self.form {
            Form::Loopback | Form::EnhancedLoopback => NOWHERE.to_owned(),
            Form::Ipv6 | Form::Segments => self.far.address(Family::V6).to_string(),
            Form::Ipv4 | Form::OneWay => self.far.address(Family::V4).to_string(),
        }
    }

    /// The file of two sessions of the form.
    pub(super) fn text(&self) -> String {
        let settings = format!("window = \"1s\"\n{}", self.form.settings());
        let text = patient().replacen("window = \"1s\"\n", &settings, 1);
        match self.form {
            Form::OneWay => format!(
                "{text}\n[[reflector]]\nurl = \"http://198.51.100.2:9863\"\naddresses = [\"FAR\"]\n"
            ),
            _ => text,
        }
    }

    /// Both sessions, up.
    #[track_caller]
    pub(super) fn up(&self) -> Daemon {
        self.up_with(&self.text())
    }

    /// The same by this file.
    #[track_caller]
    pub(super) fn up_with(&self, text: &str) -> Daemon {
        let daemon = Daemon::start_to(&self.near, &self.target(), text);
        if self.form == Form::OneWay {
            daemon.told("the reflector is heard");
        }
        daemon.told("msg=\"session is up\" session=a");
        daemon.told("msg=\"session is up\" session=b");
        daemon.told("metrics are told over HTTP");
        daemon
    }

    /// Waits until nothing of a sender that is held is on the way, where it would be lost, and rightly. Packets are
    /// taken in order, so with the reply to this probe all those before are back.
    #[track_caller]
    pub(super) fn all_is_back(&self) {
        let mut last = netns::binary("stamp-sender");
        last.arg(self.target()).args(self.form.flags());
        last.args(["-c", "1", "--timeout", "20s", "-qq"]);
        self.near.spawn(&mut last).wait().assert_code(0);
    }

    /// A second or so, as a session of its own sees it pass.
    #[track_caller]
    pub(super) fn time_passes(&self) {
        let mut command = netns::binary("stamp-sender");
        command.arg(self.target()).args(self.form.flags());
        command.args(["-c", "40", "-i", "20ms", "--quiet"]);
        self.near.spawn(&mut command).wait().assert_code(0);
    }

    /// Replies to both sessions, or words about their probes, that come from now on.
    #[track_caller]
    pub(super) fn goes_on(&self) -> String {
        goes_on_for(&self.near, 20.0)
    }

    /// The same for longer than one is awaited.
    #[track_caller]
    pub(super) fn settles(&self) -> String {
        goes_on_for(&self.near, SETTLED)
    }

    /// Where the sender tells its metrics.
    pub(super) const fn web(&self) -> crate::http::At<'_> {
        (&self.near, PORT)
    }
}

/// Lets a host hand on what is not for it.
fn forward(host: &Host) {
    for interface in ["all", "eth0"] {
        host.set_sysctl(&format!("net.ipv6.conf.{interface}.forwarding"), "1");
    }
}
