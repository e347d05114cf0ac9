//! What a program prints: as much of it as is wanted, however much there is.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;

use tokio::net::unix::pipe::Receiver;

/// Most reads at a time, which is what a pipe holds: somebody may write on and on.
const READS: usize = 16;

/// The end of a pipe that a program writes to, and what has come through it.
pub struct Printed {
    pipe: Receiver,
    is_open: bool,
    kept: Kept,
}

/// What is kept of what has come.
struct Kept {
    most: usize,
    octets: Vec<u8>,
    left_out: usize,
}

impl Printed {
    /// Keeps the first `most` octets.
    ///
    /// # Errors
    ///
    /// When the kernel does not let us wait for it.
    pub fn of(pipe: OwnedFd, most: usize) -> io::Result<Self> {
        let pipe = Receiver::from_owned_fd(pipe)?;
        let kept = Kept { most, octets: Vec::new(), left_out: 0 };
        Ok(Self { pipe, is_open: true, kept })
    }

    /// Waits for `ended`, and meanwhile reads on: whoever writes more than is kept is not held up.
    pub async fn until<F: Future + Unpin>(&mut self, mut ended: F) -> F::Output {
        loop {
            tokio::select! {
                outcome = &mut ended => return outcome,
                ready = self.pipe.readable(), if self.is_open => match ready {
                    Ok(()) => self.read(),
                    Err(_) => self.is_open = false,
                },
            }
        }
    }

    /// All of it in one text, if there is any.
    pub fn text(self) -> Option<String> {
        let Self { pipe, mut kept, .. } = self;
        // What it has started may hold the pipe open, and is not waited for. Asked of the kernel: the runtime
        // may not have heard yet of what came last.
        if let Ok(pipe) = pipe.into_nonblocking_fd() {
            let mut pipe = File::from(pipe);
            let mut octets = [0; 4_096];
            for _ in 0..READS {
                match pipe.read(&mut octets) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => kept.keep(octets.get(..count).unwrap_or_default()),
                }
            }
        }
        kept.text()
    }

    /// What is there now.
    fn read(&mut self) {
        let mut octets = [0; 4_096];
        for _ in 0..READS {
            match self.pipe.try_read(&mut octets) {
                Ok(0) => self.is_open = false,
                Ok(count) => {
                    self.kept.keep(octets.get(..count).unwrap_or_default());
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => self.is_open = false,
            }
            return;
        }
    }
}

impl Kept {
    fn keep(&mut self, octets: &[u8]) {
        let room = self.most.saturating_sub(self.octets.len()).min(octets.len());
        self.octets.extend_from_slice(octets.get(..room).unwrap_or_default());
        self.left_out = self.left_out.saturating_add(octets.len() - room);
    }

    fn text(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.octets);
        let text = text.trim_end();
        match self.left_out {
            0 if text.is_empty() => None,
            0 => Some(text.to_owned()),
            left_out => Some(format!("{text}… and {left_out} octets more")),
        }
    }
}
