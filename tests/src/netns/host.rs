//! A host: one network namespace, what is configured in it, and how to do something inside.

mod binding;
mod configure;
mod labels;
mod link;
mod settings;

use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::panic::resume_unwind;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use caps::Capability;
use ipnet::IpNet;
use nix::sched::{CloneFlags, setns, unshare};
use rtnetlink::LinkUnspec;
use socket2::{Domain, Protocol, Socket, Type};

use super::netlink::Netlink;
use super::program::Program;
use super::{Families, Family, PATIENCE};

pub(crate) use link::{End, USUAL_MTU, link};

/// A network namespace and what the kit configured in it.
///
/// Clones are the same host. The namespace lives as long as one of them, a socket created in it, or
/// a program running in it.
#[derive(Clone, Debug)]
pub struct Host {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    families: Families,
    namespace: OwnedFd,
    netlink: Mutex<Netlink>,
    configured: Mutex<Configured>,
}

#[derive(Debug)]
struct Configured {
    interfaces: Vec<Interface>,
    /// Each with its interface.
    addresses: Vec<(String, IpNet)>,
}

#[derive(Clone, Debug)]
struct Interface {
    name: String,
    index: u32,
    mac: [u8; 6],
    link_local: Option<Ipv6Addr>,
    is_up: bool,
}

impl Configured {
    fn with_loopback() -> Self {
        let name = "lo".to_owned();
        let loopback = Interface { name, index: 1, mac: [0; 6], link_local: None, is_up: true };
        Self { interfaces: vec![loopback], addresses: Vec::new() }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("name", &self.name)
            .field("configured", &self.configured)
            .finish()
    }
}

impl Host {
    /// A namespace with its loopback device up and nothing else.
    #[must_use]
    #[track_caller]
    pub fn new(name: &str, families: Families) -> Self {
        let work = move || -> io::Result<(OwnedFd, Netlink)> {
            unshare(CloneFlags::CLONE_NEWNET)?;
            settings::apply(families)?;
            let netlink = Netlink::open()?;
            netlink.set_link(LinkUnspec::new_with_name("lo").up().build())?;
            Ok((fs::File::open("/proc/thread-self/ns/net")?.into(), netlink))
        };
        let built = thread::spawn(work).join().unwrap_or_else(|panic| resume_unwind(panic));
        let (namespace, netlink) =
            built.unwrap_or_else(|error| panic!("cannot create the namespace of {name}: {error}"));
        let netlink = Mutex::new(netlink);
        let configured = Mutex::new(Configured::with_loopback());
        let name = name.to_owned();
        Self { inner: Arc::new(Inner { name, families, namespace, netlink, configured }) }
    }

    /// A namespace that others made and configured, with the interfaces that a test is going to
    /// name: name, number and hardware address of each.
    #[must_use]
    #[track_caller]
    pub fn adopt(
        name: &str,
        namespace: OwnedFd,
        interfaces: impl IntoIterator<Item = (String, u32, [u8; 6])>,
    ) -> Self {
        let inside = || -> io::Result<Netlink> {
            setns(&namespace, CloneFlags::CLONE_NEWNET)?;
            Netlink::open()
        };
        let opened = thread::scope(|scope| scope.spawn(inside).join());
        let netlink = opened
            .unwrap_or_else(|panic| resume_unwind(panic))
            .unwrap_or_else(|error| panic!("cannot enter the namespace of {name}: {error}"));
        let mut configured = Configured::with_loopback();
        let known = interfaces.into_iter().map(|(name, index, mac)| Interface {
            name,
            index,
            mac,
            link_local: None,
            is_up: true,
        });
        configured.interfaces.extend(known);
        let (netlink, configured) = (Mutex::new(netlink), Mutex::new(configured));
        let (name, families) = (name.to_owned(), Families::Both);
        Self { inner: Arc::new(Inner { name, families, namespace, netlink, configured }) }
    }

    /// The name given to [`Host::new`]; it exists in messages only.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// What the host speaks.
    #[must_use]
    pub fn families(&self) -> Families {
        self.inner.families
    }

    /// The first address of that family that was added and is still there.
    #[must_use]
    #[track_caller]
    pub fn address(&self, family: Family) -> IpAddr {
        let configured = self.configured();
        let mut addresses = configured.addresses.iter().map(|(_, address)| address.addr());
        let found = addresses.find(|address| address.is_ipv4() == (family == Family::V4));
        found.unwrap_or_else(|| panic!("{} has no {family:?} address", self.name()))
    }

    /// The first IPv4 address.
    #[must_use]
    #[track_caller]
    pub fn ipv4(&self) -> Ipv4Addr {
        match self.address(Family::V4) {
            IpAddr::V4(address) => address,
            IpAddr::V6(_) => unreachable!("asked for IPv4"),
        }
    }

