//! What the service goes on needing when it gives its rights away.

use std::path::Path;

use stamp_net::capability::Capability;
use stamp_service::sandbox::Needs;

use super::config::{Configuration, Service};
use super::discovery::Provider;

/// Files, ports and rights that `configuration`, which was read from `file`, makes use of.
pub(super) fn of(configuration: &Configuration, file: &Path) -> Needs {
    let mut needs = Needs::default();
    let service = &configuration.service;
    needs.read_beside(file);
    let web = [&service.web.config_file, &service.web.control_token_file];
    web.into_iter().flatten().for_each(|file| needs.read_beside(file));
    configuration.paths.file.iter().for_each(|file| needs.read_beside(file));
    for discovery in &configuration.discoveries {
        // Of a pattern only the name of the file is one.
        match &discovery.provider {
            Provider::Files(patterns) => patterns.iter().for_each(|file| needs.read_beside(file)),
            Provider::Http { ca_file, token_file, .. } => {
                let files = [ca_file, token_file].into_iter().flatten();
                files.for_each(|file| needs.read_beside(file));
            }
        }
    }
    needs.tcp_ports = service.web.listen.iter().map(std::net::SocketAddr::port).collect();
    of_others(&mut needs, service);
    for reflector in &configuration.reflectors {
        let files = [&reflector.token_file, &reflector.ca_file];
        files.into_iter().flatten().for_each(|file| needs.read_beside(file));
    }
    for session in &configuration.sessions {
        session.settings.files().for_each(|file| needs.read_beside(file));
        let counted_by = session.settings.get("ask-direct");
        needs.runs_commands |= counted_by.is_some_and(|source| source.starts_with("cmd:"));
        // Nobody else can tell a network card to stamp.
        if session.settings.get("hardware-stamps") == Some("true") {
            needs.capabilities = vec![Capability::NetAdmin];
        }
    }
    needs.readable.sort_unstable();
    needs.readable.dedup();
    needs
}

/// The same for whoever is told of events.
pub fn of_others(needs: &mut Needs, service: &Service) {
    let events = service.events_file.as_deref().filter(|file| *file != Path::new("-"));
    events.into_iter().for_each(|file| needs.write(file));
    for webhook in &service.notify.webhooks {
        let files = [webhook.address.file(), webhook.token_file.as_ref(), webhook.ca_file.as_ref()];
        files.into_iter().flatten().for_each(|file| needs.read_beside(file));
    }
    needs.runs_commands = !service.notify.hooks.is_empty();
    service.clients.iter().for_each(|client| needs.read_beside(&client.token_file));
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn needs(text: &str) -> Needs {
        let folder = Path::new("/etc/stamp");
        let configuration = Configuration::read("f", text, folder).unwrap();
        of(&configuration, &folder.join("stamp.toml"))
    }

    #[test]
    fn the_folders_of_every_file_that_is_named_stay_open() {
        let needs = needs(
            "[events]\nfile = \"/var/log/stamp/events\"\n\
             [[session]]\nname = \"a\"\ntarget = \"192.0.2.1\"\nauth = true\nkey-file = \"/run/credentials/keys\"\n\
             [[webhook]]\nurl = \"https://noc.example/\"\ntoken-file = \"/run/secrets/token\"\n\
             [[webhook]]\nname = \"chat\"\nurl-file = \"/run/addresses/chat\"\n\
             [[discovery]]\nfiles = [\"/srv/targets/*.json\"]\n\
             [[session]]\nname = \"b\"\ntarget = \"192.0.2.1\"\nauth = true\nkey-file = \"near\"\n",
        );
        let readable =
            ["/etc/stamp", "/run/addresses", "/run/credentials", "/run/secrets", "/srv/targets"];
        let readable = readable.map(PathBuf::from);
        assert_eq!(needs.readable, readable);
        assert_eq!(needs.writable, [PathBuf::from("/var/log/stamp")]);
        assert_eq!(needs.tcp_ports, [9862]);
        assert!(!needs.runs_commands && needs.capabilities.is_empty());
    }

    #[test]
    fn what_only_this_process_can_do_it_goes_on_doing() {
        let session = "[[session]]\nname = \"a\"\ntarget = \"192.0.2.1\"\n";
        let needs =
            needs(&format!("{session}hardware-stamps = true\nask-direct = \"cmd:count\"\n"));
        assert!(needs.runs_commands);
        assert_eq!(needs.capabilities, [Capability::NetAdmin]);
    }

    #[test]
    fn a_hook_is_a_command() {
        assert!(needs("[[hook]]\ncommand = [\"/bin/true\"]\n").runs_commands);
    }
}
