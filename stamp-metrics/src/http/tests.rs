//! The server as clients meet it, over the loopback.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;

mod clients;
mod events;

/// A site whose metrics are as long as a test wants.
struct Fake {
    feed: Arc<Feed>,
    pieces: usize,
    is_ready: AtomicBool,
    reload: Option<Result<(), String>>,
    token_file: Option<PathBuf>,
    notes: Mutex<Vec<String>>,
    clients: Arc<[Client]>,
    table: Option<Arc<Table>>,
}

impl Fake {
    fn new(pieces: usize, reload: Option<Result<(), String>>) -> Self {
        let feed = Arc::new(Feed::new(10_000, |count| format!("{{\"missing\":{count}}}")));
        let (token_file, notes) = (None, Mutex::default());
        let (clients, table, is_ready) = (Arc::default(), None, true.into());
        Self { feed, pieces, is_ready, reload, token_file, notes, clients, table }
    }
}

impl Site for Fake {
    fn metrics(&self) -> Pieces {
        Box::new((0..self.pieces).map(|number| format!("piece {number}\n").repeat(1_000).into()))
    }

    fn unready(&self) -> Option<String> {
        (!self.is_ready.load(Ordering::Relaxed)).then(|| "names are looked up".to_owned())
    }

    fn page(&self, path: &str, _query: &Query) -> Option<Page> {
        (path == "/").then(|| Page::whole("text/html", "landed".to_owned()))
    }

    fn feed(&self) -> Option<Arc<Feed>> {
        Some(Arc::clone(&self.feed))
    }

    fn reload(&self) -> Option<Result<(), String>> {
        self.reload.clone()
    }

    fn clients(&self) -> Arc<[Client]> {
        Arc::clone(&self.clients)
    }

    fn paths(&self) -> Option<Arc<Table>> {
        self.table.clone()
    }

    fn control_token_file(&self) -> Option<&Path> {
        self.token_file.as_deref()
    }

    fn obey(&self, order: Order) -> Done {
        match (order.verb, order.path.as_str()) {
            (Verb::Put, "/document") if order.text == "bad" => Done::Refused("line 3".to_owned()),
            (Verb::Put, "/document") => Done::Done(format!("{} octets", order.text.len())),
            (Verb::Delete, "/document") => Done::Done(order.query),
            _ => Done::Unknown,
        }
    }

    fn note(&self, note: Note) {
        self.notes.lock().unwrap().push(format!("{note:?}"));
    }
}

struct Stage {
    site: Arc<Fake>,
    at: SocketAddr,
    _server: Server,
}

impl Stage {
    fn new(pieces: usize, reload: Option<Result<(), String>>) -> Self {
        Self::with(Fake::new(pieces, reload), None)
    }

