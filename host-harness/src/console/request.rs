//! What a request to a page brings.

use super::done::Done;
use super::place::Place;
use super::session::Session;
use crate::http::admin_request::number;
use crate::http::body::IncomingBody;
use crate::http::connections::AnswerGuard;
use crate::http::context::RequestContext;
use crate::http::fault::Fault;
use crate::http::state::State;
use crate::runtime::Site;
use crate::runtime::site::Position;
use hyper::StatusCode;
use hyper::http::request::Parts;
use maud::{Markup, html};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What names in the query what was done before a page.
const DONE: &str = "done";

/// The longest form: with all the project rules that a directory may have.
const FORM: usize = 256 << 10;

/// A request from somebody who has signed in.
pub(super) struct ConsoleRequest<'a> {
    pub(super) state: &'a State,
    pub(super) place: &'a Place,
    pub(super) session: Session,
    pub(super) head: &'a Parts,
    pub(super) answering: &'a Arc<AnswerGuard>,
    /// When it came, in milliseconds since the Unix epoch.
    pub(super) now: u64,
    body: &'a mut IncomingBody,
    parameters: Vec<String>,
    query: Vec<(String, String)>,
    /// What was done just now, for the page to tell.
    pub(super) done: Option<Done>,
}

impl<'a> ConsoleRequest<'a> {
    pub(super) fn new(
        state: &'a State,
        place: &'a Place,
        session: Session,
        parameters: Vec<String>,
        context: &'a mut RequestContext<'_>,
    ) -> Self {
        let (head, body, answering) = (context.head, &mut context.body, &context.answering);
        let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned();
        let (done, query): (Vec<_>, _) =
            query.filter(|(_, value)| !value.trim().is_empty()).partition(|(name, _)| name == DONE);
        let done = done.first().and_then(|(_, word)| Done::of(word));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        Self { state, place, session, head, answering, now, body, parameters, query, done }
    }

    /// The site that is shown.
    pub(super) fn site(&self) -> &'a Site {
        &self.state.site
    }

    /// Who makes the changes that are asked for.
    pub(super) fn actor(&self) -> &str {
        self.session.actor()
    }

    /// A link to a page of the console, by its path behind `/console`.
    pub(super) fn link(&self, path: &str) -> String {
        self.place.link(path)
    }

    /// A link to a page that is to tell what was done.
    pub(super) fn telling(link: &str, done: Done) -> String {
        let mark = if link.contains('?') { '&' } else { '?' };
        format!("{link}{mark}{DONE}={}", done.word())
    }

    /// A variable part of the path, percent-decoded.
    pub(super) fn parameter(&self, index: usize) -> &str {
        self.parameters.get(index).map_or("", String::as_str)
    }

    /// The number in a variable part of the path.
    pub(super) fn number(&self, index: usize) -> Result<u64, Fault> {
        number(self.parameter(index)).ok_or_else(Fault::not_found)
    }

    /// What the query says under a name: the first, without the blanks around it, unless nothing is left.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// Where a page of a list begins.
    pub(super) fn cursor(&self) -> Option<&str> {
        self.query("cursor")
    }

    /// The same, in a list that has positions.
    pub(super) fn position(&self) -> Position {
        self.cursor().map_or(Position::START, |cursor| Position::After(cursor.to_owned()))
    }

    /// A link to this page with some of its query changed: a name without a value is left out.
    pub(super) fn here_with(&self, changes: &[(&str, Option<&str>)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let kept = self.query.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        query.extend_pairs(kept);
        query.extend_pairs(changes.iter().filter_map(|(name, value)| Some((name, (*value)?))));
        let path = self.place.local(self.head.uri.path());
        match query.finish() {
            query if query.is_empty() => path,
            query => format!("{path}?{query}"),
        }
    }

    /// The hidden field that every form with `method=post` carries.
    pub(super) fn token_field(&self) -> Markup {
        html! { input type="hidden" name="token" value=(self.session.form_token(&self.state.settings.admin_key)); }
    }

    /// The fields of the form that was sent, which has to carry the token of this session.
    pub(super) async fn form(&mut self) -> Result<Vec<(String, String)>, Fault> {
        let Self { state, session, body, answering, .. } = self;
        let text = state.short_text(body, answering, FORM).await?.text;
        let fields: Vec<_> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let token = fields.iter().find(|(name, _)| name == "token").map_or("", |(_, value)| value);
        if session.owns(&state.settings.admin_key, token) {
            return Ok(fields);
        }
        Err(Fault::new(
            StatusCode::FORBIDDEN,
            "The form is not one of this session: it may have been open for too long. Go back, load the page again, and \
             send it once more.",
        ))
    }
}
