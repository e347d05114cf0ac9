//! The same of files that `select` and `write` need: whoever writes one file for all of them is told too.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use stamp_metrics::http;

use super::{Found, Trouble, program};
use crate::daemon::config::Configuration;
use crate::names;
use crate::select::config::Select;
use crate::writer::config::{Commands, File, Frr, Linux, Pola, Server, Target, Writer, Writers};

/// What of it `select` and `write` could not use now, in the order of the file's own description.
pub(in crate::daemon) fn troubles_of_others(configuration: &Configuration) -> Vec<Trouble> {
    let mut found = Found::default();
    if let Some(select) = &configuration.select {
        found.select(select);
    }
    found.writers(&configuration.writers);
    found.0
}

impl Found {
    fn select(&mut self, select: &Select) {
        self.of_a_server("select.", select.token_file.as_deref(), select.ca_file.as_deref());
        if select.listen.is_empty() {
            return;
        }
        self.of_our_server("select.config-file", select.config_file.as_deref());
        if let Some(file) = &select.control_token_file {
            self.shown_to_us("select.control-token-file", file);
        }
    }

    fn writers(&mut self, writers: &Writers) {
        if !writers.listen.is_empty() {
            self.of_our_server("write.config-file", writers.config_file.as_deref());
        }
        for (index, writer) in writers.writers.iter().enumerate() {
            self.writer(&format!("writer[{index}]"), writer);
        }
        // Also one that is of several is told once, by the key that is in the file.
        let mut told = BTreeSet::new();
        for (index, writer) in writers.writers.iter().enumerate() {
            let (Target::Linux(Linux { topology, .. }) | Target::Pola(Pola { topology, .. })) =
                &writer.target
            else {
                continue;
            };
            let Some(file) = topology.as_deref().filter(|file| told.insert(*file)) else {
                continue;
            };
            let key = match writers.topology.as_deref() == Some(file) {
                true => "topology".to_owned(),
                false => format!("writer[{index}].topology"),
            };
            let usable = names::read(file).map(drop).map_err(|failure| failure.to_string());
            self.note(key, usable);
        }
    }

    fn writer(&mut self, key: &str, writer: &Writer) {
        let source = &writer.source;
        let (token_file, ca_file) = (source.token_file.as_deref(), source.ca_file.as_deref());
        self.of_a_server(&format!("{key}.from-"), token_file, ca_file);
        // One that only says what it would do writes nothing and runs nothing.
        let acts = !writer.dry_run;
        match &writer.target {
            Target::Linux(_) => {}
            Target::Frr(Frr { file, .. }) | Target::File(File { path: file, .. }) if acts => {
                self.written(format!("{key}.file"), file.parent());
            }
            Target::Frr(_) | Target::File(_) => {}
            Target::Pola(Pola { folder, commands, .. }) => {
                self.written(format!("{key}.folder"), Some(folder));
                if let Some(Commands { add, delete }) = commands.as_ref().filter(|_| acts) {
                    self.note(format!("{key}.add-command"), program(add));
                    self.note(format!("{key}.delete-command"), program(delete));
                }
            }
            Target::Server(Server { token_file, ca_file, .. }) => {
                self.of_a_server(&format!("{key}."), token_file.as_deref(), ca_file.as_deref());
            }
        }
    }

    fn of_our_server(&mut self, key: &str, file: Option<&Path>) {
        let usable = file.map_or(Ok(()), http::check_web_config);
        self.note(key.to_owned(), usable.map_err(|error| error.to_string()));
    }

    /// A folder in which something is to be written.
    fn written(&mut self, key: String, folder: Option<&Path>) {
        let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) else { return };
        let usable = match fs::metadata(folder) {
            Ok(about) if about.is_dir() => Ok(()),
            Ok(_) => Err(format!("{}: it is no folder", folder.display())),
            Err(error) => Err(format!("{}: {error}", folder.display())),
        };
        self.note(key, usable);
    }
}
