//! What the sessions of a worker have together: the kernel tells each of some of its sockets everything, so that with
//! one of them for each session the cost would be the square of their number.

use std::collections::HashMap;
use std::net::SocketAddr;

use stamp_net::egress::RouteWatch;
use stamp_net::{ErrorBatch, NetError, Poller, Ready, SocketEvent, TunnelErrors};

use super::port::{COUNT, News, OUT, Port, SocketTable};

/// Events with this token are changes of routes and neighbours; less than those of sockets of an interface, more than
/// any session's.
const ROUTES: u32 = OUT - 1;
/// Events with this one are errors about tunnelled probes.
const TUNNELS: u32 = OUT - 2;

/// Shared by all sessions of a worker.
pub(super) struct Commons {
    pub(super) sockets: SocketTable,
    routes: Option<RouteWatch>,
    tunnels: Option<Tunnels>,
    batch: ErrorBatch,
}

/// Errors about tunnelled probes, and whose these are.
struct Tunnels {
    socket: TunnelErrors,
    sessions: HashMap<SocketAddr, Vec<u32>>,
}

/// What one of the common sockets has to tell.
pub(super) enum Told {
    /// Nothing, or it was put aside for those who wait for it.
    Aside,
    /// Routes or neighbours have changed.
    News(News),
    /// There are errors to be told.
    Errors,
}

impl Commons {
    pub(super) fn new() -> Self {
        let sockets = SocketTable::default();
        Self { sockets, routes: None, tunnels: None, batch: ErrorBatch::new(COUNT) }
    }

    /// Lets a session have part in what its port needs.
    pub(super) fn admit(
        &mut self,
        port: &Port,
        number: u32,
        poller: &Poller,
    ) -> Result<(), NetError> {
        let Port::Frames(frames) = port else { return Ok(()) };
        if self.routes.is_none() {
            let watch = RouteWatch::open()?;
            poller.add(&watch, ROUTES)?;
            self.routes = Some(watch);
        }
        if let Some(source) = frames.tunnel_source() {
            let tunnels = match self.tunnels.take() {
                Some(tunnels) => tunnels,
                None => Tunnels::open(poller)?,
            };
            self.tunnels.insert(tunnels).sessions.entry(source).or_default().push(number);
        }
        Ok(())
    }

    /// A session has gone.
    pub(super) fn dismiss(&mut self, port: &Port, number: u32) {
        let Port::Frames(frames) = port else { return };
        let (Some(source), Some(tunnels)) = (frames.tunnel_source(), &mut self.tunnels) else {
            return;
        };
        if let Some(numbers) = tunnels.sessions.get_mut(&source) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                tunnels.sessions.remove(&source);
            }
        }
    }

    /// What an event is about that is not of one session; `None` when it is.
    pub(super) fn take(&mut self, ready: Ready) -> Option<Told> {
        match ready.token {
            ROUTES => {
                let changes = self.routes.as_mut().and_then(|routes| routes.changes().ok());
                let changes = changes.filter(|changes| !changes.is_empty());
                Some(changes.map_or(Told::Aside, |changes| Told::News(News::new(changes))))
            }
            TUNNELS => Some(Told::Errors),
            token if token >= OUT => {
                self.sockets.catch(ready, &mut self.batch);
                Some(Told::Aside)
            }
            _ => None,
        }
    }

    /// Hands over every error about a tunnelled probe, with the number of its session.
    pub(super) fn tunnel_errors(&mut self, mut each: impl FnMut(u32, &SocketEvent<'_>)) {
        let Self { tunnels: Some(Tunnels { socket, sessions }), batch, .. } = self else { return };
        batch.expect(batch.capacity());
        loop {
            let taken = socket.errors(batch).unwrap_or(0);
            if taken == 0 {
                return;
            }
            for (source, event) in batch.quoted() {
                let numbers = sessions.get(&source).into_iter().flatten();
                numbers.for_each(|number| each(*number, &event));
            }
        }
    }
}

impl Tunnels {
    fn open(poller: &Poller) -> Result<Self, NetError> {
        let socket = TunnelErrors::open()?;
        poller.add(&socket, TUNNELS)?;
        Ok(Self { socket, sessions: HashMap::new() })
    }
}
