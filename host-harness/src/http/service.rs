//! What becomes of a request: its surface is found, it is answered, counted and logged.

use super::body::{IncomingBody, SMALL};
use super::connections::AnswerGuard;
use super::context::RequestContext;
use super::fault::Fault;
use super::metrics::Surface;
use super::reply::Reply;
use super::room::{NoRoom, Room};
use super::routes::Routes;
use super::settings::Settings;
use super::state::State;
use super::{admin, desk, ops, origin, problem, scim};
#[cfg(feature = "console")]
use crate::console::{self, Console};
use crate::runtime::{Party, Site};
use http_body_util::Either;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id that is taken over from a client.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// A server's requests: what they share, and the surfaces that they go to.
pub(super) struct Service {
    pub(super) state: State,
    /// For responses on their way out.
    answers: Arc<Room>,
    admin: Routes,
    desk: Routes,
    #[cfg(feature = "console")]
    console: Console,
    ids: Ids,
}

impl Service {
    pub(super) fn new(site: Site, settings: Settings, local: SocketAddr) -> Self {
        Self {
            answers: Room::new(settings.answers, 0),
            admin: Routes::new(admin::ENDPOINTS),
            desk: Routes::new(desk::ENDPOINTS),
            #[cfg(feature = "console")]
            console: Console::new(),
            ids: Ids::new(),
            state: State::new(site, settings, local),
        }
    }

    pub(super) async fn handle(&self, request: Request<Incoming>, peer: IpAddr, answering: Arc<AnswerGuard>) -> Reply {
        let started = Instant::now();
        let id = self.ids.of(&request);
        let (head, body) = request.into_parts();
        let body = IncomingBody::new(&head.headers, body);
        let surface = Surface::of(head.uri.path());
        let mut context = RequestContext { head: &head, body, id: id.to_str().unwrap_or_default(), peer, answering };
        let answered = match self.answer(surface, &mut context).await {
            Ok(reply) => self.hold(surface, &context, reply).await,
            Err(fault) => Err(fault),
        };
        let mut reply = answered.unwrap_or_else(|fault| surface.shaped(fault));
        if !context.body.leave().await {
            reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let took = started.elapsed();
        let status = reply.status();
        self.state.metrics.count(surface, status, took);
        tracing::debug!(
            request = context.id,
            method = %head.method,
            path = surface.for_log(head.uri.path()),
            status = status.as_u16(),
            micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        reply.headers_mut().insert(REQUEST_ID, id);
        reply
    }

    async fn answer(&self, surface: Surface, context: &mut RequestContext<'_>) -> Result<Reply, Fault> {
        origin::check_host(context.head)?;
        match surface {
            Surface::Scim => scim::answer(&self.state, context).await,
            Surface::Admin => admin::answer(&self.admin, &self.state, context).await,
            Surface::Desk => desk::answer(&self.desk, &self.state, context).await,
            #[cfg(feature = "console")]
            Surface::Console => Ok(console::answer(&self.console, &self.state, context).await),
            Surface::Operations => ops::answer(&self.state, context).await,
        }
    }

    /// Gives a long response the room that it takes until its client has it.
    async fn hold(&self, surface: Surface, context: &RequestContext<'_>, mut reply: Reply) -> Result<Reply, Fault> {
        if let Either::Left(whole) = reply.body_mut()
            && whole.len() > SMALL
        {
            let party = match surface {
                Surface::Scim => scim::whose(&self.state, context).await?,
                _ => Party::Host,
            };
            let held = self.answers.take(party, whole.len()).map_err(|none| match none {
                NoRoom::ForParty => Fault::crowded(
                    "As much as may be is on its way to clients of this directory that have not taken it yet. \
                     Try again later.",
                ),
                NoRoom::ForAnybody => Fault::unavailable(),
            })?;
            whole.hold(held);
        }
        Ok(reply)
    }
}

impl Surface {
    /// That to which a path belongs.
    fn of(path: &str) -> Self {
        if path.starts_with(scim::PREFIX) {
            Self::Scim
        } else if path.starts_with(admin::PREFIX) {
            Self::Admin
        } else if path.starts_with(desk::PREFIX) {
            Self::Desk
        } else {
            #[cfg(feature = "console")]
            if console::is_of(path) {
                return Self::Console;
            }
            Self::Operations
        }
    }

    /// A path as it may stand in the log: without what opens something.
    fn for_log(self, path: &str) -> &str {
        match self {
            #[cfg(feature = "console")]
            Self::Console => console::for_log(path),
            _ => path,
        }
    }

    /// An error as it is told there.
    fn shaped(self, fault: Fault) -> Reply {
        match self {
            Self::Scim => scim::shaped(fault),
            Self::Admin | Self::Operations => problem::reply(fault),
            Self::Desk => desk::shaped(fault),
            #[cfg(feature = "console")]
            Self::Console => console::shaped(&fault),
        }
    }
}

/// Gives requests a name.
struct Ids {
    /// Tells one run of the program from the next.
    run: u32,
    next: AtomicU64,
}

impl Ids {
    fn new() -> Self {
        Self {
            // Without random numbers the ids of two runs could be alike, which confuses nobody but a reader of logs.
            run: getrandom::u32().unwrap_or_default(),
            next: AtomicU64::new(1),
        }
    }

    /// The client's name for the request where it has a usable one, or a new name.
    fn of(&self, request: &Request<Incoming>) -> HeaderValue {
        let given = request.headers().get(REQUEST_ID);
        let usable = |value: &&HeaderValue| (1..=MAX_REQUEST_ID_BYTES).contains(&value.len()) && value.to_str().is_ok();
        given.filter(usable).cloned().unwrap_or_else(|| {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let id = format!("{:08x}-{number:x}", self.run);
            HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
        })
    }
}
