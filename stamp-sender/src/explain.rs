//! What an engineer would ask next, answered from the numbers of a session.
//!
//! Each answer is a [`Finding`]: a typed fact, the sentence that says it, and the line that mends
//! it or tells more. Findings come from a [`SessionRecord`] alone, so a saved run explains itself
//! exactly as the live one did.

mod access;
mod answers;
mod clocks;
mod far_end;
mod headers;
mod lag;
mod looped;
mod loss;
mod network;
mod record;
mod returns;
mod silence;
mod traffic;
mod words;

pub use access::AccessFinding;
pub use headers::HeaderFinding;
pub use lag::LagFinding;
pub use traffic::TrafficFinding;
pub use words::percent;

use crate::output::record::SessionRecord;

/// What a `stamp-reflector` allows each source unless told otherwise, in probes a second.
const REFLECTOR_LIMIT: u64 = 2_000;

/// One of the two ways.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// Towards the reflector.
    Forward,
    /// Back from it.
    Backward,
}

/// One of the two ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// This host.
    Near,
    /// The reflector.
    Far,
}

/// Something worth a sentence.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// No reply so far, and the first probe is still awaited.
    TooEarly {
        /// A probe is lost after this time.
        timeout_ns: u64,
    },
    /// No reply, no ICMP error, nothing rejected: the causes follow.
    Silent {
        /// Probes that were lost.
        lost: u64,
        /// The far end.
        target: String,
    },
    /// A cause of silence.
    SilentCause(silence::Cause),
    /// An ICMP error quoted probes.
    Icmp {
        /// Which, such as `port_unreachable`.
        what: String,
        /// Who sent it.
        offender: Option<String>,
        /// How often.
        count: u64,
        /// Where the probes went.
        target: Target,
        /// Replies came as well.
        answered: bool,
    },
    /// Datagrams came that were not taken for replies.
    Rejected {
        /// Why, such as `authentication`.
        reason: String,
        /// How many.
        count: u64,
        /// The session is authenticated.
        authenticated: bool,
        /// Proper replies came as well.
        answered: bool,
    },
    /// Probes never left this host.
    Unsent {
        /// Why, such as `no_route`.
        reason: String,
        /// How many.
        count: u64,
        /// None left at all.
        all: bool,
        /// Where they would have gone.
        target: Target,
    },
    /// Probes do not fit the path.
    TooBig {
        /// Their UDP payload in octets.
        payload_octets: u64,
        /// The MTU on the way in octets.
        mtu_octets: Option<u32>,
        /// The largest payload that fits, in octets.
        largest_payload_octets: Option<u64>,
        /// The router that said so; nobody when it was this host.
        offender: Option<String>,
    },
    /// This host's receive queue dropped replies.
    LocalDrop {
        /// How many.
        count: u64,
    },
    /// Probes arrive with other addresses or ports than they left with.
    Translated {
        /// What they arrive with.
        seen: String,
        /// It is where they come from; else where they go to.
        source: bool,
        /// How often that was another than before.
        changes: u64,
    },
    /// A question was not answered.
    NotTold {
        /// The TLV that asks it.
        what: &'static str,
        /// What allows the answer in the file of `stamp-reflector`, if anything does.
        key: &'static str,
        /// Replies without an answer.
        count: u64,
    },
    /// Replies are asked when the one before left, and the far end knows of none.
    NoFollowUp {
        /// Replies that say so.
        count: u64,
    },
    /// A reply is said to have left when it cannot have.
    FollowUpImpossible {
        /// How often.
        count: u64,
        /// Of so many that were told.
        of: u64,
    },
    /// Probes arrived with another DSCP than they left with.
    RemarkedForward {
        /// How many.
        count: u64,
        /// Of how many whose arrival is known.
        of: u64,
        /// What they left with.
        sent: u8,
        /// What the last one arrived with.
        arrived: u8,
    },
    /// Probes met congestion on the way there.
    CongestionForward {
        /// How many.
        count: u64,
        /// Of how many whose arrival is known.
        of: u64,
    },
    /// Replies were not given the DSCP that was asked for.
    ClassRefused {
        /// How many.
        count: u64,
        /// Which.
        wanted: u8,
    },
    /// What counters of real traffic say.
    Traffic(TrafficFinding),
    /// The report of an access network is not acknowledged.
    Access(AccessFinding),
    /// What headers that came back say.
    Headers(HeaderFinding),
    /// What a session on a member link says.
    Lag(LagFinding),
    /// The session is DOWN at the end.
    Down {
        /// The far end.
        target: Target,
    },
    /// All losses, or nearly all, happened one way.
    LossOneWay {
        /// Which.
        way: Way,
        /// Losses that way.
        count: u64,
        /// Losses the other way.
        other: u64,
        /// The far end.
        target: Target,
    },
    /// Losses happened both ways.
    LossBothWays {
        /// There.
        forward: u64,
        /// Back.
        backward: u64,
    },
    /// A stateless reflector cannot tell where losses happened.
    LossDirectionUnknown {
        /// How many.
        count: u64,
    },
    /// Losses come in bursts.
    LossBursts {
        /// How many bursts.
        bursts: u64,
        /// Probes in the longest.
        longest_run: u64,
        /// How long that lasted.
        longest_ns: u64,
    },
    /// Losses come one by one.
    LossEven {
        /// Lost of sent, 0 to 1.
        ratio: f64,
    },
    /// What gets through is a flat rate.
    Policed {
        /// Probes a second that get through.
        per_second: u64,
        /// Probes a second that are sent.
        sent_per_second: f64,
    },
    /// Replies came after the timeout.
    Late {
        /// How many.
        count: u64,
        /// The timeout.
        timeout_ns: u64,
    },
    /// One-way delays are negative.
    NegativeDelay {
        /// Which way.
        way: Way,
        /// How many.
        count: u64,
        /// The worst.
        lowest_ns: i64,
        /// How far the far clock is ahead if both ways take equally long.
        offset_ns: Option<i64>,
    },
    /// A clock jumped.
    ClockStep {
        /// Whose.
        end: End,
        /// How often.
        count: u64,
        /// The last jump.
        last_ns: i64,
    },
    /// The clocks are TAI minus UTC apart.
    TaiOffset {
        /// How far.
        offset_ns: i64,
        /// One end writes NTP, the other PTP.
        formats_differ: bool,
    },
    /// One end writes NTP timestamps, the other PTP.
    MixedFormats,
    /// One clock or both are not synchronised.
    Unsynchronized {
        /// This host's.
        near: bool,
        /// The far one.
        far: bool,
    },
    /// Kernel or card stamps lie seconds away from this host's clock.
    StampsApart {
        /// How many.
        count: u64,
    },
    /// The far end returned no SSID.
    ZeroSsid,
    /// The far end's counter began again.
    Restart {
        /// How often.
        count: u64,
    },
    /// The far end did something else with the TLVs than asked.
    Tlvs {
        /// What, such as `unsupported`.
        outcome: String,
    },
    /// Another node than the one that was named answered.
    WrongReflector {
        /// How often.
        count: u64,
        /// The one that was named.
        node: String,
    },
    /// Replies did not take the way that was asked for.
    ReturnPathNotHonoured {
        /// How many.
        count: u64,
        /// The way: `same-link`, `none`, an address or segments.
        wanted: String,
    },
    /// No reply was asked for, and none came.
    NoReplyAsked {
        /// Probes sent.
        sent: u64,
    },
    /// A timestamp-and-forward node did not write its receive timestamp, or not as it should.
    Stamping {
        /// What it did, such as `missing`.
        outcome: String,
        /// To how many of the probes that came back.
        count: u64,
        /// With `elsewhere`: the octet of the UDP payload it wrote at.
        offset: Option<u16>,
        /// The session is authenticated.
        authenticated: bool,
    },
    /// Plain loopback was measured, because the far node did not stamp.
    Fallback {
        /// It still is.
        active: bool,
        /// What asks for the timestamp is a label, not a SID.
        label: bool,
        /// Probes that asked did not come back at all.
        lost: bool,
        /// Probes sent plain.
        plain: u64,
        /// What they are called, such as `M4`.
        encapsulation: String,
    },
    /// Nothing in a looped probe speaks for the far clock, and nobody declared it.
    FarClockUnknown {
        /// A reflector was asked, and did not answer or not of late.
        asked: Option<String>,
    },
    /// Replies came with another DSCP than the probes had.
    Remarked {
        /// How many.
        count: u64,
        /// DSCP of probes.
        sent: u8,
        /// DSCP of the last reply.
        arrived: Option<u8>,
    },
    /// Packets met congestion.
    Congestion {
        /// How many.
        count: u64,
    },
    /// The number of hops changed.
    PathChanged {
        /// Which way.
        way: Way,
        /// Fewest hops.
        min: u8,
        /// Most hops.
        max: u8,
    },
}

