//! Kernel settings of the calling thread's namespace.

use std::fs;
use std::io;
use std::path::PathBuf;

/// What makes a network the same on every machine, silent, and willing to carry every probe.
const ROUTER: [(&str, &str); 23] = [
    // The reverse path filter drops what arrives by an unexpected interface, as looped probes do.
    ("net.ipv4.conf.all.rp_filter", "0"),
    ("net.ipv4.conf.default.rp_filter", "0"),
    // A looped probe comes back with our own address as its source.
    ("net.ipv4.conf.all.accept_local", "1"),
    ("net.ipv4.conf.default.accept_local", "1"),
    // Behind a label stack a probe may be addressed to 127/8.
    ("net.ipv4.conf.all.route_localnet", "1"),
    ("net.ipv4.conf.default.route_localnet", "1"),
    ("net.ipv4.ip_forward", "1"),
    // A router that redirects would teach hosts ways round the path under test.
    ("net.ipv4.conf.all.send_redirects", "0"),
    ("net.ipv4.conf.default.send_redirects", "0"),
    ("net.ipv4.icmp_ratelimit", "0"),
    // Every user may reach what the lab's own programs listen on, port 862 included.
    ("net.ipv4.ip_unprivileged_port_start", "0"),
    // Equal ways are chosen by the flow, ports included.
    ("net.ipv4.fib_multipath_hash_policy", "1"),
    ("net.ipv6.icmp.ratelimit", "0"),
    ("net.ipv6.conf.all.forwarding", "1"),
    ("net.ipv6.conf.default.forwarding", "1"),
    // Both must allow it where a packet with an SRH is delivered to an address.
    ("net.ipv6.conf.all.seg6_enabled", "1"),
    ("net.ipv6.conf.default.seg6_enabled", "1"),
    // Addresses are usable at once.
    ("net.ipv6.conf.default.accept_dad", "0"),
    ("net.ipv6.conf.default.dad_transmits", "0"),
    // Link-local addresses would only make the network talk by itself (1: none is generated).
    ("net.ipv6.conf.default.addr_gen_mode", "1"),
    ("net.ipv6.conf.default.router_solicitations", "0"),
    ("net.ipv6.conf.default.accept_ra", "0"),
    ("net.ipv6.conf.default.autoconf", "0"),
];

/// The flow of an IPv6 packet for equal ways: addresses, protocol, flow label, ports.
const FLOW: [(&str, &str); 2] =
    [("net.ipv6.fib_multipath_hash_fields", "63"), ("net.ipv6.fib_multipath_hash_policy", "3")];

/// Makes the namespace a router.
pub(crate) fn make_router() -> io::Result<()> {
    for (name, value) in ROUTER {
        write_if_present(name, value)?;
    }
    for (name, value) in FLOW {
        // Kernels before 5.14 go by addresses and flow label, which serves as well.
        let _as_before = write_if_present(name, value);
    }
    Ok(())
}

/// Makes the namespace speak no protocol of its own.
pub(crate) fn make_silent() -> io::Result<()> {
    write_if_present("net.ipv6.conf.default.disable_ipv6", "1")?;
    write_if_present("net.ipv6.conf.all.disable_ipv6", "1")
}

/// A machine without IPv6 has none of its settings.
fn write_if_present(name: &str, value: &str) -> io::Result<()> {
    match fs::write(path(name), value) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// The thread's own namespace decides what `/proc/sys/net` is.
fn path(name: &str) -> PathBuf {
    PathBuf::from("/proc/sys").join(name.replace('.', "/"))
}
