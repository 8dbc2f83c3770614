//! Responses that are there as a whole.

use super::room::Reservation;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// How much is handed over to be sent at a time.
const PART: usize = 64 << 10;

/// A response that is there as a whole, with the room that it takes until all of it is on its way.
pub(crate) struct WholeBody {
    rest: Bytes,
    held: Option<Reservation>,
}

impl WholeBody {
    pub(super) fn new(bytes: impl Into<Bytes>) -> Self {
        Self { rest: bytes.into(), held: None }
    }

    /// How many bytes there are still to be sent.
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    /// Keeps this room until the end.
    pub(super) fn hold(&mut self, held: Reservation) {
        self.held = Some(held);
    }
}

impl Body for WholeBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PART);
        let part = self.rest.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
