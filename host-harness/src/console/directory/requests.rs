//! `/console/directories/{id}/requests`: what the identity provider sent, and what it was answered.

use super::super::parts::{Facts, Filters, PAGE, Table, ago, at, count, counted, empty, live, pager, panel};
use super::super::request::ConsoleRequest;
use super::super::words;
use super::capture;
use super::head::Head;
use super::logged;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{CapturedBody, LogFilter, LoggedRequest};
use maud::{Markup, html};

pub(in super::super) async fn list(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let filters = Filters::new(&request)
        .text("name", "User or group", "Beginning of a name")
        .text("subject", "Id", "The id of a user or group")
        .choice("outcome", "Outcome", "Any", &[("failed", "Refused or held")]);
    let filter = LogFilter {
        subject: request.query("subject").map(str::to_owned),
        name: request.query("name").map(str::to_owned),
        failed: request.query("outcome") == Some("failed"),
    };
    let page = request.site().requests(&head.directory.id, filter, request.cursor(), PAGE).await??;
    let mut table = Table::new("Requests", ["Request", "About", "Outcome", "What came of it", "When"]);
    for logged in &page.values {
        table.row([
            html! { a href=(request.link(&head.path(&format!("/requests/{}", logged.sequence)))) { (logged::what_in_short(logged)) } },
            logged::whom(logged.subject.as_ref()),
            logged::outcome(logged),
            came_of_it(logged),
            ago(logged.at, request.now),
        ]);
    }
    let list = html! {
        @if page.values.is_empty() {
            @if filters.is_set() {
                (empty("No request fits", &html! { p { "Try fewer letters, or another outcome." } }))
            } @else {
                (empty("No requests yet", &html! {
                    p {
                        "All writes and all refused requests of the last 14 days stand here, at most 1,000. Reads "
                        "that succeed are left out."
                    }
                }))
            }
        } @else {
            (table.show())
        }
        (pager(&request, page.next.as_deref()))
    };
    let body = html! { (live("capture", &capture::state(&request, &head))) (filters.around(&list)) };
    Ok(head.page(&request, "Requests").body(body).reply(&request))
}

/// One request, with its body where that was captured.
pub(in super::super) async fn one(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let sequence = request.number(1)?;
    let head = Head::read(&request).await?;
    let whole = request.site().request(&head.directory.id, sequence).await??;
    let logged = &whole.request;
    let facts = Facts::new()
        .add("When", html! { (at(logged.at)) " " span.hint { "(" (ago(logged.at, request.now)) ")" } })
        .add("Request", logged::what(logged))
        .add("About", subject(&request, &head, logged))
        .add("Outcome", logged::outcome(logged))
        .maybe("Why", logged.detail.as_ref().map(|detail| html! { (detail) }))
        .maybe("Request id", logged.request.as_ref().map(|id| html! { code { (id) } }))
        .maybe("Attributes named", list_of(&logged.attributes))
        .maybe(
            "Members",
            logged.members.as_ref().map(|members| {
                html! {
                    (counted(members.to_add, "member", "members")) " to add, " (count(members.added)) " came; "
                    (counted(members.to_remove, "member", "members")) " to remove, " (count(members.removed)) " went"
                }
            }),
        )
        .maybe(
            "Changes",
            (!logged.changes.is_empty()).then(|| {
                html! {
                    ul { @for change in &logged.changes { li { code { (change.kind) } " " (count(change.count)) } } }
                }
            }),
        )
        .maybe(
            "Done differently",
            (!logged.notes.is_empty()).then(|| {
                html! {
                    ul { @for note in &logged.notes { li { (note) } } }
                }
            }),
        );
    let body = html! {
        (panel("What was asked and answered", &facts.show()))
        @if !logged.listed.is_empty() { (panel("Operations", &operations(logged))) }
        (panel("Body", &captured(whole.body.as_ref())))
    };
    Ok(head.below(&request, "Requests", "/requests", &format!("Request {sequence}")).body(body).reply(&request))
}

fn came_of_it(logged: &LoggedRequest) -> Markup {
    html! {
        @if let Some(detail) = &logged.detail {
            (shortened(detail))
        } @else if let Some(operations) = logged.operations {
            (counted(operations, "operation", "operations"))
            @if let Some(refused) = logged.refused.filter(|refused| *refused > 0) { ", " (count(refused)) " refused" }
        } @else if let Some(members) = &logged.members {
            (counted(members.added, "member", "members")) " came, " (count(members.removed)) " went"
        } @else if !logged.attributes.is_empty() {
            span.hint { (shortened(&logged.attributes.join(", "))) }
        }
    }
}

fn subject(request: &ConsoleRequest<'_>, head: &Head, logged: &LoggedRequest) -> Markup {
    let Some(subject) = &logged.subject else { return html! { span.hint { "None in particular, or several" } } };
    html! {
        (logged::kind_name(subject.kind)) " " b { (logged::whom(Some(subject))) }
        @if let Some(id) = &subject.id {
            br; code { (id) } " "
            a href=(request.link(&head.path(&format!("/requests?subject={id}")))) { "All requests about it" }
        }
    }
}

fn list_of(names: &[String]) -> Option<Markup> {
    (!names.is_empty()).then(|| html! { (names.join(", ")) })
}

/// The operations of a bulk request.
fn operations(logged: &LoggedRequest) -> Markup {
    let mut table = Table::new("Operations", ["Method", "About", "Outcome"]);
    for operation in &logged.listed {
        table.row([
            html! { code { (operation.method) } },
            logged::whom(operation.subject.as_ref()),
            html! { span.badges { (words::effect(Some(operation.effect), operation.status)) span.hint { (operation.status) } } },
        ]);
    }
    let all = logged.operations.unwrap_or_default();
    html! {
        @if u64::from(all) > logged.listed.len() as u64 {
            p.hint { (count(logged.listed.len() as u64)) " of " (count(all)) ", those that were refused or held "
                "first." }
        }
        (table.show())
    }
}

fn captured(body: Option<&CapturedBody>) -> Markup {
    html! {
        @match body {
            None => p.hint { "It was not kept. Bodies are captured on demand, for at most a day, without secrets." },
            Some(body) => {
                p.hint {
                    (counted(body.bytes, "byte", "bytes")) " as it came"
                    @if body.cut { "; only its beginning is kept" }
                    @if body.values { "." } @else { "; values are hidden." }
                }
                @if body.text.is_empty() { p { "It was no JSON, so that nothing in it could be told from a secret." } }
                @else { pre.body tabindex="0" role="region" aria-label="Body" { (body.text) } }
            }
        }
    }
}

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 140;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
