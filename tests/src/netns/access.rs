//! How this process comes to build networks: as root, in a user namespace, or not at all.

use stamp_lab::LabError;
use stamp_lab::rights::{self, Rights};

/// What the kernel lets this process do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Access {
    /// Real root, or whoever has its capabilities.
    Root,
    /// Root of a user namespace of our own.
    UserNamespace,
    /// No network can be built here.
    Forbidden {
        /// What was tried and what the kernel said.
        reason: String,
        /// The line that allows it.
        allow: String,
    },
}

impl Access {
    /// Enters a user namespace unless this process has the rights already, as a lab does.
    ///
    /// Call it before any thread exists: the kernel refuses it afterwards.
    #[must_use]
    pub fn obtain() -> Self {
        match rights::obtain() {
            Ok(Rights::Root) => Self::Root,
            Ok(Rights::UserNamespace) => Self::UserNamespace,
            Err(LabError::Forbidden { what, source, allow }) => {
                Self::Forbidden { reason: format!("cannot create {what}: {source}"), allow }
            }
            Err(error) => Self::Forbidden { reason: error.to_string(), allow: String::new() },
        }
    }
}
