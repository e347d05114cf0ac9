//! The manual page.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{ENVIRONMENT, EXIT_STATUS, SIGNALS, command};

/// The page in roff.
///
/// # Errors
///
/// None that a buffer in memory could give.
pub(crate) fn man() -> io::Result<Vec<u8>> {
    let command = command();
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut rest = Roff::new();
    rest.control("SH", ["VERBS"]);
    push_verbs(&mut rest, "", &command);
    for (heading, text) in
        [("ENVIRONMENT", ENVIRONMENT), ("SIGNALS", SIGNALS), ("EXIT STATUS", EXIT_STATUS)]
    {
        rest.control("SH", [heading]);
        rest.text([roman(text)]);
    }
    rest.to_writer(&mut page)?;
    Ok(page)
}

fn push_verbs(roff: &mut Roff, before: &str, command: &Command) {
    for verb in command.get_subcommands() {
        let name = format!("{before}{}", verb.get_name());
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        roff.control("TP", []);
        roff.text([bold(format!("stamp-reflector {name}"))]);
        roff.text([roman(about)]);
        push_verbs(roff, &format!("{name} "), verb);
    }
}
