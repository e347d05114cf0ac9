//! From what a file says of a session to sockets: the part that may take long, for names have to be
//! looked up.

use std::net::SocketAddr;

use stamp_net::NetError;
use stamp_session::sender::{ReflectorMode, StatisticsScope};
use stamp_worker::WorkerError;
use stamp_worker::sender::{Companion, SessionSetup};

use super::config::{SessionSpec, in_words_of_a_file};
use crate::command_line::Measure;
use crate::descriptors::Sockets;
use crate::exit::Failure;
use crate::happening::SessionInfo;
use crate::setup::{self, Sessions};
use crate::{companion, names, steering};

/// Everything a worker needs for one session of the file: one of its own, or one for each of equal
/// paths.
pub(super) struct Opened {
    pub(super) setups: Vec<SessionSetup>,
    pub(super) companions: Vec<Companion>,
    pub(super) infos: Vec<SessionInfo>,
    /// Where the far end is, whatever the probes' own destination.
    pub(super) target: SocketAddr,
}

/// Why a session does not run.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// The network may mend it: a name, a route, an interface, an address that is not there now.
    Passing(Failure),
    /// Only the operator can: what was asked for cannot be, or may not be.
    Lasting(Failure),
}

impl Obstacle {
    /// Why the session waits, in words of a file; where it stands in one, and can be mended there, with the place.
    pub(super) fn reason(&self, spec: &SessionSpec) -> String {
        let in_words = |failure: &Failure| in_words_of_a_file(&failure.to_string());
        match self {
            Self::Passing(failure) => in_words(failure),
            Self::Lasting(failure) => spec
                .mistake(failure)
                .map_or_else(|| in_words(failure), |mistake| mistake.of(&spec.name, 0).to_string()),
        }
    }
}

impl From<Failure> for Obstacle {
    fn from(failure: Failure) -> Self {
        if is_lasting(&failure) { Self::Lasting(failure) } else { Self::Passing(failure) }
    }
}

fn is_lasting(failure: &Failure) -> bool {
    let net = match failure {
        Failure::Net(error) | Failure::Worker(WorkerError::Net(error)) => Some(error),
        _ => None,
    };
    match net {
        Some(error) => matches!(
            error,
            NetError::PermissionDenied { .. }
                | NetError::PrivilegedPort { .. }
                | NetError::NoDescriptors
        ),
        None => !failure.is_missing_host() && !matches!(failure, Failure::Absent { .. }),
    }
}

/// Sockets that a session has open at once.
///
/// # Errors
///
/// What cannot be asked for.
pub(super) fn sockets(spec: &SessionSpec) -> Result<Sockets, Obstacle> {
    sockets_of(&measure(spec)?)
}

fn sockets_of(measure: &Measure) -> Result<Sockets, Obstacle> {
    let authentication = setup::authentication(&measure.probe);
    let branches = steering::branches(&measure.steering, authentication, &measure.hosts)?;
    Ok(branches.iter().map(|branch| branch.plan.sockets()).sum::<Result<_, _>>()?)
}

/// Holds it against files; nobody is asked. Of this host bonds with members and addresses of nodes are looked for, where
/// what was asked for is made of them.
///
/// # Errors
///
/// Why it would not run.
pub(super) fn check(spec: &SessionSpec) -> Result<(), Obstacle> {
    let measure = measure(spec)?;
    sockets_of(&measure)?;
    Ok(setup::check_hosts(&measure)?)
}

/// Opens all of it.
///
/// # Errors
///
/// Why it does not run, and whether it may later.
pub(super) fn open(spec: &SessionSpec) -> Result<Opened, Obstacle> {
    opened(spec).map_err(|obstacle| match (obstacle, check(spec)) {
        (_, Err(lasting @ Obstacle::Lasting(_))) => lasting,
        // Nothing that was asked for is wrong, but the address that a name has now, an interface or its MTU.
        (Obstacle::Lasting(failure @ (Failure::Usage { .. } | Failure::Target(_))), _) => {
            Obstacle::Passing(failure)
        }
        (obstacle, _) => obstacle,
    })
}

