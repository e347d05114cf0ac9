//! What a check measured as a file that node_exporter's textfile collector reads.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use stamp_metrics::SessionCounters;
use stamp_metrics::sender::{Identity, Now, Session, Window, exposition_of};
use stamp_session::snapshot::{SessionSnapshot, SessionStanding};

use crate::happening::SessionInfo;
use crate::output::gather::address;

/// A session as the daemon would tell it, had it run for as long as the check.
pub fn measured(info: &SessionInfo, snapshot: &SessionSnapshot) -> Session {
    let identity = Identity {
        name: info.name.clone(),
        target: info.target_text.clone(),
        address: address(info.target),
        source: address(info.source),
        mode: info.measurement.label(),
        dscp: info.traffic_class.0.to_string(),
        segments: info.steering.segments.join(","),
        return_segments: info.steering.return_segments.join(","),
        ..Identity::default()
    };
    let standing = SessionStanding::from(snapshot);
    Session {
        identity: Arc::new(identity),
        counters: SessionCounters::of(&standing),
        now: Some(Now::from(standing)),
        window: Some(Window::ended(Arc::new(snapshot.clone()))),
        histograms: None,
        announced: None,
        broken: None,
    }
}

/// A host that could not be measured.
pub fn unmeasured(host: &str) -> Session {
    let identity =
        Identity { name: host.to_owned(), target: host.to_owned(), ..Identity::default() };
    Session {
        identity: Arc::new(identity),
        counters: SessionCounters::default(),
        now: None,
        window: None,
        histograms: None,
        announced: None,
        broken: None,
    }
}

/// Puts it in the place of the file before, all at once: whoever reads finds one or the other.
///
/// # Errors
///
/// When the folder takes no file.
pub(super) fn write(path: &Path, sessions: Vec<Session>) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_string_lossy();
    // Hidden and of another ending: no collector takes it.
    let half = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = write_half(&half, sessions).and_then(|()| fs::rename(&half, path));
    if written.is_err() {
        let _ = fs::remove_file(&half);
    }
    written
}

fn write_half(half: &Path, sessions: Vec<Session>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(half)?);
    // The collector is another user.
    file.get_ref().set_permissions(Permissions::from_mode(0o644))?;
    for piece in exposition_of(sessions) {
        file.write_all(&piece)?;
    }
    file.into_inner()?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_replaces_the_one_before_at_once_and_everybody_may_read_it() {
        let folder = std::env::temp_dir().join(format!("stamp-textfile-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("stamp.prom");
        fs::write(&path, "before").unwrap();
        write(&path, vec![unmeasured("far")]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("stamp_session_running{session=\"far\"} 0\n"), "{text}");
        assert!(!text.contains("stamp_build_info") && !text.contains("process_"), "{text}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
        assert!(write(&path, Vec::new()).is_err());
    }
}
