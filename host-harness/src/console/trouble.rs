//! What went wrong, said on a page.

use super::frame::{Page, bare, guarded};
use super::parts::told;
use super::place::Place;
use super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::http::reply::{Reply, content};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use maud::{DOCTYPE, html};

/// An error for somebody who has signed in: in the frame, so that the way on is at hand. `back` is the path of the page
/// that the one which failed lies under.
pub(super) fn inside(request: &ConsoleRequest<'_>, fault: &Fault, back: &str) -> Reply {
    let body = html! {
        div.told { (told(fault)) }
        p { a.button href=(request.place.local(back)) { "Back" } }
    };
    let page = Page::apart(title(fault)).body(body);
    finish(fault, page.reply_with(fault.status, request))
}

/// An error for anybody.
pub(super) fn outside(place: &Place, fault: &Fault) -> Reply {
    let body = html! {
        h1 { (title(fault)) }
        div.told { (told(fault)) }
        p { a href=(place.link("")) { "Go to the console" } }
    };
    finish(fault, bare(fault.status, place, title(fault), &body))
}

/// What comes from another site's page: refused, unless somebody has followed a link.
///
/// The browser keeps the cookie back then, as it was told to, and the page loads itself once more, now from here. What
/// the other site could have seen is this page alone.
pub(super) fn foreign(place: &Place, head: &Parts) -> Reply {
    let says = |name: &str, value: &str| head.headers.get(name).is_some_and(|said| said.as_bytes() == value.as_bytes());
    if head.method == Method::GET && says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document") {
        let document = html! {
            (DOCTYPE)
            html lang="en" {
                head { meta charset="utf-8"; meta http-equiv="refresh" content="0"; title { "Usher" } }
                body { p { a href="" { "Open the console" } } }
            }
        };
        return guarded(content(StatusCode::OK, "text/html; charset=utf-8", document.into_string()));
    }
    outside(place, &Fault::new(StatusCode::FORBIDDEN, "The request comes from another site's page."))
}

fn title(fault: &Fault) -> &'static str {
    match fault.status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Refused",
        StatusCode::BAD_REQUEST => "This does not fit",
        StatusCode::CONFLICT => "Not possible now",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "Not possible at the moment",
        status if status.is_server_error() => "Something went wrong",
        _ => "The request was refused",
    }
}

fn finish(fault: &Fault, mut reply: Reply) -> Reply {
    if let Some(methods) = fault.allow.as_ref().and_then(|methods| methods.parse().ok()) {
        reply.headers_mut().insert(hyper::header::ALLOW, methods);
    }
    if let Some(seconds) = fault.retry_after {
        reply.headers_mut().insert(hyper::header::RETRY_AFTER, seconds.into());
    }
    reply
}