fn opened(spec: &SessionSpec) -> Result<Opened, Obstacle> {
    let measure = measure(spec)?;
    let target = resolve(spec, &measure)?;
    let Sessions { mut setups, mut infos, .. } = setup::sessions(&measure)?;
    let companions = companion::open(&measure, &mut infos)?;
    for (setup, info) in setups.iter_mut().zip(&mut infos) {
        // Quantiles since the start of a service are worth nothing to anybody, and cost memory.
        setup.config.statistics = StatisticsScope::Window;
        setup.window = Some(spec.window);
        setup.config.thresholds = spec.thresholds();
        if measure.probe.stateful {
            setup.config.reflector = ReflectorMode::Stateful;
        }
        // Those of equal paths have what tells them apart behind their name.
        let apart = info.name.strip_prefix(&spec.target).unwrap_or_default().to_owned();
        info.name = format!("{}{apart}", spec.name);
        info.target_text.clone_from(&spec.target);
    }
    Ok(Opened { setups, companions, infos, target })
}

/// Where its probes would go now.
///
/// # Errors
///
/// Why that cannot be told.
pub(super) fn whereabouts(spec: &SessionSpec) -> Result<SocketAddr, Obstacle> {
    resolve(spec, &measure(spec)?)
}

fn resolve(spec: &SessionSpec, measure: &Measure) -> Result<SocketAddr, Obstacle> {
    let device = setup::device(&measure.probe)?;
    Ok(names::host(measure, &spec.target, device.unwrap_or(0))?)
}

