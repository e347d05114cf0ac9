//! Listening for whoever asks over HTTP.

use std::io;
use std::net::{SocketAddr, TcpListener};

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
