//! Text for people and pipes; a reader that is gone never ends the reflector.

use std::io::{self, Write};

/// Writes to standard error; when nobody can read it, nobody misses it.
pub(crate) fn error_text(text: &str) {
    let mut stream = io::stderr().lock();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Writes to standard output.
///
/// # Errors
///
/// When it is closed or full: a saved result has to be whole.
pub(crate) fn output(octets: &[u8]) -> io::Result<()> {
    let mut stream = io::stdout().lock();
    stream.write_all(octets)?;
    stream.flush()
}
