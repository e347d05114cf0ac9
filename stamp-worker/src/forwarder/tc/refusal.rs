//! What a program at the ingress cannot do, and what this host would have to be set to.

use stamp_net::interface::{self, LinkLayer};
use stamp_net::route::label_is_known;
use stamp_net::sysctl::Sysctl;
use stamp_proto::sr::mpls::{ExtendedLabel, Label};
use stamp_session::forwarding::Trigger;

use crate::error::WorkerError;
use crate::forwarder::{ForwarderRefusal, ForwarderSetup};

/// Why the shell cannot do what is configured.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Debug, thiserror::Error)]
pub enum TcRefusal {
    #[error(
        "extended label {label}: the kernel holds no label below 16, such as the Extension Label, \
         and tc can take no label off"
    )]
    ExtendedLabel { label: ExtendedLabel },
    #[error("[[forward]] for label {label}: what labels lead to is left to the kernel's own MPLS")]
    Forward { label: Label },
    #[error("hardware-stamps: stamps of a network card are for sockets")]
    HardwareStamps,
    #[error("interface {interface:?} has no Ethernet frames, which the kernel wants to send on")]
    NotEthernet { interface: String },
    #[error("the kernel forwards no IPv6 packet of interface {interface:?} ({setting} is not 1)")]
    NoForwarding { interface: String, setting: String, remedy: String },
    #[error("label {label}: this kernel has no MPLS")]
    NoMpls { label: Label },
    #[error("the kernel takes no labelled packet of interface {interface:?} ({setting} is not 1)")]
    NoLabelInput { interface: String, setting: String, remedy: String },
    #[error("label {label}: the kernel has no route for it, and would drop its packets")]
    NoLabelRoute { label: Label, remedy: String },
}

impl TcRefusal {
    /// The line that an operator can run to mend it, if one does.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        match self {
            Self::NoForwarding { remedy, .. }
            | Self::NoLabelInput { remedy, .. }
            | Self::NoLabelRoute { remedy, .. } => Some(remedy),
            Self::NoMpls { .. } => Some("sudo modprobe mpls_router"),
            Self::ExtendedLabel { .. }
            | Self::Forward { .. }
            | Self::HardwareStamps
            | Self::NotEthernet { .. } => None,
        }
    }
}

impl From<TcRefusal> for WorkerError {
    fn from(refusal: TcRefusal) -> Self {
        ForwarderRefusal::Tc(refusal).into()
    }
}

/// # Errors
///
/// The first thing in the way, of what is configured before what the host is set to.
pub(super) fn refuse(setup: &ForwarderSetup) -> Result<(), WorkerError> {
    refuse_configuration(setup)?;
    for name in setup.interfaces() {
        let found = interface::by_name(&name)?;
        if !matches!(found.link_layer, LinkLayer::Ethernet { .. }) {
            return Err(TcRefusal::NotEthernet { interface: name }.into());
        }
    }
    for entry in &setup.timestamps {
        for name in &entry.interfaces {
            match entry.trigger {
                Trigger::Label(label) => refuse_label_input(label, name)?,
                Trigger::Sid(_) | Trigger::Extended(_) => refuse_no_forwarding(name)?,
            }
        }
        if let Trigger::Label(label) = entry.trigger
            && !label_is_known(label)?
        {
            let remedy = format!("sudo ip -f mpls route add {label} dev lo");
            return Err(TcRefusal::NoLabelRoute { label, remedy }.into());
        }
    }
    Ok(())
}

fn refuse_configuration(setup: &ForwarderSetup) -> Result<(), TcRefusal> {
    if let Some(entry) = setup.labels.first() {
        return Err(TcRefusal::Forward { label: entry.label });
    }
    for entry in &setup.timestamps {
        if let Trigger::Extended(label) = entry.trigger {
            return Err(TcRefusal::ExtendedLabel { label });
        }
    }
    if setup.hardware_stamps { Err(TcRefusal::HardwareStamps) } else { Ok(()) }
}

fn refuse_no_forwarding(interface: &str) -> Result<(), TcRefusal> {
    let own = Sysctl::ipv6_interface(interface, "forwarding");
    if own.read().ok().flatten() == Some(1) {
        return Ok(());
    }
    let (setting, remedy) = (own.to_string(), own.mending_line(1));
    Err(TcRefusal::NoForwarding { interface: interface.to_owned(), setting, remedy })
}

fn refuse_label_input(label: Label, interface: &str) -> Result<(), TcRefusal> {
    let input = Sysctl::mpls_interface(interface, "input");
    match input.read().ok().flatten() {
        Some(1) => Ok(()),
        None => Err(TcRefusal::NoMpls { label }),
        Some(_) => {
            let (setting, remedy) = (input.to_string(), input.mending_line(1));
            Err(TcRefusal::NoLabelInput { interface: interface.to_owned(), setting, remedy })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forwarder::{LabelSetup, NextHopSetup, TimestampSetup};
    use stamp_proto::time::{PtpUtcOffset, TimestampFormat};
    use stamp_session::forwarding::Place;

    fn setup(trigger: Trigger, interface: &str) -> ForwarderSetup {
        let place = Place {
            offset: Place::UNAUTHENTICATED,
            format: TimestampFormat::Ptp,
            ptp_utc_offset: PtpUtcOffset::UTC,
        };
        let interfaces = vec![interface.to_owned()];
        let (ports, rate_limit) = (Vec::new(), None);
        let timestamps = vec![TimestampSetup { trigger, interfaces, place, ports, rate_limit }];
        ForwarderSetup { timestamps, ..ForwarderSetup::default() }
    }

    fn label(value: u32) -> Label {
        Label::new(value).unwrap()
    }

    #[test]
    fn what_tc_cannot_do_is_refused_by_its_name() {
        let told = |setup: &ForwarderSetup| refuse(setup).unwrap_err().to_string();
        let extended = Trigger::Extended(ExtendedLabel::FIRST_EXPERIMENTAL);
        assert!(told(&setup(extended, "lo")).contains("extended label 240: "));
        let plain = Trigger::Label(label(15_001));
        let mut forwards = setup(plain, "lo");
        let next_hop = NextHopSetup { interface: None, address: [192, 0, 2, 1].into() };
        forwards.labels.push(LabelSetup {
            label: label(16_004),
            interfaces: vec!["lo".to_owned()],
            replaced_by: Vec::new(),
            next_hop: Some(next_hop),
        });
        assert!(told(&forwards).contains("[[forward]] for label 16004: "));
        let cards = ForwarderSetup { hardware_stamps: true, ..setup(plain, "lo") };
        assert!(told(&cards).contains("hardware-stamps: "));
    }

    #[test]
    fn what_the_host_lacks_comes_with_the_line_that_mends_it() {
        let sid = stamp_session::forwarding::SidForm::new("fc00::".parse().unwrap(), 64).unwrap();
        assert!(refuse(&setup(Trigger::Sid(sid), "no-such-one")).is_err());
        let (interface, setting) = ("eth0".to_owned(), "net.ipv6.conf.eth0.forwarding".to_owned());
        let remedy = format!("sudo sysctl -w {setting}=1");
        let refusal = TcRefusal::NoForwarding { interface, setting, remedy: remedy.clone() };
        assert_eq!(refusal.remedy(), Some(remedy.as_str()));
        assert_eq!(TcRefusal::HardwareStamps.remedy(), None);
    }
}
