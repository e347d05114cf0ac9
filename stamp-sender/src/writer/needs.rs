//! What the process goes on needing when it gives its rights away.

use std::net::SocketAddr;
use std::path::Path;

use stamp_net::capability::Capability;
use stamp_service::sandbox::Needs;

use super::config::{Target, Writers};

/// Files, ports and rights that `writers`, which were read from `file`, make use of.
pub(super) fn of(writers: &Writers, file: &Path) -> Needs {
    let mut needs = Needs::default();
    needs.read_beside(file);
    writers.config_file.iter().for_each(|file| needs.read_beside(file));
    needs.tcp_ports = writers.listen.iter().map(SocketAddr::port).collect();
    for writer in &writers.writers {
        let source = [&writer.source.token_file, &writer.source.ca_file];
        source.into_iter().flatten().for_each(|file| needs.read_beside(file));
        match &writer.target {
            Target::Linux(linux) => {
                linux.topology.iter().for_each(|file| needs.read_beside(file));
                if !writer.dry_run {
                    needs.capabilities = vec![Capability::NetAdmin];
                }
            }
            Target::Frr(frr) => {
                needs.write(&frr.file);
                needs.runs_commands |= frr.apply && !writer.dry_run;
            }
            Target::Pola(pola) => {
                pola.topology.iter().for_each(|file| needs.read_beside(file));
                needs.writable.push(pola.folder.clone());
                needs.runs_commands |= pola.commands.is_some() && !writer.dry_run;
            }
            Target::File(file) => needs.write(&file.path),
            Target::Server(server) => {
                let files = [&server.token_file, &server.ca_file];
                files.into_iter().flatten().for_each(|file| needs.read_beside(file));
            }
        }
    }
    needs.readable.sort_unstable();
    needs.readable.dedup();
    needs
}
