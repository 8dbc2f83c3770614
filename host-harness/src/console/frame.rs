//! The frame around every page: head, navigation, heading, and the header fields that keep a page to itself.

use super::assets;
use super::done::Done;
use super::parts::{Tone, note};
use super::place::Place;
use super::request::ConsoleRequest;
use crate::http::reply::{Reply, content, empty};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Nothing is loaded but from here, nothing runs that stands in a page, no other page can frame it, and its forms go
/// nowhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' \
                    height='32' rx='8' fill='%233b4fd8'/%3E%3Cpath d='M10 8v9a6 6 0 0 0 12 0V8' fill='none' stroke='white' \
                    stroke-width='3.5' stroke-linecap='round'/%3E%3C/svg%3E";

/// The parts of the console, as the navigation has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Directories,
    Customers,
    Organizations,
    Projects,
    Access,
    Activity,
    Settings,
}

impl Section {
    const ALL: [Self; 8] = [
        Self::Overview,
        Self::Directories,
        Self::Customers,
        Self::Organizations,
        Self::Projects,
        Self::Access,
        Self::Activity,
        Self::Settings,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Directories => "Directories",
            Self::Customers => "Customers",
            Self::Organizations => "Organizations",
            Self::Projects => "Projects",
            Self::Access => "Access",
            Self::Activity => "Activity",
            Self::Settings => "Settings",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::Directories => "/directories",
            Self::Customers => "/customers",
            Self::Organizations => "/organizations",
            Self::Projects => "/projects",
            Self::Access => "/access",
            Self::Activity => "/activity",
            Self::Settings => "/settings",
        }
    }

    /// The strokes of its icon, on a square of 20.
    fn strokes(self) -> &'static str {
        match self {
            Self::Overview => "M3 11l7-7 7 7M5 9.5V17h10V9.5",
            Self::Directories => "M4 5.5h12v4H4zM4 11.5h12v4H4zM7 7.5h.01M7 13.5h.01",
            Self::Customers => "M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17c.6-3.2 3-5 6-5s5.4 1.8 6 5",
            Self::Organizations => "M4 17V5l6-2v14M10 8h6v9M2.5 17h15M7 7h.01M7 10.5h.01M13 11.5h.01",
            Self::Projects => "M3 6h5l1.5 2H17v8.5H3z",
            Self::Access => "M7.5 12.5a4 4 0 1 1 2.9-1.3L16.5 17M13.5 14l1.5-1.5",
            Self::Activity => "M2.5 10.5H6l2.5-6 3.5 11 2.5-5h3",
            Self::Settings => "M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4",
        }
    }
}

/// A page in the making.
pub(super) struct Page {
    section: Option<Section>,
    title: String,
    above: Vec<(String, String)>,
    lead: Option<Markup>,
    actions: Option<Markup>,
    tabs: Option<Markup>,
    body: Markup,
    at: Option<String>,
}

impl Page {
    /// A page of this section, with its heading.
    pub(super) fn new(section: Section, title: impl Into<String>) -> Self {
        Self { section: Some(section), ..Self::apart(title) }
    }

    /// A page of no section.
    pub(super) fn apart(title: impl Into<String>) -> Self {
        Self {
            section: None,
            title: title.into(),
            above: Vec::new(),
            lead: None,
            actions: None,
            tabs: None,
            body: html! {},
            at: None,
        }
    }

    /// Names a page that this one lies under, from the top down, with its path behind `/console`.
    pub(super) fn under(mut self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.above.push((name.into(), path.into()));
        self
    }

    /// What stands below the heading: a sentence, or badges.
    pub(super) fn lead(mut self, lead: Markup) -> Self {
        self.lead = Some(lead);
        self
    }

    /// What can be done with what the page is about: links and buttons.
    pub(super) fn actions(mut self, actions: Markup) -> Self {
        self.actions = Some(actions);
        self
    }

    /// The tabs, made by [`tabs`](super::parts::tabs).
    pub(super) fn tabs(mut self, tabs: Markup) -> Self {
        self.tabs = Some(tabs);
        self
    }

    /// Where the page is found from now on, behind `/console`: an answer to a form shows something once, and loading it
    /// again must not send the form again.
    pub(super) fn found_at(mut self, path: impl Into<String>) -> Self {
        self.at = Some(path.into());
        self
    }

    pub(super) fn body(mut self, body: Markup) -> Self {
        self.body = body;
        self
    }

    /// The page, sent.
    pub(super) fn reply(self, request: &ConsoleRequest<'_>) -> Reply {
        self.reply_with(StatusCode::OK, request)
    }

