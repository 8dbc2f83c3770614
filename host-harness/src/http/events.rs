//! Server-sent events: responses that go on.

use futures_lite::stream::{self, Stream};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use std::convert::Infallible;
use std::fmt::Write;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How many streams there can be, and when they have to end.
pub(crate) struct Streams {
    places: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

/// The place of one stream, until it is dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    closing: watch::Receiver<bool>,
}

impl Streams {
    pub(super) fn new(limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(limit)), closing: watch::Sender::new(false) }
    }

    /// A place for another stream, if there is one.
    pub(crate) fn take(&self) -> Option<Place> {
        let permit = self.places.clone().try_acquire_owned().ok()?;
        Some(Place { _permit: permit, closing: self.closing.subscribe() })
    }

    /// Lets all streams end.
    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }
}

impl Place {
    /// Comes when the stream has to end.
    pub(crate) async fn closed(&mut self) {
        // An error means that the server is gone, with the same consequence.
        let _ = self.closing.wait_for(|closing| *closing).await;
    }
}

/// A stream as the body of a response. The next part is made when the one before is on its way: a client that takes
/// nothing holds one part, its place and its connection.
pub(crate) type Events = StreamBody<Parts>;

type Parts = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>;

/// A body of the parts that `next` makes of `state`, one after another until there are no more.
pub(crate) fn events<S, F>(state: S, mut next: impl FnMut(S) -> F + Send + 'static) -> Events
where
    S: Send + 'static,
    F: Future<Output = Option<(Bytes, S)>> + Send + 'static,
{
    let parts = stream::unfold(state, move |state| {
        let next = next(state);
        async move { next.await.map(|(bytes, state)| (Ok(Frame::data(bytes)), state)) }
    });
    StreamBody::new(Box::pin(parts))
}

/// Adds an event to what is to be sent.
pub(super) fn push(text: &mut String, id: u64, kind: &str, data: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "id: {id}\nevent: {kind}");
    for line in data.lines() {
        let _ = writeln!(text, "data: {line}");
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_several_lines_stays_one_event() {
        let mut text = String::new();
        push(&mut text, 7, "user.created", "{\n}");
        assert_eq!(text, "id: 7\nevent: user.created\ndata: {\ndata: }\n\n");
    }

    #[test]
    fn places_are_given_back() {
        let streams = Streams::new(1);
        let place = streams.take();
        assert!(place.is_some() && streams.take().is_none());
        drop(place);
        assert!(streams.take().is_some());
    }
}
