//! Clocks that cannot be right, and far ends that do things differently.

use super::count_of;
use crate::explain::{End, Finding, Way};
use crate::output::duration::delay;

pub(super) fn words(finding: &Finding) -> Option<(String, String)> {
    Some(match finding {
        Finding::NegativeDelay { way, count, lowest_ns, offset_ns } => {
            negative(*way, *count, *lowest_ns, *offset_ns)
        }
        Finding::ClockStep { end: End::Near, count, last_ns } => (
            format!(
                "This host's clock jumped {}, last by {}; one-way values around it are left out.",
                times(*count),
                signed(*last_ns)
            ),
            "here: chronyc tracking, or journalctl -u chrony".to_owned(),
        ),
        Finding::ClockStep { end: End::Far, count, last_ns } => (
            format!(
                "Forward and backward jumped in opposite directions while the round trip stayed: \
                 the far clock jumped {}, last by {}.",
                times(*count),
                signed(*last_ns)
            ),
            "there: chronyc tracking, or journalctl -u chrony".to_owned(),
        ),
        Finding::TaiOffset { offset_ns, formats_differ } => (
            format!(
                "The far clock is {} {}: that is TAI against UTC{}.",
                delay(offset_ns.saturating_abs()),
                if *offset_ns < 0 { "behind" } else { "ahead" },
                if *formats_differ {
                    ", and the ends write different timestamp formats"
                } else {
                    ""
                }
            ),
            "--ptp-utc-offset 37 at the end that counts TAI".to_owned(),
        ),
        Finding::MixedFormats => (
            "One end writes NTP timestamps, the other PTP: legal, and read as such.".to_owned(),
            "--timestamp-format makes them alike".to_owned(),
        ),
        Finding::Unsynchronized { near, far } => unsynchronized(*near, *far),
        Finding::StampsApart { count } => (
            format!(
                "Stamps of {} lie seconds away from this host's clock and were not used.",
                count_of(*count, "probe")
            ),
            "leave out --hardware-stamps, or discipline the card's clock (phc2sys)".to_owned(),
        ),
        _ => return far_end(finding),
    })
}

fn negative(way: Way, count: u64, lowest_ns: i64, offset_ns: Option<i64>) -> (String, String) {
    let offset = offset_ns.map_or_else(String::new, |offset| {
        let side = if offset < 0 { "behind" } else { "ahead" };
        format!(
            " If both ways take equally long, the far clock is {} {side}.",
            delay(offset.saturating_abs())
        )
    });
    let text = format!(
        "{} of {} delay below zero (lowest {}): impossible, a clock is wrong. Forward and \
         backward still add up to the round trip, which is right.{offset}",
        count_of(count, "value"),
        way.name(),
        delay(lowest_ns)
    );
    (text, "synchronize both ends: chronyc tracking, timedatectl set-ntp true".to_owned())
}

fn unsynchronized(near: bool, far: bool) -> (String, String) {
    let (whose, declare) = match (near, far) {
        (true, true) => ("Neither clock is", "--clock and --far-clock declare"),
        (true, false) => ("This host's clock is not", "--clock declares"),
        (false, _) => ("The far clock is not", "--far-clock declares"),
    };
    (
        format!(
            "{whose} synchronized: one-way values (?) may be wrong by any amount; round trip, \
             variation and loss are right."
        ),
        format!("timedatectl set-ntp true; {declare} what the kernel cannot know"),
    )
}

fn far_end(finding: &Finding) -> Option<(String, String)> {
    Some(match finding {
        Finding::ZeroSsid => (
            "The far end returns no SSID: it knows RFC 8762 only, not RFC 8972.".to_owned(),
            "measures well; --zero-ssid says what to do then".to_owned(),
        ),
        Finding::Restart { count } => (
            format!(
                "The far end's counter began again {}: it restarted, or another sender shares \
                 the session.",
                times(*count)
            ),
            "there: journalctl -u stamp-reflector".to_owned(),
        ),
        Finding::Tlvs { outcome } => tlvs(outcome),
        _ => return None,
    })
}

fn tlvs(outcome: &str) -> (String, String) {
    let (text, remedy) = match outcome {
        "unsupported" => ("The far end knows no TLVs.", "delay and loss are right all the same"),
        "missing" => ("Replies are smaller than probes: the far end cuts off TLVs.", ""),
        "integrity_failed" => {
            ("The far end could not verify our HMAC TLV.", "compare the key files of both ends")
        }
        "unverified" => {
            ("The HMAC TLV of replies is made with none of our keys.", "compare the key files")
        }
        "malformed" => ("The far end calls our TLVs malformed.", "something on the way rewrites"),
        "unrecognized" => ("The far end knows TLVs, but not the one of the probes.", ""),
        "nonconformant" => ("The far end understood a TLV and did not do as asked.", ""),
        _ => ("The far end did something unexpected with TLVs.", ""),
    };
    let remedy = if remedy.is_empty() { "delay and loss are right all the same" } else { remedy };
    (text.to_owned(), remedy.to_owned())
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

fn signed(ns: i64) -> String {
    if ns < 0 { delay(ns) } else { format!("+{}", delay(ns)) }
}
