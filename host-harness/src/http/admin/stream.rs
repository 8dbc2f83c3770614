//! `/admin/v1/changes/stream`: the change feed as server-sent events.

use super::super::admin_request::{AdminRequest, invalid, number};
use super::super::connections::AnswerGuard;
use super::super::events::{self, Place};
use super::super::fault::Fault;
use super::super::reply::{self, Reply};
use super::changes::{Asked, Change, asked, shown};
use crate::runtime::{Commits, Site, changes};
use hyper::body::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How many changes are sent at once, and held for a client that is slow to take them.
const PAGE: u32 = 100;

/// The shortest time from one look at the feed to the next while there are few changes, so that a client costs no more
/// than this however fast they come.
const PACE: Duration = Duration::from_millis(20);

/// How often to look without being told of a commit: another process may have made one.
const POLL: Duration = Duration::from_secs(2);

/// How long nothing is sent before a comment is, so that nobody between takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What a stream begins with: how soon a client that has lost it is to come again.
const GREETING: &[u8] = b"retry: 1000\n\n";

pub(super) async fn open(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let asked = asked(&request)?;
    if let Some(other) = asked.other() {
        return Err(invalid(format!("There is no query parameter `{other}` here.")));
    }
    let Asked { filter, after, .. } = asked;
    // Who comes again says where it was.
    let resumed = request.head.headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    let after = match (resumed, &after) {
        (Some(id), _) => number(id).ok_or_else(|| invalid("`Last-Event-ID` is the number of a change."))?,
        (None, Some(after)) => number(after).ok_or_else(|| invalid("`after` is the number of a change, or 0."))?,
        (None, None) => 0,
    };
    let state = request.state;
    let place = state.streams.take().ok_or_else(|| Fault {
        detail: format!(
            "There are as many streams of changes as there may be, {}. Try again when one has ended, or read \
             /admin/v1/changes.",
            state.settings.streams
        ),
        ..Fault::unavailable()
    })?;
    let site = state.site.clone();
    let commits = site.commits();
    let now = Instant::now();
    let reader = Reader {
        site,
        commits,
        place,
        _answering: request.answering.clone(),
        after,
        filter,
        greeted: false,
        read: None,
        sent: now,
    };
    Ok(reply::stream(events::events(reader, |mut reader| async { reader.next().await.map(|bytes| (bytes, reader)) })))
}

/// Reads the feed for one client.
struct Reader {
    site: Site,
    commits: Commits,
    place: Place,
    /// Keeps the connection from being closed in favour of another one while the stream goes on.
    _answering: Arc<AnswerGuard>,
    after: u64,
    filter: changes::Filter,
    greeted: bool,
    /// When the feed was last read to its end.
    read: Option<Instant>,
    sent: Instant,
}

impl Reader {
    /// What to send next; `None` at the end of the stream, after which a client comes again.
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(Bytes::from_static(GREETING));
        }
        loop {
            if let Some(read) = self.read {
                tokio::select! {
                    () = self.place.closed() => return None,
                    () = sleep_until(read + PACE) => {}
                }
            }
            let part = self.look().await?;
            // Where many changes are looked at and none is asked for, nothing but this holds the reader back.
            self.read = (!part.more || part.changes.is_empty()).then(Instant::now);
            self.after = part.position;
            if !part.changes.is_empty() {
                self.sent = Instant::now();
                return events(part.changes);
            }
            if self.sent.elapsed() >= KEEP_ALIVE {
                self.sent = Instant::now();
                return Some(Bytes::from_static(b":\n\n"));
            }
            if part.more {
                continue;
            }
            tokio::select! {
                () = self.place.closed() => return None,
                () = self.commits.next() => {}
                () = sleep(POLL) => {}
            }
        }
    }

    async fn look(&self) -> Option<changes::Part> {
        match self.site.changes(self.after, self.filter.clone(), PAGE).await {
            Ok(Ok(part)) => Some(part),
            Ok(Err(error)) => {
                tracing::error!(%error, "a stream of changes ends");
                None
            }
            Err(failure) => {
                tracing::error!(%failure, "a stream of changes ends");
                None
            }
        }
    }
}

fn events(changes: Vec<changes::Change>) -> Option<Bytes> {
    let mut text = String::new();
    for change in changes {
        // What is wrong with it has been logged.
        let change: Change = shown(change).ok()?;
        let data = serde_json::to_string(&change).inspect_err(|error| tracing::error!(%error, "a change is no JSON"));
        events::push(&mut text, change.sequence, &change.kind, &data.ok()?);
    }
    Some(text.into())
}
