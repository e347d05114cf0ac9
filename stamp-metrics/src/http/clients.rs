//! Clients of `/api/v1/paths`: each has a token, and sees what is for it.

use std::path::PathBuf;
use std::sync::Arc;

use hyper::header::{AUTHORIZATION, HeaderMap};
use tokio::task::spawn_blocking;

use super::control::{is_token, read_token};
use super::{Note, Site};
use crate::table::Scope;

/// Somebody who may ask for paths to its own destinations.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Client {
    /// What it is called in messages.
    pub name: String,
    /// The file that holds its token. It is read each time, so that it can be changed.
    pub token_file: PathBuf,
    /// What it sees.
    pub scope: Arc<Scope>,
}

/// What a client showed when it began to follow, which is looked at again before each word that it is told.
pub(super) struct Claim {
    pub(super) site: Arc<dyn Site>,
    pub(super) token: String,
    pub(super) scope: Arc<Scope>,
}

impl Claim {
    /// Whether the token still stands for the same; no longer where that cannot be known.
    pub(super) async fn holds(&self) -> bool {
        let (site, token) = (Arc::clone(&self.site), self.token.clone());
        let now = spawn_blocking(move || scope_of(&*site, &token)).await;
        now.is_ok_and(|scope| scope.as_ref() == Some(&self.scope))
    }
}

/// The token that a request shows, where it shows one.
pub(super) fn shown(headers: &HeaderMap) -> Option<String> {
    let shown = headers.get(AUTHORIZATION)?.to_str().ok()?;
    shown.strip_prefix("Bearer ").map(str::to_owned)
}

/// What whoever shows this token may see, if it is that of a client.
pub(super) fn scope_of(site: &dyn Site, shown: &str) -> Option<Arc<Scope>> {
    let mut found = None;
    // All of them are looked at, so that the time it takes tells nothing.
    for client in site.clients().iter() {
        match read_token(&client.token_file) {
            Ok(token) if is_token(shown, &token) => found = Some(Arc::clone(&client.scope)),
            Ok(_) => {}
            Err(error) => site.note(Note::ClientToken { client: client.name.clone(), error }),
        }
    }
    found
}
