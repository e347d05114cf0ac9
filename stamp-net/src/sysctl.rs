//! Kernel settings that decide whether measurements work: where they are and what they hold.

mod arrival;

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use crate::error::NetError;

pub use arrival::{Arrival, arrival_hindrances};

/// A kernel setting by the name that `sysctl` knows it by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sysctl {
    /// Components between dots; an interface name may itself contain one.
    components: Cow<'static, [Cow<'static, str>]>,
}

macro_rules! sysctl {
    ($($component:literal).+) => {
        Sysctl { components: Cow::Borrowed(&[$(Cow::Borrowed($component)),+]) }
    };
}

/// First port that an ordinary user may bind.
pub const IP_UNPRIVILEGED_PORT_START: Sysctl = sysctl!("net"."ipv4"."ip_unprivileged_port_start");
/// Source ports that the kernel picks from (two numbers; [`Sysctl::read`] gives the first).
pub const IP_LOCAL_PORT_RANGE: Sysctl = sysctl!("net"."ipv4"."ip_local_port_range");
/// Largest receive buffer that an ordinary user may ask for, in octets.
pub const RMEM_MAX: Sysctl = sysctl!("net"."core"."rmem_max");
/// Largest send buffer that an ordinary user may ask for, in octets.
pub const WMEM_MAX: Sysctl = sysctl!("net"."core"."wmem_max");
/// Receive buffer of a new socket, in octets.
pub const RMEM_DEFAULT: Sysctl = sysctl!("net"."core"."rmem_default");
/// Packets that wait for one processor before the kernel drops them.
pub const NETDEV_MAX_BACKLOG: Sysctl = sysctl!("net"."core"."netdev_max_backlog");
/// Reverse path filter of all interfaces: 1 drops packets whose answer would leave elsewhere.
pub const RP_FILTER_ALL: Sysctl = sysctl!("net"."ipv4"."conf"."all"."rp_filter");
/// IPv4 packets from our own addresses accepted on all interfaces.
pub const ACCEPT_LOCAL_ALL: Sysctl = sysctl!("net"."ipv4"."conf"."all"."accept_local");
/// Whether 127/8 may arrive from outside, on all interfaces.
pub const ROUTE_LOCALNET_ALL: Sysctl = sysctl!("net"."ipv4"."conf"."all"."route_localnet");
/// IPv6 packets for others sent on.
pub const IPV6_FORWARDING_ALL: Sysctl = sysctl!("net"."ipv6"."conf"."all"."forwarding");
/// IPv6 switched off on all interfaces.
pub const IPV6_DISABLE_ALL: Sysctl = sysctl!("net"."ipv6"."conf"."all"."disable_ipv6");
/// IPv6 switched off on interfaces created from now on.
pub const IPV6_DISABLE_DEFAULT: Sysctl = sysctl!("net"."ipv6"."conf"."default"."disable_ipv6");
/// SRv6 packets accepted on all interfaces.
pub const SEG6_ENABLED_ALL: Sysctl = sysctl!("net"."ipv6"."conf"."all"."seg6_enabled");
/// Whether a UDP socket without a VRF also gets what arrives in one.
pub const UDP_L3MDEV_ACCEPT: Sysctl = sysctl!("net"."ipv4"."udp_l3mdev_accept");
/// Whether ICMP "fragmentation needed" is believed (0) or path MTU discovery is off (1, 2).
pub const IP_NO_PMTU_DISC: Sysctl = sysctl!("net"."ipv4"."ip_no_pmtu_disc");
/// User namespaces that one user may create; 0 forbids them.
pub const MAX_USER_NAMESPACES: Sysctl = sysctl!("user"."max_user_namespaces");
/// Network namespaces that one user may create.
pub const MAX_NET_NAMESPACES: Sysctl = sysctl!("user"."max_net_namespaces");
/// Debian: whether ordinary users may create user namespaces.
pub const UNPRIVILEGED_USERNS_CLONE: Sysctl = sysctl!("kernel"."unprivileged_userns_clone");
/// Ubuntu: whether AppArmor takes the rights away from an ordinary user's namespace.
pub const APPARMOR_RESTRICT_USERNS: Sysctl =
    sysctl!("kernel"."apparmor_restrict_unprivileged_userns");

impl Sysctl {
    /// The IPv4 setting `key`, such as `rp_filter`, of one interface.
    #[must_use]
    pub fn ipv4_interface(interface: &str, key: &'static str) -> Self {
        Self::of_interface("ipv4", interface, key)
    }

    /// The IPv6 setting `key`, such as `disable_ipv6`, of one interface.
    #[must_use]
    pub fn ipv6_interface(interface: &str, key: &'static str) -> Self {
        Self::of_interface("ipv6", interface, key)
    }

    /// The MPLS setting `key`, such as `input`, of one interface; there is none where the kernel has
    /// no MPLS.
    #[must_use]
    pub fn mpls_interface(interface: &str, key: &'static str) -> Self {
        Self::of_interface("mpls", interface, key)
    }

    fn of_interface(family: &'static str, interface: &str, key: &'static str) -> Self {
        // A slash would lead out of the directory; no interface name can have one.
        let interface = interface.replace('/', "_");
        let components =
            vec!["net".into(), family.into(), "conf".into(), interface.into(), key.into()];
        Self { components: components.into() }
    }