    pub(super) fn reply_with(self, status: StatusCode, request: &ConsoleRequest<'_>) -> Reply {
        let inside = html! {
            a.skip href="#main" { "Skip to content" }
            div.frame {
                (navigation(self.section, request))
                main #main tabindex="-1" {
                    div.top {
                        @if !self.above.is_empty() {
                            nav.above aria-label="Breadcrumb" {
                                ol { @for (name, path) in &self.above { li { a href=(request.link(path)) { (name) } } } }
                            }
                        }
                        h1 { (self.title) }
                        @if let Some(lead) = &self.lead { div.lead { (lead) } }
                        @if let Some(actions) = &self.actions { div.actions { (actions) } }
                    }
                    @if let Some(tabs) = &self.tabs { (tabs) }
                    @if let Some(done) = request.done {
                        div role="status" { (note(Tone::Good, &html! { p { (done.text()) } })) }
                    }
                    (self.body)
                }
            }
        };
        let looks = Looks::Told { live: request.link("/live"), at: self.at.map(|at| request.link(&at)) };
        html_reply(status, request.place, &self.title, &inside, looks)
    }
}

fn navigation(current: Option<Section>, request: &ConsoleRequest<'_>) -> Markup {
    html! {
        header.side {
            a.brand href=(request.link("")) { (mark()) span { "Usher" } }
            nav aria-label="Main" {
                ul {
                    @for section in Section::ALL {
                        li {
                            a href=(request.link(section.path())) aria-current=[(Some(section) == current).then_some("page")] {
                                (icon(section.strokes())) span { (section.name()) }
                            }
                        }
                    }
                }
            }
            div.foot {
                p.pulse #pulse hidden { "Live" }
                form method="post" action=(request.link("/sign-out")) {
                    (request.token_field())
                    button.plain type="submit" { "Sign out" }
                }
            }
        }
    }
}

/// A page outside of the navigation that is to be read: for whoever has an address that opens it. It looks by itself what
/// is new.
pub(super) fn open(status: StatusCode, place: &Place, title: &str, body: &Markup) -> Reply {
    let inside = html! {
        main.open #main {
            p.brand { (mark()) span { "Usher" } }
            (body)
        }
    };
    html_reply(status, place, title, &inside, Looks::Now)
}

/// Keeps an address that opens something from being told, to this server itself as well.
pub(super) fn secretive(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    reply
}

/// How an open page learns that there is something new.
enum Looks {
    /// It does not.
    Never,
    /// It is told, at this path. Where it is found from now on, if that is not where it was asked for.
    Told { live: String, at: Option<String> },
    /// It looks now and then.
    Now,
}

/// A page outside of the navigation: for those who have not signed in.
pub(super) fn bare(status: StatusCode, place: &Place, title: &str, body: &Markup) -> Reply {
    let inside = html! {
        main.bare #main {
            p.brand { (mark()) span { "Usher" } }
            (body)
        }
    };
    html_reply(status, place, title, &inside, Looks::Never)
}

/// A document with its header fields.
fn html_reply(status: StatusCode, place: &Place, title: &str, inside: &Markup, looks: Looks) -> Reply {
    let (live, at, now) = match looks {
        Looks::Never => (None, None, false),
        Looks::Told { live, at } => (Some(live), at, false),
        Looks::Now => (None, None, true),
    };
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Usher" }
                link rel="icon" href=(PreEscaped(ICON));
                link rel="stylesheet" href=(place.link(&assets::STYLE.path));
                script src=(place.link(&assets::SCRIPT.path)) defer {}
            }
            body data-live=[live] data-at=[at] data-looks[now] { (inside) }
        }
    };
    guarded(content(status, "text/html; charset=utf-8", document.into_string()))
}

/// Adds what keeps an answer to itself.
pub(super) fn guarded(mut reply: Reply) -> Reply {
    let fields = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: with it, browsers say of a form that it comes from nowhere.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fields {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    reply
}

/// Sends the browser to another page, to get it.
pub(super) fn see_other(location: &str) -> Reply {
    let mut reply: Response<_> = guarded(empty(StatusCode::SEE_OTHER));
    // A link is made of what was percent-encoded.
    if let Ok(location) = HeaderValue::from_str(location) {
        reply.headers_mut().insert(header::LOCATION, location);
    }
    reply
}

/// Sends the browser on after a change, to a page that tells what was done; its path behind `/console`.
pub(super) fn done(request: &ConsoleRequest<'_>, path: &str, done: Done) -> Reply {
    see_other(&ConsoleRequest::telling(&request.link(path), done))
}

/// The same, to the page with the path and query of the request itself.
pub(super) fn done_here(request: &ConsoleRequest<'_>, done: Done) -> Reply {
    see_other(&ConsoleRequest::telling(&request.here_with(&[]), done))
}

fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 32" aria-hidden="true" {
            rect width="32" height="32" rx="8" {}
            path d="M10 8v9a6 6 0 0 0 12 0V8" {}
        }
    }
}

fn icon(strokes: &str) -> Markup {
    html! { svg.icon viewBox="0 0 20 20" aria-hidden="true" { path d=(strokes) {} } }
}
