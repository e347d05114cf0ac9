//! `stamp-sender`: measures delay and loss in both directions (STAMP Session-Sender, RFC 8762).
//!
//! The engines live in `stamp-session`, the packet loop in `stamp-worker`; here they meet the
//! command line, names and keys on one side and people and programs on the other.
#![forbid(unsafe_code)]

use std::process::ExitCode;

mod check;
mod child;
mod command_line;
mod companion;
mod compare;
mod daemon;
mod demo;
mod descriptors;
mod doctor;
mod exit;
mod explain;
mod generate;
mod happening;
mod lab;
mod log;
mod malformed;
mod mtu_sweep;
mod names;
mod output;
mod path;
mod paths;
mod pause;
mod percentile;
mod policies;
mod random;
mod report;
mod run;
mod select;
mod server_events;
mod server_url;
mod setup;
mod stateful;
mod steering;
mod target;
mod token;
mod wait;
mod writer;

use command_line::Verb;
use command_line::daemon::Config;
use exit::{Failure, Status};

/// Runs the program and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(ended) = stamp_service::sandbox::run_if_asked() {
        return ended;
    }
    let command_line = match command_line::parsed() {
        Ok(command_line) => command_line,
        Err(error) => return exit::usage(&error),
    };
    let ended = match command_line.verb {
        None => run::measure(&command_line.measure),
        Some(Verb::Run(run)) => run.web.arguments().and_then(|web| {
            let shard = run.part.shard;
            daemon::run(run.named_file(), web, shard)
        }),
        Some(Verb::Config(Config::Check { file, web, part })) => {
            web.arguments().and_then(|web| daemon::check(&file, &web, part.shard))
        }
        Some(Verb::Config(Config::Show { file, web, part })) => {
            web.arguments().and_then(|web| daemon::show(&file, &web, part.shard))
        }
        Some(Verb::Config(Config::Template)) => daemon::template(),
        Some(Verb::Config(Config::Schema { file })) => daemon::schema(file),
        Some(Verb::Check(check)) => check::run(&check),
        Some(Verb::Demo(demo)) => demo::run(&demo),
        Some(Verb::Lab(lab)) => lab::run(&lab),
        Some(Verb::Path(path)) => path::run(&path),
        Some(Verb::Doctor(doctor)) => doctor::run(&doctor),
        Some(Verb::Report(report)) => report::run(&report),
        Some(Verb::Write(write)) => writer::run(&write),
        Some(Verb::Select(select)) => select::run(&select),
        Some(Verb::Completions { shell }) => generate::completions(shell),
        Some(Verb::Man { into }) => generate::manual_pages(into.as_deref()),
        Some(Verb::Schema { format }) => generate::schema(format),
    };
    exit::report(ended)
}

/// What a verb returns.
type Ended = Result<Status, Failure>;
