//! What a program prints: as much of it as is wanted, however much there is.

use std::io;
use std::os::fd::OwnedFd;

use tokio::net::unix::pipe::Receiver;

/// The end of a pipe that a program writes to, and what has come through it.
pub struct Printed {
    pipe: Receiver,
    most: usize,
    kept: Vec<u8>,
    left_out: usize,
    is_open: bool,
}

impl Printed {
    /// Keeps the first `most` octets.
    ///
    /// # Errors
    ///
    /// When the kernel does not let us wait for it.
    pub fn of(pipe: OwnedFd, most: usize) -> io::Result<Self> {
        let pipe = Receiver::from_owned_fd(pipe)?;
        Ok(Self { pipe, most, kept: Vec::new(), left_out: 0, is_open: true })
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
    pub fn text(mut self) -> Option<String> {
        // What it has started may hold the pipe open, and is not waited for.
        self.read();
        let text = String::from_utf8_lossy(&self.kept);
        let text = text.trim_end();
        match self.left_out {
            0 if text.is_empty() => None,
            0 => Some(text.to_owned()),
            left_out => Some(format!("{text}… and {left_out} octets more")),
        }
    }

    /// What is there now, and no more than a pipe holds: somebody may write on and on.
    fn read(&mut self) {
        let mut octets = [0; 4_096];
        for _ in 0..16 {
            match self.pipe.try_read(&mut octets) {
                Ok(0) => self.is_open = false,
                Ok(count) => {
                    let room = self.most.saturating_sub(self.kept.len()).min(count);
                    self.kept.extend_from_slice(octets.get(..room).unwrap_or_default());
                    self.left_out = self.left_out.saturating_add(count - room);
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => self.is_open = false,
            }
            return;
        }
    }
}
