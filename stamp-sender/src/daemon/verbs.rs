//! `config check`, `config show`, `config template`, `config schema`.

use std::io::Write as _;
use std::path::Path;

use stamp_path::Topology;

use crate::Ended;
use crate::command_line::daemon::DescribedFile;
use crate::exit::{Failure, Status};

use super::config::{self, Configuration, Found, Refused, SessionSpec};
use super::opening::{self, Obstacle};
use super::preparation;
use super::shard::Shard;
use crate::paths::{Circumstances, Plan};

/// Says that the file is fine, or every mistake in it.
///
/// # Errors
///
/// Every mistake.
pub fn check(file: &Path, shard: Option<Shard>) -> Ended {
    let configuration = Configuration::load(file)?;
    let (plan, sessions, refused) = complete(&configuration, shard)?;
    let impossible = sessions.iter().filter(|spec| !spec.discovered).filter_map(impossible);
    let impossible: Vec<String> = impossible.map(|failure| failure.to_string()).collect();
    if !impossible.is_empty() {
        return Err(Failure::Input(impossible.join("\n")));
    }
    let count = sessions.len();
    let mut text = format!("{}: no mistake found; sessions: {count}", file.display());
    let policies = plan.policies.policies.len();
    if policies + plan.elsewhere > 0 {
        text.push_str(&format!("; policies: {policies}, of other nodes: {}", plan.elsewhere));
    }
    text.push('\n');
    for (what, reason) in plan.notes() {
        text.push_str(&format!("note: {what}: {reason}\n"));
    }
    for Refused { provider, target, reason } in refused {
        let source = provider.label();
        text.push_str(&format!("note: {source}: {target} is no session: {reason}\n"));
    }
    print(&text)
}

/// Prints each session as it is in force, with what it takes from its profile and the defaults.
///
/// # Errors
///
/// Every mistake.
pub fn show(file: &Path, shard: Option<Shard>) -> Ended {
    let configuration = Configuration::load(file)?;
    // Those that are named in files at present; nobody is asked over the network.
    let (_, sessions, _) = complete(&configuration, shard)?;
    let shard = shard.map(|shard| format!("# What shard {shard} takes.\n"));
    let text = config::show(&Configuration { sessions, ..configuration });
    print(&(shard.unwrap_or_default() + &text))
}

/// Why `run` would not begin because of this session.
fn impossible(spec: &SessionSpec) -> Option<Failure> {
    match opening::check(spec) {
        Err(Obstacle::Lasting(failure)) => Some(spec.refused(failure)),
        // A name or an interface may come.
        Err(Obstacle::Passing(_)) | Ok(()) => None,
    }
}

/// What a file comes to before anything is measured or asked over the network.
fn complete(
    configuration: &Configuration,
    shard: Option<Shard>,
) -> Result<(Plan, Vec<SessionSpec>, Vec<Refused>), Failure> {
    let plan = Plan::make(&configuration.paths, &Circumstances::default(), shard)?;
    let found = &mut Found::new();
    let (sessions, refused) = preparation::complete(configuration, &plan, found, shard)?;
    Ok((plan, sessions, refused))
}

/// Prints a file with every key, its meaning and its default.
///
/// # Errors
///
/// When nobody reads it.
pub fn template() -> Ended {
    print(&config::template())
}

/// Prints the JSON Schema of a file.
///
/// # Errors
///
/// When nobody reads it.
pub fn schema(file: DescribedFile) -> Ended {
    let schema = match file {
        DescribedFile::Run => config::schema(),
        DescribedFile::Topology => {
            Topology::outline().json_schema("topology of stamp-sender", |_| None)
        }
    };
    print(&format!("{schema:#}\n"))
}

fn print(text: &str) -> Ended {
    std::io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    Ok(Status::Done)
}
