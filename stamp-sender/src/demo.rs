//! `stamp-sender demo`: what the toolkit does, on this machine alone.
//!
//! ```text
//!   flags ─► network: a lab of three ways, measured in enhanced loopback over both data planes
//!      │        └──► choice: a policy over them, and the route that follows what is measured
//!      └───► loopback: where no lab can be built, a reflector and a sender
//! ```

mod choice;
mod loopback;
mod network;
mod reflector;
mod showing;
mod table;
mod tally;

use clap::Parser;
use stamp_lab::rights;
use stamp_session::clock::ClockState;

use crate::Ended;
use crate::command_line::{CommandLine, Demo, Measure};
use crate::exit::{self, Failure};
use crate::log;

/// What the demo declares: both ends read one clock.
const ONE_CLOCK: ClockState =
    ClockState { synchronized: true, error_bound_ns: Some(0), declared: true };

/// Runs the demo.
pub fn run(demo: &Demo) -> Ended {
    log::init(demo.output.log_level);
    if demo.loopback {
        return loopback::run(demo);
    }
    // Rights come before any thread exists.
    let network = rights::obtain().map_err(Failure::from).and_then(|_| network::Network::up());
    match network {
        Ok(network) => network.run(demo),
        Err(obstacle) => {
            exit::tell(&format!(
                "stamp-sender: this machine builds no network of its own: {obstacle}\n\
                 The demo runs on loopback instead. With a network it would show three ways over SR-MPLS and \
                 SRv6, and a route that leaves one that becomes slow.\n\n"
            ));
            loopback::run(demo)
        }
    }
}

/// The flags of a run as a user would type them.
fn flags(arguments: &[String]) -> Result<Measure, Failure> {
    let typed = std::iter::once("stamp-sender").chain(arguments.iter().map(String::as_str));
    CommandLine::try_parse_from(typed)
        .map(|command_line| command_line.measure)
        .map_err(|error| Failure::Usage { flag: "demo", problem: error.to_string() })
}
