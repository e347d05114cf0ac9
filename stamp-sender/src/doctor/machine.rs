//! What this machine can do: rights, ports, clock, stamps, queues, limits.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use stamp_net::capability::{self, Capability};
use stamp_net::sysctl::{self, ReversePathFilter};
use stamp_net::{NetError, SocketOptions, UdpSocket, clock, interface, limits, timestamping};

use super::Finding;

/// The well-known port of reflectors (RFC 8762 §4.1).
const STAMP_PORT: u16 = 862;
/// Receive buffer that holds a burst of 4 000 packets.
const WANTED_RECEIVE_BUFFER: u64 = 4 << 20;
/// Descriptors that a few hundred sessions need.
const WANTED_DESCRIPTORS: u64 = 4_096;
/// Clock error above which one-way delay says little.
const USEFUL_CLOCK_ERROR: Duration = Duration::from_millis(1);

/// Looks at everything that does not need a far end.
pub fn examine() -> Vec<Finding> {
    let mut findings = vec![rights(), port()];
    findings.extend(families());
    findings.push(clock_quality());
    findings.extend(stamps());
    findings.push(receive_buffer());
    findings.push(descriptors());
    findings.extend(reverse_path());
    findings.push(user_namespaces());
    findings
}

fn rights() -> Finding {
    const TOPIC: &str = "rights";
    let held = match capability::effective() {
        Ok(held) => held,
        Err(error) => return Finding::note(TOPIC, format!("cannot be read: {error}")),
    };
    let names: Vec<String> =
        [Capability::NetRaw, Capability::NetAdmin, Capability::NetBindService, Capability::SysNice]
            .into_iter()
            .filter(|capability| held.has(*capability))
            .map(|capability| capability.to_string())
            .collect();
    if names.is_empty() {
        Finding::good(TOPIC, "an ordinary user: plain probes need no right")
    } else {
        Finding::good(TOPIC, names.join(", "))
    }
}

fn port() -> Finding {
    const TOPIC: &str = "port 862";
    let address = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), STAMP_PORT);
    match UdpSocket::open(&SocketOptions::new(address)) {
        Ok(_) => Finding::good(TOPIC, "free, and this user may listen on it"),
        Err(NetError::AddressInUse { holder, .. }) => {
            let by = holder.map_or_else(String::new, |holder| format!(" by {holder}"));
            Finding::note(TOPIC, format!("in use{by}: a reflector may be running here"))
        }
        Err(NetError::PrivilegedPort { .. }) => Finding::note(
            TOPIC,
            "this user may send, but not listen on it; a reflector needs the right or another port",
        )
        .mended_by("stamp-reflector --listen :8620"),
        Err(error) => Finding::note(TOPIC, error.to_string()),
    }
}

fn families() -> Vec<Finding> {
    const TOPIC: &str = "addresses";
    let addresses = match interface::local_addresses() {
        Ok(addresses) => addresses,
        Err(error) => return vec![Finding::note(TOPIC, format!("cannot be read: {error}"))],
    };
    let outward = |address: &&std::net::IpAddr| !address.is_loopback();
    let (v4, v6): (Vec<_>, Vec<_>) =
        addresses.iter().filter(outward).partition(|address| address.is_ipv4());
    let global_v6 = v6
        .iter()
        .any(|address| matches!(address, std::net::IpAddr::V6(v6) if !v6.is_unicast_link_local()));
    vec![match (v4.is_empty(), global_v6) {
        (false, true) => Finding::good(TOPIC, "IPv4 and IPv6"),
        (false, false) => Finding::good(TOPIC, "IPv4 only"),
        (true, true) => Finding::good(TOPIC, "IPv6 only"),
        (true, false) => Finding::note(TOPIC, "none but loopback and link-local"),
    }]
}

fn clock_quality() -> Finding {
    const TOPIC: &str = "clock";
    let source = clock::clock_source().unwrap_or_else(|| "unknown source".to_owned());
    match clock::kernel_clock() {
        Ok(kernel) if kernel.synchronized => {
            let error = Duration::from_nanos(kernel.maximum_error_ns);
            let text = format!("synchronised, error up to {error:?} ({source})");
            if error <= USEFUL_CLOCK_ERROR {
                Finding::good(TOPIC, text)
            } else {
                Finding::note(TOPIC, format!("{text}: one-way delays are only that good"))
            }
        }
        Ok(_) => Finding::hindrance(
            TOPIC,
            format!(
                "not synchronised ({source}): round trips are right, one-way delays are not. \
                 Run an NTP or PTP service, or declare what you know"
            ),
        )
        .mended_by("stamp-sender HOST --clock synchronized,error=1ms"),
        Err(error) => Finding::note(TOPIC, format!("cannot be read: {error}")),
    }
}

