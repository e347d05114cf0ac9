//! What probes ask for beside a reply.

use std::net::SocketAddr;
use std::sync::Arc;

use stamp_proto::auth::KeyRing;
use stamp_proto::ip::Ecn;
use stamp_proto::tlv::class_of_service::ClassOfServiceRequest;
use stamp_session::sender::{Requests, SenderConfig};
use stamp_worker::traffic::TrafficWatch;

use super::{config, headers, payload_octets};
use crate::command_line::{AskingFlags, Measure, ModeName, Probe};
use crate::exit::Failure;
use crate::steering::Branch;

/// The counters of this host that probes tell.
pub(super) fn watch_traffic(flags: &AskingFlags) -> Result<Option<TrafficWatch>, Failure> {
    let started = flags.ask_direct.as_ref().map(|source| TrafficWatch::start(&source.0));
    started
        .transpose()
        .map_err(|error| Failure::Usage { flag: "--ask-direct", problem: error.to_string() })
}

/// What probes ask for beside what steering does.
pub(super) fn questions(
    measure: &Measure,
    branch: &Branch,
    destination: SocketAddr,
    requests: Requests,
) -> Result<Requests, Failure> {
    let flags = &measure.asking;
    let answered = branch.plan.mode == ModeName::TwoWay && !requests.wants_no_reply();
    if let Some(flag) = flags.first().filter(|_| !answered) {
        let problem = "nobody answers: only the replies of --mode two-way can tell".to_owned();
        return Err(Failure::Usage { flag, problem });
    }
    let headers = flags.ask_headers.then(|| headers::question(flags, &branch.plan, destination));
    // What a header begins with, and so its DSCP, the draft has nobody tell.
    let own_class = ClassOfServiceRequest { dscp: measure.probe.dscp, ecn: Ecn::NotEct };
    let own_class = flags.ask_headers.then_some(own_class);
    Ok(Requests {
        location: flags.ask_location,
        timestamp_information: flags.ask_timestamp_info,
        headers: headers.transpose()?,
        packets: flags.ask_packets.map(|packets| packets.0),
        micro_session: branch.member.as_ref().map(|member| member.session),
        class_of_service: flags.ask_cos.map(|class| class.0).or(own_class),
        follow_up: flags.ask_follow_up,
        direct_measurement: flags.ask_direct.is_some(),
        access_report: flags.reporting(),
        malformed: flags.malformed,
        ..requests
    })
}

/// Engine configuration for one target, of which probes ask something beside a reply.
pub(super) fn asking(
    probe: &Probe,
    target: SocketAddr,
    keys: Option<&Arc<KeyRing>>,
    requests: Requests,
) -> Result<SenderConfig, Failure> {
    let mut config = config(probe, target, keys, false)?;
    if requests.destination_node.is_some() && config.ssid.is_none() {
        let problem =
            "0 is none, and --destination-node-address needs one (RFC 9503 §3)".to_owned();
        return Err(Failure::Usage { flag: "--ssid", problem });
    }
    config.requests = requests.into();
    config.payload_octets = payload_octets(probe, config.smallest_payload())?;
    Ok(config)
}