    /// The first IPv6 address that is not link-local.
    #[must_use]
    #[track_caller]
    pub fn ipv6(&self) -> Ipv6Addr {
        match self.address(Family::V6) {
            IpAddr::V6(address) => address,
            IpAddr::V4(_) => unreachable!("asked for IPv6"),
        }
    }

    /// The link-local address of an interface.
    #[must_use]
    #[track_caller]
    pub fn link_local(&self, interface: &str) -> Ipv6Addr {
        let found = self.interface(interface).link_local;
        found.unwrap_or_else(|| panic!("{} {interface} has no link-local address", self.name()))
    }

    /// The number of an interface, which is also the scope of its link-local address.
    #[must_use]
    #[track_caller]
    pub fn index(&self, interface: &str) -> u32 {
        self.interface(interface).index
    }

    /// The hardware address of an interface.
    #[must_use]
    #[track_caller]
    pub fn mac(&self, interface: &str) -> [u8; 6] {
        self.interface(interface).mac
    }

    /// Does `work` on a fresh thread inside the namespace and returns what it returns.
    ///
    /// # Panics
    ///
    /// With the panic of `work`, if it panics.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let inside = || {
            setns(&self.inner.namespace, CloneFlags::CLONE_NEWNET).expect("the namespace is ours");
            work()
        };
        // The name is what a panic says of where it happened.
        let builder = thread::Builder::new().name(format!("host {}", self.name()));
        thread::scope(|scope| {
            let thread = builder.spawn_scoped(scope, inside).expect("a thread is left");
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// A UDP socket bound inside, for use from any thread. IPv6 sockets speak IPv6 only. Reading
    /// gives up after [`PATIENCE`].
    #[must_use]
    #[track_caller]
    pub fn udp_socket(&self, local: impl Into<SocketAddr>) -> UdpSocket {
        let local = local.into();
        let opened = self.run(|| -> io::Result<UdpSocket> {
            let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
            if local.is_ipv6() {
                socket.set_only_v6(true)?;
            }
            socket.bind(&local.into())?;
            socket.set_read_timeout(Some(PATIENCE))?;
            Ok(socket.into())
        });
        opened.unwrap_or_else(|error| panic!("{}: cannot bind {local}: {error}", self.name()))
    }

    /// Starts a program inside. What it prints is kept; its input is empty. It sees the `/sys` of the
    /// test's own namespace: only `/proc/net` and netlink tell of this one.
    #[track_caller]
    pub fn spawn(&self, command: &mut Command) -> Program {
        self.run(|| Program::start(command))
    }

    /// Starts a program inside that has no capability, whatever its user: what an ordinary user
    /// would see who owns the same files.
    #[track_caller]
    pub fn spawn_without_rights(&self, command: &mut Command) -> Program {
        self.spawn_with(&[], command)
    }

    /// The same for programs that make user namespaces, as every user may: the kernel lets user 0 map
    /// itself into one only by a capability that ordinary users do not need for their own number.
    #[track_caller]
    pub fn spawn_as_user(&self, command: &mut Command) -> Program {
        self.spawn_with(&[Capability::CAP_SETFCAP], command)
    }

    #[track_caller]
    fn spawn_with(&self, kept: &[Capability], command: &mut Command) -> Program {
        self.run(|| {
            // A program of user 0 gets what the bounding set of its parent thread holds.
            for capability in caps::all().into_iter().filter(|one| !kept.contains(one)) {
                // Those that the kernel does not know cannot be dropped, nor held.
                let _unknown = caps::drop(None, caps::CapSet::Bounding, capability);
            }
            Program::start(command)
        })
    }

    /// Waits until `program` has bound a UDP socket to `port`, on whatever address.
    ///
    /// The kernel reports no such event, so its table is read again until it shows the port; prefer
    /// [`Program::wait_for_line`] where the program says that it listens.
    ///
    /// # Panics
    ///
    /// With everything the program printed, if it ends before that.
    #[track_caller]
    pub fn wait_for_udp_listener(&self, program: &Program, port: u16) {
        // The program's own view: it may have gone on to a namespace below this one.
        let tables = ["udp", "udp6"].map(|table| format!("/proc/{}/net/{table}", program.id()));
        program.wait_until(&format!("UDP port {port} bound"), || {
            tables.iter().any(|table| settings::is_port_bound(table, port))
        });
    }

    fn interface(&self, name: &str) -> Interface {
        let configured = self.configured();
        let found = configured.interfaces.iter().find(|interface| interface.name == name);
        found.unwrap_or_else(|| panic!("{} has no interface {name}", self.name())).clone()
    }

    fn netlink(&self) -> MutexGuard<'_, Netlink> {
        self.inner.netlink.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn configured(&self) -> MutexGuard<'_, Configured> {
        self.inner.configured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
