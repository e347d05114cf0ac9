//! Nothing came back, or not what was expected.

use super::count_of;
use crate::explain::silence::{Cause, LoopedCause};
use crate::explain::{Finding, Target};
use crate::output::duration::setting;

pub(super) fn words(finding: &Finding) -> Option<(String, String)> {
    Some(match finding {
        Finding::TooEarly { timeout_ns } => (
            "No reply yet, and no probe has waited long enough to be lost.".to_owned(),
            format!("let it run for longer than {} (-W)", setting(*timeout_ns)),
        ),
        Finding::Silent { lost, target } => (
            format!(
                "None of {} to {target} was answered, and no ICMP error says why. What usually \
                 causes that, the most likely first:",
                count_of(*lost, "probe")
            ),
            format!("stamp-sender doctor {target}"),
        ),
        Finding::SilentCause(cause) => self::cause(cause),
        Finding::Icmp { what, offender, count, target, .. } => {
            icmp(what, offender.as_deref(), *count, target)
        }
        Finding::Rejected { reason, count, authenticated, .. } => {
            rejected(reason, *count, *authenticated)
        }
        _ => return None,
    })
}

fn cause(cause: &Cause) -> (String, String) {
    match cause {
        Cause::Firewall { port } => (
            format!("1. A firewall drops UDP port {port} on the way or at the far end."),
            format!("there: nft add rule inet filter input udp dport {port} accept"),
        ),
        Cause::WrongPort { port } => (
            format!("2. Nothing listens on port {port}, and ICMP errors are filtered."),
            "there: ss -lun | grep -e 862 -e stamp; here: -p PORT".to_owned(),
        ),
        Cause::AuthenticationMode { authenticated: false } => (
            "3. The far end demands authentication, this end does not sign.".to_owned(),
            "here: --auth --key-file FILE".to_owned(),
        ),
        Cause::AuthenticationMode { authenticated: true } => (
            "3. The far end does not know the key, or does not authenticate at all.".to_owned(),
            "there: stamp-reflector --auth --key-file FILE with the same key; here: no --auth"
                .to_owned(),
        ),
        Cause::AllowList { source } => (
            "4. The far end answers only the senders on its list.".to_owned(),
            format!("there: [[allow]] prefix = \"{source}\""),
        ),
        Cause::RateLimit => (
            "5. The far end's rate limit for this source is used up.".to_owned(),
            "there: --rate-limit off; here: a longer -i".to_owned(),
        ),
        Cause::Looped { number, why } => {
            let (text, remedy) = looped(why);
            (format!("{number}. {text}"), remedy)
        }
        Cause::ServicePort { port } => (
            format!(
                "6. The far end takes probes from port {port} for another service's answers: that \
                 is how two services begin to answer each other for ever."
            ),
            "here: no --source-port, or one from 1024 up".to_owned(),
        ),
    }
}

fn looped(why: &LoopedCause) -> (String, String) {
    match why {
        LoopedCause::NotStamping => (
            "The far node does not know the label or SID that asks for its receive timestamp, and \
             drops the probe."
                .to_owned(),
            "here: --tsf-fallback measures plain loopback then; there: a [[timestamp]] entry"
                .to_owned(),
        ),
        LoopedCause::UnknownSegment => (
            "A node on the way does not know its segment, or no way leads back.".to_owned(),
            "here: --show-packet, and fewer segments until something comes back".to_owned(),
        ),
        LoopedCause::SourceCheck { source } => (
            format!(
                "A router drops packets that come from the wrong side: these come back with \
                 {source} as their source."
            ),
            "there: no strict reverse path filter on the way back".to_owned(),
        ),
        LoopedCause::OwnFilter => (
            "This host drops what comes back before the program can see it.".to_owned(),
            "here: nft list ruleset; stamp-sender doctor".to_owned(),
        ),
    }
}