fn measure(spec: &SessionSpec) -> Result<Measure, Obstacle> {
    let measure = spec.settings.measure(&spec.target);
    let mut measure = measure.map_err(|reason| Obstacle::Lasting(Failure::Input(reason)))?;
    measure.steering.named.first.clone_from(&spec.toward);
    Ok(names::resolved(&measure)?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::daemon::Configuration;
    use crate::exit::with_causes;

    fn spec(keys: &str) -> SessionSpec {
        let text = format!("[[session]]\nname = \"a\"\n{keys}\n");
        let mut read = Configuration::read("f.toml", &text, Path::new("/")).unwrap();
        read.sessions.remove(0).as_ref().clone()
    }

    /// Why a session with these keys would never run, if that is so.
    fn refusal(keys: &str) -> Option<String> {
        match check(&spec(keys)) {
            Ok(()) => None,
            Err(Obstacle::Lasting(failure)) => Some(failure.to_string()),
            Err(Obstacle::Passing(failure)) => panic!("{failure} passes"),
        }
    }

    #[test]
    fn what_an_address_forbids_is_seen_where_it_is_written() {
        for (keys, why) in [
            (
                "target = \"127.0.0.1\"\nsegments = [\"16005\"]",
                "HOST is an address that every node has",
            ),
            (
                "target = \"192.0.2.1\"\nssid = 7\nsegments = [\"16005\"]\nentropy-sweep = 2",
                "SSIDs of their own",
            ),
            ("target = \"224.0.0.1\"", "is not the address of one host"),
            ("target = \"192.0.2.1\"\nsource = \"2001:db8::2\"", "has no IPv6 address"),
            ("target = \"2001:db8::1%eth0\"", "only a link-local address takes %eth0"),
            ("target = \"fe80::1\"", "a link-local address needs its interface"),
            (
                "target = \"192.0.2.1\"\nreturn-path = \"2001:db8::2\"",
                "of another family than HOST",
            ),
            ("target = \"192.0.2.1\"\nsegments = [\"fc00:bb:1:1::\"]", "it needs IPv6"),
        ] {
            let refusal = refusal(keys);
            assert!(refusal.as_ref().is_some_and(|told| told.contains(why)), "{keys}: {refusal:?}");
        }
    }

    #[test]
    fn what_would_never_run_is_told_where_the_file_says_it() {
        for (text, told) in [
            (
                "[[session]]\nname = \"a\"\ntarget = \"127.0.0.1\"\nsegments = [\"16005\"]\n",
                "f.toml:3:10: session[0].target = \"127.0.0.1\": destination-node-address: target is an \
                 address that every node has",
            ),
            (
                "[profile.p]\nreturn-path = \"2001:db8::2\"\n[[session]]\nname = \"a\"\n\
                 target = \"192.0.2.1\"\nprofile = \"p\"\n",
                "f.toml:2:15: profile.p.return-path = \"2001:db8::2\": session a: of another family than \
                 target",
            ),
            (
                "topology = \"no.toml\"\n[[session]]\nname = \"a\"\ntarget = \"r\"\nsegments = [\"r\"]\n",
                "f.toml:1:12: topology = \"no.toml\": session a: /no.toml: No such file or directory",
            ),
            (
                "[defaults]\nauth = true\nkey-file = \"none\"\n[[session]]\nname = \"a\"\ntarget = \"r\"\n",
                "f.toml:3:12: defaults.key-file = \"none\": session a: ",
            ),
            (
                "[[session]]\nname = \"a\"\ntarget = \"fe80::1\"\n",
                "f.toml:3:10: session[0].target = \"fe80::1\": fe80::1: a link-local address needs its \
                 interface",
            ),
        ] {
            let read = Configuration::read("f.toml", text, Path::new("/")).unwrap();
            let [spec] = read.sessions.as_slice() else { panic!("{text}") };
            let Err(Obstacle::Lasting(failure)) = check(spec) else { panic!("{text} may be") };
            let refused = spec.refused(failure);
            assert!(refused.to_string().starts_with(told), "{refused}");
            // What led to it is not said again in words of flags.
            assert_eq!(with_causes(&refused), refused.to_string());
            // Others named it, so no file can be mended.
            let found = SessionSpec { discovered: true, ..spec.as_ref().clone() };
            let Err(Obstacle::Lasting(failure)) = check(&found) else { panic!("{text} may be") };
            assert!(found.refused(failure).to_string().starts_with("session a: "));
        }
    }

    #[test]
    fn a_session_that_no_key_is_to_blame_for_is_named() {
        let source = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let failure = Failure::System { what: "opening it", source };
        let refused = spec("target = \"192.0.2.1\"").refused(failure).to_string();
        assert_eq!(refused, "session a: opening it: permission denied");
    }

    #[test]
    fn what_may_come_is_waited_for() {
        for keys in [
            "target = \"127.0.0.1\"",
            "target = \"[::1]:862\"",
            "target = \"localhost\"\nsegments = [\"16005\"]",
            "target = \"no.example\"\nsource = \"2001:db8::2\"",
            "target = \"fe80::1%nowhere0\"",
            "target = \"fe80::1\"\ninterface = \"nowhere0\"",
            "target = \"192.0.2.1\"\nsource = \"198.51.100.7\"",
            "target = \"2001:db8::1\"\nsegments = [\"fc00:bb:1:1::\"]\nmode = \"loopback\"",
        ] {
            assert_eq!(refusal(keys), None, "{keys}");
        }
    }

    #[test]
    fn a_session_that_nothing_is_wrong_with_waits_whatever_stands_in_its_way() {
        for keys in [
            "target = \"localhost\"\nsegments = [\"16005\"]",
            "target = \"fe80::1%nowhere0\"",
            "target = \"127.0.0.1\"\ninterface = \"nowhere0\"",
        ] {
            match open(&spec(keys)).err() {
                Some(Obstacle::Passing(_)) => {}
                obstacle => panic!("{keys}: {obstacle:?}"),
            }
        }
    }
}
