//! The chosen paths as one document: in a file that is replaced as a whole, or sent to a server.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use stamp_metrics::http::client::{Client, ClientError};

use super::config::{File, Method, Server};
use super::outcome::{Change, Outcome};
use super::table::ChosenPath;
use crate::output::document::SCHEMA_VERSION;
use crate::output::instant::Instant;
use crate::token;

/// Octets of a server's answer that are read; nobody looks at them.
const ANSWER: usize = 64 * 1024;

/// One document of a place that holds one.
pub struct Writer {
    place: Place,
    dry_run: bool,
    /// The paths that stand there, as far as it is known.
    there: Option<Vec<Value>>,
}

/// Where it stands.
pub enum Place {
    /// A file.
    File(File),
    /// A server.
    Server(Server),
}

impl Writer {
    /// Looks at nothing yet.
    pub const fn new(place: Place, dry_run: bool) -> Self {
        Self { place, dry_run, there: None }
    }

    /// Sees to it that these paths stand there, and no others.
    pub async fn apply(&mut self, paths: &[ChosenPath], sequence: u64) -> Outcome {
        let objects: Vec<Value> = paths.iter().map(|path| path.object.clone()).collect();
        if self.there.is_none() {
            self.there = self.place.read();
        }
        if self.there.as_ref() == Some(&objects) {
            return Outcome::default();
        }
        let what = self.place.what(objects.len());
        let result = match self.dry_run {
            true => Ok(()),
            false => self.place.write(&document(&objects, sequence)).await,
        };
        // Of what failed nobody knows how far it came.
        self.there = result.is_ok().then_some(objects);
        let retry_after = result.as_ref().err().and_then(|refusal| refusal.retry_after);
        let result = result.map_err(|refusal| refusal.reason);
        let changes = vec![Change { policy: None, what, result }];
        Outcome { changes, retry_after, ..Outcome::default() }
    }

    /// Takes the file away; a server is told that there are no paths.
    pub async fn undo(&mut self) -> Outcome {
        match &self.place {
            Place::File(File { path, .. }) if !self.dry_run && self.place.read().is_some() => {
                let result = match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.to_string()),
                    _ => Ok(()),
                };
                let what = format!("remove {}", path.display());
                Outcome {
                    changes: vec![Change { policy: None, what, result }],
                    ..Outcome::default()
                }
            }
            // Nobody knows what stands there: it is not ours to empty.
            _ if self.there.is_none() => Outcome::default(),
            _ => self.apply(&[], 0).await,
        }
    }
}

impl Place {
    /// The paths that stand there; none where it is no document of ours, has not the rights that it is to
    /// have, or cannot be read.
    fn read(&self) -> Option<Vec<Value>> {
        let Self::File(File { path, mode }) = self else { return None };
        if mode.is_some() && *mode != mode_of(path) {
            return None;
        }
        let mut document: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        match document.get_mut("paths")?.take() {
            Value::Array(paths) => Some(paths),
            _ => None,
        }
    }

    fn what(&self, paths: usize) -> String {
        match self {
            Self::File(file) => format!("write {} (paths: {paths})", file.path.display()),
            Self::Server(server) => {
                let method = server.method.word().to_uppercase();
                format!("{method} {} (paths: {paths})", server.url.text())
            }
        }
    }

    async fn write(&self, document: &Value) -> Result<(), Refusal> {
        match self {
            Self::File(file) => {
                let text = format!("{document:#}\n");
                let done = replace(&file.path, file.mode, text.as_bytes());
                done.map_err(|error| Refusal::of(error.to_string()))
            }
            Self::Server(server) => send(server, document.to_string()).await,
        }
    }
}

/// Why it does not stand there.
struct Refusal {
    reason: String,
    /// How long the server wants to be left alone.
    retry_after: Option<Duration>,
}

impl Refusal {
    const fn of(reason: String) -> Self {
        Self { reason, retry_after: None }
    }
}

impl From<ClientError> for Refusal {
    fn from(error: ClientError) -> Self {
        let retry_after = match error {
            ClientError::Status { retry_after, .. } => retry_after,
            _ => None,
        };
        Self { reason: error.to_string(), retry_after }
    }
}

fn document(objects: &[Value], sequence: u64) -> Value {
    json!({
        "schema_version": SCHEMA_VERSION,
        "time": Instant::from(stamp_worker::now().wall),
        "sequence": sequence,
        "paths": objects,
    })
}

/// Whoever reads the file sees the one before or the new one, whole. It keeps the rights that it has, unless
/// it is to have others.
pub fn replace(path: &Path, mode: Option<u32>, octets: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let mode = mode.or_else(|| mode_of(path));
    let written = fs::File::create(&beside).and_then(|mut file| {
        // Before there is anything to read.
        mode.map_or(Ok(()), |mode| file.set_permissions(fs::Permissions::from_mode(mode)))?;
        file.write_all(octets)?;
        file.sync_all()
    });
    let done = written.and_then(|()| fs::rename(&beside, path));
    if done.is_err() {
        // It may not even be there.
        let _ = fs::remove_file(&beside);
    }
    done
}

/// Who may read and write a file that is there.
fn mode_of(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|file| file.permissions().mode() & 0o777)
}

