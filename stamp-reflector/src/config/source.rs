//! Where a configuration comes from; the same again at every reload.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use stamp_config::document::{self, ConfigErrors, Place, Problem};
use stamp_metrics::http::check_web_config;

use super::flags::{FlagProblem, Flags};
use super::reading::Reading;
use super::{Config, assemble, keys};

/// Flags and environment, read once, and the file, read at start and at every reload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    /// The file, if one was named.
    pub(crate) file: Option<PathBuf>,
    /// What flags and environment say.
    pub(crate) flags: Flags,
}

/// Why there is no configuration.
#[derive(Debug)]
pub(crate) enum ConfigFailure {
    /// The file cannot be read.
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Mistakes in it, all of them.
    Mistakes {
        /// Of flags and environment.
        flags: Vec<FlagProblem>,
        /// Of the file.
        file: ConfigErrors,
    },
}

impl Source {
    /// Reads and checks everything.
    pub(crate) fn load(&self) -> Result<Config, ConfigFailure> {
        let Some(path) = &self.file else {
            let mut config = self.read("", "", Path::new(""))?;
            if !config.web.is_configured {
                // Somebody tries something out: there may be many such on a host.
                config.web.listen.clear();
            }
            return Ok(config);
        };
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigFailure::File { path: path.clone(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        self.read(&path.display().to_string(), &text, folder)
    }

    /// Holds the file of TLS and users that `config` names against what a server needs. Only a start needs it to be
    /// right: a server that runs keeps what it had (`stamp_metrics::http`).
    pub(crate) fn check_web(&self, config: &Config) -> Result<(), ConfigFailure> {
        let web = &config.web;
        let named = web.config_file.as_deref().filter(|_| !web.listen.is_empty());
        let Some(Err(error)) = named.map(check_web_config) else { return Ok(()) };
        let reason = error.to_string();
        let key = &keys::web::CONFIG_FILE.definition;
        let flags = self.flags.problem(key, reason.clone());
        let file = self.file.as_deref().filter(|_| flags.is_none()).and_then(|path| {
            let text = std::fs::read_to_string(path).ok()?;
            let place = Place::find(&path.to_string_lossy(), &text, key.key)?;
            Some(place.error(Problem::Unusable { reason }))
        });
        Err(ConfigFailure::Mistakes {
            flags: flags.into_iter().collect(),
            file: ConfigErrors(file.into_iter().collect()),
        })
    }

    /// Reads `text`, which somebody sent, in place of the file. Paths in it count from where the file is.
    pub(crate) fn pushed(&self, text: &str) -> Result<Config, ConfigFailure> {
        let folder = self.file.as_deref().and_then(Path::parent);
        self.read("pushed", text, folder.unwrap_or(Path::new("")))
    }

    /// Reads `text` in place of the file.
    pub(super) fn read(
        &self,
        name: &str,
        text: &str,
        folder: &Path,
    ) -> Result<Config, ConfigFailure> {
        let reading = Reading::new(&self.flags);
        let read = document::read(name, text, |root| assemble::config(&reading, root, folder));
        let (mut flags, shown) = reading.finish();
        flags.splice(..0, self.flags.malformed());
        match read {
            Ok(config) if flags.is_empty() => Ok(Config { shown, ..config }),
            Ok(_) => Err(ConfigFailure::Mistakes { flags, file: ConfigErrors::default() }),
            Err(file) => Err(ConfigFailure::Mistakes { flags, file }),
        }
    }
}

impl fmt::Display for ConfigFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Mistakes { flags, file } => {
                let flags = flags.iter().map(ToString::to_string);
                let file = file.0.iter().map(ToString::to_string);
                let lines: Vec<String> = flags.chain(file).collect();
                f.write_str(&lines.join("\n"))
            }
        }
    }
}

impl core::error::Error for ConfigFailure {}
