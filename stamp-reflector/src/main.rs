//! `stamp-reflector`: answers STAMP test packets.

use std::process::ExitCode;

fn main() -> ExitCode {
    stamp_reflector::main()
}
