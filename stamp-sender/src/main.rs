//! `stamp-sender`: measures delay and loss in both directions.

use std::process::ExitCode;

fn main() -> ExitCode {
    stamp_sender::main()
}
