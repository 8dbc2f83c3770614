//! `/console/live`: tells an open page that something was committed, so that the script looks what is new.

use super::frame::guarded;
use super::request::ConsoleRequest;
use super::session::Session;
use crate::http::AdminKey;
use crate::http::connections::AnswerGuard;
use crate::http::events::{self, Place};
use crate::http::fault::Fault;
use crate::http::reply::{self, Reply};
use crate::runtime::Commits;
use hyper::body::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// The shortest time from one event to the next, so that an open page costs no more than that however much is committed.
const PACE: Duration = Duration::from_secs(1);

/// How long nothing is sent before a comment is, so that nobody between takes the connection for dead. The session is
/// looked at as often.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What a stream begins with: how soon a page that has lost it is to come again.
const GREETING: &[u8] = b"retry: 2000\n\n";

pub(super) async fn follow(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let state = request.state;
    let place = state.streams.take().ok_or_else(|| Fault {
        detail: "As many pages and clients follow the changes as may. This page is shown as it was.".into(),
        ..Fault::unavailable()
    })?;
    let follower = Follower {
        commits: request.site().commits(),
        place,
        _answering: request.answering.clone(),
        session: request.session,
        key: state.settings.admin_key.clone(),
        greeted: false,
        sent: Instant::now(),
    };
    let events =
        events::events(follower, |mut follower| async { follower.next().await.map(|bytes| (bytes, follower)) });
    Ok(guarded(reply::stream(events)))
}

/// An open page.
struct Follower {
    commits: Commits,
    place: Place,
    /// Keeps the connection from being closed in favour of another one while the stream goes on.
    _answering: Arc<AnswerGuard>,
    session: Session,
    key: AdminKey,
    greeted: bool,
    sent: Instant,
}

impl Follower {
    /// What to send next; `None` at the end of the session or the server.
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(Bytes::from_static(GREETING));
        }
        tokio::select! {
            () = self.place.closed() => return None,
            () = sleep_until(self.sent + PACE) => {}
        }
        let told = tokio::select! {
            () = self.place.closed() => return None,
            () = self.commits.next() => true,
            () = sleep(KEEP_ALIVE) => false,
        };
        self.sent = Instant::now();
        let part: &[u8] = if told { b"event: change\ndata: \n\n" } else { b":\n\n" };
        self.session.holds(&self.key).then(|| Bytes::from_static(part))
    }
}
