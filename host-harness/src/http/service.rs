//! What becomes of a request: its surface is found, it is answered, counted and logged.

use super::admin;
use super::body::Room;
use super::desk;
use super::events::Streams;
use super::metrics::{Metrics, Surface};
use super::reply::Reply;
use super::routes::Routes;
use super::settings::Settings;
use super::{ops, scim};
use crate::runtime::Site;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use std::net::SocketAddr;
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
    pub(super) room: Room,
    pub(super) metrics: Metrics,
    pub(super) streams: Streams,
    admin: Routes<admin::Endpoint>,
    desk: Routes<desk::Endpoint>,
    ids: Ids,
}

impl Service {
    pub(super) fn new(site: Site, settings: Settings, local: SocketAddr) -> Self {
        Self {
            room: Room::new(&settings),
            metrics: Metrics::new(),
            streams: Streams::new(settings.streams),
            admin: Routes::new(admin::ENDPOINTS),
            desk: Routes::new(desk::ENDPOINTS),
            ids: Ids::new(),
            site,
            settings,
            local,
        }
    }

    pub(super) async fn handle(&self, request: Request<Incoming>) -> Reply {
        let started = Instant::now();
        let id = self.ids.of(&request);
        let text = id.to_str().unwrap_or_default();
        let path = request.uri().path();
        let (method, logged) = (request.method().clone(), tracing::enabled!(tracing::Level::DEBUG));
        let logged = logged.then(|| path.to_owned());
        let (surface, mut reply) = if path.starts_with(scim::PREFIX) {
            (Surface::Scim, scim::handle(self, request, text).await)
        } else if path.starts_with(admin::PREFIX) {
            (Surface::Admin, admin::handle(&self.admin, self, request, text).await)
        } else if path.starts_with(desk::PREFIX) {
            (Surface::Desk, desk::handle(&self.desk, self, request, text).await)
        } else {
            (Surface::Operations, ops::handle(self, &request).await)
        };
        let took = started.elapsed();
        let status = reply.status();
        self.metrics.count(surface, status, took);
        if let Some(path) = logged {
            tracing::debug!(
                request = text,
                %method,
                path,
                status = status.as_u16(),
                micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                "answered"
            );
        }
        reply.headers_mut().insert(REQUEST_ID, id);
        reply
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
