//! Server-sent events: responses that go on.

use super::connections::Answering;
use hyper::body::{Body, Bytes, Frame};
use std::convert::Infallible;
use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How many streams there can be, and when they have to end.
pub(super) struct Streams {
    places: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

/// The place of one stream, until it is dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    closing: watch::Receiver<bool>,
}

impl Streams {
    pub(super) fn new(limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(limit)), closing: watch::Sender::new(false) }
    }

    /// A place for another stream, if there is one.
    pub(super) fn take(&self) -> Option<Place> {
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
    pub(super) async fn closed(&mut self) {
        // An error means that the server is gone, with the same consequence.
        let _ = self.closing.wait_for(|closing| *closing).await;
    }
}

/// Comes to the next part of a stream and what follows it, or to its end.
pub(super) type Next = Pin<Box<dyn Future<Output = Option<(Bytes, Rest)>> + Send>>;

/// What follows a part of a stream.
pub(super) struct Rest(pub(super) Next);

/// A stream as the body of a response. The next part is made when the one before is on its way: a client that takes
/// nothing holds one part, its place and its connection.
pub(super) struct Events {
    /// None once the end has come.
    next: Option<Next>,
    answering: Option<Answering>,
}

impl Events {
    pub(super) fn new(next: Next) -> Self {
        Self { next: Some(next), answering: None }
    }

    /// Keeps the connection from being closed in favour of another one while the stream goes on.
    pub(super) fn hold(&mut self, answering: Answering) {
        self.answering = Some(answering);
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(next) = &mut self.next else {
            return Poll::Ready(None);
        };
        let (bytes, rest) = ready!(next.as_mut().poll(context)).map(|(bytes, Rest(rest))| (bytes, rest)).unzip();
        self.next = rest;
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
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
