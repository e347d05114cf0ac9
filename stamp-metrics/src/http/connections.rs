//! Connections: how many, how long they may take to ask, and whether they are encrypted.

use std::collections::VecDeque;
use std::error::Error as _;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::access::Access;
use super::events::{Places, Seat};
use super::patient::Patient;
use super::route::Router;
use super::{Note, Site};

/// Connections at a time.
const MOST: usize = 64;
/// How long a client may take for the head of a request, or for the handshake of TLS.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// Octets of the head of a request.
const HEAD_OCTETS: usize = 16 * 1024;
/// How long a client may take nothing of what it is sent.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// Pause after the system had no descriptor left.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

/// Serves whoever comes.
pub(super) async fn accept(listeners: Vec<TcpListener>, access: Access, site: Arc<dyn Site>) {
    let access = Arc::new(access);
    let (streams, mut accepted) = mpsc::channel(1);
    for listener in listeners {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => {
                drop(tokio::spawn(listen(listener, streams.clone(), Arc::clone(&site))))
            }
            Err(error) => site.note(Note::Refused(error)),
        }
    }
    let places = Places::default();
    let mut open: VecDeque<Connection> = VecDeque::new();
    while let Some(stream) = accepted.recv().await {
        open.retain(|connection| !connection.task.is_finished());
        // Listeners stay, and are counted elsewhere. Of the others, whoever was let in first had the
        // longest time to ask and to read.
        let oldest = open.iter().position(|connection| !connection.listens());
        if open.iter().filter(|connection| !connection.listens()).count() >= MOST
            && let Some(oldest) = oldest.and_then(|oldest| open.remove(oldest))
        {
            oldest.task.abort();
            site.note(Note::Evicted);
        }
        let seat = Seat { places: places.clone(), listens: Arc::default() };
        let listens = Arc::clone(&seat.listens);
        let serving = serve(stream, Arc::clone(&access), Arc::clone(&site), seat);
        open.push_back(Connection { task: tokio::spawn(serving).abort_handle(), listens });
    }
}

/// A connection that is open.
struct Connection {
    task: AbortHandle,
    listens: Arc<AtomicBool>,
}

impl Connection {
    fn listens(&self) -> bool {
        self.listens.load(Ordering::Relaxed)
    }
}

async fn listen(
    listener: tokio::net::TcpListener,
    streams: mpsc::Sender<TcpStream>,
    site: Arc<dyn Site>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if streams.send(stream).await.is_err() {
                    return;
                }
            }
            // The client has gone again already.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                site.note(Note::Refused(error));
                tokio::time::sleep(SHORTAGE_PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, access: Arc<Access>, site: Arc<dyn Site>, seat: Seat) {
    // Answers are written whole; waiting for more would only delay their ends.
    let _ = stream.set_nodelay(true);
    access.refresh(&*site);
    let ends = stream.peer_addr().and_then(|peer| Ok((peer.ip(), stream.local_addr()?.ip())));
    let stays_here = ends.is_ok_and(|(peer, own)| stays_on_host(peer, own));
    let stream = Patient::new(stream, WRITE_TIME);
    let router = |is_private| Router { access: Arc::clone(&access), site, seat, is_private };
    match access.tls() {
        None => answer(stream, router(stays_here)).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(HEAD_TIME, tls.accept(stream)).await {
                answer(stream, router(true)).await;
            }
        }
    }
}

/// What these addresses tell each other passes no network.
fn stays_on_host(peer: IpAddr, own: IpAddr) -> bool {
    let (peer, own) = (peer.to_canonical(), own.to_canonical());
    peer.is_loopback() || peer == own
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router) {
    let site = Arc::clone(&router.site);
    let router = Arc::new(router);
    let service = service_fn(move |request| Arc::clone(&router).answer(request));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_OCTETS)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // How a client breaks off otherwise concerns nobody else.
    if served.is_err_and(|error| is_stalled(&error)) {
        site.note(Note::Evicted);
    }
}

/// The client took nothing for too long.
fn is_stalled(error: &hyper::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_both_ends_here_stays_on_the_host() {
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        for (peer, own, stays) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("::1", "::1", true),
            ("::ffff:127.0.0.1", "::ffff:127.0.0.1", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("192.0.2.2", "192.0.2.1", false),
            ("2001:db8::2", "2001:db8::1", false),
            ("fe80::1", "fe80::2", false),
        ] {
            assert_eq!(stays_on_host(at(peer), at(own)), stays, "{peer} to {own}");
        }
    }
}
