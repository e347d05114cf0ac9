//! What programs tell over HTTP, as a plain client sees it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use stamp_tests::netns::Host;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::folder::Folder;

/// How long something may take to come true.
const PATIENCE: Duration = Duration::from_secs(60);

/// How `alice` shows her password, `secret`, and what a file of users has of it.
pub(crate) const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";
pub(crate) const SECRET_HASH: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

/// Shows the control token of these trials.
pub(crate) const BEARER: &str = "Authorization: Bearer 0123456789abcdef\r\n";

/// A host, and a port on its loopback.
pub(crate) type At<'h> = (&'h Host, u16);

#[track_caller]
pub(crate) fn connect((host, port): At<'_>) -> TcpStream {
    connect_from(host, (Ipv4Addr::LOCALHOST, port).into())
}

#[track_caller]
fn connect_from(host: &Host, at: SocketAddr) -> TcpStream {
    let stream = host.run(|| TcpStream::connect(at)).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

/// Status and text of an answer.
#[track_caller]
pub(crate) fn ask(at: At<'_>, method: &str, path: &str, more: &str) -> (u16, String) {
    exchange(connect(at), method, path, more)
}

/// Status and text of what a host is answered by another.
#[track_caller]
pub(crate) fn ask_from(
    host: &Host,
    at: SocketAddr,
    method: &str,
    path: &str,
    more: &str,
) -> (u16, String) {
    exchange(connect_from(host, at), method, path, more)
}

/// The same over TLS, by a client that trusts the certificate of [`write_certificate`] alone.
#[track_caller]
pub(crate) fn ask_over_tls(
    host: &Host,
    at: SocketAddr,
    method: &str,
    path: &str,
    more: &str,
) -> (u16, String) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate")).expect("it is");
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let client = client.with_safe_default_protocol_versions().expect("it has some");
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let session = ClientConnection::new(Arc::new(client), name).expect("a client");
    exchange(StreamOwned::new(session, connect_from(host, at)), method, path, more)
}

/// What a client gets that does not know that TLS is spoken there.
#[track_caller]
pub(crate) fn talk_past_tls(host: &Host, at: SocketAddr, request: &str) -> io::Result<Vec<u8>> {
    let mut stream = connect_from(host, at);
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map(|_| answer)
}

/// Of `localhost`, by itself.
const CERTIFICATE: &[u8] = include_bytes!("../../stamp-metrics/src/http/fixtures/server.crt");
const KEY: &[u8] = include_bytes!("../../stamp-metrics/src/http/fixtures/server.key");

/// Puts a certificate, its key and a file for `web.config-file` that names them into a folder.
pub(crate) fn write_certificate(folder: &Folder) {
    let text = |octets: &'static [u8]| str::from_utf8(octets).expect("PEM is text");
    folder.write("server.crt", text(CERTIFICATE));
    folder.write("server.key", text(KEY));
    let web = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
    folder.write("web.yml", web);
}

#[track_caller]
fn exchange(mut stream: impl Read + Write, method: &str, path: &str, more: &str) -> (u16, String) {
    let head = format!("{method} {path} HTTP/1.0\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, text) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), text.to_owned())
}

#[track_caller]
pub(crate) fn scrape(at: At<'_>) -> String {
    let (status, text) = ask(at, "GET", "/metrics", "");
    assert_eq!(status, 200, "{text}");
    text
}

/// The value of a series.
pub(crate) fn value(text: &str, series: &str) -> Option<f64> {
    let line = text
        .lines()
        .find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

/// Scrapes until a series has such a value.
#[track_caller]
pub(crate) fn wait_for(at: At<'_>, series: &str, is_it: impl Fn(f64) -> bool) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let text = scrape(at);
        if value(&text, series).is_some_and(&is_it) {
            return text;
        }
        assert!(Instant::now() < end, "{series} in {text}");
    }
}
