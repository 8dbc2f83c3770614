//! `/console/organizations/{id}`: one organization, with its members and what put it into its state.

use super::super::frame::{Page, Section};
use super::super::history;
use super::super::names::DirectoryNames;
use super::super::parts::{
    Facts, PAGE, Tab, Table, Tone, act, acts, at, copy, empty, live, note, pager, panel, row_button, tabs,
};
use super::super::request::ConsoleRequest;
use super::super::subjects::{Known, last_name};
use super::super::words;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::site::{self, Causes, CustomerPage, Organization, Position, ProjectPage};
use maud::{Markup, html};

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let (site, id) = (request.site(), request.number(0)?);
    let organization = match site.organization(id).await? {
        Ok(organization) => organization,
        Err(error @ site::Error::NotFound(_)) => return gone(&request, id, error).await,
        Err(error) => return Err(error.into()),
    };
    let directories = DirectoryNames::read(&request).await?;
    let causes = site.organization_causes(id).await??;
    let projects = site.organization_projects(id, Position::START, PAGE).await??;
    let members = site.organization_members(id, request.position(), PAGE).await??;
    let body = live(
        "organization",
        &html! {
            // On the later pages of its members one has seen it.
            @if request.cursor().is_none() {
                @if let Some(directory) = &organization.managed_by {
                    (note(Tone::Quiet, &html! {
                        p {
                            "Managed by " (directories.manager(&request, Some(directory)))
                            ": its name and members are edited at the identity provider, read-only here. Its projects are the site's."
                        }
                    }))
                }
                div.columns {
                    (panel("Details", &details(&organization)))
                    (panel("What put it into this state", &cause(&request, &directories, &organization, &causes)))
                }
            }
            @if request.cursor().is_none() { (panel("Opens the projects", &opens(&request, &projects))) }
            (panel("Members", &table(&request, &organization, &members)))
        },
    );
    Ok(page(&request, &organization, "Now").body(body).reply(&request))
}

/// What happened to it, newest first. Also of one that is deleted.
pub(in super::super) async fn history(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let (site, id) = (request.site(), request.number(0)?);
    let organization = match site.organization(id).await? {
        Ok(organization) => organization,
        Err(error @ site::Error::NotFound(_)) => return gone(&request, id, error).await,
        Err(error) => return Err(error.into()),
    };
    let directories = DirectoryNames::read(&request).await?;
    let entries = site.organization_history(id, request.cursor(), PAGE).await??;
    let body = html! {
        (live("history", &history::timeline(&request, &directories, &entries)))
        p.after {
            "Who came and who went is told by the "
            a href=(request.link(&format!("/activity?organization={id}"))) { "activity about it" } "."
        }
    };
    Ok(page(&request, &organization, "History").body(body).reply(&request))
}

fn page(request: &ConsoleRequest<'_>, organization: &Organization, current: &str) -> Page {
    let path = format!("/organizations/{}", organization.id);
    let tab = |name, rest: &str| Tab { name, path: format!("{path}{rest}"), count: None };
    let lead = html! { div.badges { (words::manages(organization.managed_by.as_deref())) } };
    let link =
        |rest: &str, text: &str| html! { a.button.small href=(request.link(&format!("{path}{rest}"))) { (text) } };
    let actions = html! {
        @if organization.managed_by.is_some() {
            (link("/unlink", "Unlink …"))
        } @else {
            (link("/add", "Add members"))
            (link("/edit", "Rename"))
            (link("/delete", "Delete …"))
        }
    };
    let page =
        Page::new(Section::Organizations, &organization.name).under("Organizations", "/organizations").lead(lead);
    page.actions(actions).tabs(tabs(request, "Organization", current, &[tab("Now", ""), tab("History", "/history")]))
}

/// The page of an organization that is not there: what is known of one that was deleted.
async fn gone(request: &ConsoleRequest<'_>, id: u64, error: site::Error) -> Result<Reply, Fault> {
    let Ok(entries) = request.site().organization_history(id, request.cursor(), PAGE).await? else {
        return Err(error.into());
    };
    let name = match last_name(&entries.values) {
        Known::Named(name) => name,
        Known::Gone => return Err(error.into()),
    };
    let directories = DirectoryNames::read(request).await?;
    let body = html! {
        (note(Tone::Warn, &html! {
            p { b { "Deleted." } " It has no members, and can be restored until it is erased." }
            div.actions { (act(request, &format!("/organizations/{id}/restore"), "Restore")) }
        }))
        (panel("What happened to it", &history::timeline(request, &directories, &entries)))
    };
    let page = Page::new(Section::Organizations, name).under("Organizations", "/organizations");
    Ok(page.under("Deleted", "/organizations/deleted").body(body).reply(request))
}

fn details(organization: &Organization) -> Markup {
    Facts::new()
        .add("Made", at(organization.created_at))
        .add("Number", copy(&organization.id.to_string()))
        .add("UUID", html! { code { (organization.uuid) } })
        .show()
}

fn cause(
    request: &ConsoleRequest<'_>,
    directories: &DirectoryNames,
    organization: &Organization,
    causes: &Causes,
) -> Markup {
    let linked = organization.managed_by.as_deref().zip(organization.group.as_deref());
    html! {
        (history::causes(request, directories, causes))
        @if let Some((directory, group)) = linked {
            p.links {
                a href=(request.link(&format!("/directories/{directory}/groups/{group}"))) { "Its group, compared with it" }
                a href=(request.link(&format!("/directories/{directory}/requests?subject={group}"))) {
                    "What " (directories.name(directory)) " asked about it"
                }
            }
        }
    }
}

/// The projects that are open to its members.
fn opens(request: &ConsoleRequest<'_>, projects: &ProjectPage) -> Markup {
    html! {
        @if projects.values.is_empty() {
            (empty("No project", &html! { p { "Its active members may use the projects that it is associated with." } }))
        } @else {
            ul.names {
                @for project in &projects.values {
                    li { a href=(request.link(&format!("/projects/{}", project.id))) { (project.name) } " " span.hint { (project.key) } }
                }
            }
            @if projects.next.is_some() { p.hint { "And others." } }
        }
    }
}

fn table(request: &ConsoleRequest<'_>, organization: &Organization, members: &CustomerPage) -> Markup {
    let is_local = organization.managed_by.is_none();
    let columns: &[&'static str] =
        if is_local { &["Name", "Address", "State", "Remove"] } else { &["Name", "Address", "State"] };
    let mut table = Table::new("Members", columns.iter().copied());
    for customer in &members.values {
        table.row([
            html! { a href=(request.link(&format!("/customers/{}", customer.id))) { (customer.display_name) } },
            html! { (customer.email) },
            words::active(customer.active),
            row_button("customer", &customer.id, "Remove", &customer.display_name),
        ]);
    }
    let path = format!("/organizations/{}/remove", organization.id);
    html! {
        @if members.values.is_empty() && members.next.is_none() {
            (empty("No members", &html! { p { "They come with its group, where it has one, or are added on the site." } }))
        } @else if is_local {
            (acts(request, &request.link(&path), &table.show()))
        } @else {
            (table.show())
        }
        (pager(request, members.next.as_deref()))
    }
}
