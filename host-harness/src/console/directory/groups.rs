//! `/console/directories/{id}/groups`: its groups, each with its organization.

use super::super::parts::{Filters, PAGE, Table, count, counted, empty, pager};
use super::super::request::ConsoleRequest;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::Mode;
use maud::{Markup, html};

pub(in super::super) async fn list(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let filters = Filters::new(&request).text("query", "Name", "Beginning of the name");
    let page = request.site().groups(&head.directory.id, request.query("query"), request.cursor(), PAGE).await??;
    let mut table = Table::new("Groups", ["Group", "Members", "Organization"]);
    for group in &page.values {
        table.row([
            html! { a href=(request.link(&head.path(&format!("/groups/{}", group.id)))) { (group.name) } },
            html! { (count(group.members)) },
            organization(&request, head.directory.settings.mode, group.organization),
        ]);
    }
    let list = html! {
        @if page.values.is_empty() {
            @if filters.is_set() {
                (empty("No group fits", &html! { p { "The name has to begin so. Try fewer letters." } }))
            } @else {
                (empty("No groups", &html! { p { "They come with the groups that the identity provider pushes." } }))
            }
        } @else {
            (table.show())
        }
        (pager(&request, page.next.as_deref()))
    };
    let body = html! {
        p.intro { (counted(head.status.groups, "group", "groups")) " in the directory." }
        (filters.around(&list))
    };
    Ok(head.page(&request, "Groups").body(body).reply(&request))
}

/// The organization of a group, or why it has none.
pub(super) fn organization(request: &ConsoleRequest<'_>, mode: Mode, organization: Option<u64>) -> Markup {
    html! {
        @match (organization, mode) {
            (Some(number), _) => a href=(request.link(&format!("/organizations/{number}"))) { "Number " (number) },
            (None, Mode::Live) => span.hint { "None: left apart" },
            (None, Mode::Staged | Mode::Applying) => span.hint { "None: planned, or left apart" },
        }
    }
}
