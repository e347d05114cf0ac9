//! Labs on this machine's kernel, as root or as an ordinary user by way of a user namespace. Where a
//! machine forbids that, every test says so with the line that allows it; `STAMP_TEST_REQUIRE=all`
//! makes it a failure.

#[path = "lab/harness.rs"]
mod harness;
#[path = "lab/labels.rs"]
mod labels;
#[path = "lab/links.rs"]
mod links;
#[path = "lab/network.rs"]
mod network;
#[path = "lab/octets.rs"]
mod octets;
#[path = "lab/segments.rs"]
mod segments;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run(&[network::trials, links::trials, segments::trials, labels::trials])
}
