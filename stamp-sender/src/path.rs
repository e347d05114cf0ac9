//! `stamp-sender path`: ways through the network of a topology file.

mod asked;
mod drawn;
mod explanation;
mod imported;
mod lists;
mod locate;
mod probed;
mod record;
mod route;
mod seen;
mod sending;
mod table;

use std::fs;
use std::io::{self, Write};
use std::path::Path as FilePath;

use stamp_path::compute::{Absence, Answer, Request};

use crate::Ended;
use crate::command_line::path::{Compute, Explain, Path};
use crate::exit::{Failure, Status};
use crate::names;
use crate::output::layout;
use record::Document;
use seen::Seen;

/// Most ways of `--equal` unless another number is given.
const MOST_EQUAL: u16 = 64;

/// Runs `stamp-sender path`.
pub fn run(path: &Path) -> Ended {
    match path {
        Path::Compute(compute) => computed(compute),
        Path::Explain(explain) => explained(explain),
        Path::Probe(probe) => probed::run(probe),
        Path::Locate(locate) => locate::run(locate),
        Path::Draw(draw) => drawn::run(draw),
        Path::Import(import) => imported::run(import),
    }
}

fn computed(compute: &Compute) -> Ended {
    let topology = names::read(&compute.wanted.topology)?;
    let request = asked::request(&topology, &compute.wanted)?;
    let seen = Seen::of(&topology, &request);
    let found = found(&seen, &request, compute);
    let text = if compute.json {
        layout::text(&Document::of(&seen, &found, compute.dataplane)).map_err(Failure::Output)?
    } else {
        table::text(&seen, &request, &found, compute.dataplane)
    };
    print(&text, found.is_ok())
}

fn found(seen: &Seen<'_>, request: &Request, compute: &Compute) -> Result<Vec<Answer>, Absence> {
    seen.search(request, |network, request| {
        if compute.pair {
            let pair = network.pair(request, compute.wanted.terms.avoided.disjoint)?;
            let optimal = pair.optimal;
            return Ok(pair.ways.map(|way| Answer { optimal, ..way }).to_vec());
        }
        if compute.equal {
            return network.equally_good(request, compute.k.unwrap_or(MOST_EQUAL).into());
        }
        network.ranked(request, compute.k.unwrap_or(1).into())
    })
}

fn explained(explain: &Explain) -> Ended {
    let topology = names::read(&explain.wanted.topology)?;
    let request = asked::request(&topology, &explain.wanted)?;
    let seen = Seen::of(&topology, &request);
    let found = seen.search(&request, |network, request| network.ranked(request, 2));
    let text = if explain.json {
        layout::text(&Document::of(&seen, &found, explain.dataplane)).map_err(Failure::Output)?
    } else {
        explanation::text(&seen, &request, &found, explain.dataplane)
    };
    print(&text, found.is_ok())
}

/// Writes a result to a file, or to standard output where none is named.
fn write(text: &str, file: Option<&FilePath>) -> Result<(), Failure> {
    let Some(file) = file else {
        return io::stdout().write_all(text.as_bytes()).map_err(Failure::Output);
    };
    fs::write(file, text).map_err(|error| Failure::Usage {
        flag: "--output",
        problem: format!("{}: {error}", file.display()),
    })
}

fn print(text: &str, is_there: bool) -> Ended {
    io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    Ok(if is_there { Status::Done } else { Status::Unmet })
}

#[cfg(test)]
mod tests;
