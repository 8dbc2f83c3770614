//! What all requests share.

use super::body::{BodyReader, BodyText, IncomingBody, Progress};
use super::connections::AnswerGuard;
use super::context::RequestContext;
use super::events::Streams;
use super::fault::Fault;
use super::metrics::Metrics;
use super::refused_keys::RefusedKeys;
use super::room::Room;
use super::settings::Settings;
use super::sign_in::SignIns;
#[cfg(feature = "console")]
use super::sign_in_links::SignInLinks;
use crate::runtime::{Party, Site};
use std::net::SocketAddr;
use std::sync::Arc;

/// The site that is served, and what is kept of the requests to it.
pub(crate) struct State {
    pub(crate) site: Site,
    pub(crate) settings: Settings,
    /// The address that the server is bound to.
    pub(crate) local: SocketAddr,
    /// For bodies on their way in.
    pub(super) room: Arc<Room>,
    pub(super) metrics: Metrics,
    pub(crate) streams: Streams,
    pub(crate) sign_ins: SignIns,
    #[cfg(feature = "console")]
    pub(crate) sign_in_links: SignInLinks,
    pub(super) refused_keys: RefusedKeys,
}

impl State {
    pub(super) fn new(site: Site, settings: Settings, local: SocketAddr) -> Self {
        Self {
            room: Room::new(settings.bodies, settings.body),
            metrics: Metrics::new(),
            streams: Streams::new(settings.streams),
            sign_ins: SignIns::new(),
            #[cfg(feature = "console")]
            sign_in_links: SignInLinks::default(),
            refused_keys: RefusedKeys::default(),
            site,
            settings,
            local,
        }
    }

    /// The name of the administrator whose request it is. See [`SignIns::admit`].
    pub(super) async fn admit(&self, context: &RequestContext<'_>) -> Result<String, Fault> {
        self.sign_ins.admit(&self.settings, self.local, context).await
    }

    /// The body of a request from an administrator.
    pub(super) async fn text(&self, body: &mut IncomingBody, answering: &AnswerGuard) -> Result<BodyText, Fault> {
        self.text_within(body, answering, &self.settings).await
    }

    /// A body that may not be longer than so many bytes.
    #[cfg(feature = "console")]
    pub(crate) async fn short_text(
        &self,
        body: &mut IncomingBody,
        answering: &AnswerGuard,
        limit: usize,
    ) -> Result<BodyText, Fault> {
        let mut settings = self.settings.clone();
        settings.body = limit;
        self.text_within(body, answering, &settings).await
    }

    async fn text_within(
        &self,
        body: &mut IncomingBody,
        answering: &AnswerGuard,
        settings: &Settings,
    ) -> Result<BodyText, Fault> {
        let mut reading = BodyReader::new(&self.room, body, settings)?;
        let _waiting = answering.waiting();
        match reading.advance(Some(&Party::Host)).await? {
            Progress::Done(text) => Ok(text),
            Progress::Whose => Err(Fault::internal()),
        }
    }
}
