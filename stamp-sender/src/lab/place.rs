//! Where the socket of a running lab is.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use nix::unistd::geteuid;

use crate::exit::Failure;

/// The files of one lab, in a folder that its user alone may enter.
#[derive(Debug)]
pub(super) struct Place {
    name: String,
    folder: PathBuf,
}

impl Place {
    /// The lab of that name; the folder is made if there is none.
    pub(super) fn of(name: &str) -> Result<Self, Failure> {
        let user = geteuid();
        let folder = match env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()) {
            Some(runtime) => PathBuf::from(runtime).join("stamp-lab"),
            None => env::temp_dir().join(format!("stamp-lab-{user}")),
        };
        let unusable = |source| Failure::System { what: "the folder of running labs", source };
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(unusable(error));
            }
            _ => {}
        }
        // Where everybody may make folders, somebody else may have made this one.
        let found = fs::symlink_metadata(&folder).map_err(unusable)?;
        let is_ours = found.is_dir() && found.uid() == user.as_raw() && found.mode() & 0o077 == 0;
        if !is_ours {
            let problem = format!("{} is open to others; remove it", folder.display());
            return Err(unusable(io::Error::new(io::ErrorKind::PermissionDenied, problem)));
        }
        Ok(Self { name: name.to_owned(), folder })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn socket(&self) -> PathBuf {
        self.folder.join(format!("{}.sock", self.name))
    }

    /// Names of nodes, in the form of `/etc/hosts`.
    pub(super) fn hosts(&self) -> PathBuf {
        self.folder.join(format!("{}.hosts", self.name))
    }

    /// A connection to the holder of the lab.
    pub(super) fn connect(&self) -> Result<UnixStream, Failure> {
        UnixStream::connect(self.socket()).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => self.missing(),
            _ => Failure::System { what: "asking the lab", source: error },
        })
    }

    /// The socket on which the holder listens; what a killed one left there goes away.
    pub(super) fn listen(&self) -> Result<UnixListener, Failure> {
        let path = self.socket();
        if UnixStream::connect(&path).is_err() {
            // Not there is as good as gone.
            let _gone = fs::remove_file(&path);
        }
        let listener = UnixListener::bind(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => self.taken(),
            _ => Failure::System { what: "the lab's socket", source: error },
        })?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
            .map_err(|source| Failure::System { what: "the lab's socket", source })?;
        Ok(listener)
    }

    /// Removes what a lab leaves on disk.
    pub(super) fn clear(&self) {
        for path in [self.socket(), self.hosts()] {
            // Not there is as good as gone.
            let _gone = fs::remove_file(path);
        }
    }

    /// A lab of this name runs already.
    pub(super) fn taken(&self) -> Failure {
        let problem = format!(
            "lab \"{}\" is up already: take it down (stamp-sender lab down), or give the new one a \
             name (--name)",
            self.name
        );
        Failure::Refused { status: 4, problem }
    }

    fn missing(&self) -> Failure {
        let problem =
            format!("no lab \"{}\" is up; build one: stamp-sender lab up FILE", self.name);
        Failure::Refused { status: 2, problem }
    }
}
