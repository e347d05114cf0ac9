//! Listening for whoever asks over HTTP, and a word on what happens to the server.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};

use stamp_metrics::http::Note;

use crate::inherited::Inherited;

/// A listener for each address that can be had, those that were passed on before new ones.
///
/// # Errors
///
/// When an address cannot be had and `is_configured`, with the address. One that nobody wrote is left
/// to whoever has it, loudly.
pub fn listen(
    addresses: &[SocketAddr],
    is_configured: bool,
    inherited: &mut Inherited,
) -> io::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for &address in addresses {
        let passed = inherited.listener(address);
        match passed.map_or_else(|| TcpListener::bind(address), Ok) {
            Ok(listener) => {
                // The kernel chooses where port 0 is written.
                let local = listener.local_addr().unwrap_or(address);
                tracing::info!(address = %local, "metrics are told over HTTP");
                listeners.push(listener);
            }
            Err(error) if is_configured => {
                return Err(io::Error::new(error.kind(), format!("{address}: {error}")));
            }
            Err(error) => tracing::warn!(
                %address,
                %error,
                "no metrics over HTTP: name a free address in web.listen, or turn it off"
            ),
        }
    }
    Ok(listeners)
}

/// Says in the log what happened to the server that the table `table` of the file configures; connections
/// that were closed to make room are only counted.
pub fn tell(note: Note, table: &str, evicted: &AtomicU64) {
    match note {
        Note::WebConfig(Ok(())) => tracing::info!("{table}.config-file was read again"),
        Note::WebConfig(Err(error)) => {
            tracing::error!(%error, "{table}.config-file stays in force as it was");
        }
        Note::ClientToken { client, error } => {
            tracing::error!(client, %error, "its token cannot be read: it is not let in");
        }
        Note::Evicted => drop(evicted.fetch_add(1, Ordering::Relaxed)),
        Note::Refused(error) => tracing::error!(%error, "no HTTP connection can be accepted"),
    }
}
