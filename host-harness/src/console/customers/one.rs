//! `/console/customers/{id}`: one customer, with what it may use and why, and what put it into its state.

use super::super::frame::{Page, Section};
use super::super::history;
use super::super::names::DirectoryNames;
use super::super::parts::{
    Facts, PAGE, Tab, Table, Tone, act, at, copy, count, counted, empty, live, note, panel, tabs,
};
use super::super::reasons;
use super::super::request::ConsoleRequest;
use super::super::subjects::{Known, last_name};
use super::super::words;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::site::{self, Causes, Customer, OpenProject, Organization};
use maud::{Markup, html};

/// How many of its organizations and projects are listed.
const LISTED: usize = 100;

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let (site, id) = (request.site(), request.parameter(0));
    let customer = match site.customer(id).await? {
        Ok(customer) => customer,
        Err(error @ site::Error::NotFound(_)) => return gone(&request, id, error).await,
        Err(error) => return Err(error.into()),
    };
    let directories = DirectoryNames::read(&request).await?;
    let causes = site.customer_causes(id).await??;
    let organizations = site.organizations_of(id).await??;
    let projects = site.projects_of(id).await??;
    let body = live(
        "customer",
        &html! {
            @if let Some(directory) = &customer.managed_by {
                (note(Tone::Quiet, &html! {
                    p {
                        "Managed by " (directories.manager(&request, Some(directory))) ": edited at the identity provider, read-only here."
                    }
                }))
            }
            div.columns {
                (panel("Details", &details(&customer)))
                (panel("What put it into this state", &cause(&request, &directories, &causes)))
            }
            (panel("May use", &access(&request, &customer, &projects)))
            (panel("Member of", &memberships(&request, &directories, &organizations)))
        },
    );
    Ok(page(&request, &directories, &customer, "Now").body(body).reply(&request))
}

/// What happened to it, newest first. Also of one that is deleted.
pub(in super::super) async fn history(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let (site, id) = (request.site(), request.parameter(0));
    let customer = match site.customer(id).await? {
        Ok(customer) => customer,
        Err(error @ site::Error::NotFound(_)) => return gone(&request, id, error).await,
        Err(error) => return Err(error.into()),
    };
    let directories = DirectoryNames::read(&request).await?;
    let entries = site.customer_history(id, request.cursor(), PAGE).await??;
    let body = live("history", &history::timeline(&request, &directories, &entries));
    Ok(page(&request, &directories, &customer, "History").body(body).reply(&request))
}

fn page(request: &ConsoleRequest<'_>, directories: &DirectoryNames, customer: &Customer, current: &str) -> Page {
    let path = format!("/customers/{}", customer.id);
    let tab = |name, rest: &str| Tab { name, path: format!("{path}{rest}"), count: None };
    let lead = html! {
        div.badges {
            (words::active(customer.active))
            (words::manages(customer.managed_by.as_deref()))
            span.hint { (customer.email) }
        }
    };
    let link =
        |rest: &str, text: &str| html! { a.button.small href=(request.link(&format!("{path}{rest}"))) { (text) } };
    let actions = html! {
        @if customer.managed_by.is_some() {
            (link("/unlink", "Unlink …"))
        } @else {
            (link("/edit", "Edit"))
            @if !directories.choices().is_empty() { (link("/relink", "Link …")) }
            (link("/delete", "Delete …"))
        }
    };
    let page = Page::new(Section::Customers, &customer.display_name).under("Customers", "/customers").lead(lead);
    let page = page.actions(actions);
    page.tabs(tabs(request, "Customer", current, &[tab("Now", ""), tab("History", "/history")]))
}

/// The page of a customer who is not there: what is known of one who was deleted.
async fn gone(request: &ConsoleRequest<'_>, id: &str, error: site::Error) -> Result<Reply, Fault> {
    let Ok(entries) = request.site().customer_history(id, request.cursor(), PAGE).await? else {
        return Err(error.into());
    };
    let name = match last_name(&entries.values) {
        Known::Named(name) => name,
        Known::Gone => return Err(error.into()),
    };
    let directories = DirectoryNames::read(request).await?;
    let body = html! {
        (note(Tone::Warn, &html! {
            p { b { "Deleted." } " It has no access, and can be restored until it is erased." }
            div.actions {
                (act(request, &format!("/customers/{id}/restore"), "Restore"))
                a.button.small href=(request.link(&format!("/customers/{id}/erase"))) { "Erase for good …" }
            }
        }))
        (panel("What happened to it", &history::timeline(request, &directories, &entries)))
    };
    let page =
        Page::new(Section::Customers, name).under("Customers", "/customers").under("Deleted", "/customers/deleted");
    Ok(page.body(body).reply(request))
}

fn details(customer: &Customer) -> Markup {
    Facts::new()
        .add("Address", copy(&customer.email))
        .add("Locale", html! { (customer.locale) })
        .add(
            "Time zone",
            html! {
                @match &customer.time_zone { Some(zone) => (zone), None => span.hint { "None" } }
            },
        )
        .add("Made", at(customer.created_at))
        .add("Id", copy(&customer.id))
        .show()
}

fn cause(request: &ConsoleRequest<'_>, directories: &DirectoryNames, causes: &Causes) -> Markup {
    // The id of its user, by which the directory's request log knows it.
    let user = causes.link.as_ref().and_then(|link| {
        let directory = link.actor.strip_prefix("directory:")?;
        Some((directory, link.resource.as_deref()?))
    });
    html! {
        (history::causes(request, directories, causes))
        @if let Some((directory, user)) = user.filter(|(directory, _)| directories.known(directory).is_some()) {
            p {
                a href=(request.link(&format!("/directories/{directory}/requests?subject={user}"))) {
                    "What " (directories.name(directory)) " asked about it"
                }
            }
        }
    }
}

fn access(request: &ConsoleRequest<'_>, customer: &Customer, projects: &[OpenProject]) -> Markup {
    html! {
        @if !customer.active {
            (empty("No project", &html! {
                p { "A deactivated customer may use none. Its memberships are kept, and hold again when it is activated." }
            }))
        } @else if projects.is_empty() {
            (empty("No project", &html! {
                p { "A project is open to it when it is open to everybody, when it is one of the project's own customers, or a member of an organization with which the project is associated." }
            }))
        } @else {
            (reasons::projects(request, projects.get(..LISTED).unwrap_or(projects)))
            (rest(projects.len(), "project", "projects"))
        }
        p { a href=(request.link(&format!("/access?customer={}", customer.id))) { "Ask about one project" } }
    }
}

fn memberships(request: &ConsoleRequest<'_>, directories: &DirectoryNames, organizations: &[Organization]) -> Markup {
    let mut table = Table::new("Organizations that it is a member of", ["Organization", "Managed by"]);
    for organization in organizations.iter().take(LISTED) {
        table.row([
            html! { a href=(request.link(&format!("/organizations/{}", organization.id))) { (organization.name) } },
            directories.manager(request, organization.managed_by.as_deref()),
        ]);
    }
    html! {
        @if organizations.is_empty() {
            (empty("No organization", &html! { p { "It comes into organizations with the groups of its identity provider, or on the site." } }))
        } @else {
            (table.show())
            (rest(organizations.len(), "organization", "organizations"))
        }
    }
}

/// What a list leaves out.
fn rest(number: usize, one: &str, many: &str) -> Markup {
    html! {
        @if number > LISTED {
            p.hint { "The first " (count(LISTED as u64)) " of " (counted(number as u64, one, many)) "." }
        }
    }
}
