//! `/console/access`: why a customer may use a project, or may not; what a customer may use; who may use a project.

use super::frame::{Page, Section};
use super::parts::{PAGE, Table, Tone, badge, empty, pager, panel};
use super::reasons;
use super::request::ConsoleRequest;
use super::words;
use crate::http::admin_request::number;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::Site;
use crate::runtime::site::{self, Access, Customer, CustomerFilter, OpenProject, Position, Project, Reason};
use maud::{Markup, html};

/// How many projects there are to choose from. The page of any other leads here with it chosen.
const CHOICES: u32 = 200;

/// How many customers are offered for what was typed.
const OFFERED: u32 = 10;

/// How many of a customer's projects are listed.
const LISTED: usize = 200;

/// Whom a question is about.
enum Who {
    /// Nobody was named.
    Nobody,
    One(Box<Customer>),
    /// What was typed fits several, or none.
    Several(Vec<Customer>),
}

pub(super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let site = request.site();
    let project = match request.query("project") {
        Some(text) => Some(site.project(number(text).ok_or_else(Fault::not_found)?).await??),
        None => None,
    };
    let who = who(&request).await?;
    let answer = match (&who, &project) {
        (Who::Several(customers), _) => offer(&request, customers),
        (Who::One(customer), Some(project)) => {
            verdict(&request, customer, project, &site.access_to(&customer.id, project.id).await??)
        }
        (Who::One(customer), None) => open_to(&request, customer, &site.projects_of(&customer.id).await??),
        (Who::Nobody, Some(project)) => {
            let page = site.customers_of(project.id, request.cursor(), PAGE).await??;
            let list = html! {
                @if page.values.is_empty() {
                    (empty(if page.next.is_some() { "Nobody so far" } else { "Nobody" }, &html! {
                        p { "It is restricted to the active members of its organizations, and its own customers." }
                    }))
                } @else {
                    (reasons::customers(&request, &page.values))
                }
                (pager(&request, page.next.as_deref()))
            };
            panel("Who may use it", &list)
        }
        (Who::Nobody, None) => empty(
            "Whose access, and to what?",
            &html! {
                p { "Name a customer and a project to see whether the one may use the other, and why." }
                p { "A customer alone: all that it may use. A project alone: everybody who may use it." }
            },
        ),
    };
    let lead = html! { "Why somebody may use a project, or may not." };
    let body = html! { (form(&request, &who, project.as_ref()).await?) div #results { (answer) } };
    Ok(Page::new(Section::Access, "Access").lead(lead).body(body).reply(&request))
}

/// The customer that was named: by id, by the address, or by what fits nobody else.
async fn who(request: &ConsoleRequest<'_>) -> Result<Who, Fault> {
    let Some(text) = request.query("customer") else { return Ok(Who::Nobody) };
    let site = request.site();
    match site.customer(text).await? {
        Ok(customer) => return Ok(Who::One(Box::new(customer))),
        Err(site::Error::NotFound(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let mut found = find(site, text).await?;
    let exactly = found.iter().position(|customer| customer.email.eq_ignore_ascii_case(text));
    Ok(match exactly.or((found.len() == 1).then_some(0)) {
        Some(index) => Who::One(Box::new(found.swap_remove(index))),
        None => Who::Several(found),
    })
}

async fn find(site: &Site, text: &str) -> Result<Vec<Customer>, Fault> {
    let filter = CustomerFilter { query: Some(text.to_owned()), directory: None, state: None };
    Ok(site.find_customers(filter, None, OFFERED).await??.values)
}

async fn form(request: &ConsoleRequest<'_>, who: &Who, project: Option<&Project>) -> Result<Markup, Fault> {
    let page = request.site().projects(Position::START, CHOICES).await??;
    let missing = project.filter(|project| page.values.iter().all(|listed| listed.id != project.id));
    let customer = match who {
        Who::One(customer) => Some(customer.email.as_str()),
        _ => request.query("customer"),
    };
    let chosen = project.map(|project| project.id);
    Ok(html! {
        form.filters method="get" action=(request.link("/access")) role="search" data-filters="results" {
            div.field.grow {
                label for="customer" { "Customer" }
                input #customer type="search" name="customer" value=[customer] placeholder="Beginning of a name or an address"
                    maxlength="200" autocomplete="off" spellcheck="false";
            }
            div.field.grow {
                label for="project" { "Project" }
                select #project name="project" {
                    option value="" { "Any" }
                    @for project in missing.into_iter().chain(&page.values) {
                        option value=(project.id) selected[chosen == Some(project.id)] { (project.name) " (" (project.key) ")" }
                    }
                }
            }
            div.field.ends {
                button type="submit" { "Ask" }
                @if customer.is_some() || project.is_some() { a.clear href=(request.link("/access")) { "Clear" } }
            }
        }
        @if page.next.is_some() {
            p.hint { "The first " (CHOICES) " projects are there to choose from; the page of any other leads here." }
        }
    })
}

/// Those who fit what was typed.
fn offer(request: &ConsoleRequest<'_>, customers: &[Customer]) -> Markup {
    if customers.is_empty() {
        return empty(
            "Nobody fits",
            &html! { p { "Each word is the beginning of a word of the name, or of the address. Try fewer letters." } },
        );
    }
    let mut table = Table::new("Customers who fit", ["Name", "Address", "State"]);
    for customer in customers {
        let link = request.here_with(&[("customer", Some(&customer.id)), ("cursor", None)]);
        table.row([
            html! { a href=(link) { (customer.display_name) } },
            html! { (customer.email) },
            words::active(customer.active),
        ]);
    }
    html! {
        (panel("Whom do you mean?", &table.show()))
        @if customers.len() == OFFERED as usize { p.hint { "The first " (OFFERED) " who fit. Type more to see others." } }
    }
}

/// Whether one customer may use one project, and why.
fn verdict(request: &ConsoleRequest<'_>, customer: &Customer, project: &Project, access: &Access) -> Markup {
    let who = html! { a href=(request.link(&format!("/customers/{}", customer.id))) { (customer.display_name) } };
    let what = html! { a href=(request.link(&format!("/projects/{}", project.id))) { (project.name) } };
    let is_out = access.reasons.iter().any(|reason| matches!(reason, Reason::Deactivated));
    let others: Vec<Reason> =
        access.reasons.iter().filter(|reason| !matches!(reason, Reason::Deactivated)).cloned().collect();
    html! {
        section.panel.verdict {
            h2 {
                @if access.allowed { (badge(Tone::Good, "Yes")) " " (who) " may use " (what) }
                @else { (badge(Tone::Bad, "No")) " " (who) " may not use " (what) }
            }
            @if access.allowed {
                (reasons::reasons(request, &others))
            } @else if is_out {
                p { "The customer is deactivated, so that no project is open to it." }
                @if !others.is_empty() {
                    p { "Activated, it could use the project again:" }
                    (reasons::reasons(request, &others))
                }
            } @else {
                p { "The customer is none of the project's own, and a member of none of the organizations with which it is associated." }
                p.links {
                    a href=(request.link(&format!("/projects/{}/organizations", project.id))) { "Organizations of the project" }
                    a href=(request.link(&format!("/customers/{}", customer.id))) { "What the customer is a member of" }
                }
            }
        }
    }
}

/// All that a customer may use.
fn open_to(request: &ConsoleRequest<'_>, customer: &Customer, projects: &[OpenProject]) -> Markup {
    let heading = format!("What {} may use", customer.display_name);
    let list = html! {
        @if !customer.active {
            (empty("Nothing", &html! { p { "The customer is deactivated. Its memberships are kept, and hold again when it is activated." } }))
        } @else if projects.is_empty() {
            (empty("Nothing", &html! { p { "No project is open to everybody, and none is associated with the customer or an organization of it." } }))
        } @else {
            (reasons::projects(request, projects.get(..LISTED).unwrap_or(projects)))
            @if projects.len() > LISTED { p.hint { "The first " (LISTED) " of " (projects.len()) "." } }
        }
        p { a href=(request.link(&format!("/customers/{}", customer.id))) { "All about the customer" } }
    };
    panel(&heading, &list)
}
