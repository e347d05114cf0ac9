//! Kernel settings and tables of the calling thread's namespace.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::netns::Families;

/// What makes a network the same on every machine, and silent until a test speaks.
const SETTINGS: [(&str, &str); 12] = [
    // The reverse path filter drops what arrives by an unexpected interface.
    ("net.ipv4.conf.all.rp_filter", "0"),
    ("net.ipv4.conf.default.rp_filter", "0"),
    // ICMP errors are what tests look for, and they would be rationed.
    ("net.ipv4.icmp_ratelimit", "0"),
    ("net.ipv6.icmp.ratelimit", "0"),
    // Addresses are usable at once and stay while an interface is down.
    ("net.ipv6.conf.default.accept_dad", "0"),
    ("net.ipv6.conf.default.dad_transmits", "0"),
    ("net.ipv6.conf.all.keep_addr_on_down", "1"),
    ("net.ipv6.conf.default.keep_addr_on_down", "1"),
    // Link-local addresses are ours to choose (1: none is generated).
    ("net.ipv6.conf.default.addr_gen_mode", "1"),
    // Nobody asks for routers, and nobody believes one.
    ("net.ipv6.conf.default.router_solicitations", "0"),
    ("net.ipv6.conf.default.accept_ra", "0"),
    ("net.ipv6.conf.default.autoconf", "0"),
];

/// Applies the settings of every namespace of the kit.
pub(super) fn apply(families: Families) -> io::Result<()> {
    for (name, value) in SETTINGS {
        write_if_present(name, value)?;
    }
    let disabled = if families.has_v6() { "0" } else { "1" };
    write_if_present("net.ipv6.conf.default.disable_ipv6", disabled)?;
    // `all` last: it is copied to the interfaces that exist.
    write_if_present("net.ipv6.conf.all.disable_ipv6", disabled)
}

pub(super) fn write(name: &str, value: &str) -> io::Result<()> {
    fs::write(path(name), value)
}

pub(super) fn read(name: &str) -> io::Result<String> {
    Ok(fs::read_to_string(path(name))?.trim().to_owned())
}

/// Whether a socket of that `/proc` table is bound to the port.
pub(super) fn is_port_bound(table: &str, port: u16) -> bool {
    // "sl local_address …", then one line a socket: "0: 0100007F:035E 00000000:0000 …".
    let lines = fs::read_to_string(table).unwrap_or_default();
    let wanted = format!("{port:04X}");
    lines.lines().skip(1).any(|line| {
        let local = line.split_whitespace().nth(1);
        local.and_then(|local| local.rsplit_once(':')).is_some_and(|(_, port)| port == wanted)
    })
}

/// A machine without IPv6 has none of its settings.
fn write_if_present(name: &str, value: &str) -> io::Result<()> {
    match write(name, value) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// The thread's own namespace decides what `/proc/sys/net` is.
fn path(name: &str) -> PathBuf {
    PathBuf::from("/proc/sys").join(name.replace('.', "/"))
}
