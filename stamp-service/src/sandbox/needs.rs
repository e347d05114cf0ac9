//! What a service goes on needing.

use std::path::{Path, PathBuf};

use stamp_net::capability::Capability;

/// What must stay possible in the process itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Needs {
    /// Folders whose files are read again.
    pub readable: Vec<PathBuf>,
    /// Folders that files are written in.
    pub writable: Vec<PathBuf>,
    /// TCP ports that are listened on; 0 for one that the kernel chooses.
    pub tcp_ports: Vec<u16>,
    /// Capabilities that the helper is no help with.
    pub capabilities: Vec<Capability>,
    /// A command of the operator is run now and then.
    pub runs_commands: bool,
}

impl Needs {
    /// The file of the configuration and what lies beside it.
    pub fn read_beside(&mut self, file: &Path) {
        self.readable.push(folder(file));
    }

    /// A file that is written, renamed by others, and made anew.
    pub fn write(&mut self, file: &Path) {
        self.writable.push(folder(file));
    }

    /// Programs of the kernel are loaded anew by a reload.
    pub(super) fn loads_programs(&self) -> bool {
        self.capabilities.contains(&Capability::Bpf)
    }
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_folder_lies_here() {
        let mut needs = Needs::default();
        needs.read_beside(Path::new("stamp.toml"));
        needs.write(Path::new("/var/log/stamp/events.ndjson"));
        assert_eq!(needs.readable, [PathBuf::from(".")]);
        assert_eq!(needs.writable, [PathBuf::from("/var/log/stamp")]);
    }
}
