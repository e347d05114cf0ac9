//! Tying the end of a process to that of another.

use std::io::{self, Read};
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{self, Child, Command};

use crate::error::NetError;
use crate::sys::descriptor;

/// Of `linux/fcntl.h`; libc does not have them for every platform.
const F_SETOWN: libc::c_int = 8;
const F_SETSIG: libc::c_int = 10;

/// From now on this process is killed when the other end of the connection closes, however that
/// comes about, and whatever program this process has become by then.
///
/// The connection stays open for good, over `exec` as well. Nothing may be sent on it any more:
/// that would kill just the same.
///
/// # Errors
///
/// [`NetError::Call`] when the kernel refuses, or the other end has closed already.
pub fn tie(connection: UnixStream) -> Result<(), NetError> {
    set(&connection, libc::F_SETFD, 0)?;
    kill_with(&connection, process::id())?;
    // What closed before the kernel was asked to tell is not told.
    let mut reader = &connection;
    match reader.read(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        _ => return Err(NetError::call("fcntl")(io::ErrorKind::ConnectionReset.into())),
    }
    let _for_good = connection.into_raw_fd();
    Ok(())
}

/// Starts a program that is killed when the connection returned closes: at the latest when this process
/// ends, however that comes about.
///
/// Its standard input is the other end, on which there is nothing to read. Unlike the signal that the
/// kernel sends at the death of a parent, this does not ask which thread started the program.
///
/// # Errors
///
/// [`NetError::Call`] when the kernel refuses; nothing is left running then.
pub fn start(command: &mut Command) -> Result<(Child, UnixStream), NetError> {
    let (near, far) = UnixStream::pair().map_err(NetError::call("socketpair"))?;
    let input = far.try_clone().map_err(NetError::call("dup"))?;
    let started = command.stdin(OwnedFd::from(input)).spawn();
    let mut child = started.map_err(NetError::call("spawn"))?;
    match kill_with(&far, child.id()) {
        Ok(()) => Ok((child, near)),
        Err(error) => {
            // It may have ended by itself.
            let _gone = child.kill().and_then(|()| child.wait());
            Err(error)
        }
    }
}

/// The process is killed when something comes over the connection, which its end does as well. Whoever
/// holds this end shares the setting.
fn kill_with(connection: &UnixStream, process: u32) -> Result<(), NetError> {
    set(connection, F_SETOWN, process.cast_signed())?;
    set(connection, F_SETSIG, libc::SIGKILL)?;
    set(connection, libc::F_SETFL, libc::O_ASYNC | libc::O_NONBLOCK)
}

fn set(connection: &UnixStream, command: libc::c_int, value: libc::c_int) -> Result<(), NetError> {
    descriptor::set(connection.as_fd(), command, value).map_err(NetError::call("fcntl"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    /// That it kills is shown where a process may be killed: by the trials of labs.
    #[test]
    fn an_end_that_has_closed_already_is_told() {
        let (near, far) = UnixStream::pair().unwrap();
        drop(far);
        assert!(tie(near).is_err());
    }

    #[test]
    fn a_program_that_was_started_is_killed_with_the_connection() {
        let mut sleeper = Command::new("sleep");
        let (mut child, connection) = start(sleeper.arg("600")).unwrap();
        assert_eq!(child.try_wait().unwrap(), None);
        drop(connection);
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
    }
}
