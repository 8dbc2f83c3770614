//! `/console/projects/{id}`: who may use one project and why, and what it is associated with.

use super::super::frame::{Page, Section};
use super::super::names::DirectoryNames;
use super::super::parts::{PAGE, Tab, Table, acts, empty, live, pager, row_button, tabs};
use super::super::reasons;
use super::super::request::ConsoleRequest;
use super::super::words;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::site::{AdmittedPage, Audience, Project};
use maud::{Markup, html};

/// Everyone who may use it.
pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let project = request.site().project(request.number(0)?).await??;
    let page = request.site().customers_of(project.id, request.cursor(), PAGE).await??;
    let body = live("admitted", &admitted(&request, &page));
    Ok(frame(&request, &project, "Who may use it").body(body).reply(&request))
}

/// The organizations that it is associated with.
pub(in super::super) async fn organizations(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let project = request.site().project(request.number(0)?).await??;
    let page = request.site().project_organizations(project.id, None, request.position(), PAGE).await??;
    let directories = DirectoryNames::read(&request).await?;
    let path = format!("/projects/{}/organizations", project.id);
    let mut table = Table::new("Organizations", ["Name", "Managed by", "Remove"]);
    for organization in &page.values {
        table.row([
            html! { a href=(request.link(&format!("/organizations/{}", organization.id))) { (organization.name) } },
            directories.manager(&request, organization.managed_by.as_deref()),
            row_button("organization", &organization.id.to_string(), "Remove", &organization.name),
        ]);
    }
    let body = html! {
        @if page.values.is_empty() && page.next.is_none() {
            (empty("No organization", &html! {
                p { "The active members of an organization that a project is associated with may use it. Directories associate theirs by project rules." }
            }))
        } @else {
            (acts(&request, &request.link(&format!("{path}/remove")), &table.show()))
        }
        (pager(&request, page.next.as_deref()))
    };
    let body = html! { (add(&request, &path, "Add organizations")) (live("organizations", &body)) };
    Ok(frame(&request, &project, "Organizations").body(body).reply(&request))
}

/// Its own customers.
pub(in super::super) async fn customers(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let project = request.site().project(request.number(0)?).await??;
    let page = request.site().project_customers(project.id, request.position(), PAGE).await??;
    let path = format!("/projects/{}/customers", project.id);
    let mut table = Table::new("Own customers", ["Name", "Address", "State", "Remove"]);
    for customer in &page.values {
        table.row([
            html! { a href=(request.link(&format!("/customers/{}", customer.id))) { (customer.display_name) } },
            html! { (customer.email) },
            words::active(customer.active),
            row_button("customer", &customer.id, "Remove", &customer.display_name),
        ]);
    }
    let body = html! {
        @if page.values.is_empty() && page.next.is_none() {
            (empty("No customer of its own", &html! {
                p { "Customers whom somebody has added to the project by hand stand here. Those of its organizations do not." }
            }))
        } @else {
            (acts(&request, &request.link(&format!("{path}/remove")), &table.show()))
        }
        (pager(&request, page.next.as_deref()))
    };
    let body = html! { (add(&request, &path, "Add customers")) (live("customers", &body)) };
    Ok(frame(&request, &project, "Own customers").body(body).reply(&request))
}

/// The way to open it to more.
fn add(request: &ConsoleRequest<'_>, list: &str, text: &str) -> Markup {
    html! { p.actions { a.button.small href=(request.link(&format!("{list}/add"))) { (text) } } }
}

fn frame(request: &ConsoleRequest<'_>, project: &Project, current: &str) -> Page {
    let path = format!("/projects/{}", project.id);
    let tab = |name, rest: &str| Tab { name, path: format!("{path}{rest}"), count: None };
    let lead = html! {
        div.badges {
            code { (project.key) }
            (words::audience(project.audience))
            span.hint {
                @match project.audience {
                    Audience::Open => "Every active customer may use it",
                    Audience::Restricted => "For the members of its organizations, and its own customers",
                }
            }
        }
        p.links {
            a href=(request.link(&format!("/access?project={}", project.id))) { "Ask about one customer" }
            a href=(request.link(&format!("/activity?project={}", project.id))) { "Activity about it" }
        }
    };
    let pages = [tab("Who may use it", ""), tab("Organizations", "/organizations"), tab("Own customers", "/customers")];
    let page = Page::new(Section::Projects, &project.name).under("Projects", "/projects").lead(lead);
    let actions = html! {
        a.button.small href=(request.link(&format!("{path}/edit"))) { "Edit" }
        a.button.small href=(request.link(&format!("{path}/delete"))) { "Delete …" }
    };
    page.actions(actions).tabs(tabs(request, "Project", current, &pages))
}

fn admitted(request: &ConsoleRequest<'_>, page: &AdmittedPage) -> Markup {
    html! {
        @if page.values.is_empty() && page.next.is_none() {
            (empty("Nobody", &html! {
                p { "Associate it with an organization, give it customers of its own, or open it to everybody." }
            }))
        } @else if page.values.is_empty() {
            (empty("Nobody so far", &html! { p { "Go on to the next page: there is more to look at." } }))
        } @else {
            (reasons::customers(request, &page.values))
        }
        (pager(request, page.next.as_deref()))
    }
}
