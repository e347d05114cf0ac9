//! Files of `run` that are named for later: whether they can be used is told before somebody needs them.
//!
//! Each is read again when it is needed, as tokens and certificates change, and one that is missing now may come: it is no
//! mistake. Only the file of TLS and users has to be right from the start.

mod others;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use stamp_config::document::{Place, Problem};
use stamp_config::web::WebArguments;
use stamp_metrics::http;
use stamp_metrics::http::client::check_authorities;

use super::config::{Configuration, Webhook};
use super::discovery::Provider;
use crate::exit::Failure;
use crate::token;
pub(super) use others::troubles_of_others;

/// A file that cannot be used now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Trouble {
    /// The key that names it.
    pub(super) key: String,
    /// Why, with the name of the file.
    pub(super) reason: String,
}

/// What of it `run` cannot use now, in the order of the file's own description.
pub(super) fn troubles(configuration: &Configuration) -> Vec<Trouble> {
    let mut found = Found::default();
    let service = &configuration.service;
    let web = &service.web;
    if let Some(file) = web.control_token_file.as_ref().filter(|_| !web.listen.is_empty()) {
        found.shown_to_us("web.control-token-file", file);
    }
    for (index, client) in service.clients.iter().enumerate() {
        found.shown_to_us(&format!("client[{index}].token-file"), &client.token_file);
    }
    for (index, webhook) in service.notify.webhooks.iter().enumerate() {
        let Webhook { address, token_file, ca_file, .. } = webhook;
        let prefix = format!("webhook[{index}].");
        if address.file().is_some() {
            found.note(format!("{prefix}url-file"), address.now().map(drop));
        }
        found.of_a_server(&prefix, token_file.as_deref(), ca_file.as_deref());
    }
    for (index, hook) in service.notify.hooks.iter().enumerate() {
        found.note(format!("hook[{index}].command"), program(&hook.command));
    }
    for (index, entry) in configuration.discoveries.iter().enumerate() {
        if let Provider::Http { token_file, ca_file, .. } = &entry.provider {
            let prefix = format!("discovery[{index}].");
            found.of_a_server(&prefix, token_file.as_deref(), ca_file.as_deref());
        }
    }
    for (index, entry) in configuration.reflectors.iter().enumerate() {
        let prefix = format!("reflector[{index}].");
        found.of_a_server(&prefix, entry.token_file.as_deref(), entry.ca_file.as_deref());
    }
    found.0
}

/// Says so in the log.
pub(super) fn tell(configuration: &Configuration) {
    for Trouble { key, reason } in troubles(configuration) {
        tracing::warn!(key, reason, "what the configuration names cannot be used now");
    }
}

/// Holds the file of TLS and users against what a server needs; `file` names it unless `arguments` do.
///
/// # Errors
///
/// [`Failure::Input`] with what is wrong, and where it is named.
pub(super) fn check_web(
    configuration: &Configuration,
    file: &Path,
    arguments: &WebArguments,
) -> Result<(), Failure> {
    let web = &configuration.service.web;
    let Some(named) = web.config_file.as_deref().filter(|_| !web.listen.is_empty()) else {
        return Ok(());
    };
    let Err(error) = http::check_web_config(named) else { return Ok(()) };
    let text = fs::read_to_string(file).unwrap_or_default();
    let by_file = arguments.config_file.is_none();
    let find = || Place::find(&file.to_string_lossy(), &text, "web.config-file");
    let place = by_file.then(find).flatten();
    let reason = error.to_string();
    Err(Failure::Input(match place {
        Some(place) => place.error(Problem::Unusable { reason }).to_string(),
        None => format!("--web.config.file: {reason}"),
    }))
}

#[derive(Default)]
struct Found(Vec<Trouble>);

impl Found {
    fn note(&mut self, key: String, result: Result<(), String>) {
        if let Err(reason) = result {
            self.0.push(Trouble { key, reason });
        }
    }