/// Where probes go, for sentences and commands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// Address without port.
    pub address: String,
    /// UDP port.
    pub port: u16,
    /// Address probes leave from.
    pub source: String,
    /// SIDs on the way there and back, which routers are asked for instead of the address.
    pub sids: Vec<String>,
}

impl Target {
    fn of(session: &SessionRecord) -> Self {
        Self {
            address: session.address.clone(),
            port: session.port,
            source: session.path.source.clone(),
            sids: Self::sids(session),
        }
    }

    /// None below labels: those who read them have no route to ask for.
    fn sids(session: &SessionRecord) -> Vec<String> {
        let path = &session.path;
        if !path.encapsulation.starts_with('V') {
            return Vec::new();
        }
        path.segments.iter().chain(&path.return_segments).cloned().collect()
    }
}

/// Everything worth a sentence about a session, what hinders the measurement most first.
#[must_use]
pub fn explain(session: &SessionRecord) -> Vec<Finding> {
    let mut findings = Vec::new();
    silence::explain(session, &mut findings);
    network::explain(session, &mut findings);
    loss::explain(session, &mut findings);
    clocks::explain(session, &mut findings);
    far_end::explain(session, &mut findings);
    returns::explain(session, &mut findings);
    answers::explain(session, &mut findings);
    traffic::explain(session, &mut findings);
    access::explain(session, &mut findings);
    headers::explain(session, &mut findings);
    lag::explain(session, &mut findings);
    looped::explain(session, &mut findings);
    findings
}

#[cfg(test)]
mod tests;
