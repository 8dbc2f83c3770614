//! `/console/directories/{id}/conflicts`: groups and organizations of one name.

use super::super::names::customers_named;
use super::super::parts::{PAGE, Tab, Table, ago, count, counted, empty, live, pager, tabs};
use super::super::request::ConsoleRequest;
use super::super::words;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{AdoptionPage, Conflict, ConflictPage, ConflictSubject, MemberChange};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// How many of those who came or went are named in a row.
const NAMED: usize = 3;

/// The open ones.
pub(in super::super) async fn open(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let page = request.site().conflicts(&head.directory.id, request.cursor(), PAGE).await??;
    let policy = head.directory.settings.conflict_policy;
    let nothing = html! {
        p { "A group with the name of a local organization is a conflict where the policy does not settle it. This "
            "directory's: "
            (words::conflict_policy(policy).to_lowercase()) "." }
    };
    Ok(list(&request, &head, "Open", &page, &empty("No conflicts", &nothing)))
}

/// Those that an administrator has left.
pub(in super::super) async fn left(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let page = request.site().left_apart(&head.directory.id, request.cursor(), PAGE).await??;
    let nothing = html! { p { "Groups that an administrator has left apart stand here, and can be taken up again." } };
    Ok(list(&request, &head, "Left apart", &page, &empty("No group is left apart", &nothing)))
}

/// The organizations that were adopted.
pub(in super::super) async fn adopted(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let page = request.site().adoptions(&head.directory.id, request.cursor(), PAGE).await??;
    let nothing = html! {
        p {
            "Under the policy to adopt, a local organization becomes the group's when a group with its name is "
            "pushed. What was adopted stands here, with who came and who went."
        }
    };
    let content = html! {
        @if page.values.is_empty() { (empty("Nothing was adopted", &nothing)) } @else { (adoptions(&request, &page, &names(&request, &page).await?)) }
        (pager(&request, page.next.as_deref()))
    };
    Ok(shown(&request, &head, "Adopted", &content))
}

fn list(request: &ConsoleRequest<'_>, head: &Head, current: &str, page: &ConflictPage, nothing: &Markup) -> Reply {
    let mut table = Table::new("Conflicts", ["Name", "What", "Organization", "Since"]);
    for conflict in &page.values {
        table.row([
            named(request, head, conflict),
            html! {
                (words::conflict_kind(conflict.kind))
                @if let Some((times, _)) = conflict.refusals { " " span.hint { "(" (counted(times, "time", "times")) ")" } }
            },
            html! {
                @match &conflict.organization {
                    Some(organization) => a href=(request.link(&format!("/organizations/{}", organization.id))) { (organization.name) },
                    None => span.hint { "None has the name now" },
                }
            },
            ago(conflict.since, request.now),
        ]);
    }
    let content = html! {
        @if page.values.is_empty() { (nothing) } @else { (table.show()) }
        (pager(request, page.next.as_deref()))
    };
    shown(request, head, current, &content)
}

fn shown(request: &ConsoleRequest<'_>, head: &Head, current: &str, content: &Markup) -> Reply {
    let tab = |name, rest: &str| Tab { name, path: head.path(rest), count: None };
    let kinds = [tab("Open", "/conflicts"), tab("Left apart", "/conflicts/left"), tab("Adopted", "/conflicts/adopted")];
    let body = html! { div.minor { (tabs(request, "Conflicts", current, &kinds)) } (live("conflicts", content)) };
    head.page(request, "Conflicts").body(body).reply(request)
}

fn named(request: &ConsoleRequest<'_>, head: &Head, conflict: &Conflict) -> Markup {
    html! {
        @match &conflict.subject {
            ConflictSubject::Group(id) | ConflictSubject::RefusedGroup(id) => {
                a href=(request.link(&head.path(&format!("/conflicts/{id}")))) { (conflict.name) }
            }
            ConflictSubject::User(_) => (conflict.name),
        }
    }
}

/// The names of the first who came and who went, by their ids.
async fn names(request: &ConsoleRequest<'_>, page: &AdoptionPage) -> Result<BTreeMap<String, String>, Fault> {
    let turns = page.values.iter().flat_map(|adoption| [&adoption.came, &adoption.went]);
    let ids: Vec<String> = turns.flat_map(|turn| turn.first.iter().take(NAMED)).cloned().collect();
    Ok(customers_named(request, &ids).await?.into_iter().collect())
}

/// Who came or went: how many, and the first of them by name.
fn turn(request: &ConsoleRequest<'_>, change: &MemberChange, names: &BTreeMap<String, String>) -> Markup {
    let first = change.first.get(..NAMED).unwrap_or(&change.first);
    let more = u64::from(change.count).saturating_sub(first.len() as u64);
    html! {
        (count(change.count))
        @if change.count > 0 {
            ul.names.hint {
                @for id in first {
                    li { a href=(request.link(&format!("/customers/{id}"))) { (names.get(id).unwrap_or(id)) } }
                }
                @if more > 0 { li { "and " (count(more)) " more" } }
            }
        }
    }
}

fn adoptions(request: &ConsoleRequest<'_>, page: &AdoptionPage, names: &BTreeMap<String, String>) -> Markup {
    let mut table = Table::new("Adopted organizations", ["Organization", "Came", "Went", "Grace", "When"]);
    for adoption in &page.values {
        table.row([
            html! { a href=(request.link(&format!("/organizations/{}", adoption.organization))) { (adoption.name) } },
            turn(request, &adoption.came, names),
            turn(request, &adoption.went, names),
            html! { @if adoption.settled { "Over" } @else { "Former members may still go" } },
            ago(adoption.at, request.now),
        ]);
    }
    table.show()
}
