//! Why the kernel refused something.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use thiserror::Error;

use crate::capability::Capability;
use crate::holder::PortHolder;

/// What stands in the way, with the fields that tell where.
///
/// Failures of single datagrams are not errors but
/// [`SendFailure`](crate::socket::SendFailure)s.
#[derive(Debug, Error)]
pub enum NetError {
    /// Another socket has the address and port, or a wildcard that covers it.
    #[error("{address} is taken{}", by(.holder.as_ref()))]
    AddressInUse {
        /// What was to be bound.
        address: SocketAddr,
        /// Whose it is, as far as `/proc` lets us see.
        holder: Option<PortHolder>,
    },
    /// The kernel has no port left to choose.
    #[error(
        "every port of net.ipv4.ip_local_port_range is taken: each session has one of its own; widen it"
    )]
    NoPorts,
    /// The port is one that ordinary users may not bind.
    ///
    /// The ways out are in [`Self::remedies`]: not every program has all of them.
    #[error("port {} is below {first_unprivileged} and needs CAP_NET_BIND_SERVICE", address.port())]
    PrivilegedPort {
        /// What was to be bound.
        address: SocketAddr,
        /// The first port that everyone may bind (`net.ipv4.ip_unprivileged_port_start`).
        first_unprivileged: u16,
    },
    /// The process lacks a right.
    #[error("{what} needs {capability}")]
    PermissionDenied {
        /// What was tried.
        what: &'static str,
        /// Which capability would allow it.
        capability: Capability,
    },
    /// The process lacks a right to put a program at the ingress of an interface.
    #[error("a program at the ingress (tc) needs {}", rights(missing))]
    TcDenied {
        /// Which capabilities would allow it; none when it has them in a user namespace only, where
        /// they do not count.
        missing: Vec<Capability>,
    },
    /// The kernel refused a BPF program or map.
    #[error("the kernel refused a BPF program or its maps")]
    Bpf {
        /// What was refused; for a program, what the kernel's checker says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A compiled BPF program is not the one this was written for.
    #[error("the compiled BPF program lacks a map or its program")]
    BpfObject,
    /// More interfaces than a program can tell apart.
    #[error("a program at the ingress tells {most} interfaces apart at most")]
    TooManyInterfaces {
        /// How many.
        most: usize,
    },
    /// No interface of this host has the address, or it is not usable (yet).
    #[error("no interface of this host has the address {}", address.ip())]
    AddressNotAvailable {
        /// What was to be bound.
        address: SocketAddr,
    },
    /// A link-local IPv6 address without the interface it belongs to.
    #[error("{address} is a link-local address and needs its interface, as in {address}%eth0")]
    MissingScope {
        /// The address.
        address: IpAddr,
    },
    /// An IPv6 socket that somebody else bound takes IPv4 as well.
    #[error(
        "the socket passed on for {address} takes IPv4 too; its unit needs BindIPv6Only=ipv6-only, \
         and a ListenDatagram= of its own for IPv4"
    )]
    TakesBothFamilies {
        /// What it is bound to.
        address: SocketAddr,
    },
    /// There is no interface of this name.
    #[error("there is no interface {name:?}")]
    NoSuchInterface {
        /// The name asked for.
        name: Box<str>,
    },
    /// The interface exists but is no VRF.
    #[error("interface {name:?} is not a VRF")]
    NotVrf {
        /// The name asked for.
        name: Box<str>,
    },
    /// Frames of this interface begin with a header that is not known here.
    #[error("interface {name:?} has neither Ethernet frames nor bare packets (type {kind})")]
    UnknownLinkLayer {
        /// The name asked for.
        name: Box<str>,
        /// The number in `if_arp.h`.
        kind: u16,
    },
    /// The kernel has no support for this address family, or it is switched off.
    #[error("this host has no IPv{}", if *.ipv6 { '6' } else { '4' })]
    FamilyUnavailable {
        /// Whether IPv6 is the missing one.
        ipv6: bool,
    },
    /// No route leads there.
    #[error("no route to {to}")]
    NoRoute {
        /// The destination.
        to: IpAddr,
    },
    /// Packets for a prefix do not end in a blackhole, because of a route of somebody else.
    #[error(
        "a route of this kernel leads packets to {prefix}/{bits} elsewhere than into a blackhole"
    )]
    NotBlackholed {
        /// The prefix.
        prefix: Ipv6Addr,
        /// Its length.
        bits: u8,
    },
    /// The kernel was built without what puts such a header on packets, or its module is missing.
    #[error(
        "this kernel puts no such segments on packets: it lacks mpls_iptunnel for labels, or \
         CONFIG_IPV6_SEG6_LWTUNNEL for SIDs"
    )]
    NoEncapsulation,
    /// Segments are a matter of IPv6.
    #[error("segments need an IPv6 socket")]
    SegmentsNeedIpv6,
    /// A Segment Routing Header holds no more segments than its length field can say.
    #[error("{segments} segments do not fit into one header, {most} do")]
    TooManySegments {
        /// How many were asked for.
        segments: usize,
        /// How many fit beside the destination.
        most: usize,
    },
    /// Not a Segment Routing Header that the kernel sends: malformed, reduced, or without a segment
    /// before the destination.
    #[error("no Segment Routing Header that the kernel sends ({octets} octets)")]
    BadRoutingHeader {
        /// How long it is.
        octets: usize,
    },
    /// The process or the host has no file descriptor left.
    #[error("no file descriptor left; raise the limit (`ulimit -n`, LimitNOFILE=)")]
    NoDescriptors,
    /// An option of a socket could not be set or read.
    #[error("socket option {option}")]
    SocketOption {
        /// Its name in the manual.
        option: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// Some other system call failed.
    #[error("system call {call}")]
    Call {
        /// Its name in the manual.
        call: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// A file of `/proc` or `/sys` could not be read.
    #[error("{}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel's answer about interfaces or routes makes no sense.
    #[error("unreadable netlink answer")]
    Netlink,
}

impl NetError {
    /// Names the call that failed.
    pub(crate) fn call(call: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.raw_os_error() {
            Some(libc::EMFILE | libc::ENFILE) => Self::NoDescriptors,
            _ => Self::Call { call, source },
        }
    }

    /// Names the call that failed, for calls made through nix.
    pub(crate) fn errno(call: &'static str) -> impl FnOnce(nix::errno::Errno) -> Self {
        move |errno| Self::call(call)(errno.into())
    }

    /// Names the option that failed.
    pub(crate) fn option(option: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::SocketOption { option, source }
    }

    /// For [`Self::PrivilegedPort`], [`Self::PermissionDenied`] and [`Self::TcDenied`] the ways out,
    /// each a line to run or to write; otherwise empty.
    #[must_use]
    pub fn remedies(&self) -> Vec<String> {
        match self {
            Self::PrivilegedPort { address, .. } => remedies(*address).to_vec(),
            Self::PermissionDenied { capability, .. } => granting(&[*capability]).to_vec(),
            Self::TcDenied { missing } if !missing.is_empty() => {
                granting(&[Capability::Bpf, Capability::NetAdmin]).to_vec()
            }
            _ => Vec::new(),
        }
    }
}

fn granting(capabilities: &[Capability]) -> [String; 2] {
    let program = std::env::current_exe().unwrap_or_else(|_| "PROGRAM".into());
    let names: Vec<String> = capabilities.iter().map(ToString::to_string).collect();
    let lower = names.join(",").to_lowercase();
    [
        format!("sudo setcap {lower}=+ep {}", program.display()),
        format!("AmbientCapabilities={} in the unit of the service", names.join(" ")),
    ]
}

fn rights(missing: &[Capability]) -> String {
    let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [] => "the rights of the host itself: those of a user namespace do not count".to_owned(),
        _ => names.join(" and "),
    }
}

