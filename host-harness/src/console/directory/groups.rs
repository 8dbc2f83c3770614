//! `/console/directories/{id}/groups`: the groups that have an organization.

use super::super::parts::{Filters, PAGE, Table, counted, day, empty, pager};
use super::super::request::ConsoleRequest;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::Mode;
use crate::runtime::site::OrganizationFilter;
use maud::{Markup, html};

pub(in super::super) async fn list(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let filters = Filters::new(&request).text("query", "Name", "Beginning of a word of the name");
    let filter = OrganizationFilter {
        query: request.query("query").map(str::to_owned),
        directory: Some(head.directory.id.clone()),
        state: None,
    };
    let page = request.site().find_organizations(filter, request.cursor(), PAGE).await??;
    let mut table = Table::new("Groups with an organization", ["Group", "Organization", "Since"]);
    for organization in &page.values {
        table.row([
            html! {
                @match &organization.group {
                    Some(group) => a href=(request.link(&head.path(&format!("/groups/{group}")))) { (organization.name) },
                    None => (organization.name),
                }
            },
            html! { a href=(request.link(&format!("/organizations/{}", organization.id))) { "Number " (organization.id) } },
            day(organization.created_at),
        ]);
    }
    let list = html! {
        @if page.values.is_empty() {
            @if filters.is_set() || page.next.is_some() {
                (empty("No group fits", &html! { p { "Each word is the beginning of a word of the name. Try fewer "
                    "letters." } }))
            } @else {
                (empty("No group has an organization", &html! { (none_yet(head.directory.settings.mode)) }))
            }
        } @else {
            (table.show())
        }
        (pager(&request, page.next.as_deref()))
    };
    let body = html! {
        p.intro {
            (counted(head.status.groups, "group", "groups")) " in the directory. Those that are linked to an organization of the site are listed; "
            a href=(request.link(&head.path("/conflicts/left"))) { "those left apart" } " are not."
        }
        (filters.around(&list))
    };
    Ok(head.page(&request, "Groups").body(body).reply(&request))
}

fn none_yet(mode: Mode) -> Markup {
    html! {
        @match mode {
            Mode::Staged | Mode::Applying => p {
                "The directory is staged: its groups get their organizations when the plan is applied."
            },
            Mode::Live => p { "They come with the groups that the identity provider pushes." },
        }
    }
}