async fn send(server: &Server, body: String) -> Result<(), Refusal> {
    let token = token::read(server.token_file.as_ref()).map_err(Refusal::of)?;
    let ca_file = server.ca_file.clone();
    let client = Client { ca_file, token, time: server.timeout, octets: ANSWER };
    let answer = match server.method {
        Method::Put => client.put(&server.url, body).await,
        Method::Post => client.post(&server.url, body).await,
    };
    Ok(answer.map(drop)?)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread::JoinHandle;

    use stamp_metrics::http::client::Url;

    use super::super::table::Table;
    use super::super::table::tests::{list, path, table};
    use super::*;

    fn paths(sid: &str) -> Vec<ChosenPath> {
        let lists = json!([list("a", 1, &[sid])]);
        Table::read(&table(1, &[path("a", &lists)])).unwrap().paths
    }

    fn file() -> PathBuf {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        std::env::temp_dir().join(format!("stamp-writer-{}-{number}.json", std::process::id()))
    }

    /// What is done, in words.
    fn apply(writer: &mut Writer, paths: &[ChosenPath]) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome = runtime.block_on(writer.apply(paths, 7));
        assert!(outcome.is_complete(), "{outcome:?}");
        outcome.changes.into_iter().map(|change| change.what).collect()
    }

    #[test]
    fn a_file_is_written_when_paths_differ_and_read_after_a_restart() {
        let file = file();
        let place = |mode| Place::File(File { path: file.clone(), mode });
        let new = |dry_run| Writer::new(place(None), dry_run);
        let told = format!("write {} (paths: 1)", file.display());
        assert_eq!(apply(&mut new(true), &paths("fc00::1")), [told.as_str()]);
        assert!(!file.exists(), "a dry run");
        let mut writer = new(false);
        assert_eq!(apply(&mut writer, &paths("fc00::1")), [told.as_str()]);
        assert_eq!(apply(&mut writer, &paths("fc00::1")), [""; 0]);
        assert_eq!(apply(&mut new(false), &paths("fc00::1")), [""; 0], "another run");
        let read: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!((&read["schema_version"], &read["sequence"]), (&json!(1), &json!(7)));
        assert_eq!(read["paths"], json!([paths("fc00::1")[0].object]));
        assert_eq!(apply(&mut writer, &paths("fc00::2")), [told.as_str()]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert!(runtime.block_on(writer.undo()).is_complete());
        assert!(!file.exists(), "undone");
    }

    #[test]
    fn a_file_has_the_rights_that_it_is_to_have() {
        let file = file();
        let place = |mode| Place::File(File { path: file.clone(), mode });
        for (mode, sid, expected) in [
            (Some(0o604), "fc00::1", 0o604),
            (Some(0o660), "fc00::1", 0o660),
            (None, "fc00::2", 0o660),
        ] {
            let mut writer = Writer::new(place(mode), false);
            assert_eq!(apply(&mut writer, &paths(sid)).len(), 1, "{expected:o}");
            assert_eq!(mode_of(&file), Some(expected));
            assert_eq!(apply(&mut Writer::new(place(mode), false), &paths(sid)), [""; 0]);
        }
        fs::remove_file(&file).unwrap();
    }

    #[test]
    fn what_cannot_be_written_is_tried_again() {
        let file = File { path: "/nowhere/at/all".into(), mode: None };
        let mut writer = Writer::new(Place::File(file), false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for _ in 0..2 {
            let outcome = runtime.block_on(writer.apply(&paths("fc00::1"), 1));
            assert!(outcome.changes[0].result.is_err(), "{outcome:?}");
        }
    }

    /// Answers a request after the other; method, path and body of each.
    fn server(answers: &'static [&'static str]) -> (Url, JoinHandle<Vec<(String, Value)>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/paths", listener.local_addr().unwrap());
        let heard = move |answer: &&str| {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut octets, mut part) = (Vec::new(), [0; 65_536]);
            loop {
                let count = stream.read(&mut part).unwrap();
                octets.extend_from_slice(&part[..count]);
                let text = String::from_utf8_lossy(&octets);
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                // The body is complete once it can be read.
                let Ok(body) = serde_json::from_str(body) else { continue };
                let line = head.lines().next().unwrap().to_owned();
                write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").unwrap();
                return (line, body);
            }
        };
        let thread = std::thread::spawn(move || answers.iter().map(heard).collect());
        (Url::read(&url).unwrap(), thread)
    }

    #[test]
    fn a_server_is_sent_the_paths_until_it_takes_them() {
        let answers = &["503 Unavailable\r\nRetry-After: 7", "204 No Content", "200 OK"];
        let (url, heard) = server(answers);
        let timeout = Duration::from_secs(60);
        let (method, token_file, ca_file) = (Method::Put, None, None);
        let place = Place::Server(Server { url, method, timeout, token_file, ca_file });
        let mut writer = Writer::new(place, false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome = runtime.block_on(writer.apply(&paths("fc00::1"), 7));
        assert_eq!(outcome.retry_after, Some(Duration::from_secs(7)));
        let failed = outcome.changes;
        assert!(failed[0].result.as_ref().unwrap_err().contains("503"), "{failed:?}");
        assert_eq!(apply(&mut writer, &paths("fc00::1")).len(), 1);
        assert_eq!(apply(&mut writer, &paths("fc00::1")).len(), 0, "it has them");
        assert!(runtime.block_on(writer.undo()).is_complete());
        let heard = heard.join().unwrap();
        assert!(heard.iter().all(|(line, _)| line == "PUT /paths HTTP/1.1"), "{heard:?}");
        let bodies: Vec<_> = heard.iter().map(|(_, body)| body["paths"].clone()).collect();
        let object = &paths("fc00::1")[0].object;
        assert_eq!(bodies, [json!([object]), json!([object]), json!([])]);
    }
}
