//! `/console/sign-in/{token}`: a link that signs a browser in once.
//!
//! To look at its page uses nothing up, and what it asks for is sent by its button alone: programs that look at links
//! before people do cannot spend it.

use super::frame::{bare, see_other};
use super::place::Place;
use super::session::Session;
use super::sign_in::with_cookie;
use super::trouble;
use crate::http::context::RequestContext;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::http::state::State;
use hyper::{Method, StatusCode};
use maud::html;

/// The page of the link with this token, and what its button sends.
pub(super) async fn answer(state: &State, context: &RequestContext<'_>, place: &Place, token: &str) -> Reply {
    let links = &state.sign_in_links;
    let is_good = match context.head.method {
        Method::GET | Method::HEAD => links.is_good(token),
        Method::POST => links.use_up(token),
        _ => return trouble::outside(place, &Fault::wrong_method("GET, HEAD, POST")),
    };
    if !is_good {
        state.sign_ins.hold_back_guess(&state.settings, context).await;
        let body = html! {
            h1 { "This link signs nobody in" }
            p { "It was used, or its time is over: it is good once, and for a quarter of an hour." }
            p { a.button href=(place.link("/sign-in")) { "Sign in with the admin key" } }
        };
        return bare(StatusCode::FORBIDDEN, place, "This link signs nobody in", &body);
    }
    context.answering.known(true);
    if context.head.method == Method::POST {
        let key = &state.settings.admin_key;
        let cookie = Session::begin(key).cookie(key, place.cookie_path(), place.secure);
        return with_cookie(see_other(&place.link("")), &cookie);
    }
    let body = html! {
        h1 { "Open the console" }
        form.sign-in method="post" {
            p { "This link signs this browser in, once." }
            button type="submit" autofocus { "Open the console" }
            p.hint { "You stay signed in for 12 hours." }
        }
    };
    bare(StatusCode::OK, place, "Open the console", &body)
}
