//! Sessions that are made to leave, by whoever runs the Session-Reflector.

use stamp_proto::packet::Ssid;

use super::{Prefix, Reflector, SessionView};

/// Which sessions are meant; all where nothing is said.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SessionFilter {
    /// Where their probes come from.
    pub source: Option<Prefix>,
    /// Source port.
    pub port: Option<u16>,
    /// Session identifier (RFC 8972 §3).
    pub ssid: Option<Ssid>,
}

impl SessionFilter {
    /// Whether it means this session.
    #[must_use]
    pub fn includes(&self, session: &SessionView) -> bool {
        let source = self.source.is_none_or(|prefix| prefix.contains(session.source.ip()));
        let port = self.port.is_none_or(|port| port == session.source.port());
        let ssid = self.ssid.is_none_or(|ssid| ssid == session.ssid);
        source && port && ssid
    }
}

impl Reflector {
    /// Forgets sessions as if they had been silent for too long; how many. The next probe of one begins
    /// it anew, which its Session-Sender takes for a restart.
    pub fn forget_sessions(&mut self, which: &SessionFilter) -> usize {
        let Some(sessions) = &mut self.sessions else { return 0 };
        sessions.forget(|session| which.includes(session))
    }

    /// Lets no session begin from now on, or lets them again. Those that there are go on. Without sessions
    /// it does nothing.
    pub const fn drain(&mut self, is_draining: bool) {
        if let Some(sessions) = &mut self.sessions {
            sessions.drain(is_draining);
        }
    }
}
