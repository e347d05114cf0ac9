//! `path import`: a topology file from what others publish.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use stamp_path::import;

use super::write;
use crate::Ended;
use crate::command_line::path::{Import, Imported};
use crate::exit::{self, Failure, Status};

/// Prints the topology of a foreign file; what is not in it is told on standard error.
///
/// # Errors
///
/// When the file cannot be read, or is not what it should be.
pub(super) fn run(import: &Import) -> Ended {
    match import {
        Import::Graphml(wanted) => {
            let (name, text) = read(&wanted.file)?;
            finish(wanted, import::graphml(&text).map_err(|error| refused(&name, &error))?)
        }
        Import::BgpLs(wanted) => {
            let (name, text) = read(&wanted.file)?;
            finish(wanted, import::bgp_ls(&text).map_err(|error| refused(&name, &error))?)
        }
    }
}

fn finish(wanted: &Imported, imported: import::Imported) -> Ended {
    write(&imported.text, wanted.output.as_deref())?;
    for note in &imported.notes {
        exit::tell(&format!("note: {note}\n"));
    }
    Ok(Status::Done)
}

fn refused(name: &str, error: &dyn core::error::Error) -> Failure {
    Failure::Input(format!("{name}: {error}"))
}

/// What messages call the file, and what is in it.
fn read(file: &Path) -> Result<(String, String), Failure> {
    let is_stream = file == Path::new("-");
    let name = if is_stream { "standard input".to_owned() } else { file.display().to_string() };
    let text = if is_stream {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    let text = text.map_err(|error| refused(&name, &error))?;
    Ok((name, text))
}