fn icmp(what: &str, offender: Option<&str>, count: u64, target: &Target) -> (String, String) {
    let by = offender.map_or_else(String::new, |offender| format!(" from {offender}"));
    let errors = count_of(count, "ICMP error");
    let (address, port) = (&target.address, target.port);
    let (means, remedy) = match what {
        "port_unreachable" => (
            format!("nothing listens on UDP port {port} there"),
            format!("there: stamp-reflector --listen :{port}; here: -p PORT"),
        ),
        "administratively_prohibited" => (
            "a firewall forbids the probes".to_owned(),
            format!("there: nft add rule inet filter input udp dport {port} accept"),
        ),
        "host_unreachable" => (
            format!("nobody answers for {address} on its last link"),
            format!("is the host up? ip neigh show {address} on the last router"),
        ),
        "network_unreachable" if !target.sids.is_empty() => (
            format!(
                "there is no route from there to the next of {}, {address}",
                target.sids.join(", ")
            ),
            "on that router: ip -6 route get SID, for each of them".to_owned(),
        ),
        "network_unreachable" => (
            format!("there is no route to {address} from there"),
            format!("on that router: ip route get {address}"),
        ),
        "protocol_unreachable" => {
            ("the host does not speak UDP".to_owned(), format!("is {address} the host you mean?"))
        }
        "time_exceeded" => (
            "the TTL ran out: a routing loop, or --ttl is too small".to_owned(),
            format!("traceroute -U -p {port} {address}"),
        ),
        "parameter_problem" => (
            "a router cannot read the packet".to_owned(),
            "capture a probe: tcpdump -nvX udp".to_owned(),
        ),
        other => (format!("it says {}", other.replace('_', " ")), String::new()),
    };
    (format!("{errors}{by}: {means}."), remedy)
}

fn rejected(reason: &str, count: u64, authenticated: bool) -> (String, String) {
    let replies = count_of(count, "datagram");
    let compare = "capture them: tcpdump -nvX udp".to_owned();
    let (means, remedy) = match reason {
        "authentication" => (
            "came with an HMAC that none of our keys makes".to_owned(),
            "the same line `ID KEY` must stand in the key files of both ends".to_owned(),
        ),
        "source" => (
            "came from another address or port than the probes go to".to_owned(),
            "the far end answers from another address: probe that one, or look for a NAT"
                .to_owned(),
        ),
        "short" if authenticated => (
            "are too short for authenticated mode: the far end does not authenticate".to_owned(),
            "there: stamp-reflector --auth --key-file FILE; here: no --auth".to_owned(),
        ),
        "short" => ("are too short for a STAMP reply".to_owned(), compare),
        "ssid" => (
            "carry the SSID of another session".to_owned(),
            "another sender uses this port: leave out --source-port".to_owned(),
        ),
        "own_probe" => (
            "are our own probes, sent back unchanged".to_owned(),
            "an echo service answers instead of a reflector: is the port right?".to_owned(),
        ),
        "never_sent" | "echoed_timestamp" | "echoed_error_estimate" => (
            "do not echo what was sent: forged, corrupted, or of an earlier run".to_owned(),
            compare,
        ),
        "forgotten" => (
            "answer probes so old that nothing is remembered of them".to_owned(),
            "a longer -W remembers longer".to_owned(),
        ),
        "error_estimate" => (
            "have an Error Estimate with Multiplier 0, which RFC 4656 §4.1.2 forbids".to_owned(),
            "the far end's implementation needs a correction".to_owned(),
        ),
        "timestamp" => (
            "have no usable timestamp of the far end".to_owned(),
            "the far end's implementation or its clock needs a correction".to_owned(),
        ),
        "reply_sent_before_received" => (
            "left the far end before they arrived there: its clock ran backwards".to_owned(),
            "there: chronyc tracking".to_owned(),
        ),
        "received_before_sent" => (
            "say that probes arrived before they left, by more than both clocks claim to be wrong"
                .to_owned(),
            "a clock is worse than it says: chronyc tracking at both ends".to_owned(),
        ),
        "reply_received_before_sent" => (
            "arrived here before the probe left: this host's clock ran backwards".to_owned(),
            "here: chronyc tracking".to_owned(),
        ),
        "wrong_member" => (
            "are of another member link of the LAG, or came in on one".to_owned(),
            "compare the cables with --lag-members here and lag-members there".to_owned(),
        ),
        other => (format!("were refused: {}", other.replace('_', " ")), compare),
    };
    (format!("{replies} {means}."), remedy)
}
