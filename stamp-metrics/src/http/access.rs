//! Who gets in, and how: the file of the Prometheus exporters, read again when it changes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::header::{HeaderName, HeaderValue};
use tokio_rustls::TlsAcceptor;

use super::users::Users;
use super::web_config::{Stamp, WebConfig, WebConfigError};
use super::{Note, Site, tls};

/// What is in force.
pub(super) struct Access {
    path: Option<PathBuf>,
    current: Mutex<Current>,
}

struct Current {
    /// What the files were when they were read.
    stamp: Stamp,
    rules: Arc<Rules>,
}

/// What a file comes to.
#[derive(Default)]
struct Rules {
    tls: Option<TlsAcceptor>,
    users: Option<Users>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Access {
    /// Reads the file; without one everybody gets in, unencrypted.
    pub(super) fn load(path: Option<PathBuf>) -> Result<Self, WebConfigError> {
        let (stamp, rules) = match &path {
            Some(path) => Rules::load(path)?,
            None => Default::default(),
        };
        Ok(Self { path, current: Mutex::new(Current { stamp, rules: Arc::new(rules) }) })
    }

    /// Reads it again if it, or a file that it names, is not what it was.
    pub(super) fn refresh(&self, site: &dyn Site) {
        let Some(path) = &self.path else { return };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.stamp.is_current() {
            return;
        }
        match Rules::load(path) {
            Ok((stamp, rules)) => {
                *current = Current { stamp, rules: Arc::new(rules) };
                site.note(Note::WebConfig(Ok(())));
            }
            Err(error) => {
                // Once for each change.
                current.stamp.renew();
                site.note(Note::WebConfig(Err(error)));
            }
        }
    }

    /// How connections are encrypted, if they are.
    pub(super) fn tls(&self) -> Option<TlsAcceptor> {
        self.rules().tls.clone()
    }

    /// What every answer has on its head.
    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        self.rules().headers.clone()
    }

    /// Whether somebody with these credentials gets in.
    pub(super) async fn lets_in(&self, credentials: Option<&HeaderValue>) -> bool {
        match &self.rules().users {
            None => true,
            Some(users) => users.know(credentials).await,
        }
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner).rules)
    }
}

impl Rules {
    fn load(path: &std::path::Path) -> Result<(Stamp, Self), WebConfigError> {
        let mut stamp = Stamp::default();
        let config = WebConfig::load(path, &mut stamp)?;
        let tls = match config.tls {
            Some(tls) => Some(tls::acceptor(&tls, path, &mut stamp)?),
            None => None,
        };
        let users = (!config.users.is_empty()).then(|| Users::new(config.users));
        Ok((stamp, Self { tls, users, headers: config.headers }))
    }
}
