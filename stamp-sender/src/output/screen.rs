//! Where text goes: results to standard output, a progress line to a terminal on standard error.

use std::io::{self, IsTerminal, Write};

/// Ticks without a progress line: short runs have none.
const QUIET_TICKS: u32 = 5;
/// Widest progress line; one column stays free so that no terminal wraps.
const WIDTH: usize = 79;
/// Back to the first column, and clear the line.
const CLEAR: &str = "\r\x1b[K";

/// Standard output and the progress line.
pub struct Screen {
    out: Box<dyn Write>,
    /// Standard error, when a progress line is wanted there.
    progress: Option<Box<dyn Write>>,
    /// Every line at once, for a reader who waits for it.
    flush_lines: bool,
    ticks: u32,
    drawn: bool,
}

impl Screen {
    /// Standard output; `flush_lines` sends every line at once even when nobody looks.
    ///
    /// There is a progress line when standard error is a terminal and no lines of samples fill
    /// it: because they are `silent`, or because they go somewhere else.
    #[must_use]
    pub fn standard(flush_lines: bool, silent: bool) -> Self {
        let watched = io::stdout().is_terminal();
        let progress: Option<Box<dyn Write>> = if io::stderr().is_terminal() && (silent || !watched)
        {
            Some(Box::new(io::stderr()))
        } else {
            None
        };
        let out = io::BufWriter::new(io::stdout());
        Self::new(Box::new(out), progress, flush_lines || watched)
    }

    /// A screen that writes to `out`, and its progress line to `progress`.
    #[must_use]
    pub fn new(out: Box<dyn Write>, progress: Option<Box<dyn Write>>, flush_lines: bool) -> Self {
        Self { out, progress, flush_lines, ticks: 0, drawn: false }
    }

    /// Writes results.
    ///
    /// # Errors
    ///
    /// When the reader is gone.
    pub fn print(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.clear();
        self.out.write_all(text.as_bytes())?;
        if self.flush_lines { self.out.flush() } else { Ok(()) }
    }

    /// Writes a note to standard error.
    pub fn note(&mut self, text: &str) {
        self.clear();
        // Nobody can be told that standard error is closed.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Draws the progress line anew, if there is one; sends what waited in a buffer.
    ///
    /// # Errors
    ///
    /// When the reader is gone.
    pub fn tick(&mut self, progress: impl FnOnce() -> String) -> io::Result<()> {
        self.ticks = self.ticks.saturating_add(1);
        if let Some(terminal) = self.progress.as_mut().filter(|_| self.ticks > QUIET_TICKS) {
            let line: String = progress().chars().take(WIDTH).collect();
            let _ = write!(terminal, "{CLEAR}{line}").and_then(|()| terminal.flush());
            self.drawn = true;
        }
        self.out.flush()
    }

    /// Takes the progress line away and sends everything that waits.
    ///
    /// # Errors
    ///
    /// When the reader is gone.
    pub fn finish(&mut self) -> io::Result<()> {
        self.clear();
        self.out.flush()
    }

    fn clear(&mut self) {
        if !std::mem::take(&mut self.drawn) {
            return;
        }
        if let Some(terminal) = &mut self.progress {
            let _ = write!(terminal, "{CLEAR}").and_then(|()| terminal.flush());
        }
    }
}

#[cfg(test)]
pub mod paper {
    //! A screen that can be read.

    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// What was written.
    #[derive(Clone, Default)]
    pub struct Paper(Rc<RefCell<Vec<u8>>>);

    impl Paper {
        /// As text.
        pub fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }

        /// A screen that writes on it.
        pub fn screen(&self) -> Screen {
            Screen::new(Box::new(self.clone()), None, true)
        }
    }

    impl Write for Paper {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::paper::Paper;
    use super::*;

    #[test]
    fn a_progress_line_appears_after_a_second_and_makes_room_for_text() {
        let (out, terminal) = (Paper::default(), Paper::default());
        let mut screen = Screen::new(Box::new(out.clone()), Some(Box::new(terminal.clone())), true);
        for _ in 0..QUIET_TICKS {
            screen.tick(|| "early".to_owned()).unwrap();
        }
        assert_eq!(terminal.text(), "");
        screen.tick(|| "9 received".to_owned()).unwrap();
        assert_eq!(terminal.text(), "\r\x1b[K9 received");
        screen.print("DOWN\n").unwrap();
        screen.print("UP\n").unwrap();
        screen.finish().unwrap();
        assert_eq!(terminal.text(), "\r\x1b[K9 received\r\x1b[K");
        assert_eq!(out.text(), "DOWN\nUP\n");
    }

    #[test]
    fn a_progress_line_never_wraps() {
        let (out, terminal) = (Paper::default(), Paper::default());
        let mut screen = Screen::new(Box::new(out), Some(Box::new(terminal.clone())), true);
        for _ in 0..=QUIET_TICKS {
            screen.tick(|| "x".repeat(200)).unwrap();
        }
        assert_eq!(terminal.text().matches('x').count(), WIDTH);
    }

    #[test]
    fn a_reader_who_is_gone_is_an_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _octets: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let mut screen = Screen::new(Box::new(Gone), None, true);
        let error = screen.print("line\n").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
