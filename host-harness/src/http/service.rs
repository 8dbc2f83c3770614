//! What becomes of a request: its surface is found, it is answered, counted and logged.

use super::asked::Asked;
use super::body::{Arriving, Progress, Reading, SMALL, Text};
use super::connections::Answering;
use super::events::Streams;
use super::metrics::{Metrics, Surface};
use super::reply::{Fault, Reply};
use super::room::{NoRoom, Room};
use super::routes::Routes;
use super::settings::Settings;
use super::sign_in::SignIns;
use super::{admin, desk, ops, origin, scim};
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

/// What all connections share.
pub(super) struct Service {
    pub(super) site: Site,
    pub(super) settings: Settings,
    pub(super) local: SocketAddr,
    /// For bodies on their way in.
    pub(super) room: Arc<Room>,
    /// For responses on their way out.
    answers: Arc<Room>,
    pub(super) metrics: Metrics,
    pub(super) streams: Streams,
    pub(super) sign_ins: SignIns,
    admin: Routes<admin::Endpoint>,
    desk: Routes<desk::Endpoint>,
    ids: Ids,
}

impl Service {
    pub(super) fn new(site: Site, settings: Settings, local: SocketAddr) -> Self {
        Self {
            room: Room::new(settings.bodies, settings.body),
            answers: Room::new(settings.answers, 0),
            metrics: Metrics::new(),
            streams: Streams::new(settings.streams),
            sign_ins: SignIns::new(),
            admin: Routes::new(admin::ENDPOINTS),
            desk: Routes::new(desk::ENDPOINTS),
            ids: Ids::new(),
            site,
            settings,
            local,
        }
    }

    pub(super) async fn handle(&self, request: Request<Incoming>, peer: IpAddr, answering: &Answering) -> Reply {
        let started = Instant::now();
        let id = self.ids.of(&request);
        let (head, body) = request.into_parts();
        let body = Arriving::new(&head.headers, body);
        let surface = Surface::of(head.uri.path());
        let mut asked = Asked { head: &head, body, id: id.to_str().unwrap_or_default(), peer, answering };
        let answered = match self.answer(surface, &mut asked).await {
            Ok(reply) => self.hold(surface, &asked, reply).await,
            Err(fault) => Err(fault),
        };
        let mut reply = answered.unwrap_or_else(|fault| surface.shaped(fault));
        if !asked.body.leave().await {
            reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let took = started.elapsed();
        let status = reply.status();
        self.metrics.count(surface, status, took);
        tracing::debug!(
            request = asked.id,
            method = %head.method,
            path = head.uri.path(),
            status = status.as_u16(),
            micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        reply.headers_mut().insert(REQUEST_ID, id);
        reply
    }

    async fn answer(&self, surface: Surface, asked: &mut Asked<'_>) -> Result<Reply, Fault> {
        origin::check_host(asked.head)?;
        match surface {
            Surface::Scim => scim::answer(self, asked).await,
            Surface::Admin => admin::answer(&self.admin, self, asked).await,
            Surface::Desk => desk::answer(&self.desk, self, asked).await,
            Surface::Operations => ops::answer(self, asked).await,
        }
    }

    /// Gives a long response the room that it takes until its client has it.
    async fn hold(&self, surface: Surface, asked: &Asked<'_>, mut reply: Reply) -> Result<Reply, Fault> {
        if let Either::Left(whole) = reply.body_mut()
            && whole.len() > SMALL
        {
            let party = match surface {
                Surface::Scim => scim::whose(self, asked).await?,
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

    /// The body of a request from an administrator.
    pub(super) async fn text(&self, body: &mut Arriving, answering: &Answering) -> Result<Text, Fault> {
        let mut reading = Reading::new(&self.room, body, &self.settings)?;
        let _waiting = answering.waiting();
        match reading.advance(Some(&Party::Host)).await? {
            Progress::Done(text) => Ok(text),
            Progress::Whose => Err(Fault::internal()),
        }
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
            Self::Operations
        }
    }

    /// An error as it is told there.
    fn shaped(self, fault: Fault) -> Reply {
        match self {
            Self::Scim => fault.into_scim(),
            Self::Admin | Self::Operations => fault.into_problem(),
            Self::Desk => desk::shaped(fault),
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
