//! What the reflector goes on needing when it gives its rights away.

use std::net::SocketAddr;
use std::path::Path;

use stamp_net::capability::Capability;
use stamp_service::sandbox::Needs;
use stamp_session::traffic::TrafficSource;
use stamp_worker::forwarder::{Shell, ShellWish};

use crate::config::{Config, Source};

/// Files, ports and rights that `config` makes use of, and whoever reads it again.
pub(crate) fn of(source: &Source, config: &Config) -> Needs {
    let mut needs = Needs::default();
    let web = &config.web;
    let web = [web.config_file.as_deref(), web.control_token_file.as_deref()];
    let keys = config.keys.as_ref().map(|keys| keys.path.as_path());
    let read = web.into_iter().chain([source.file.as_deref(), keys]);
    read.flatten().for_each(|file| needs.read_beside(file));
    let labels = config.forwarding.own.as_ref().map(|own| own.file.as_path());
    let exports = [config.one_way_export.as_deref(), config.event_export.as_deref(), labels];
    let to_files = exports.into_iter().flatten().filter(|file| *file != Path::new("-"));
    to_files.for_each(|file| needs.write(file));
    needs.tcp_ports = config.web.listen.iter().map(SocketAddr::port).collect();
    needs.runs_commands = matches!(config.traffic, Some(TrafficSource::Command(_)));
    // Nobody else can tell a network card to stamp, or the kernel to run a program at its ingress.
    if config.hardware_stamps {
        needs.capabilities.push(Capability::NetAdmin);
    }
    if config.forwarding.shell != ShellWish::Only(Shell::Packet)
        && !config.forwarding.timestamps.is_empty()
    {
        needs.capabilities.extend([Capability::NetAdmin, Capability::Bpf]);
    }
    needs
}
