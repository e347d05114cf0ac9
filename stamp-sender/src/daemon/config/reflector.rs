//! `[[reflector]]`: stateful Session-Reflectors that tell what they see of probes.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use stamp_config::Setting;
use stamp_config::document::{Problem, Section};
use stamp_metrics::http::client::Url;

use crate::server_url::ServerUrl;

/// A Session-Reflector that is listened to.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Reflector {
    /// Where it tells.
    pub url: Url,
    /// Where it answers: sessions with these far ends are its.
    pub addresses: Vec<IpAddr>,
    /// Whom to trust, if not those whom this host trusts.
    pub ca_file: Option<PathBuf>,
    /// What lets us in.
    pub token_file: Option<PathBuf>,
}

struct FarEnd(IpAddr);

impl Setting for FarEnd {
    const EXPECTED: &'static str = "an address such as 192.0.2.11";
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(|address: IpAddr| Self(address.to_canonical()))
    }
}

impl Reflector {
    /// An entry, with what is wrong reported where it stands. Paths are relative to `folder`.
    pub(super) fn read(section: &Section<'_>, folder: &Path) -> Option<Self> {
        let url = section.require::<ServerUrl>("url");
        let addresses: Option<Vec<FarEnd>> = section.list("addresses");
        let beside = |key: &'static str| section.get(key).map(|file: String| folder.join(file));
        let (ca_file, token_file) = (beside("ca-file"), beside("token-file"));
        let ServerUrl(url) = url?;
        let addresses: Vec<IpAddr> = match addresses {
            Some(addresses) => addresses.into_iter().map(|it| it.0).collect(),
            None => url.host().parse().into_iter().map(|it: IpAddr| it.to_canonical()).collect(),
        };
        if addresses.is_empty() {
            let expected = "where it answers probes, as its url has a name: a list of addresses";
            section.problem("addresses", Problem::Missing { expected });
        }
        Some(Self { url, addresses, ca_file, token_file })
    }

    /// In the form of the file.
    pub(super) fn show(&self) -> String {
        let addresses: Vec<String> = self.addresses.iter().map(|it| format!("\"{it}\"")).collect();
        let mut text = format!(
            "\n[[reflector]]\nurl = {:?}\naddresses = [{}]\n",
            self.url.text(),
            addresses.join(", ")
        );
        for (key, file) in [("ca-file", &self.ca_file), ("token-file", &self.token_file)] {
            if let Some(file) = file {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{key} = {:?}", file.display().to_string());
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use stamp_config::document;

    use super::*;

    fn read(text: &str) -> Result<Vec<Reflector>, String> {
        let read = document::read("f", text, |root| {
            root.sections("reflector", |section| Reflector::read(section, Path::new("/etc/stamp")))
        });
        let read = read.map(|entries| entries.into_iter().flatten().collect());
        read.map_err(|errors| errors.to_string())
    }

    #[test]
    fn an_entry_is_read_and_shown_as_it_was() {
        let text = "[[reflector]]\nurl = \"https://ams.example:9863\"\n\
                    addresses = [\"192.0.2.11\", \"2001:db8::11\"]\nca-file = \"ca.pem\"\n";
        let entries = read(text).unwrap();
        assert_eq!(entries[0].addresses.len(), 2);
        assert_eq!(entries[0].ca_file.as_deref(), Some(Path::new("/etc/stamp/ca.pem")));
        assert_eq!(read(&entries[0].show()).unwrap(), entries);
        let bare = read("[[reflector]]\nurl = \"http://[2001:db8::1]:9863\"\n").unwrap();
        assert_eq!(bare[0].addresses, ["2001:db8::1".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn what_is_missing_or_wrong_is_told() {
        for (text, expected) in [
            ("[[reflector]]\n", "url"),
            ("[[reflector]]\nurl = \"ams:9863\"\n", "http://HOST:PORT/PATH or"),
            ("[[reflector]]\nurl = \"http://ams.example\"\n", "where it answers probes"),
            (
                "[[reflector]]\nurl = \"http://192.0.2.1\"\naddresses = [\"ams\"]\n",
                "an address such as 192.0.2.11",
            ),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(expected), "{told}");
        }
    }
}