    fn with(site: Fake, config: Option<PathBuf>) -> Self {
        let site = Arc::new(site);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let server = Server::start(vec![listener], config, Arc::<Fake>::clone(&site)).unwrap();
        Self { site, at, _server: server }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// What comes for a request, until the end.
    fn ask(&self, head: &str) -> String {
        let mut stream = self.connect();
        let request = format!("{head}Host: stamp\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn health_readiness_and_pages_are_where_they_belong() {
    let stage = Stage::new(1, None);
    assert!(stage.ask("GET /-/healthy HTTP/1.1\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(stage.ask("GET /-/ready HTTP/1.1\r\n").ends_with("ready\n"));
    stage.site.is_ready.store(false, Ordering::Relaxed);
    let answer = stage.ask("GET /-/ready HTTP/1.1\r\n");
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("names are looked up"));
    assert!(stage.ask("GET / HTTP/1.1\r\n").contains("landed"));
    assert!(stage.ask("GET /nothing HTTP/1.1\r\n").starts_with("HTTP/1.1 404 "));
    assert!(stage.ask("POST /metrics HTTP/1.1\r\n").starts_with("HTTP/1.1 405 "));
}

#[test]
fn metrics_come_as_text_of_prometheus_and_only_their_head_is_sent_when_asked_so() {
    let stage = Stage::new(3, None);
    let answer = stage.ask("GET /metrics HTTP/1.1\r\n");
    assert!(answer.contains("content-type: text/plain; version=0.0.4\r\n"), "{answer}");
    assert_eq!(answer.matches("piece 2").count(), 1_000);
    let head = stage.ask("HEAD /metrics HTTP/1.1\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && !head.contains("piece"), "{head}");
}

#[test]
fn a_reload_is_a_post_that_has_to_be_allowed() {
    let refused = Stage::new(0, Some(Err("line 3".to_owned())));
    assert!(refused.ask("GET /-/reload HTTP/1.1\r\n").starts_with("HTTP/1.1 405 "));
    let answer = refused.ask("POST /-/reload HTTP/1.1\r\n");
    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.ends_with("line 3\n"), "{answer}");
    let foreign = "POST /-/reload HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\n";
    assert!(refused.ask(foreign).starts_with("HTTP/1.1 403 "));
    let done = Stage::new(0, Some(Ok(())));
    assert!(done.ask("POST /-/reload HTTP/1.1\r\n").ends_with("reloaded\n"));
    let closed = Stage::new(0, None);
    assert!(closed.ask("POST /-/reload HTTP/1.1\r\n").starts_with("HTTP/1.1 403 "));
}

#[test]
fn an_order_wants_the_control_token_and_nothing_else() {
    let folder = std::env::temp_dir().join(format!("stamp-token-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("token");
    std::fs::write(&file, "0123456789abcdef\n").unwrap();
    let site = Fake { token_file: Some(file.clone()), ..Fake::new(1, None) };
    let stage = Stage::with(site, None);
    let put = |token: &str, text: &str| {
        let length = text.len();
        let mut stream = stage.connect();
        let request = format!(
            "PUT /document HTTP/1.0\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\
             \r\n{text}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let open = |mode| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    const TOKEN: &str = "0123456789abcdef";
    open(0o644);
    assert!(put(TOKEN, "x").contains(" 403 ") && put(TOKEN, "x").contains("chmod o-rwx"));
    open(0o600);
    assert!(put(TOKEN, "document").ends_with("\r\n\r\n8 octets\n"));
    let refused = put(TOKEN, "bad");
    assert!(refused.contains(" 400 ") && refused.ends_with("line 3\n"), "{refused}");
    for wrong in ["", "0123456789abcdeF", "0123456789abcde"] {
        assert!(put(wrong, "document").contains(" 401 "), "{wrong}");
    }
    let head = format!("DELETE /document?a=1 HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n");
    assert!(stage.ask(&head).ends_with("a=1\n"));
    let head = format!(
        "PUT /document HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 99999999\r\n"
    );
    assert!(stage.ask(&head).contains(" 413 "));
    std::fs::write(&file, "short").unwrap();
    assert!(put("short", "x").contains("a token has 16 octets at least"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(Stage::new(1, None).ask("PUT /document HTTP/1.1\r\n").contains("is not set"));
}

#[test]
fn clients_that_say_nothing_leave_room_for_others() {
    let stage = Stage::new(1, None);
    let silent: Vec<TcpStream> = (0..80).map(|_| stage.connect()).collect();
    assert!(stage.ask("GET /metrics HTTP/1.1\r\n").contains("piece 0"));
    let evicted = stage.site.notes.lock().unwrap().len();
    assert!(evicted >= 17, "{evicted} of {} and one more", silent.len());
}

#[test]
fn a_client_that_reads_nothing_holds_up_nobody() {
    // Far more than sockets hold.
    let stage = Stage::new(10_000, None);
    let mut slow = stage.connect();
    slow.write_all(b"GET /metrics HTTP/1.1\r\nHost: stamp\r\n\r\n").unwrap();
    let mut first = [0; 1];
    slow.read_exact(&mut first).unwrap();
    assert!(stage.ask("GET / HTTP/1.1\r\n").contains("landed"));
}

#[test]
fn a_head_without_end_is_refused() {
    let stage = Stage::new(1, None);
    let answer = stage.ask(&format!("GET / HTTP/1.1\r\nX: {}\r\n", "x".repeat(20_000)));
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[test]
fn users_have_to_say_who_they_are_as_soon_as_the_file_says_so() {
    let folder = std::env::temp_dir().join(format!("stamp-users-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("web.yml");
    std::fs::write(&file, "").unwrap();
    let stage = Stage::with(Fake::new(1, None), Some(file.clone()));
    assert!(stage.ask("GET / HTTP/1.1\r\n").contains("landed"));
    let hash = bcrypt::hash("secret", 4).unwrap();
    let text = format!(
        "basic_auth_users:\n  alice: {hash}\nhttp_server_config:\n  headers:\n    \
         X-Frame-Options: deny\n"
    );
    std::fs::write(&file, text).unwrap();
    let refused = stage.ask("GET / HTTP/1.1\r\n");
    assert!(refused.starts_with("HTTP/1.1 401 ") && refused.contains("www-authenticate: Basic"));
    // alice:secret
    let known = "GET / HTTP/1.1\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\n";
    let answer = stage.ask(known);
    assert!(answer.contains("landed") && answer.contains("x-frame-options: deny"), "{answer}");
    // A mistake leaves things as they are.
    std::fs::write(&file, "basic_auth_user: {}\n").unwrap();
    assert!(stage.ask("GET / HTTP/1.1\r\n").starts_with("HTTP/1.1 401 "));
    let notes = stage.site.notes.lock().unwrap().join("\n");
    assert!(notes.contains("WebConfig(Ok(()))") && notes.contains("Syntax"), "{notes}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn compressed_text_is_the_same_text() {
    let stage = Stage::new(50, None);
    let mut stream = stage.connect();
    let request = "GET /metrics HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    assert!(String::from_utf8_lossy(&answer[..head]).contains("content-encoding: gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&answer[head..]).read_to_string(&mut text).unwrap();
    assert_eq!(text.len(), (0..50).map(|n| format!("piece {n}\n").len() * 1_000).sum::<usize>());
}

/// Trusts the certificate of the tests.
fn client() -> Arc<tokio_rustls::rustls::ClientConfig> {
    use rustls_pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
    let mut roots = RootCertStore::empty();
    let pem = include_bytes!("fixtures/server.crt");
    roots.add(rustls_pki_types::CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

fn over_tls(stage: &Stage) -> io::Result<String> {
    use tokio_rustls::rustls::{ClientConnection, StreamOwned};
    let name = rustls_pki_types::ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(client(), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stage.connect());
    stream.write_all(b"GET / HTTP/1.1\r\nHost: stamp\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn with_a_certificate_everything_is_encrypted_and_clients_may_need_one_too() {
    let folder = std::env::temp_dir().join(format!("stamp-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("server.crt"), include_bytes!("fixtures/server.crt")).unwrap();
    std::fs::write(folder.join("server.key"), include_bytes!("fixtures/server.key")).unwrap();
    let file = folder.join("web.yml");
    let tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
    std::fs::write(&file, tls).unwrap();
    let stage = Stage::with(Fake::new(1, None), Some(file.clone()));
    let answer = over_tls(&stage).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("landed"), "{answer}");
    let mut plain = stage.connect();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: stamp\r\n\r\n").unwrap();
    let mut told = Vec::new();
    let _ = plain.read_to_end(&mut told);
    assert!(!String::from_utf8_lossy(&told).contains("landed"));
    let strict = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: server.crt\n";
    std::fs::write(&file, format!("{tls}{strict}")).unwrap();
    assert!(over_tls(&stage).is_err(), "no certificate, no answer");
    for (more, told) in [
        ("  min_version: TLS10\n", "min_version: TLS10 is not offered"),
        (
            "  client_auth_type: RequestClientCert\n",
            "client_auth_type: RequestClientCert would let",
        ),
        ("  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n", "cipher_suites: TLS_RSA_WITH_RC4"),
        ("  client_ca_file: server.crt\n", "client_auth_type: client certificates are described"),
    ] {
        std::fs::write(&file, format!("{tls}{more}")).unwrap();
        let error = check_web_config(&file).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