    /// Where the setting lives, in the network namespace of the calling thread.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let mut path = PathBuf::from("/proc/sys");
        path.extend(self.components.iter().map(AsRef::<str>::as_ref));
        path
    }

    /// Its value, or its first one if it has several; `None` when this kernel has no such setting.
    ///
    /// # Errors
    ///
    /// [`NetError::File`] when it cannot be read or is not a number.
    pub fn read(&self) -> Result<Option<u64>, NetError> {
        let path = self.path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(NetError::File { path, source }),
        };
        match text.split_whitespace().next().and_then(|word| word.parse().ok()) {
            Some(value) => Ok(Some(value)),
            None => Err(NetError::File { path, source: io::ErrorKind::InvalidData.into() }),
        }
    }

    /// The line that sets it to `value`.
    #[must_use]
    pub fn mending_line(&self, value: u64) -> String {
        format!("sudo sysctl -w {self}={value}")
    }
}

/// The form that `sysctl` takes: dots, and a slash where a component has a dot of its own.
impl fmt::Display for Sysctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, component) in self.components.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            f.write_str(&component.replace('.', "/"))?;
        }
        Ok(())
    }
}

/// First port that an ordinary user may bind here; 1024 when the kernel does not tell.
#[must_use]
pub fn first_unprivileged_port() -> u16 {
    let read = IP_UNPRIVILEGED_PORT_START.read().ok().flatten();
    read.and_then(|port| port.try_into().ok()).unwrap_or(1024)
}

/// How the reverse path filter of one interface treats packets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReversePathFilter {
    /// Everything passes.
    Off,
    /// The way back must lead through the same interface.
    Strict,
    /// Some way back must exist.
    Loose,
}

/// The reverse path filter in force on `interface`: the larger number of its own and `all`.
///
/// # Errors
///
/// [`NetError::File`] when the settings cannot be read.
pub fn reverse_path_filter(interface: &str) -> Result<ReversePathFilter, NetError> {
    let own = Sysctl::ipv4_interface(interface, "rp_filter").read()?;
    let all = RP_FILTER_ALL.read()?;
    // The kernel takes the larger number, although 2 is the milder filter.
    Ok(match own.max(all) {
        Some(1) => ReversePathFilter::Strict,
        Some(2) => ReversePathFilter::Loose,
        _ => ReversePathFilter::Off,
    })
}

/// A setting that stands in the way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hindrance {
    /// Which one.
    pub setting: Sysctl,
    /// What it holds.
    pub value: u64,
    /// What it would have to hold.
    pub wanted: u64,
}

impl Hindrance {
    /// The line that puts it right.
    #[must_use]
    pub fn mending_line(&self) -> String {
        self.setting.mending_line(self.wanted)
    }
}

/// The settings that forbid user namespaces to ordinary users; empty when nothing visible does.
///
/// # Errors
///
/// [`NetError::File`] when a setting cannot be read.
pub fn namespace_hindrances() -> Result<Vec<Hindrance>, NetError> {
    // The last one forbids what it is switched on for, the others what they do not allow.
    let checks = [
        (MAX_USER_NAMESPACES, 15_000),
        (MAX_NET_NAMESPACES, 15_000),
        (UNPRIVILEGED_USERNS_CLONE, 1),
        (APPARMOR_RESTRICT_USERNS, 0),
    ];
    let mut hindrances = Vec::new();
    for (setting, wanted) in checks {
        if let Some(value) = setting.read()?
            && (value == 0) != (wanted == 0)
        {
            hindrances.push(Hindrance { setting, value, wanted });
        }
    }
    Ok(hindrances)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_file() {
        let setting = IP_UNPRIVILEGED_PORT_START;
        assert_eq!(setting.to_string(), "net.ipv4.ip_unprivileged_port_start");
        assert_eq!(setting.path(), PathBuf::from("/proc/sys/net/ipv4/ip_unprivileged_port_start"));
        assert!(setting.read().unwrap().is_some());
    }

    #[test]
    fn a_setting_that_this_kernel_lacks_has_no_value() {
        assert_eq!(sysctl!("kernel"."no_such_setting").read().unwrap(), None);
    }

    #[test]
    fn a_dot_in_an_interface_name_stays_in_its_component() {
        let setting = Sysctl::ipv4_interface("eth0.7", "rp_filter");
        assert_eq!(setting.path(), PathBuf::from("/proc/sys/net/ipv4/conf/eth0.7/rp_filter"));
        assert_eq!(setting.mending_line(2), "sudo sysctl -w net.ipv4.conf.eth0/7.rp_filter=2");
    }

    #[test]
    fn an_interface_name_cannot_lead_elsewhere() {
        let setting = Sysctl::ipv6_interface("../../x", "disable_ipv6");
        assert!(setting.path().ends_with("conf/.._.._x/disable_ipv6"));
    }

    #[test]
    fn the_first_of_several_numbers_is_read() {
        let first = IP_LOCAL_PORT_RANGE.read().unwrap().unwrap();
        assert!((1..=65_535).contains(&first));
    }

    #[test]
    fn loopback_has_a_reverse_path_filter_setting() {
        let own = Sysctl::ipv4_interface("lo", "rp_filter").read().unwrap().unwrap();
        let all = RP_FILTER_ALL.read().unwrap().unwrap();
        let expected = match own.max(all) {
            0 => ReversePathFilter::Off,
            1 => ReversePathFilter::Strict,
            _ => ReversePathFilter::Loose,
        };
        assert_eq!(reverse_path_filter("lo").unwrap(), expected);
    }

    #[test]
    fn hindrances_are_settings_with_a_bad_value() {
        for hindrance in namespace_hindrances().unwrap() {
            assert_eq!(hindrance.setting.read().unwrap(), Some(hindrance.value));
            assert_ne!(hindrance.value, hindrance.wanted);
        }
    }
}
