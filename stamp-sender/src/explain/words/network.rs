//! Probes that did not leave, did not fit or did not arrive.

use super::count_of;
use crate::explain::{Finding, REFLECTOR_LIMIT, Target, Way};
use crate::output::duration::{setting, stretch};

pub(super) fn words(finding: &Finding) -> Option<(String, String)> {
    Some(match finding {
        Finding::Unsent { reason, count, all, target } => unsent(reason, *count, *all, target),
        Finding::TooBig { payload_octets, mtu_octets, largest_payload_octets, offender } => {
            let by = offender
                .as_deref()
                .map_or_else(|| "this host".to_owned(), |router| format!("the router {router}"));
            let mtu = mtu_octets.map_or_else(String::new, |mtu| format!(" (MTU {mtu})"));
            let remedy = largest_payload_octets.map_or_else(
                || "a smaller -s, until it fits".to_owned(),
                |largest| format!("-s {largest} is the largest that fits"),
            );
            (format!("A payload of {payload_octets} octets does not fit, says {by}{mtu}."), remedy)
        }
        Finding::LocalDrop { count } => (
            format!(
                "This host's own receive queue dropped {}: no loss of the path.",
                count_of(*count, "reply")
            ),
            "sysctl -w net.core.rmem_max=8388608, or a longer -i".to_owned(),
        ),
        Finding::Down { target } => (
            format!("The session is DOWN: the last probes to {} were lost.", target.endpoint()),
            format!("stamp-sender doctor {}", target.endpoint()),
        ),
        Finding::Late { count, timeout_ns } => (
            format!(
                "{} came after {}: their probes count as lost.",
                count_of(*count, "reply"),
                setting(*timeout_ns)
            ),
            "a longer -W counts them as delay".to_owned(),
        ),
        Finding::Remarked { count, sent, arrived } => (
            format!(
                "{} came back with another DSCP than the probes had: {sent} became {}.",
                count_of(*count, "reply"),
                arrived.map_or_else(|| "unknown".to_owned(), |dscp| dscp.to_string())
            ),
            "some router remarks; delay and loss are those of the other class".to_owned(),
        ),
        Finding::Congestion { count } => (
            format!("{} met congestion (ECN CE).", count_of(*count, "reply")),
            "a queue on the way is filling: look for rising delay in the same seconds".to_owned(),
        ),
        Finding::PathChanged { way, min, max } => (
            format!("Packets passed {min} to {max} hops {}: the route changed.", way.phrase()),
            "-D puts the time on each line".to_owned(),
        ),
        _ => return loss(finding),
    })
}

fn unsent(reason: &str, count: u64, all: bool, target: &Target) -> (String, String) {
    let probes = count_of(count, "probe");
    let none = if all { " None left at all." } else { "" };
    // Where a packet goes first decides.
    let first = target.sids.first().unwrap_or(&target.address);
    let (means, remedy) = match reason {
        "missed_slot" => ("this host was too busy", "-i with a longer time, or less load here"),
        "table_full" => ("too many were awaited at once", "a shorter -W or a longer -i"),
        "no_buffer" => ("the send queue was full", "a longer -i; tc -s qdisc shows the queue"),
        "no_neighbour" => ("the next hop does not answer", "ip neigh show nud failed"),
        "no_route" => ("there is no route", ""),
        "refused" => ("this host's firewall or policy refuses them", "nft list ruleset"),
        "network_down" => ("the interface is down", "ip -br link; ip link set DEV up"),
        "source_gone" => ("the source address is no longer here", "ip -br addr; leave out -S"),
        _ => ("the system call failed", "--log.level debug says how"),
    };
    let remedy = match reason {
        "no_route" => format!("ip route get {first}"),
        _ => remedy.to_owned(),
    };
    (format!("{probes} never left, no loss of the path: {means}.{none}"), remedy)
}

fn loss(finding: &Finding) -> Option<(String, String)> {
    Some(match finding {
        Finding::LossOneWay { way, count, other, target } => one_way(*way, *count, *other, target),
        Finding::LossBothWays { forward, backward } => (
            format!("Probes were lost both ways: {forward} forward, {backward} backward."),
            "both ways share a link or a congested router: mtr shows which".to_owned(),
        ),
        Finding::LossDirectionUnknown { count } => (
            format!(
                "Where {} got lost is unknown: the reflector is stateless.",
                count_of(*count, "probe")
            ),
            "there: stamp-reflector --stateful".to_owned(),
        ),
        Finding::LossBursts { bursts, longest_run, longest_ns } => (
            format!(
                "Losses come in bursts ({}); the longest took {} ({}): a link that flaps, a \
                 reroute or a queue that overflows.",
                count_of(*bursts, "burst"),
                stretch(*longest_ns),
                count_of(*longest_run, "probe")
            ),
            "-D puts the time on each line; compare with the routers' logs".to_owned(),
        ),
        Finding::LossEven { ratio } => (
            format!(
                "Losses come one by one ({}): a noisy link, or a queue that is a little too full.",
                percent(*ratio)
            ),
            "look for error counters on the way: ip -s link, ethtool -S".to_owned(),
        ),
        Finding::Policed { per_second, sent_per_second } => (
            format!(
                "About {per_second} probes/s get through of {sent_per_second:.0}/s sent, whatever \
                 is sent: a rate limit (policer)."
            ),
            if per_second.abs_diff(REFLECTOR_LIMIT) <= REFLECTOR_LIMIT / 5 {
                "a stamp-reflector allows 2000/s for each source; there: --rate-limit off"
                    .to_owned()
            } else {
                format!("stay below it: -i {}", interval_below(*per_second))
            },
        ),
        _ => return None,
    })
}

fn one_way(way: Way, count: u64, other: u64, target: &Target) -> (String, String) {
    let share = if other == 0 {
        match count {
            1 => "The lost probe was lost".to_owned(),
            2 => "Both lost probes were lost".to_owned(),
            _ => format!("All {count} lost probes were lost"),
        }
    } else {
        format!("{count} of {} lost probes were lost", count + other)
    };
    let (address, source, port) = (&target.address, &target.source, target.port);
    let remedy = match way {
        Way::Forward => format!("mtr --udp -P {port} {address}"),
        Way::Backward => format!("there: mtr --udp {source}"),
    };
    (format!("{share} {}.", way.phrase()), remedy)
}

/// Loss or share of a whole, with as many digits as it takes.
pub fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    match percent {
        0.0 => "0%".to_owned(),
        small if small < 1.0 => format!("{small:.3}%"),
        middle if middle < 99.95 => format!("{middle:.1}%"),
        _ => format!("{percent:.0}%"),
    }
}

/// A round interval that makes a little less than so many a second.
fn interval_below(per_second: u64) -> String {
    let exact_ns = 1_100_000_000 / per_second.max(1);
    let step = 10_u64.pow(exact_ns.max(10).ilog10()) / 10;
    setting(exact_ns.div_ceil(step.max(1)) * step.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_the_digits_it_needs() {
        assert_eq!(percent(0.0), "0%");
        assert_eq!(percent(0.000_12), "0.012%");
        assert_eq!(percent(0.003_33), "0.333%");
        assert_eq!(percent(0.012_5), "1.2%");
        assert_eq!(percent(1.0), "100%");
    }

    #[test]
    fn the_interval_that_stays_below_a_rate_is_round() {
        assert_eq!(interval_below(1_000), "1.1ms");
        assert_eq!(interval_below(150), "7.4ms");
        assert_eq!(interval_below(0), "1.1s");
    }
}
