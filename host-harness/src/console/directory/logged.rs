//! A request of the log in a few words.

use super::super::words;
use crate::runtime::directories::{LogSubject, LoggedRequest, ResourceKind};
use maud::{Markup, html};

/// What was asked: the method and the path.
pub(super) fn what(request: &LoggedRequest) -> Markup {
    html! { code { (request.method) " " (request.path) } }
}

/// The same in short, where it is said beside it whom it was about: without the id.
pub(super) fn what_in_short(request: &LoggedRequest) -> Markup {
    let mut steps = request.path.splitn(3, '/').skip(1);
    let endpoint = steps.next().unwrap_or_default();
    html! { code { (request.method) " /" (endpoint) @if steps.next().is_some() { "/…" } } }
}

/// Whom or what it was about.
pub(super) fn whom(subject: Option<&LogSubject>) -> Markup {
    html! {
        @match subject {
            Some(LogSubject { name: Some(name), .. }) => (name),
            Some(LogSubject { id: Some(id), kind, .. }) => { (kind_name(*kind)) " " code { (id) } }
            _ => span.hint { "—" },
        }
    }
}

/// The status, and what became of it.
pub(super) fn outcome(request: &LoggedRequest) -> Markup {
    html! {
        span.badges {
            (words::effect(request.effect, request.status))
            span.hint { (request.status) @if let Some(kind) = &request.scim_type { " " (kind) } }
        }
    }
}

pub(super) fn kind_name(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::User => "User",
        ResourceKind::Group => "Group",
    }
}
