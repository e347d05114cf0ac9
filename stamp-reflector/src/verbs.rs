//! The verbs that answer a question and end.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use clap_complete::Shell;

use crate::command_line::{command_for_completions, man};
use crate::config::{Note, Source, schema, show, template};
use crate::failure::Failure;
use crate::machine_format::MachineFormat;
use crate::terminal;

/// `config check`: says that it is fine, or every mistake.
pub(crate) fn check(source: &Source) -> Result<(), Failure> {
    let config = source.load()?;
    source.check_web(&config)?;
    let name =
        source.file.as_ref().map_or("the configuration".into(), |file| file.to_string_lossy());
    let mut text = format!("{name}: no mistake found\n");
    for note in Note::about(&config) {
        text.push_str(&format!("note: {note}\n"));
    }
    print(text.as_bytes())
}

/// `config show`.
pub(crate) fn show_config(source: &Source) -> Result<(), Failure> {
    print(show(&source.load()?).as_bytes())
}

/// `config template`: to standard output, or to a file that is not there yet.
pub(crate) fn write_template(path: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = path else { return print(template().as_bytes()) };
    let fail = |source| Failure::Write { path: path.to_owned(), source };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(fail)?;
    file.write_all(template().as_bytes()).map_err(fail)
}

/// `config schema`.
pub(crate) fn print_config_schema() -> Result<(), Failure> {
    print(format!("{:#}\n", schema()).as_bytes())
}

/// `schema FORMAT`.
pub(crate) fn print_schema(format: MachineFormat) -> Result<(), Failure> {
    print(format.schema().as_bytes())
}

/// `completions SHELL`.
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_for_completions(), "stamp-reflector", &mut script);
    print(&script)
}

/// `man`.
pub(crate) fn manual_page() -> Result<(), Failure> {
    print(&man().map_err(Failure::Output)?)
}

fn print(octets: &[u8]) -> Result<(), Failure> {
    terminal::output(octets).map_err(Failure::Output)
}
