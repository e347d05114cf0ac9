//! `[[client]]`: who may ask for paths to its own destinations.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use ipnet::IpNet;
use stamp_config::Setting;
use stamp_config::document::{Problem, Section};
use stamp_metrics::http::Client;
use stamp_metrics::table::Scope;

/// A prefix, or an address that stands for itself alone.
struct Prefix(IpNet);

impl Setting for Prefix {
    const EXPECTED: &'static str =
        "a prefix such as 198.51.100.0/24, without bits behind its length";
    fn read(text: &str) -> Option<Self> {
        let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
        let net = text.parse().ok().or_else(alone)?;
        (net == net.trunc()).then_some(Self(net))
    }
}

/// All of them. Paths are relative to `folder`.
pub(super) fn read(root: &Section<'_>, folder: &Path) -> Arc<[Client]> {
    let mut names = BTreeSet::new();
    let clients = root.sections("client", |section| one(section, folder, &mut names));
    clients.into_iter().flatten().collect()
}

fn one(section: &Section<'_>, folder: &Path, names: &mut BTreeSet<String>) -> Option<Client> {
    let name: Option<String> = section.require("name");
    if let Some(name) = name.as_ref().filter(|name| !names.insert((*name).clone())) {
        let reason = format!("another client is called {name}");
        section.problem("name", Problem::Contradiction { reason });
    }
    let token_file: Option<String> = section.require("token-file");
    let to: Option<Vec<Prefix>> = section.list("to");
    if to.as_ref().map_or(!section.has("to"), Vec::is_empty) {
        let reason = "to names the prefixes that it may ask for: one at least".to_owned();
        section.problem("to", Problem::Contradiction { reason });
    }
    let classes = section.list("classes").unwrap_or_default();
    let to = to?.into_iter().map(|prefix| prefix.0).collect();
    let scope = Arc::new(Scope { to, classes });
    Some(Client { name: name?, token_file: folder.join(token_file?), scope })
}

/// Whoever reaches one of these addresses without a token would see what no client may.
pub(super) fn refuse_the_open(
    root: &Section<'_>,
    clients: &[Client],
    key: &'static str,
    (listen, users): (&[SocketAddr], Option<&Path>),
) {
    let open = listen.iter().find(|address| !address.ip().is_loopback());
    if let (Some(open), None, false) = (open, users, clients.is_empty()) {
        let reason = format!(
            "{key} has {open}, where whoever shows no token sees what no client may: users are wanted in a \
             config-file, or addresses of the loopback alone"
        );
        root.problem("client", Problem::Contradiction { reason });
    }
}

/// In the form of the file.
pub(super) fn show(clients: &[Client]) -> String {
    let one = |client: &Client| {
        let Scope { to, classes } = &*client.scope;
        let to: Vec<String> = to.iter().map(ToString::to_string).collect();
        let classes = match &classes[..] {
            [] => String::new(),
            classes => format!("classes = {classes:?}\n"),
        };
        format!(
            "\n[[client]]\nname = {:?}\ntoken-file = {:?}\nto = {to:?}\n{classes}",
            client.name, client.token_file
        )
    };
    clients.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::config::Configuration;

    fn read(text: &str) -> Result<Configuration, String> {
        let read = Configuration::read("f", text, Path::new("/etc/stamp"));
        read.map_err(|errors| errors.to_string())
    }

    #[test]
    fn what_is_shown_says_the_same_when_it_is_read() {
        let text = "[[client]]\nname = \"branch 7\"\ntoken-file = \"branch-7\"\n\
                    to = [\"198.51.100.0/24\", \"2001:db8::7\"]\nclasses = [\"gaming\"]\n\
                    [[client]]\nname = \"b\"\ntoken-file = \"/run/b\"\nto = [\"0.0.0.0/0\"]\n";
        let clients = read(text).unwrap().service.clients;
        assert_eq!(clients[0].token_file, Path::new("/etc/stamp/branch-7"));
        assert_eq!(clients[0].scope.to[1].to_string(), "2001:db8::7/128");
        assert_eq!(read(&show(&clients)).unwrap().service.clients, clients);
    }

    #[test]
    fn mistakes_are_told_where_they_stand() {
        let text = "[[client]]\nname = \"a\"\ntoken-file = \"t\"\nto = [\"198.51.100.1/24\"]\n\
                    [[client]]\nname = \"a\"\ntoken-file = \"t\"\nto = []\n\
                    [[client]]\nto = [\"192.0.2.1\"]\n";
        let told = read(text).unwrap_err();
        for part in [
            "f:4:7: client[0].to = \"198.51.100.1/24\": expected a prefix such as",
            "f:6:8: client[1].name = \"a\": another client is called a",
            "f:8:6: client[1].to = []: to names the prefixes",
            "client[2].name: ",
            "client[2].token-file: ",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }

    #[test]
    fn where_anybody_may_ask_for_everything_a_token_protects_nothing() {
        let client = "[[client]]\nname = \"a\"\ntoken-file = \"t\"\nto = [\"192.0.2.1\"]\n";
        let told = read(&format!("web.listen = \":9862\"\n{client}")).unwrap_err();
        assert!(told.contains("web.listen has [::]:9862"), "{told}");
        read(&format!("web = {{ listen = \":9862\", config-file = \"web.yml\" }}\n{client}"))
            .unwrap();
        read(client).unwrap();
    }
}
