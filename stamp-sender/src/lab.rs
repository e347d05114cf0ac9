//! `stamp-sender lab`: a network to try things on.
//!
//! A lab lives in a process of its own in the background, the holder, and ends with it: namespaces
//! are descriptors of that process. The other commands find it by a socket in a folder that only
//! its user may enter.

mod enter;
mod holder;
mod picture;
mod place;
mod protocol;

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use stamp_lab::Plan;
use stamp_path::Topology;

use crate::Ended;
use crate::command_line::lab::{Degrade, Lab, LabVerb};
use crate::exit::{Failure, Status};
use place::Place;
use protocol::{Change, Reply, Request};

/// Runs `stamp-sender lab`.
pub fn run(lab: &Lab) -> Ended {
    let place = Place::of(&lab.name)?;
    match &lab.verb {
        LabVerb::Up { file } => up(&place, file),
        LabVerb::Show => tell(&place, &Request::Show),
        LabVerb::Exec { node, command } => enter::exec(&place, node, command),
        LabVerb::Degrade(degrade) => tell(&place, &Request::Degrade(change(degrade)?)),
        LabVerb::Down => down(&place),
        LabVerb::Hold { file } => holder::hold(&place, file),
    }
}

/// Checks the file here, where its mistakes can be told, and leaves the rest to a holder.
fn up(place: &Place, file: &Path) -> Ended {
    let name = file.display().to_string();
    let text =
        fs::read_to_string(file).map_err(|error| Failure::Input(format!("{name}: {error}")))?;
    let topology =
        Topology::read(&name, &text).map_err(|errors| Failure::Input(errors.to_string()))?;
    Plan::of(&topology).map_err(|error| Failure::Input(format!("{name}: {error}")))?;
    if place.connect().is_ok() {
        return Err(place.taken());
    }
    let started = |source| Failure::System { what: "starting the lab's process", source };
    let program = env::current_exe().map_err(started)?;
    let mut holder = Command::new(program)
        .args(["lab", "--name", place.name(), "hold", &name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .current_dir("/")
        // Signals of this terminal are not for it; it leaves the session by itself.
        .process_group(0)
        .spawn()
        .map_err(started)?;
    if let Some(mut input) = holder.stdin.take() {
        input.write_all(text.as_bytes()).map_err(started)?;
    }
    let mut line = String::new();
    if let Some(output) = holder.stdout.take() {
        BufReader::new(output).read_line(&mut line).map_err(started)?;
    }
    print(Reply::read(&line)?)
}

fn tell(place: &Place, request: &Request) -> Ended {
    print(protocol::ask(&place.connect()?, request)?)
}

fn down(place: &Place) -> Ended {
    let connection = place.connect()?;
    let reply = protocol::ask(&connection, &Request::Down)?;
    // The connection ends with the holder, and the network with it.
    let _ended = io::copy(&mut &connection, &mut io::sink());
    print(reply)
}

fn print(reply: Reply) -> Ended {
    match reply {
        Reply::Text { text } => {
            io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
            Ok(Status::Done)
        }
        Reply::Refused { status, problem } => Err(Failure::Refused { status, problem }),
        Reply::Entrance { .. } => Err(protocol::nonsense()),
    }
}

/// `LINK` or `LINK:FROM>TO`, and what changes.
fn change(degrade: &Degrade) -> Result<Change, Failure> {
    let ns = |delay: stamp_config::quantity::LinkDelay| {
        u64::try_from(delay.0.as_nanos()).unwrap_or(u64::MAX)
    };
    let (link, direction) = match degrade.link.split_once(':') {
        None => (degrade.link.clone(), None),
        Some((link, direction)) => {
            let Some((from, to)) = direction.split_once('>') else {
                let problem = format!("{direction:?} is no direction; write LINK:FROM>TO");
                return Err(Failure::Usage { flag: "LINK", problem });
            };
            (link.to_owned(), Some((from.to_owned(), to.to_owned())))
        }
    };
    Ok(Change {
        link,
        direction,
        delay_ns: degrade.delay.map(ns),
        jitter_ns: degrade.jitter.map(ns),
        loss_billionths: degrade.loss.map(|share| share.billionths()),
        reordering_billionths: degrade.reordering.map(|share| share.billionths()),
    })
}
