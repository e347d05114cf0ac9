//! What is sent to a client: piece by piece, each made when there is room for it.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Body, Frame, SizeHint};

use super::Pieces;
use super::events::Live;

/// How long a client may take for all of it.
const DEADLINE: Duration = Duration::from_secs(60);

/// The body of a response.
pub(super) enum Outgoing {
    /// A short text.
    Text(Option<Bytes>),
    /// A long one.
    Pieces(Stream),
    /// One without end.
    Live(Live),
}

/// A text that is made while it is sent.
pub(super) struct Stream {
    pieces: Pieces,
    gzip: Option<GzEncoder<Vec<u8>>>,
    deadline: Instant,
    /// Others had their turn since the latest piece.
    yielded: bool,
}

impl Outgoing {
    pub(super) fn text(text: impl Into<Bytes>) -> Self {
        Self::Text(Some(text.into()).filter(|text: &Bytes| !text.is_empty()))
    }

    pub(super) fn pieces(pieces: Pieces, gzip: bool) -> Self {
        let gzip = gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
        Self::Pieces(Stream { pieces, gzip, deadline: Instant::now() + DEADLINE, yielded: false })
    }
}

impl Stream {
    /// The next octets; `None` when there are no more.
    fn octets(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let Some(piece) = self.pieces.next() else {
                return self.gzip.take().map(GzEncoder::finish).transpose();
            };
            let Some(gzip) = &mut self.gzip else { return Ok(Some(piece)) };
            gzip.write_all(&piece)?;
            let octets = std::mem::take(gzip.get_mut());
            if !octets.is_empty() {
                return Ok(Some(octets));
            }
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let stream = match &mut *self {
            Self::Text(text) => return Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Self::Pieces(stream) => stream,
            Self::Live(live) => {
                return live.poll(cx).map(|it| it.map(|text| Ok(Frame::data(text))));
            }
        };
        // A client that reads fast must not keep this thread to itself.
        stream.yielded = !stream.yielded;
        if stream.yielded {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if Instant::now() > stream.deadline {
            return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
        }
        let octets = stream.octets();
        Poll::Ready(octets.map(|octets| octets.map(|it| Frame::data(it.into()))).transpose())
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Text(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Text(text) => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
            Self::Pieces(_) | Self::Live(_) => SizeHint::default(),
        }
    }
}

/// What handling a request never fails with.
pub(super) type Never = Infallible;
