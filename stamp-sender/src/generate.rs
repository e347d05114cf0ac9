//! Completions, manual page and schemas: all made from what the program really takes and writes.

use std::io::{self, Write};

use clap_complete::Shell;

use crate::Ended;
use crate::command_line::{SchemaFormat, command};
use crate::exit::{Failure, Status};
use crate::output::schema;

/// Writes a completion script.
pub fn completions(shell: Shell) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "stamp-sender", &mut script);
    print(&script)
}

/// Writes the manual page in roff: the page of the program, then one section for each verb.
pub fn manual_page() -> Ended {
    let mut page = Vec::new();
    clap_mangen::Man::new(command()).render(&mut page).map_err(Failure::Output)?;
    print(&page)
}

/// Writes the JSON Schema of a machine format.
pub fn schema(format: SchemaFormat) -> Ended {
    print(schema::text(format).as_bytes())
}

fn print(octets: &[u8]) -> Ended {
    io::stdout().write_all(octets).map_err(Failure::Output)?;
    Ok(Status::Done)
}
