//! `[web]`: where a program tells its metrics.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use stamp_document::document::{Problem, Section};
use stamp_document::{Form, Setting};

/// What both programs take there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Web {
    /// Addresses and ports; none where nothing is to be told.
    pub listen: Vec<SocketAddr>,
    /// They were written, so that one that cannot be had is a mistake.
    pub is_configured: bool,
    /// The file of TLS and users.
    pub config_file: Option<PathBuf>,
    /// The file of the token of whoever may change something.
    pub control_token_file: Option<PathBuf>,
    /// Whoever gets in may have the configuration read again.
    pub enable_lifecycle: bool,
    /// Most series that are told.
    pub series_limit: usize,
    /// Sessions have histograms; unless told, where they are few enough.
    pub histograms: Option<bool>,
}

/// What a command line says of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WebArguments {
    /// Addresses and ports; `None` where nothing is said, none at all for "off".
    pub listen: Option<Vec<SocketAddr>>,
    /// The file of TLS and users.
    pub config_file: Option<PathBuf>,
}

/// Most series unless told otherwise: ten thousand sessions with thresholds.
const SERIES_LIMIT: usize = 1_500_000;

impl Web {
    /// On the loopback at `port`.
    #[must_use]
    pub fn on_loopback(port: u16) -> Self {
        Self {
            listen: vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)],
            is_configured: false,
            config_file: None,
            control_token_file: None,
            enable_lifecycle: false,
            series_limit: SERIES_LIMIT,
            histograms: None,
        }
    }

    /// The same with what the command line says, which goes before what a file says.
    #[must_use]
    pub fn under(self, arguments: &WebArguments) -> Self {
        let WebArguments { listen, config_file } = arguments.clone();
        Self {
            is_configured: self.is_configured || listen.is_some(),
            listen: listen.unwrap_or(self.listen),
            config_file: config_file.or(self.config_file),
            ..self
        }
    }

    /// What the root table says of it. Paths are relative to `folder`, a port is `port` unless told
    /// otherwise.
    pub fn read(root: &Section<'_>, folder: &Path, port: u16) -> Self {
        let default = Self::on_loopback(port);
        root.section_or_empty("web", |web| {
            let listen = listen(web);
            Self {
                is_configured: listen.is_some(),
                listen: listen.unwrap_or(default.listen),
                config_file: web.get("config-file").map(|file: String| folder.join(file)),
                control_token_file: web
                    .get("control-token-file")
                    .map(|file: String| folder.join(file)),
                enable_lifecycle: web.get("enable-lifecycle").unwrap_or_default(),
                series_limit: web.get("series-limit").map_or(SERIES_LIMIT, |it: Series| it.0),
                histograms: web.get("histograms").map(|it: Histograms| it == Histograms::Classic),
            }
        })
    }
}

fn listen(web: &Section<'_>) -> Option<Vec<SocketAddr>> {
    let words: Vec<Listen> = web.list("listen")?;
    match Listen::all(&words) {
        Ok(addresses) => Some(addresses),
        Err(reason) => {
            web.problem("listen", Problem::Contradiction { reason: reason.to_owned() });
            None
        }
    }
}

/// An address to listen on, or nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listen(pub Option<SocketAddr>);

impl Listen {
    /// The addresses of a list.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn all(words: &[Self]) -> Result<Vec<SocketAddr>, &'static str> {
        let addresses: Vec<SocketAddr> = words.iter().filter_map(|word| word.0).collect();
        let contradicts = addresses.len() < words.len() && words.len() > 1;
        if contradicts { Err("\"off\" stands alone") } else { Ok(addresses) }
    }
}

impl Setting for Listen {
    const EXPECTED: &'static str = "ADDRESS:PORT, such as 127.0.0.1:9862 or [::1]:9862, :PORT for \
                                    every address, or off";
    fn read(text: &str) -> Option<Self> {
        if text == "off" {
            return Some(Self(None));
        }
        // The address of IPv6 that stands for all takes IPv4 as well.
        let text = if text.starts_with(':') { format!("[::]{text}") } else { text.to_owned() };
        text.parse().ok().map(|address| Self(Some(address)))
    }
}

