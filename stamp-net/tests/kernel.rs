//! The kernel interface against kernels of its own: each test builds its network namespaces.
//!
//! As root, or as an ordinary user by way of a user namespace. Where a machine forbids that, every
//! test says so with the line that allows it; `STAMP_TEST_REQUIRE=all` makes it a failure.

#[path = "kernel/access.rs"]
mod access;
#[path = "kernel/addresses.rs"]
mod addresses;
#[path = "kernel/arrivals.rs"]
mod arrivals;
#[path = "kernel/egress.rs"]
mod egress;
#[path = "kernel/failures.rs"]
mod failures;
#[path = "kernel/frames.rs"]
mod frames;
#[path = "kernel/headers.rs"]
mod headers;
#[path = "kernel/icmp.rs"]
mod icmp;
#[path = "kernel/network.rs"]
mod network;
#[path = "kernel/packets.rs"]
mod packets;
#[path = "kernel/queries.rs"]
mod queries;
#[path = "kernel/rights.rs"]
mod rights;
#[path = "kernel/segments.rs"]
mod segments;
#[path = "kernel/traffic.rs"]
mod traffic;

use std::process::ExitCode;

fn main() -> ExitCode {
    access::run(&[
        addresses::trials,
        arrivals::trials,
        egress::trials,
        failures::trials,
        frames::trials,
        headers::trials,
        icmp::trials,
        queries::trials,
        rights::trials,
        segments::trials,
        traffic::trials,
    ])
}