fn remedies(address: SocketAddr) -> [String; 3] {
    let program = std::env::current_exe().unwrap_or_else(|_| "PROGRAM".into());
    let port = address.port();
    [
        format!("sudo setcap cap_net_bind_service=+ep {}", program.display()),
        "--listen :PORT with a higher port".to_owned(),
        format!("sudo sysctl net.ipv4.ip_unprivileged_port_start={port}"),
    ]
}

fn by(holder: Option<&PortHolder>) -> String {
    holder.map(|holder| format!(" by {holder}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_privileged_port_comes_with_three_ways_out() {
        let error = NetError::PrivilegedPort {
            address: "0.0.0.0:862".parse().unwrap(),
            first_unprivileged: 1024,
        };
        let remedies = error.remedies();
        assert!(remedies[0].starts_with("sudo setcap cap_net_bind_service=+ep /"));
        assert_eq!(remedies[1], "--listen :PORT with a higher port");
        assert_eq!(remedies[2], "sudo sysctl net.ipv4.ip_unprivileged_port_start=862");
        assert_eq!(error.to_string(), "port 862 is below 1024 and needs CAP_NET_BIND_SERVICE");
    }

    #[test]
    fn a_program_at_the_ingress_names_what_is_missing_and_asks_for_both() {
        let denied = |missing: &[Capability]| NetError::TcDenied { missing: missing.to_vec() };
        let error = denied(&[Capability::Bpf]);
        assert_eq!(error.to_string(), "a program at the ingress (tc) needs CAP_BPF");
        assert!(error.remedies()[0].starts_with("sudo setcap cap_bpf,cap_net_admin=+ep /"));
        assert!(error.remedies()[1].starts_with("AmbientCapabilities=CAP_BPF CAP_NET_ADMIN in"));
        assert!(denied(&[]).to_string().contains("user namespace"));
        assert!(denied(&[]).remedies().is_empty());
    }

    #[test]
    fn a_taken_port_names_its_holder() {
        let address = "127.0.0.1:862".parse().unwrap();
        let holder = PortHolder { pid: 7, command: "twampd".into() };
        let error = NetError::AddressInUse { address, holder: Some(holder) };
        assert_eq!(error.to_string(), "127.0.0.1:862 is taken by twampd (process 7)");
        let error = NetError::AddressInUse { address, holder: None };
        assert_eq!(error.to_string(), "127.0.0.1:862 is taken");
    }

    #[test]
    fn running_out_of_descriptors_has_its_own_error() {
        let error = NetError::call("socket")(io::Error::from_raw_os_error(libc::EMFILE));
        assert!(matches!(error, NetError::NoDescriptors));
        let error = NetError::call("socket")(io::Error::from_raw_os_error(libc::EINVAL));
        assert!(matches!(error, NetError::Call { call: "socket", .. }));
    }

    #[test]
    fn a_missing_family_is_named() {
        assert_eq!(NetError::FamilyUnavailable { ipv6: true }.to_string(), "this host has no IPv6");
        assert_eq!(
            NetError::FamilyUnavailable { ipv6: false }.to_string(),
            "this host has no IPv4"
        );
    }
}
