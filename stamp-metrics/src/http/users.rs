//! Users and their passwords, of which only hashes are known.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::header::HeaderValue;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Passwords that are remembered as right, so that a scrape does not cost what guessing should.
const REMEMBERED: usize = 100;
/// What the password of somebody unknown is compared with: it takes as long as any other and is the
/// hash of nothing that anybody sends.
const NOBODY: &str = "$2b$10$.zyKXFhIbGjP1kK6Oq9zXuTZL0q8cF0m2o6nT1Yk8qz5o1p7JrWcK";

/// Who gets in.
pub(super) struct Users {
    hashes: BTreeMap<String, String>,
    right: Mutex<HashSet<[u8; 32]>>,
    /// Comparing takes a processor for a tenth of a second: one at a time.
    turn: Arc<Semaphore>,
}

impl Users {
    pub(super) fn new(hashes: BTreeMap<String, String>) -> Self {
        Self { hashes, right: Mutex::default(), turn: Arc::new(Semaphore::new(1)) }
    }

    /// Whether these are the name and the password of one of them.
    pub(super) async fn know(&self, credentials: Option<&HeaderValue>) -> bool {
        let Some((user, password)) = credentials.and_then(read) else { return false };
        let known = self.hashes.get(&user);
        let hash = known.map_or(NOBODY, String::as_str).to_owned();
        let digest = digest(&[user.as_bytes(), password.as_bytes(), hash.as_bytes()]);
        if self.remembered().contains(&digest) {
            return true;
        }
        let Ok(_turn) = Arc::clone(&self.turn).acquire_owned().await else { return false };
        let compared = spawn_blocking(move || bcrypt::verify(password, &hash)).await;
        let is_right = matches!(compared, Ok(Ok(true))) && known.is_some();
        if is_right {
            let mut right = self.remembered();
            if right.len() >= REMEMBERED {
                right.clear();
            }
            right.insert(digest);
        }
        is_right
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashSet<[u8; 32]>> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Name and password of `Authorization: Basic`.
fn read(credentials: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = credentials.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(text: &str) -> HeaderValue {
        HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(text))).unwrap()
    }

    async fn outcomes(users: &Users, credentials: &[&str]) -> Vec<bool> {
        let mut outcomes = Vec::new();
        for text in credentials {
            outcomes.push(users.know(Some(&basic(text))).await);
        }
        outcomes
    }

    #[test]
    fn only_the_right_password_of_a_known_user_gets_in() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let hash = bcrypt::hash("secret", 4).unwrap();
        let users = Users::new(BTreeMap::from([("alice".to_owned(), hash)]));
        let tried = ["alice:secret", "alice:secret", "alice:wrong", "bob:secret", "alice"];
        let outcomes = runtime.block_on(outcomes(&users, &tried));
        assert_eq!(outcomes, [true, true, false, false, false]);
        assert!(!runtime.block_on(users.know(None)));
        let bearer = HeaderValue::from_static("Bearer YWxpY2U6c2VjcmV0");
        assert!(!runtime.block_on(users.know(Some(&bearer))));
    }

    #[test]
    fn a_colon_may_stand_in_a_password() {
        assert_eq!(read(&basic("a:b:c")), Some(("a".to_owned(), "b:c".to_owned())));
    }

    #[test]
    fn the_hash_of_nobody_takes_as_long_as_any_other() {
        let parts: bcrypt::HashParts = NOBODY.parse().unwrap();
        assert_eq!(parts.get_cost(), 10);
        assert!(!bcrypt::verify("", NOBODY).unwrap());
    }
}
