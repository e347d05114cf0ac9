//! `stamp-reflector`: answers STAMP test packets (Session-Reflector, RFC 8762 and RFC 8972).
//!
//! Packets run on the threads of `stamp-worker`; here they meet the operator: command line,
//! configuration, signals, messages and statistics.
#![forbid(unsafe_code)]

mod command_line;
mod config;
mod descriptors;
mod export;
mod failure;
mod hardware;
mod hearing;
mod journal;
mod lag;
mod listen;
mod machine_format;
mod needs;
mod node;
mod own_labels;
mod random;
mod run;
mod service;
mod sessions;
mod statistics;
mod terminal;
mod verbs;
mod web;

use std::process::ExitCode;

use command_line::{Action, CommandLine};
use failure::Failure;

/// Runs the program and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(ended) = stamp_service::sandbox::run_if_asked() {
        return ended;
    }
    let command_line = match command_line::parse(std::env::args_os()) {
        Ok(command_line) => command_line,
        Err(error) => {
            // Nothing can be told when the stream is closed as well.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 3 } else { 0 });
        }
    };
    match act(command_line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::error_text(&failure.report());
            ExitCode::from(failure.status())
        }
    }
}

fn act(command_line: CommandLine) -> Result<(), Failure> {
    let CommandLine { action, source } = command_line;
    match action {
        Action::Reflect => run::reflect(source),
        Action::Sessions { as_json } => sessions::print(&source, as_json),
        Action::Check => verbs::check(&source),
        Action::Show => verbs::show_config(&source),
        Action::Template(path) => verbs::write_template(path.as_deref()),
        Action::ConfigSchema => verbs::print_config_schema(),
        Action::Schema(format) => verbs::print_schema(format),
        Action::Completions(shell) => verbs::completions(shell),
        Action::Man => verbs::manual_page(),
    }
}
