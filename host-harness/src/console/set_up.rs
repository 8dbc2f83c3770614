//! `/console/set-up/{token}`: for whoever runs the identity provider and has no account here, only a set-up link.
//!
//! To look at the page uses nothing up; its button issues the key, once. The page's address opens it, so nothing of the
//! address goes elsewhere: not to other sites, not into the log.

use super::frame::{self, bare};
use super::guide::{Heard, check, instructions};
use super::parts::{Facts, Tone, ago, at, copy, note, panel};
use super::place::Place;
use super::providers::named;
use super::session::{owns_page, page_token};
use super::trouble;
use crate::http::context::RequestContext;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::http::state::State;
use crate::runtime::directories::{Error, IssuedKey, Setup};
use hyper::{Method, StatusCode};
use maud::{Markup, html};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the page's path begins with.
pub(super) const PREFIX: &str = "/console/set-up/";

/// The longest form.
const FORM: usize = 8 << 10;

/// The page of the link with this token, and what its button sends.
pub(super) async fn answer(state: &State, context: &mut RequestContext<'_>, place: &Place, token: &str) -> Reply {
    match attempt(state, context, place, token).await {
        Ok(reply) => reply,
        Err(fault) if fault.status == StatusCode::NOT_FOUND => {
            state.sign_ins.hold_back_guess(&state.settings, context).await;
            frame::secretive(nothing(place))
        }
        Err(fault) => frame::secretive(trouble::outside(place, &fault)),
    }
}

async fn attempt(state: &State, context: &mut RequestContext<'_>, place: &Place, token: &str) -> Result<Reply, Fault> {
    let setup = state.site.open_setup_link(token).await??;
    context.answering.known(true);
    let page = Page { state, place, token, query: context.head.uri.query() };
    match context.head.method {
        Method::GET | Method::HEAD => Ok(page.reply(StatusCode::OK, &setup, None)),
        Method::POST => {
            page.check_form(context).await?;
            match state.site.claim_setup_link(token).await? {
                Ok(key) => {
                    let setup = state.site.open_setup_link(token).await??;
                    Ok(page.reply(StatusCode::OK, &setup, Some(&key)))
                }
                // Of two who press the button at once, one gets the key; the page tells the other what happened.
                Err(refused @ Error::Refused(_)) => {
                    let setup = state.site.open_setup_link(token).await??;
                    let is_used = setup.used_at.is_some();
                    is_used.then(|| page.reply(StatusCode::CONFLICT, &setup, None)).ok_or_else(|| refused.into())
                }
                Err(error) => Err(error.into()),
            }
        }
        _ => Err(Fault::wrong_method("GET, HEAD, POST")),
    }
}

struct Page<'a> {
    state: &'a State,
    place: &'a Place,
    token: &'a str,
    query: Option<&'a str>,
}

impl Page<'_> {
    /// Refuses a form that does not come from this page. The address of the page is told to nobody, not even to this
    /// server, so that browsers say of its form that it comes from nowhere: what the page has put into the form tells.
    async fn check_form(&self, context: &mut RequestContext<'_>) -> Result<(), Fault> {
        let from = context.head.headers.get("sec-fetch-site").map(hyper::header::HeaderValue::as_bytes);
        let text = self.state.short_text(&mut context.body, &context.answering, FORM).await?.text;
        let token = form_urlencoded::parse(text.as_bytes()).find(|(name, _)| name == "token");
        let is_own = token.is_some_and(|(_, token)| owns_page(&self.state.settings.admin_key, &self.sealed(), &token));
        if is_own && from.is_none_or(|from| from == b"same-origin" || from == b"none") {
            return Ok(());
        }
        Err(Fault::new(
            StatusCode::FORBIDDEN,
            "The form is not of this page. Load the page again, and press the button there.",
        ))
    }

    /// What the form is sealed over.
    fn sealed(&self) -> String {
        format!("set-up {}", self.token)
    }

    fn reply(&self, status: StatusCode, setup: &Setup, key: Option<&IssuedKey>) -> Reply {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let chosen =
            form_urlencoded::parse(self.query.unwrap_or_default().as_bytes()).find(|(name, _)| name == "provider");
        let chosen = chosen.and_then(|(_, word)| named(&word));
        let heard = Heard {
            at: setup.heard_at,
            wrong_key_at: setup.wrong_key_at,
            failure: setup.failure.clone(),
            users: setup.users,
            groups: setup.groups,
        };
        let remedy = html! { "Ask whoever sent you the link for such an address." };
        let title = format!("Connect {}", setup.directory);
        let body = html! {
            h1 { (title) }
            p.intro {
                "You were sent this page because you run an identity provider that is to push its users and groups to a service "
                "desk. It takes three steps; you need no account. The page is good until " (at(setup.expires_at)) "."
            }
            (panel("1. The key", &self.key(setup, key, now)))
            (instructions("2. At the identity provider", self.place, &setup.scim_path, chosen, &remedy))
            @if setup.used_at.is_some() {
                (check("3. Is it heard?", &heard, now))
            } @else {
                (panel("3. Is it heard?", &html! { p.hint { "When the key is issued, this page tells whether it arrives." } }))
            }
        };
        frame::secretive(frame::open(status, self.place, &title, &body))
    }

    fn key(&self, setup: &Setup, key: Option<&IssuedKey>, now: u64) -> Markup {
        html! {
            @match (key, setup.used_at) {
                (Some(key), _) => {
                    (note(Tone::Good, &html! {
                        div role="status" { p { b { "This is the key. It is shown only now: copy it before you leave the page." } } }
                    }))
                    (Facts::new()
                        .add("Key", copy(&key.api_key))
                        .add("Works until", at(key.key.expires_at))
                        .show())
                }
                (None, Some(used)) => (note(Tone::Quiet, &html! {
                    p { b { "The key of this link was issued " (ago(used, now)) "." } " It is issued once, and cannot be shown again." }
                    p {
                        "If that was not you, or the key is lost, tell whoever sent you the link: they can revoke the key, "
                        "and send you another link."
                    }
                })),
                (None, None) => form.act method="post" {
                    input type="hidden" name="token" value=(page_token(&self.state.settings.admin_key, &self.sealed()));
                    p {
                        "With the key, the identity provider shows who it is. It is shown once, to whoever presses this button "
                        "first; nobody else can see it. Press it when you are ready to enter it."
                    }
                    p { button type="submit" { "Issue the key" } }
                },
            }
        }
    }
}

/// What is said of a link that opens nothing.
fn nothing(place: &Place) -> Reply {
    let body = html! {
        h1 { "This link opens nothing" }
        p { "It may have expired, or have been taken back, or not all of it was copied." }
        p { "Ask whoever sent it to you for a new one." }
    };
    bare(StatusCode::NOT_FOUND, place, "This link opens nothing", &body)
}
