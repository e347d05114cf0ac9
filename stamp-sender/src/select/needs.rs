//! What the process goes on needing when it gives its rights away.

use std::net::SocketAddr;
use std::path::Path;

use stamp_service::sandbox::Needs;

use super::config::Select;
use crate::daemon::{self, Configuration};

/// Files and ports that `select` makes use of, which was read from `file`.
pub(super) fn of(configuration: &Configuration, select: &Select, file: &Path) -> Needs {
    let mut needs = Needs::default();
    needs.read_beside(file);
    configuration.paths.file.iter().for_each(|file| needs.read_beside(file));
    let files =
        [&select.token_file, &select.ca_file, &select.config_file, &select.control_token_file];
    files.into_iter().flatten().for_each(|file| needs.read_beside(file));
    needs.tcp_ports = select.listen.iter().map(SocketAddr::port).collect();
    daemon::needs_of_others(&mut needs, &configuration.service);
    needs.readable.sort_unstable();
    needs.readable.dedup();
    needs
}
