//! Messages on standard error.

use std::io;

use tracing::Level;

use crate::command_line::LogLevel;

/// Sends messages of `level` and above to standard error, without colours and without times: a
/// person reads them beside the results.
pub fn init(level: LogLevel) {
    let level = match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
    };
    // A second initialisation (demo, tests) keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        // A reader of standard error that is gone must not end a measurement.
        .log_internal_errors(false)
        .try_init();
}
