//! `/console/directories/{id}`: how it is doing.

use super::super::chart;
use super::super::overview::in_words;
use super::super::parts::{Facts, Tone, ago, badge, copy, count, counted, duration, live, meter, note, panel};
use super::super::request::ConsoleRequest;
use super::super::words;
use super::head::Head;
use super::logged;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{DirectoryStatus, State, Warning};
use maud::{Markup, html};

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let status = &head.status;
    let body = live(
        "status",
        &html! {
            (notes(&request, &head))
            div.columns {
                (panel("Requests", &requests(&request, &head)))
                (panel("What it has", &sizes(&request, &head)))
            }
            (panel("The last 24 hours", &chart::hours(request.now, &status.hours)))
            div.columns {
                (panel("Where it connects", &connection(&request, &head)))
                @if !status.unlinked_by.is_empty() { (panel("Users linked to no customer", &unlinked(&request, &head))) }
            }
        },
    );
    Ok(head.page(&request, "Status").body(body).reply(&request))
}

/// What an administrator should know first.
fn notes(request: &ConsoleRequest<'_>, head: &Head) -> Markup {
    let status = &head.status;
    let link = |rest: &str, text: &str| html! { a href=(request.link(&head.path(rest))) { (text) } };
    html! {
        @match status.state {
            State::NoKeyWorks => (note(Tone::Bad, &html! {
                p { b { "No key works." } " Every key has expired or was revoked. Issue one, and enter it at the "
                    "identity provider." }
                p { (link("/keys", "Keys")) }
            })),
            State::Held => (note(Tone::Bad, &html! {
                p { b { "Deletions are held." } " More came within an hour than the directory's limit allows. The "
                    "rest waits until "
                    "somebody lets it through." }
                p { (link("/held", "Who is held")) }
            })),
            State::Staged => (note(Tone::Busy, &html! {
                p { b { "Staged." } " What it pushes is planned, and reaches the site when the plan is applied." }
                p { (link("/plan", "What the plan would do")) }
            })),
            State::Applying => (note(Tone::Busy, &html! {
                p { b { "The plan is being applied." } }
                p { (link("/plan", "How far it is")) }
            })),
            State::Silent => (note(Tone::Warn, &html! {
                p { b { "Nothing is heard." } " It usually sends something "
                    @if let Some(usual) = status.usual_interval { "within " (duration(usual)) }
                    ". Look at the identity provider whether its provisioning runs." }
            })),
            State::Failing => (note(Tone::Bad, &html! {
                p { b { "Requests are refused." } " The last three or more that were to change something were refused, each "
                    "with a reason." }
                p { (link("/requests?failed=true", "Which, and why")) }
            })),
            State::Connected | State::Waiting | State::FirstSync => {}
        }
        @if let Some(until) = status.released_until {
            (note(Tone::Warn, &html! { p { "Deletions go through uncounted; that ends " (ago(until, request.now)) "." } }))
        }
        @if let Some(until) = status.captured_until {
            (note(Tone::Warn, &html! {
                p { "Bodies of requests are captured" @if status.captured_values { ", with values" } "; that ends "
                    (ago(until, request.now)) "." }
            }))
        }
        @for warning in &status.warnings {
            @match warning {
                Warning::NoDomains => (note(Tone::Warn, &html! {
                    p { b { "Bound to no email domains." } " The site has another directory. This one takes over "
                        "every local customer "
                        "whose address it pushes." }
                })),
            }
        }
    }
}

fn requests(request: &ConsoleRequest<'_>, head: &Head) -> Markup {
    let status = &head.status;
    let now = request.now;
    let failure = status.last_failure.as_ref().map(|failure| {
        html! {
            a href=(request.link(&head.path(&format!("/requests/{}", failure.sequence)))) { (logged::what_in_short(failure)) }
            " " span.hint { (ago(failure.at, now)) }
            @if let Some(detail) = &failure.detail { br; span.hint { (detail) } }
        }
    });
    let refused: u64 = status.refused.iter().map(|refused| refused.count).sum();
    let refused = (refused > 0).then(|| {
        html! {
            @for refused in &status.refused {
                div {
                    (counted(refused.count, "request", "requests"))
                    @if refused.expired { " with an expired key" } @else { " with a wrong key or none" }
                    " " span.hint { "last " (ago(refused.last, now)) }
                }
            }
        }
    });
    let facts = Facts::new()
        .maybe("Last success", status.last_success.map(|at| ago(at, now)))
        .maybe("Last refused", failure)
        .add("Refused in 24 hours", html! { (count(status.failures)) })
        .maybe("Refused for the key", refused)
        .maybe("Usual interval", status.usual_interval.map(|usual| html! { (duration(usual)) }))
        .maybe("Silent", status.silent_since.map(|since| html! { "since " (ago(since, now)) }));
    html! {
        p { (in_words(status, now)) }
        (facts.show())
        p { a href=(request.link(&head.path("/requests"))) { "Request log" } }
    }
}

fn sizes(request: &ConsoleRequest<'_>, head: &Head) -> Markup {
    let DirectoryStatus { users, memberships, .. } = &head.status;
    let status = &head.status;
    html! {
        (Facts::new()
            .add("Users", html! { (count(*users)) })
            .add("Memberships", html! { (count(*memberships)) })
            .show())
        (meter("Groups", status.groups, status.group_limit))
        @if let Some(largest) = &status.largest_group {
            (meter("Members of the largest group", largest.members.into(), status.member_limit.into()))
            p.hint {
                "The largest group is "
                a href=(request.link(&head.path(&format!("/groups/{}", largest.id)))) { (largest.name) } "."
            }
        }
    }
}

fn connection(request: &ConsoleRequest<'_>, head: &Head) -> Markup {
    let keys = &head.status.keys;
    let soon = keys.iter().filter(|key| key.expires_soon).count() as u64;
    let facts = Facts::new()
        .add("SCIM base URL", copy(&request.place.url(&head.directory.scim_path)))
        .add(
            "Keys",
            html! {
                a href=(request.link(&head.path("/keys"))) { (counted(keys.len() as u64, "key works", "keys work")) }
                @if soon > 0 { " " (badge(Tone::Warn, "Expires soon")) }
            },
        )
        .add("Connected", ago(head.directory.created_at, request.now))
        .add("Directory id", copy(&head.directory.id));
    html! {
        (facts.show())
        p { a href=(request.link(&head.path("/set-up"))) { "What to enter at the identity provider" } }
    }
}

fn unlinked(request: &ConsoleRequest<'_>, head: &Head) -> Markup {
    let mut facts = Facts::new();
    for unlinked in &head.status.unlinked_by {
        facts = facts.add(words::unlinked_reason(unlinked.reason), html! { (count(unlinked.count)) });
    }
    html! { (facts.show()) p { a href=(request.link(&head.path("/unlinked"))) { "Who they are" } } }
}
