//! `/console/organizations`: found by name, directory and state.

use super::super::frame::{Page, Section};
use super::super::names::DirectoryNames;
use super::super::parts::{Filters, PAGE, Table, count, day, empty, numeric, pager};
use super::super::request::ConsoleRequest;
use super::super::words::{self, ORGANIZATION_STATES};
use super::lists;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::site;
use maud::{Markup, html};

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let site = request.site();
    let directories = DirectoryNames::read(&request).await?;
    let totals = site.totals().await??.organizations;
    let filters = Filters::new(&request)
        .text("query", "Name", "Beginning of a word of the name")
        .choice("directory", "Directory", "Any", directories.choices())
        .choice("state", "State", "Any", &ORGANIZATION_STATES);
    let filter = site::OrganizationFilter {
        query: request.query("query").map(str::to_owned),
        directory: request.query("directory").map(str::to_owned),
        state: request.query("state").and_then(words::organization_state),
    };
    let page = if filters.is_set() {
        site.find_organizations(filter, request.cursor(), PAGE).await??
    } else {
        site.organizations(request.position(), PAGE).await??
    };
    let list = html! {
        @if page.values.is_empty() { (nothing(filters.is_set(), page.next.is_some())) }
        @else { (table(&request, &directories, &page.values)) }
        (pager(&request, page.next.as_deref()))
    };
    let lead = html! {
        (count(totals.all)) " in all: " (count(totals.managed)) " managed by directories, " (count(totals.local)) " local."
    };
    let page = Page::new(Section::Organizations, "Organizations").lead(lead).tabs(lists(&request, "On the site"));
    let page = page.actions(html! { a.button href=(request.link("/organizations/new")) { "New organization" } });
    Ok(page.body(filters.around(&list)).reply(&request))
}

fn table(request: &ConsoleRequest<'_>, directories: &DirectoryNames, organizations: &[site::Organization]) -> Markup {
    let mut table = Table::new("Organizations", [("Name", false), ("Managed by", false), numeric("Since")]);
    for organization in organizations {
        table.row([
            html! { a href=(request.link(&format!("/organizations/{}", organization.id))) { (organization.name) } },
            directories.manager(request, organization.managed_by.as_deref()),
            day(organization.created_at),
        ]);
    }
    table.show()
}

fn nothing(asked: bool, more: bool) -> Markup {
    if asked && more {
        // A page looks at so many entries and no more.
        return empty("None so far", &html! { p { "Go on to the next page: there is more to look at." } });
    }
    if asked {
        return empty(
            "None fits",
            &html! { p { "Each word is the beginning of a word of the name. Try fewer letters." } },
        );
    }
    empty(
        "No organizations yet",
        &html! { p { "They come with the groups that an identity provider pushes, or are made on the site." } },
    )
}
