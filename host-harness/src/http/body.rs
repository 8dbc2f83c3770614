//! Reading a request's body without being made to wait or to hold too much.

use super::settings::Settings;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::HeaderValue;
use hyper::{HeaderMap, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A body up to this size is taken in at once; the sum of all longer ones is bounded by [`Room`].
const SMALL: usize = 64 << 10;

/// For how long a refused body is read and thrown away, so that a client that sends before it listens
/// gets to see why: a connection closed on unread data is reset, and the response is lost with it.
const LINGER: Duration = Duration::from_secs(2);

/// Why a body was not taken.
#[derive(Debug)]
pub(super) enum BodyError {
    /// It is longer than the limit.
    TooLarge { limit: usize },
    /// It did not come in time.
    TimedOut,
    /// Too many long bodies are being worked on.
    NoRoom,
    /// It is not UTF-8.
    NotText,
    /// It is in a coding of which none is taken.
    Encoded,
    /// The client broke off, or does not speak HTTP. Nobody will see the response.
    Broken(hyper::Error),
}

/// Whether a body is in a coding other than `identity` (RFC 9110, section 8.4).
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::CONTENT_ENCODING).iter().map(HeaderValue::as_bytes);
    let mut codings = lines.flat_map(|line| line.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}

/// Takes a body only where it is not encoded, or there is none.
pub(super) fn unencoded(headers: &HeaderMap, body: Incoming) -> Result<Incoming, BodyError> {
    if body.is_end_stream() || !is_encoded(headers) {
        return Ok(body);
    }
    linger(body);
    Err(BodyError::Encoded)
}

/// Bounds the memory that long bodies take at one time, over all connections.
pub(super) struct Room {
    /// In units of [`SMALL`].
    permits: Arc<Semaphore>,
}

/// A body, and the room it takes for as long as it is kept.
pub(super) struct Text {
    pub(super) text: String,
    room: Option<OwnedSemaphorePermit>,
}

impl Text {
    /// The text, and what to keep until it has been worked on.
    pub(super) fn into_parts(self) -> (Option<String>, Option<OwnedSemaphorePermit>) {
        let text = Some(self.text).filter(|text| !text.is_empty());
        (text, self.room)
    }
}

impl Room {
    pub(super) fn new(settings: &Settings) -> Self {
        let bytes = settings.bodies.max(settings.body);
        Self { permits: Arc::new(Semaphore::new(units(bytes) as usize)) }
    }

    /// Reads a body as text.
    pub(super) async fn read(
        &self,
        headers: &HeaderMap,
        body: Incoming,
        settings: &Settings,
    ) -> Result<Text, BodyError> {
        if body.is_end_stream() {
            return Ok(Text { text: String::new(), room: None });
        }
        let reading = self.read_all(body, settings, headers.contains_key(header::EXPECT));
        let (bytes, room) =
            tokio::time::timeout(settings.body_timeout, reading).await.map_err(|_| BodyError::TimedOut)??;
        let text = String::from_utf8(bytes).map_err(|_| BodyError::NotText)?;
        Ok(Text { text, room })
    }

    async fn read_all(
        &self,
        mut body: Incoming,
        settings: &Settings,
        hesitant: bool,
    ) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), BodyError> {
        let limit = settings.body;
        let announced = body.size_hint().exact();
        let announced = announced.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced.is_some_and(|length| length > limit) {
            // A client that asked first is still waiting for leave to send.
            if !hesitant {
                linger(body);
            }
            return Err(BodyError::TooLarge { limit });
        }
        let mut room = None;
        let mut bytes = Vec::new();
        match announced {
            Some(length) => {
                if length > SMALL {
                    room = Some(self.take(length).await?);
                }
                bytes.reserve_exact(length);
            }
            None => bytes.reserve_exact(4 << 10),
        }
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else {
                continue;
            };
            if bytes.len() + data.len() > limit {
                linger(body);
                return Err(BodyError::TooLarge { limit });
            }
            if room.is_none() && bytes.len() + data.len() > SMALL {
                room = Some(self.take(limit).await?);
            }
            bytes.extend_from_slice(&data);
        }
        Ok((bytes, room))
    }

    async fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, BodyError> {
        let permits = self.permits.clone().acquire_many_owned(units(bytes));
        permits.await.map_err(|_| BodyError::NoRoom)
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(SMALL)).unwrap_or(u32::MAX)
}

/// Reads on and throws away, for a while. The response goes out meanwhile.
fn linger(mut body: Incoming) {
    tokio::spawn(tokio::time::timeout(LINGER, async move { while let Some(Ok(_)) = body.frame().await {} }));
}
