//! Signing in with the admin key, and out.

use super::frame::{bare, see_other};
use super::place::{PREFIX, Place};
use super::request::ConsoleRequest;
use super::session::{self, Session};
use super::trouble;
use crate::http::context::RequestContext;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::http::state::State;
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use maud::{Markup, html};

pub(super) const PATH: &str = "/console/sign-in";

/// How many letters a name has at most, so that the feed takes it in any script.
const NAME: usize = 50;

/// The longest form with a key in it.
const FORM: usize = 8 << 10;

/// Sends somebody who has not signed in to where that is done, and from there back.
pub(super) fn wanted(place: &Place, head: &Parts) -> Reply {
    let asked = head.uri.path_and_query().map_or(PREFIX, |asked| asked.as_str());
    // What was sent is lost anyway, and the page behind it may be none to look at.
    let next = if head.method == Method::GET { asked } else { PREFIX };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    see_other(&format!("{}?{query}", place.link("/sign-in")))
}

/// The page to sign in at, and what its form sends.
pub(super) async fn answer(state: &State, context: &mut RequestContext<'_>, place: &Place, signed_in: bool) -> Reply {
    let query = context.head.uri.query().unwrap_or_default();
    let next = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next");
    let next = next.map(|(_, next)| next.into_owned()).filter(|next| is_page(next));
    match context.head.method {
        Method::GET | Method::HEAD if signed_in => see_other(&place.local(next.as_deref().unwrap_or(PREFIX))),
        Method::GET | Method::HEAD => page(StatusCode::OK, place, next.as_deref(), "", None),
        Method::POST => match sign_in(state, context, place, next.as_deref()).await {
            Ok(reply) => reply,
            Err(fault) => trouble::outside(place, &fault),
        },
        _ => trouble::outside(place, &Fault::wrong_method("GET, HEAD, POST")),
    }
}

async fn sign_in(
    state: &State,
    context: &mut RequestContext<'_>,
    place: &Place,
    next: Option<&str>,
) -> Result<Reply, Fault> {
    let text = state.short_text(&mut context.body, &context.answering, FORM).await?.text;
    let entered = |field: &str| {
        let found = form_urlencoded::parse(text.as_bytes()).find(|(name, _)| name == field);
        // Pasted from a terminal, a key has blanks around it.
        found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let (key, name) = (entered("key"), entered("name"));
    let again = |status, wrong| Ok(page(status, place, next, &name, Some(wrong)));
    if key.is_empty() {
        return again(StatusCode::BAD_REQUEST, "Enter the admin key.");
    }
    if name.chars().count() > NAME || name.chars().any(char::is_control) {
        return again(StatusCode::BAD_REQUEST, "Enter a name of at most 50 letters, or none.");
    }
    if !state.sign_ins.is_key(&state.settings, context, &key).await {
        let wrong = "This is not the admin key of this site. Check that all of it was copied.";
        return again(StatusCode::FORBIDDEN, wrong);
    }
    let admin_key = &state.settings.admin_key;
    let session = Session::begin(admin_key);
    let session = if name.is_empty() { session } else { session.named(&name) };
    let cookie = session.cookie(admin_key, place.cookie_path(), place.secure);
    Ok(with_cookie(see_other(&place.local(next.unwrap_or(PREFIX))), &cookie))
}

pub(super) async fn sign_out(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let place = request.place;
    request.form().await?;
    let cookie = session::no_cookie(place.cookie_path(), place.secure);
    Ok(with_cookie(see_other(&place.link("/sign-in")), &cookie))
}

pub(super) fn with_cookie(mut reply: Reply, cookie: &str) -> Reply {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        reply.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    reply
}

/// Whether a text is the path of one of the console's pages, and nothing that a browser takes for another site.
fn is_page(text: &str) -> bool {
    let rest = text.strip_prefix(PREFIX);
    let fits = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    fits && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

fn page(status: StatusCode, place: &Place, next: Option<&str>, name: &str, wrong: Option<&str>) -> Reply {
    let query = next.map(|next| form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish());
    let action = match query {
        Some(query) => format!("{}?{query}", place.link("/sign-in")),
        None => place.link("/sign-in"),
    };
    bare(status, place, "Sign in", &form(&action, name, wrong))
}

fn form(action: &str, name: &str, wrong: Option<&str>) -> Markup {
    html! {
        h1 { "Sign in" }
        form.sign-in method="post" action=(action) {
            label for="name" { "Your name, if you like" }
            input #name name="name" type="text" value=(name) maxlength=(NAME) autocomplete="username" spellcheck="false"
                aria-describedby="name-hint";
            p.hint #name-hint { "So that the activity says who did what." }
            label for="key" { "Admin key" }
            input #key name="key" type="password" autocomplete="current-password" required autofocus spellcheck="false"
                autocapitalize="off" aria-invalid=[wrong.map(|_| "true")]
                aria-describedby=(if wrong.is_some() { "wrong hint" } else { "hint" });
            @if let Some(wrong) = wrong { p.wrong #wrong role="alert" { (wrong) } }
            button type="submit" { "Sign in" }
            p.hint #hint {
                "The key was printed once, when the server first started. It also opens the admin API. You stay "
                "signed in for 12 hours, or until the key changes."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comes_back_to_pages_of_the_console_alone() {
        for page in ["/console", "/console/customers?query=a%20b", "/console?x=1"] {
            assert!(is_page(page), "{page}");
        }
        for other in [
            "",
            "/",
            "//evil.example",
            "/consoles",
            "/console\\evil",
            "https://evil.example",
            "/console/\n",
            "/admin/v1",
        ] {
            assert!(!is_page(other), "{other}");
        }
    }
}
