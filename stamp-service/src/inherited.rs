//! Sockets that the service manager passes on at the start: those of a `.socket` unit, and those that
//! the service itself gave it to keep over a restart (`sd_listen_fds`, the file descriptor store).
//!
//! A socket that is kept goes on receiving while nobody reads it, so that a restart costs no packet
//! that its buffer has room for.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use listenfd::ListenFd;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use sd_notify::NotifyState;

/// Most descriptors that the kernel takes in one message (`SCM_MAX_FD`).
const MOST_AT_ONCE: usize = 253;

/// What was passed on and nobody has taken yet.
#[derive(Debug, Default)]
pub struct Inherited {
    datagrams: Vec<Passed<UdpSocket>>,
    listeners: Vec<Passed<TcpListener>>,
}

#[derive(Debug)]
struct Passed<S> {
    name: Option<String>,
    socket: S,
}

impl Inherited {
    /// Takes what was passed to this process; to be called once, while there is one thread.
    ///
    /// # Errors
    ///
    /// When something was passed that is neither a UDP socket nor a TCP listener, or a descriptor is
    /// not what the manager said.
    pub fn take() -> io::Result<Self> {
        // The crate below does not read it.
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names =
            names.split(':').map(|name| Some(name.to_owned()).filter(|n| !n.is_empty()));
        let mut passed = ListenFd::from_env();
        let mut inherited = Self::default();
        for position in 0..passed.len() {
            let name = names.next().flatten();
            // One that is something else stays where it is, to be tried as the other.
            if let Ok(Some(socket)) = passed.take_udp_socket(position) {
                not_for_children(&socket)?;
                inherited.datagrams.push(Passed { name, socket });
                continue;
            }
            match passed.take_tcp_listener(position) {
                Ok(Some(socket)) => {
                    not_for_children(&socket)?;
                    inherited.listeners.push(Passed { name, socket });
                }
                Ok(None) => {}
                Err(error) => {
                    let name = name.as_deref().unwrap_or("without a name");
                    let kind = error.kind();
                    let what = "neither a UDP socket nor a TCP listener";
                    return Err(io::Error::new(
                        kind,
                        format!("descriptor {name} is {what}: {error}"),
                    ));
                }
            }
        }
        Ok(inherited)
    }

    /// UDP sockets bound to this very address, in the order they were passed, of which `is_it` knows
    /// more.
    pub fn datagrams(
        &mut self,
        local: SocketAddr,
        is_it: impl Fn(BorrowedFd<'_>) -> bool,
    ) -> Vec<OwnedFd> {
        let fits = |passed: &mut Passed<UdpSocket>| {
            passed.socket.local_addr().is_ok_and(|bound| bound == local)
                && is_it(passed.socket.as_fd())
        };
        self.datagrams.extract_if(.., fits).map(|passed| passed.socket.into()).collect()
    }

    /// The TCP listener at this very address.
    pub fn listener(&mut self, local: SocketAddr) -> Option<TcpListener> {
        let is_there =
            |passed: &Passed<TcpListener>| passed.socket.local_addr().is_ok_and(|at| at == local);
        let position = self.listeners.iter().position(is_there)?;
        Some(self.listeners.remove(position).socket)
    }

    /// Closes what nobody took, and has the manager forget it.
    pub fn close(self) {
        let datagrams = self.datagrams.iter().map(|it| (&it.name, it.socket.local_addr()));
        let listeners = self.listeners.iter().map(|it| (&it.name, it.socket.local_addr()));
        for (name, local) in datagrams.chain(listeners) {
            let local = local.map(|local| local.to_string()).unwrap_or_default();
            tracing::warn!(%local, "closed a socket that was passed on: nothing listens there");
            name.as_deref().into_iter().for_each(forget);
        }
    }
}

/// Gives the manager sockets to keep over a restart, under a name for all of them.
pub fn keep(name: &str, sockets: &[BorrowedFd<'_>]) {
    for some in sockets.chunks(MOST_AT_ONCE) {
        let states = [NotifyState::FdStore, NotifyState::FdName(name)];
        if let Err(error) = sd_notify::notify_with_fds(&states, some) {
            tracing::debug!(%error, "the service manager keeps no sockets");
        }
    }
}

/// Has the manager close what it keeps under that name.
pub fn forget(name: &str) {
    let states = [NotifyState::FdStoreRemove, NotifyState::FdName(name)];
    if let Err(error) = sd_notify::notify(&states) {
        tracing::debug!(%error, "the service manager was not told");
    }
}

fn not_for_children(socket: &impl AsFd) -> io::Result<()> {
    fcntl(socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(io::Error::from)?;
    Ok(())
}
