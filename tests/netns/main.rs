//! Tests in network namespaces: real kernels, real sockets, real programs.

mod demo;
mod kit;
mod lab;
mod loops;
mod measure;
mod reflector;
mod returns;
mod steering;
mod timestamping;

use std::process::ExitCode;

use stamp_tests::netns;

fn main() -> ExitCode {
    match kit::child::Part::asked_for() {
        Some(part) => part.play(),
        None => netns::harness(&[
            demo::trials,
            kit::trials,
            lab::trials,
            loops::trials,
            measure::trials,
            reflector::trials,
            returns::trials,
            steering::trials,
            timestamping::trials,
        ]),
    }
}
