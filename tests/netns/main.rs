//! Tests in network namespaces: real kernels, real sockets, real programs.

mod capture;
mod clock_step;
mod daemon;
mod demo;
mod folder;
mod http;
mod kit;
mod lab;
mod lag;
mod loops;
mod machine_format;
mod manager;
mod measure;
mod mpls_router;
mod orders;
mod reflector;
mod returns;
mod sandbox;
mod steering;
mod timestamping;
mod vrf;
mod writer;

use std::process::ExitCode;

use stamp_tests::netns;

fn main() -> ExitCode {
    match kit::child::Part::asked_for() {
        Some(part) => part.play(),
        None => netns::harness(&[
            clock_step::trials,
            daemon::trials,
            daemon::discovery::trials,
            daemon::events::trials,
            daemon::far_end::trials,
            daemon::faults::trials,
            daemon::hooks::trials,
            daemon::names::trials,
            daemon::web::trials,
            daemon::webhooks::trials,
            sandbox::trials,
            demo::trials,
            kit::trials,
            lab::trials,
            lag::trials,
            loops::trials,
            manager::trials,
            measure::trials,
            mpls_router::trials,
            orders::trials,
            reflector::trials,
            returns::trials,
            steering::trials,
            timestamping::trials,
            vrf::trials,
            writer::trials,
        ]),
    }
}