    /// A token that others have to show.
    fn shown_to_us(&mut self, key: &str, file: &Path) {
        let usable = http::check_token(file);
        self.note(key.to_owned(), usable.map_err(|error| format!("{}: {error}", file.display())));
    }

    /// What is shown to a server, and by what it is known; `prefix` stands before their keys.
    fn of_a_server(&mut self, prefix: &str, token_file: Option<&Path>, ca_file: Option<&Path>) {
        if let Some(file) = token_file {
            let read = token::read(Some(&file.to_owned()));
            self.note(format!("{prefix}token-file"), read.map(drop));
        }
        if let Some(file) = ca_file {
            let usable = check_authorities(file).map_err(|error| error.to_string());
            self.note(format!("{prefix}ca-file"), usable);
        }
    }
}

/// A program that is named by its place is there.
fn program(command: &[String]) -> Result<(), String> {
    let program = command.first().map(Path::new).filter(|it| it.is_absolute());
    let Some(program) = program else { return Ok(()) };
    match fs::metadata(program) {
        Ok(about) if about.is_dir() || about.permissions().mode() & 0o111 == 0 => {
            Err(format!("{}: it is no program", program.display()))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{}: {error}", program.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[web]\nconfig-file = \"web.yml\"\ncontrol-token-file = \"control\"\n\
                        [[client]]\nname = \"c\"\nto = [\"192.0.2.0/24\"]\ntoken-file = \"client\"\n\
                        [[webhook]]\nurl = \"http://192.0.2.1/\"\n\
                        [[webhook]]\nname = \"w\"\nurl-file = \"address\"\ntoken-file = \"hook\"\nca-file = \"ca\"\n\
                        [[hook]]\ncommand = [\"/nowhere/at/all\", \"now\"]\n\
                        [[hook]]\nname = \"here\"\ncommand = [\"logger\"]\n\
                        [[discovery]]\nurl = \"http://192.0.2.1/sd\"\ntoken-file = \"found\"\n\
                        [[reflector]]\nurl = \"http://192.0.2.1:9863/\"\naddresses = [\"192.0.2.1\"]\n\
                        token-file = \"far\"\n";

    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("stamp-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn write(&self, name: &str, text: &str) {
            let file = self.0.join(name);
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }

        fn read(&self, text: &str) -> Configuration {
            Configuration::read("f.toml", text, &self.0).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            // What is left in a temporary folder harms nobody.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn whatever_is_missing_or_no_token_is_told_by_its_key() {
        let folder = Folder::new("files");
        let configuration = folder.read(TEXT);
        let told = |configuration: &Configuration| -> Vec<String> {
            troubles(configuration).into_iter().map(|trouble| trouble.key).collect()
        };
        let all = [
            "web.control-token-file",
            "client[0].token-file",
            "webhook[1].url-file",
            "webhook[1].token-file",
            "webhook[1].ca-file",
            "hook[0].command",
            "discovery[0].token-file",
            "reflector[0].token-file",
        ];
        assert_eq!(told(&configuration), all);
        let first = &troubles(&configuration)[0];
        assert!(first.reason.ends_with("control: No such file or directory (os error 2)"));
        for file in ["control", "client", "hook", "found", "far"] {
            folder.write(file, "a token of some length\n");
        }
        folder.write("address", "http://192.0.2.1/secret\n");
        folder.write("ca", "no certificate\n");
        assert_eq!(told(&configuration), ["webhook[1].ca-file", "hook[0].command"]);
        folder.write("control", "short\n");
        assert!(troubles(&configuration)[0].reason.ends_with("a token has 16 octets at least"));
        let off = folder.read(&TEXT.replace("[web]", "[web]\nlisten = \"off\""));
        assert!(!told(&off).contains(&"web.control-token-file".to_owned()));
    }

    #[test]
    fn what_select_and_write_need_is_told_by_its_key() {
        const TEXT: &str = "topology = \"net.toml\"\n[select]\nprometheus = \"http://192.0.2.1:9090\"\n\
                            token-file = \"asking\"\ncontrol-token-file = \"draining\"\n\
                            config-file = \"select.yml\"\n\
                            [write]\nlisten = [\"127.0.0.1:9866\"]\nconfig-file = \"write.yml\"\n\
                            [[writer]]\nkind = \"linux\"\nfrom-token-file = \"following\"\n\
                            [[writer]]\nkind = \"file\"\nfile = \"gone/table\"\ndry-run = false\n\
                            [[writer]]\nkind = \"pola\"\nfolder = \"pola\"\nsession = \"192.0.2.1\"\n\
                            dry-run = false\nadd-command = [\"/nowhere/add\"]\ndelete-command = [\"rm\"]\n\
                            [[writer]]\nkind = \"webhook\"\nurl = \"https://192.0.2.1/\"\nca-file = \"ca\"\n";
        let folder = Folder::new("others");
        folder.write("net.toml", "[[node]]\nname = \"a\"\n");
        let configuration = folder.read(TEXT);
        let told = || -> Vec<String> {
            troubles_of_others(&configuration).into_iter().map(|trouble| trouble.key).collect()
        };
        let all = [
            "select.token-file",
            "select.config-file",
            "select.control-token-file",
            "write.config-file",
            "writer[0].from-token-file",
            "writer[1].file",
            "writer[2].folder",
            "writer[2].add-command",
            "writer[3].ca-file",
        ];
        assert_eq!(told(), all);
        assert!(troubles(&configuration).is_empty(), "run needs none of it");
        for file in ["asking", "draining", "following"] {
            folder.write(file, "a token of some length\n");
        }
        folder.write("select.yml", "basic_auth_users: {}\n");
        folder.write("write.yml", "{}\n");
        folder.write("net.toml", "no topology");
        fs::create_dir(folder.0.join("gone")).unwrap();
        fs::create_dir(folder.0.join("pola")).unwrap();
        assert_eq!(told(), ["writer[2].add-command", "writer[3].ca-file", "topology"]);
        fs::remove_dir(folder.0.join("gone")).unwrap();
        let configuration = folder.read(&TEXT.replace("dry-run = false\n", ""));
        let told = troubles_of_others(&configuration).into_iter().map(|trouble| trouble.key);
        let told: Vec<String> = told.collect();
        assert_eq!(told, ["writer[3].ca-file", "topology"], "nothing is written or run");
    }

    #[test]
    fn a_server_that_could_not_start_is_told_where_its_file_is_named() {
        let folder = Folder::new("web");
        folder.write("f.toml", TEXT);
        let file = folder.0.join("f.toml");
        let told = |configuration: &Configuration| {
            let arguments = WebArguments::default();
            check_web(configuration, &file, &arguments).err().map(|failure| failure.to_string())
        };
        let missing = told(&folder.read(TEXT)).unwrap();
        assert!(missing.contains("f.toml:2:15: web.config-file = \"web.yml\": "), "{missing}");
        folder.write("web.yml", "tls_server_config: {}\nbasic_auth_user: {}\n");
        let wrong = told(&folder.read(TEXT)).unwrap();
        assert!(wrong.contains("f.toml:2:15: ") && wrong.contains("basic_auth_user"), "{wrong}");
        folder.write("web.yml", "basic_auth_users: {}\n");
        assert_eq!(told(&folder.read(TEXT)), None);
        let arguments =
            WebArguments { config_file: Some("/nowhere.yml".into()), ..Default::default() };
        let by_flag = Configuration::read_under("f.toml", TEXT, &folder.0, &arguments).unwrap();
        let wrong = check_web(&by_flag, &file, &arguments).unwrap_err().to_string();
        assert!(wrong.starts_with("--web.config.file: /nowhere.yml: "), "{wrong}");
    }
}
