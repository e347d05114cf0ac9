//! An ordinary program at one node that sends datagrams to one at another, and knows nothing of paths.

use std::io;
use std::net::{Ipv6Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use stamp_lab::Namespace;

use crate::demo::network::within;
use crate::demo::tally::middle;
use crate::exit::Failure;

/// Time between two datagrams.
const EVERY: Duration = Duration::from_millis(10);
/// How often the far end looks whether it is over.
const LOOK: Duration = Duration::from_millis(100);

/// A datagram that arrived.
#[derive(Clone, Copy, Debug)]
struct Word {
    sent: Instant,
    took: Duration,
}

/// Datagrams on their way. It ends when dropped.
pub(super) struct Traffic {
    heard: Arc<Mutex<Vec<Word>>>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// Begins to send from a node with this address to one with that.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a socket.
    pub(super) fn start(
        (near, from): (&Namespace, Ipv6Addr),
        (far, to): (&Namespace, Ipv6Addr),
    ) -> Result<Self, Failure> {
        let failed = |source| Failure::System { what: "a socket of the program", source };
        let receiver = within(far, || UdpSocket::bind((to, 0)))?.map_err(failed)?;
        receiver.set_read_timeout(Some(LOOK)).map_err(failed)?;
        let to = receiver.local_addr().map_err(failed)?;
        let sender = within(near, || -> io::Result<UdpSocket> {
            let socket = UdpSocket::bind((from, 0))?;
            socket.connect(to)?;
            Ok(socket)
        })?
        .map_err(failed)?;
        let (heard, is_over) = (Arc::<Mutex<Vec<Word>>>::default(), Arc::<AtomicBool>::default());
        let epoch = Instant::now();
        let talk = {
            let is_over = Arc::clone(&is_over);
            move || {
                while !is_over.load(Ordering::Relaxed) {
                    let now = u64::try_from(epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
                    // Whatever does not leave does not arrive either.
                    let _unsent = sender.send(&now.to_be_bytes());
                    thread::sleep(EVERY);
                }
            }
        };
        let listen = {
            let (heard, is_over) = (Arc::clone(&heard), Arc::clone(&is_over));
            move || {
                let mut octets = [0; 8];
                while !is_over.load(Ordering::Relaxed) {
                    let Ok(8) = receiver.recv(&mut octets) else { continue };
                    let sent = Duration::from_nanos(u64::from_be_bytes(octets));
                    let took = epoch.elapsed().saturating_sub(sent);
                    let word = Word { sent: epoch + sent, took };
                    heard.lock().unwrap_or_else(PoisonError::into_inner).push(word);
                }
            }
        };
        let threads = vec![thread::spawn(talk), thread::spawn(listen)];
        Ok(Self { heard, is_over, threads })
    }

    /// The median of what left from then on and before that.
    pub(super) fn delay(&self, from: Instant, until: Instant) -> Option<Duration> {
        let words = self.words();
        let words = words.iter().filter(|word| (from..until).contains(&word.sent));
        middle(&words.map(|word| word.took).collect::<Vec<_>>())
    }

    /// When the latest left, of those before an instant, that took so long or longer.
    pub(super) fn slow_until(&self, before: Instant, took: Duration) -> Option<Instant> {
        let words = self.words();
        let slow = words.iter().filter(|word| word.sent < before && word.took >= took);
        slow.map(|word| word.sent).max()
    }

    fn words(&self) -> Vec<Word> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // One that panicked has printed why.
            let _printed = thread.join();
        }
    }
}