/// Series at most.
struct Series(usize);

impl Setting for Series {
    const EXPECTED: &'static str = "a count from 1000 to 100000000";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|count| (1_000..=100_000_000).contains(count)).map(Self)
    }
}

/// Which histograms are told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Histograms {
    Classic,
    None,
}

impl Setting for Histograms {
    const EXPECTED: &'static str = "classic or none";
    fn read(text: &str) -> Option<Self> {
        match text {
            "classic" => Some(Self::Classic),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use stamp_document::document::read;

    use super::*;

    fn web(text: &str) -> Result<Web, String> {
        let folder = Path::new("/etc/stamp");
        read("f", text, |root| Web::read(root, folder, 9862)).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_written_is_the_loopback() {
        let web = web("").unwrap();
        assert_eq!(web.listen, ["127.0.0.1:9862".parse().unwrap()]);
        assert!(!web.is_configured && !web.enable_lifecycle && web.config_file.is_none());
    }

    #[test]
    fn addresses_are_a_list_or_one() {
        let text = "[web]\nlisten = [\"192.0.2.1:80\", \":9000\"]\nconfig-file = \"web.yml\"\n\
                    control-token-file = \"token\"\nenable-lifecycle = true\nseries-limit = 1000\n";
        let both = web(text).unwrap();
        assert_eq!(both.listen, ["192.0.2.1:80", "[::]:9000"].map(|it| it.parse().unwrap()));
        assert_eq!(both.config_file.as_deref(), Some(Path::new("/etc/stamp/web.yml")));
        assert_eq!(both.control_token_file.as_deref(), Some(Path::new("/etc/stamp/token")));
        assert!(both.is_configured && both.enable_lifecycle);
        assert_eq!(both.series_limit, 1_000);
        let one = web("web = { listen = \"[::1]:9862\" }\n").unwrap();
        assert_eq!(one.listen, ["[::1]:9862".parse().unwrap()]);
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let file = || web("[web]\nlisten = \"192.0.2.1:80\"\nconfig-file = \"web.yml\"\n").unwrap();
        assert_eq!(file().under(&WebArguments::default()), file());
        let addresses: Vec<SocketAddr> =
            vec!["[::1]:1".parse().unwrap(), "[::1]:2".parse().unwrap()];
        let arguments = WebArguments { listen: Some(addresses.clone()), config_file: None };
        let both = file().under(&arguments);
        assert_eq!((both.listen, both.config_file), (addresses, file().config_file));
        let arguments =
            WebArguments { listen: Some(Vec::new()), config_file: Some("other.yml".into()) };
        let nowhere = web("").unwrap().under(&arguments);
        assert!(nowhere.is_configured && nowhere.listen.is_empty());
        assert_eq!(nowhere.config_file, Some("other.yml".into()));
    }

    #[test]
    fn histograms_are_told_by_their_form() {
        assert_eq!(web("").unwrap().histograms, None);
        assert_eq!(web("web.histograms = \"classic\"\n").unwrap().histograms, Some(true));
        assert_eq!(web("web.histograms = \"none\"\n").unwrap().histograms, Some(false));
        let error = web("web.histograms = true\n").unwrap_err();
        assert!(error.contains("expected classic or none"), "{error}");
    }

    #[test]
    fn off_is_nowhere_and_stands_alone() {
        let off = web("web.listen = \"off\"\n").unwrap();
        assert!(off.listen.is_empty() && off.is_configured);
        let error = web("web.listen = [\"off\", \"127.0.0.1:1\"]\n").unwrap_err();
        assert!(error.contains("stands alone"), "{error}");
        let error = web("web.listen = \"localhost\"\n").unwrap_err();
        assert!(error.contains("expected ADDRESS:PORT"), "{error}");
    }
}
