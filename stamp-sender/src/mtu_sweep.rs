//! `--mtu-sweep`: the largest probe that a path carries there and back.
//!
//! Routers that drop large packets in silence say nothing about their MTU; what comes back does. A few
//! probes of a size, then of another, halving what is left between one that came back and one that
//! did not.

use std::io::Write;
use std::time::Duration;

use serde_json::json;
use stamp_config::quantity::{Count, Interval};
use stamp_worker::sender::{Nobody, SenderPool};

use crate::Ended;
use crate::command_line::Measure;
use crate::exit::{Failure, Status};
use crate::setup::{self, Sessions};
use crate::wait::Wait;

/// Probes of each size: one of them has to come back.
const PROBES: u64 = 3;
const INTERVAL: Duration = Duration::from_millis(20);
/// Longest wait for a size unless told otherwise; every size that does not fit costs it.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a sweep of one session found.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Found {
    session: String,
    /// UDP payload.
    largest_payload: Option<usize>,
    /// The same with every header, labels included.
    packet: Option<usize>,
    /// What this host's own link carries.
    link_mtu: Option<u32>,
}

/// Sweeps every session of `measure`, one after the other.
pub fn run(measure: &Measure) -> Ended {
    let mut measure = measure.clone();
    measure.probe.count = Count(PROBES);
    measure.probe.interval = Interval(INTERVAL);
    measure.probe.timeout.get_or_insert(Wait { timeout: PATIENCE, round_trips: None });
    measure.probe.size = None;
    let Sessions { setups, infos, missing } = setup::sessions(&measure)?;
    let room: Vec<Option<usize>> = infos.iter().map(|info| info.largest_payload).collect();
    let smallest: Vec<usize> = infos.iter().map(|info| info.payload_octets).collect();
    drop(setups);
    let mut found = Vec::with_capacity(infos.len());
    for (number, info) in infos.iter().enumerate() {
        let headers = info
            .path_mtu
            .zip(room[number])
            .and_then(|(mtu, room)| usize::try_from(mtu).ok()?.checked_sub(room));
        // This host alone: what is missing of the others was told once.
        measure.hosts = vec![info.target_text.clone()];
        let earlier = infos[..number].iter().filter(|it| it.target_text == info.target_text);
        let branches = usize::from(measure.steering.entropy_sweep.unwrap_or(1));
        let branch = earlier.count() % branches;
        let largest = search(smallest[number], room[number].unwrap_or(LARGEST), |size| {
            comes_back(&measure, branch, size)
        })?;
        found.push(Found {
            session: info.name.clone(),
            largest_payload: largest,
            packet: largest.zip(headers).map(|(payload, headers)| payload + headers),
            link_mtu: info.path_mtu,
        });
    }
    let text =
        if measure.output.json || measure.output.ndjson { document(&found) } else { text(&found) };
    std::io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    let answered = found.iter().all(|found| found.largest_payload.is_some());
    let status = if answered { Status::Done } else { Status::Unmet };
    Ok(if missing.is_empty() { status } else { status.with_missing_host() })
}

/// What Ethernet carries without headers, where this host does not know better.
const LARGEST: usize = 1_472;

/// The largest size from `low` to `high` that fits, if any does.
fn search(
    low: usize,
    high: usize,
    mut fits: impl FnMut(usize) -> Result<bool, Failure>,
) -> Result<Option<usize>, Failure> {
    if !fits(low)? {
        return Ok(None);
    }
    let high = high.max(low);
    if high > low && fits(high)? {
        return Ok(Some(high));
    }
    let (mut fitting, mut too_big) = (low, high);
    while too_big - fitting > 1 {
        let middle = fitting + (too_big - fitting) / 2;
        if fits(middle)? {
            fitting = middle;
        } else {
            too_big = middle;
        }
    }
    Ok(Some(fitting))
}

/// At least one of a few probes of this size came back.
fn comes_back(measure: &Measure, number: usize, size: usize) -> Result<bool, Failure> {
    let mut measure = measure.clone();
    let smallest = setup::smallest_payload(&measure.probe);
    // Between the smallest probe and the first with an Extra Padding TLV lies half a TLV header.
    let padded = size >= smallest + 4;
    measure.probe.size = if padded { u16::try_from(size).ok() } else { None };
    let sessions = setup::sessions(&measure)?;
    let Some(setup) = sessions.setups.into_iter().nth(number) else { return Ok(false) };
    let snapshots = SenderPool::start(vec![setup], Box::new(Nobody))?.join()?;
    Ok(snapshots.iter().any(|snapshot| snapshot.packets.received > 0))
}

fn text(found: &[Found]) -> String {
    found.iter().map(|found| format!("{}: {}\n", found.session, sentence(found))).collect()
}

fn sentence(found: &Found) -> String {
    let Some(largest) = found.largest_payload else {
        return "nothing comes back, whatever its size".to_owned();
    };
    let packets = found
        .packet
        .map_or_else(String::new, |octets| format!(", in packets of {octets} with all headers"));
    let link = match (found.packet, found.link_mtu) {
        (Some(packet), Some(mtu)) if packet < mtu as usize => {
            format!("; this host's own link carries {mtu}: a link on the way does not")
        }
        (Some(_), Some(mtu)) => format!("; as much as this host's own link carries ({mtu})"),
        _ => String::new(),
    };
    format!("payloads of up to {largest} octets come back{packets}{link}")
}

fn document(found: &[Found]) -> String {
    let rows: Vec<_> = found
        .iter()
        .map(|found| {
            json!({
                "session": found.session,
                "largest_payload_octets": found.largest_payload,
                "packet_octets": found.packet,
                "link_mtu_octets": found.link_mtu,
            })
        })
        .collect();
    format!("{}\n", json!({ "schema_version": 1, "mtu_sweep": rows }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(limit: usize, high: usize) -> (Option<usize>, usize) {
        let mut asked = 0;
        let largest = search(44, high, |size| {
            asked += 1;
            Ok(size <= limit)
        });
        (largest.unwrap(), asked)
    }

    #[test]
    fn the_largest_size_that_fits_is_found_in_few_steps() {
        for limit in [44, 48, 551, 552, 1_371, 1_372, 1_471] {
            let (largest, asked) = found(limit, 1_472);
            assert_eq!(largest, Some(limit));
            assert!(asked <= 13, "{asked} sizes for {limit}");
        }
    }

    #[test]
    fn a_path_as_wide_as_the_link_takes_two_looks() {
        assert_eq!(found(9_000, 1_472), (Some(1_472), 2));
        assert_eq!(found(9_000, 44), (Some(44), 1));
        assert_eq!(found(10, 1_472), (None, 1));
    }

    #[test]
    fn the_sentence_says_whether_this_host_or_the_path_is_the_limit() {
        let found = |packet| Found {
            session: "r1".to_owned(),
            largest_payload: Some(1_372),
            packet: Some(packet),
            link_mtu: Some(1_500),
        };
        assert!(sentence(&found(1_400)).ends_with("a link on the way does not"));
        assert!(sentence(&found(1_500)).ends_with("own link carries (1500)"));
        let none = Found { largest_payload: None, ..found(0) };
        assert_eq!(sentence(&none), "nothing comes back, whatever its size");
    }
}
