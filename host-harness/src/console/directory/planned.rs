//! `/console/directories/{id}/plan/{kind}`: the lists behind the counts of a plan.

use super::super::parts::{Filters, PAGE, Tab, Table, count, empty, pager, tabs};
use super::super::request::ConsoleRequest;
use super::super::words;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{AccessTurn, MemberTurn, PlannedItem, PlannedKind, PlannedList};
use crate::runtime::site::ValueChange;
use maud::{Markup, html};

/// What is planned of one kind, is blocked, or who loses or gains projects.
pub(in super::super) async fn list(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let kind = request.parameter(1);
    let head = Head::read(&request).await?;
    let filters = Filters::new(&request).text("query", "Name", "Beginning of the name");
    let (title, (list, next)) = match kind {
        "loses-access" => ("Who loses access", people(&request, &head, AccessTurn::Loses).await?),
        "gains-access" => ("Who gains access", people(&request, &head, AccessTurn::Gains).await?),
        "blocked" => ("What is blocked", items(&request, &head, PlannedList::Blocked).await?),
        kind => {
            let planned = words::planned(|planned| planned.path == kind).ok_or_else(Fault::not_found)?;
            (planned.name, items(&request, &head, PlannedList::Kind(planned.kind)).await?)
        }
    };
    let nothing = if filters.is_set() { "Nothing fits" } else { "Nothing here" };
    let list = html! {
        @match list {
            Some(table) => (table.show()),
            None => (empty(nothing, &html! { p { "The plan may have changed since. Names are found by their "
                "beginning." } })),
        }
        (pager(&request, next.as_deref()))
    };
    Ok(head.below(&request, "Plan", "/plan", title).body(filters.around(&list)).reply(&request))
}

/// Who comes into the organization of a group, or goes.
pub(in super::super) async fn members(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let group = request.parameter(1);
    let (turn, current) = match request.query("turn") {
        Some("go") => (MemberTurn::Go, "Who goes"),
        _ => (MemberTurn::Come, "Who comes"),
    };
    let page = request.site().planned_members(&head.directory.id, group, turn, request.cursor(), PAGE).await??;
    let mut table = Table::new("Members", ["Name", "Address", "Customer"]);
    for member in &page.values {
        table.row([
            html! { (member.name) },
            html! { @match &member.email { Some(email) => (email), None => span.hint { "None" } } },
            html! {
                @match &member.customer {
                    Some(customer) => a href=(request.link(&format!("/customers/{customer}"))) { "On the site" },
                    None => span.hint { "Not made yet" },
                }
            },
        ]);
    }
    let path = |turn| head.path(&format!("/plan/members/{group}{turn}"));
    let turns = [
        Tab { name: "Who comes", path: path(""), count: None },
        Tab { name: "Who goes", path: path("?turn=go"), count: None },
    ];
    let body = html! {
        div.minor { (tabs(&request, "Members", current, &turns)) }
        @if page.values.is_empty() && page.next.is_none() {
            (empty("Nobody", &html! { p { "Nobody " @if turn == MemberTurn::Go { "goes" } @else { "comes" } " by "
                "the plan as it is now." } }))
        } @else {
            (table.show())
        }
        (pager(&request, page.next.as_deref()))
    };
    Ok(head.below(&request, "Plan", "/plan", "Members of a group").body(body).reply(&request))
}

/// A list, if there is anything in it, and what to go on with.
type Listed = (Option<Table>, Option<String>);

async fn items(request: &ConsoleRequest<'_>, head: &Head, list: PlannedList) -> Result<Listed, Fault> {
    let is_blocked = matches!(list, PlannedList::Blocked);
    let id = &head.directory.id;
    let page = request.site().planned(id, list, request.query("query"), request.cursor(), PAGE).await??;
    let columns: &[&'static str] = if is_blocked {
        &["Name", "What", "Blocked because", "On the site"]
    } else {
        &["Name", "Changes", "Members", "On the site"]
    };
    let mut table = Table::new("Planned", columns.iter().copied());
    for item in &page.values {
        let middle = match item.blocked {
            Some(obstacle) => [
                html! { (words::planned(|planned| planned.kind == item.kind).map_or("", |planned| planned.name)) },
                html! { (words::obstacle(obstacle)) },
            ],
            None => [changes(&item.changes), members_of(request, head, item)],
        };
        let [first, second] = middle;
        table.row([html! { (item.name) }, first, second, on_site(request, item)]);
    }
    Ok(((!page.values.is_empty()).then_some(table), page.next))
}

async fn people(request: &ConsoleRequest<'_>, head: &Head, turn: AccessTurn) -> Result<Listed, Fault> {
    let id = &head.directory.id;
    let page = request.site().planned_access(id, turn, request.query("query"), request.cursor(), PAGE).await??;
    let mut table = Table::new("Persons", ["Name", "Projects", "On the site"]);
    for person in &page.values {
        table.row([
            html! { (person.name) },
            html! {
                @for (index, (id, name)) in person.projects.iter().enumerate() {
                    @if index > 0 { ", " }
                    a href=(request.link(&format!("/projects/{id}"))) { (name) }
                }
            },
            html! {
                @if person.is_user { span.hint { "A user of the directory" } }
                @else { a href=(request.link(&format!("/customers/{}", person.person))) { "Customer" } }
            },
        ]);
    }
    Ok(((!page.values.is_empty()).then_some(table), page.next))
}

/// What the site shows before and after.
fn changes(changes: &[ValueChange]) -> Markup {
    html! {
        @for change in changes {
            div {
                span.hint { (words::attribute(&change.attribute)) ": " }
                @if let Some(old) = &change.old { del { (words::value(&change.attribute, old)) } " " }
                @if let Some(new) = &change.new { ins { (words::value(&change.attribute, new)) } }
            }
        }
    }
}

fn members_of(request: &ConsoleRequest<'_>, head: &Head, item: &PlannedItem) -> Markup {
    let link = |turn: &str| request.link(&head.path(&format!("/plan/members/{}{turn}", item.resource)));
    html! {
        @if let Some(members) = item.members { div { (count(members)) } }
        @if item.come > 0 { div { a href=(link("")) { (count(item.come)) " come" } } }
        @if item.go > 0 { div { a href=(link("?turn=go")) { (count(item.go)) " go" } } }
        @if item.kind == PlannedKind::AdoptOrganization && item.come == 0 { div { a href=(link("")) { "Who comes and goes" } } }
    }
}

fn on_site(request: &ConsoleRequest<'_>, item: &PlannedItem) -> Markup {
    html! {
        @if let Some(customer) = &item.customer {
            a href=(request.link(&format!("/customers/{customer}"))) { "Customer" }
        } @else if let Some(organization) = item.organization {
            a href=(request.link(&format!("/organizations/{organization}"))) { "Organization " (organization) }
        } @else {
            span.hint { "Nothing yet" }
        }
    }
}
