//! What is no mistake and still worth a word.

use core::fmt;
use std::path::PathBuf;

use stamp_metrics::http::check_token;
use stamp_proto::auth::KeyId;

use super::Config;

/// Something an operator should know about a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Note {
    /// A key that can be guessed.
    ShortKey {
        /// The key file.
        path: PathBuf,
        /// The key.
        id: KeyId,
    },
    /// Nobody can change anything over HTTP, for the token cannot be read.
    ControlToken {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Sources that no rule names get no reply.
    AllowedOnly {
        /// How many prefixes are allowed.
        prefixes: usize,
    },
}

impl Note {
    /// Everything worth a word about `config`.
    pub(crate) fn about(config: &Config) -> Vec<Self> {
        let short = config.keys.iter().flat_map(|keys| {
            keys.short.iter().map(|id| Self::ShortKey { path: keys.path.clone(), id: *id })
        });
        let denied = config.engine.unknown_sources.is_none();
        let prefixes = config.engine.allow.len();
        let web = &config.web;
        let token = web.control_token_file.as_ref().filter(|_| !web.listen.is_empty());
        let token = token.and_then(|path| {
            let reason = check_token(path).err()?.to_string();
            Some(Self::ControlToken { path: path.clone(), reason })
        });
        short.chain(token).chain(denied.then_some(Self::AllowedOnly { prefixes })).collect()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortKey { path, id } => write!(
                f,
                "{}: key {id} is shorter than 16 octets and can be guessed: use 32",
                path.display()
            ),
            Self::ControlToken { path, reason } => {
                write!(f, "web.control-token-file: {}: {reason}", path.display())
            }
            Self::AllowedOnly { prefixes: 1 } => f.write_str("only one prefix is answered"),
            Self::AllowedOnly { prefixes } => write!(f, "only {prefixes} prefixes are answered"),
        }
    }
}