fn stamps() -> Vec<Finding> {
    const TOPIC: &str = "timestamps";
    let interfaces = match interface::list() {
        Ok(interfaces) => interfaces,
        Err(error) => return vec![Finding::note(TOPIC, format!("cannot be read: {error}"))],
    };
    let mut findings = Vec::new();
    for interface in interfaces.iter().filter(|interface| interface.up) {
        let name = &interface.name;
        findings.push(match timestamping::capabilities(name) {
            Ok(can) if can.hardware_receive && can.hardware_transmit => Finding::good(
                TOPIC,
                format!("{name}: hardware both ways (used with --hardware-stamps)"),
            ),
            Ok(can) if can.software_receive && can.software_transmit => {
                Finding::good(TOPIC, format!("{name}: kernel, both ways"))
            }
            Ok(can) if can.software_receive => Finding::note(
                TOPIC,
                format!(
                    "{name}: kernel for receiving only; T1 is taken by the program, 3-6 us early"
                ),
            ),
            Ok(_) => Finding::note(TOPIC, format!("{name}: by the program only")),
            Err(error) => Finding::note(TOPIC, format!("{name}: {error}")),
        });
    }
    findings
}

fn receive_buffer() -> Finding {
    const TOPIC: &str = "receive buffer";
    match limits::receive_buffer_maximum() {
        Some(maximum) if maximum >= WANTED_RECEIVE_BUFFER => {
            Finding::good(TOPIC, format!("up to {} KiB a socket", maximum / 1024))
        }
        Some(maximum) => Finding::note(
            TOPIC,
            format!(
                "up to {} KiB a socket: above some 10 000 packets/s a busy moment may drop \
                 packets here (counted as local, never as loss of the path)",
                maximum / 1024
            ),
        )
        .mended_by(sysctl::RMEM_MAX.mending_line(WANTED_RECEIVE_BUFFER)),
        None => Finding::note(TOPIC, "its limit cannot be read"),
    }
}

fn descriptors() -> Finding {
    const TOPIC: &str = "descriptors";
    match limits::descriptor_limit() {
        Ok(limit) if limit.hard >= WANTED_DESCRIPTORS => {
            Finding::good(TOPIC, format!("{} now, can be raised to {}", limit.soft, limit.hard))
        }
        Ok(limit) => Finding::note(
            TOPIC,
            format!("at most {}: enough for about as many hosts at once", limit.hard),
        )
        .mended_by("ulimit -Hn 65536"),
        Err(error) => Finding::note(TOPIC, format!("cannot be read: {error}")),
    }
}

/// Strict reverse path filters drop replies that come in where no route leads out.
fn reverse_path() -> Option<Finding> {
    let interfaces = interface::list().ok()?;
    let strict: Vec<&str> = interfaces
        .iter()
        .filter(|interface| interface.up && !interface.loopback)
        .filter(|interface| {
            sysctl::reverse_path_filter(&interface.name)
                .is_ok_and(|filter| filter == ReversePathFilter::Strict)
        })
        .map(|interface| interface.name.as_str())
        .collect();
    (!strict.is_empty()).then(|| {
        Finding::note(
            "reverse path",
            format!(
                "strict filter on {}: replies that return by another interface than the route \
                 leads out are dropped in silence",
                strict.join(", ")
            ),
        )
        .mended_by(sysctl::RP_FILTER_ALL.mending_line(2))
    })
}

fn user_namespaces() -> Finding {
    const TOPIC: &str = "namespaces";
    match sysctl::namespace_hindrances().as_deref() {
        Ok([]) => Finding::good(TOPIC, "user namespaces are allowed (the tests use them)"),
        Ok([first, ..]) => Finding::note(
            TOPIC,
            format!("{} = {}: namespace tests are skipped", first.setting, first.value),
        )
        .mended_by(first.setting.mending_line(first.wanted)),
        Err(error) => Finding::note(TOPIC, format!("cannot be read: {error}")),
    }
}
