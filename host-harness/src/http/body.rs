//! Reading a request's body without being made to wait or to hold too much.

use super::room::{Reservation, Room};
use super::settings::Settings;
use crate::runtime::Party;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::{HeaderMap, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// A body up to this size is taken in without a look at whose it is; the sum of all longer ones is bounded by a [`Room`].
pub(super) const SMALL: usize = 64 << 10;

/// After how long a body that is still coming in makes it worth a look whose it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// For how long a refused body is read and thrown away, so that a client that sends before it listens
/// gets to see why: a connection closed on unread data is reset, and the response is lost with it.
const LINGER: Duration = Duration::from_secs(2);

/// How long it takes at the most to pass over a small body that came along with its header and that nobody has read.
const PASSING_OVER: Duration = Duration::from_millis(20);

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
    /// It has a content coding, and no coding is taken.
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

/// A request's body on its way in.
pub(crate) struct IncomingBody {
    body: Incoming,
    /// What came and was not taken.
    front: Option<Bytes>,
    ended: bool,
    /// Whether the client waits for leave to send.
    hesitant: bool,
}

/// How far the reading of a body has come.
pub(super) enum Progress {
    /// To its end.
    Done(BodyText),
    /// To where it has to be known whose it is.
    Whose,
}

/// A body, and the room it takes for as long as it is kept.
pub(crate) struct BodyText {
    pub(crate) text: String,
    room: Option<Reservation>,
}

impl BodyText {
    /// The text, and what to keep until it has been worked on.
    pub(super) fn into_parts(self) -> (Option<String>, Option<Reservation>) {
        let text = Some(self.text).filter(|text| !text.is_empty());
        (text, self.room)
    }
}

impl IncomingBody {
    pub(super) fn new(headers: &HeaderMap, body: Incoming) -> Self {
        let ended = body.is_end_stream();
        Self { body, front: None, ended, hesitant: headers.contains_key(header::EXPECT) }
    }

    /// The length that was announced.
    fn announced(&self) -> Option<usize> {
        self.body.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Whether there is no body. Waits for its beginning where the header does not tell.
    pub(super) async fn is_empty(&mut self, settings: &Settings) -> Result<bool, BodyError> {
        if self.ended || self.announced().is_some() {
            return Ok(self.ended);
        }
        match timeout(settings.body_timeout, self.next()).await.map_err(|_| BodyError::TimedOut)? {
            None => Ok(true),
            Some(data) => {
                self.front = Some(data?);
                Ok(false)
            }
        }
    }

    /// The next part of it that is not empty.
    async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        if let Some(front) = self.front.take() {
            return Some(Ok(front));
        }
        self.hesitant = false;
        while !self.ended {
            let Some(frame) = self.body.frame().await else { break };
            match frame.map(|frame| frame.into_data().unwrap_or_default()) {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Some(Ok(data)),
                Err(error) => {
                    self.ended = true;
                    return Some(Err(BodyError::Broken(error)));
                }
            }
        }
        self.ended = true;
        None
    }

    /// Comes to terms with what was not read. Whether the connection can be used for another request.
    pub(super) async fn leave(mut self) -> bool {
        if self.ended {
            return true;
        }
        // A client that asked first is still waiting for leave to send.
        if self.hesitant {
            return false;
        }
        if self.announced().is_some_and(|length| length <= SMALL) {
            let passed_over = timeout(PASSING_OVER, async { while let Some(Ok(_)) = self.next().await {} });
            if passed_over.await.is_ok() {
                return true;
            }
        }
        // The response goes out meanwhile.
        tokio::spawn(timeout(LINGER, async move { while let Some(Ok(_)) = self.next().await {} }));
        false
    }
}

/// A body that is being read.
pub(super) struct BodyReader<'a> {
    room: &'a Arc<Room>,
    body: &'a mut IncomingBody,
    limit: usize,
    announced: Option<usize>,
    /// When it is late enough to ask whose it is, and to give up.
    ask: Instant,
    end: Instant,
    bytes: Vec<u8>,
    held: Option<Reservation>,
}

impl<'a> BodyReader<'a> {
    /// Begins to read.
    pub(super) fn new(room: &'a Arc<Room>, body: &'a mut IncomingBody, settings: &Settings) -> Result<Self, BodyError> {
        let (limit, announced, now) = (settings.body, body.announced(), Instant::now());
        if announced.is_some_and(|length| length > limit) {
            return Err(BodyError::TooLarge { limit });
        }
        let end = now + settings.body_timeout;
        let ask = end.min(now + PATIENCE);
        Ok(Self { room, body, limit, announced, ask, end, bytes: Vec::new(), held: None })
    }

    /// Reads on, to the end or to where it has to be known whose the body is.
    pub(super) async fn advance(&mut self, party: Option<&Party>) -> Result<Progress, BodyError> {
        if party.is_none() && self.announced.is_some_and(|length| length > SMALL) {
            return Ok(Progress::Whose);
        }
        let until = if party.is_some() { self.end } else { self.ask };
        loop {
            let data = match timeout_at(until, self.body.next()).await {
                Ok(Some(data)) => data?,
                Ok(None) => break,
                Err(_) if party.is_none() => return Ok(Progress::Whose),
                Err(_) => return Err(BodyError::TimedOut),
            };
            let length = self.bytes.len().saturating_add(data.len());
            if length > self.limit {
                return Err(BodyError::TooLarge { limit: self.limit });
            }
            if length > SMALL && party.is_none() {
                self.body.front = Some(data);
                return Ok(Progress::Whose);
            }
            self.make_room(length, party).await?;
            self.bytes.extend_from_slice(&data);
        }
        let text = String::from_utf8(std::mem::take(&mut self.bytes)).map_err(|_| BodyError::NotText)?;
        Ok(Progress::Done(BodyText { text, room: self.held.take() }))
    }

    /// Makes room for so many bytes in all: no more than twice what has come, whatever was announced.
    async fn make_room(&mut self, length: usize, party: Option<&Party>) -> Result<(), BodyError> {
        let has = self.bytes.capacity();
        if length <= has {
            return Ok(());
        }
        let most = self.announced.unwrap_or(self.limit).max(length);
        let wanted = length.max(has.saturating_mul(2)).min(most);
        if let Some(party) = party.filter(|_| wanted > SMALL) {
            let held = self.held.get_or_insert_with(|| self.room.enter(party.clone()));
            timeout_at(self.end, held.grow(wanted)).await.map_err(|_| BodyError::NoRoom)?;
        }
        self.bytes.reserve_exact(wanted - self.bytes.len());
        Ok(())
    }
}
