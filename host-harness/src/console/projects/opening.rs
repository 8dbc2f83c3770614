//! `/console/projects/{id}/organizations` and `/customers`, with `/add` and `/remove`: to whom a project is open.

use super::super::done::Done;
use super::super::frame::{Page, Section, done, done_here};
use super::super::parts::Form;
use super::super::picker;
use super::super::request::ConsoleRequest;
use crate::http::admin_request::number;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::site::Project;

pub(in super::super) async fn pick_organization(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let project = request.site().project(request.number(0)?).await??;
    let body = picker::organizations(&request).await?;
    let page = under(&project, "organizations", "Organizations", "organizations");
    Ok(page.body(body).reply(&request))
}

pub(in super::super) async fn add_organization(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    organization(request, true).await
}

pub(in super::super) async fn remove_organization(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    organization(request, false).await
}

pub(in super::super) async fn pick_customer(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let project = request.site().project(request.number(0)?).await??;
    let body = picker::customers(&request).await?;
    Ok(under(&project, "customers", "Own customers", "customers").body(body).reply(&request))
}

pub(in super::super) async fn add_customer(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    customer(request, true).await
}

pub(in super::super) async fn remove_customer(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    customer(request, false).await
}

async fn organization(mut request: ConsoleRequest<'_>, associated: bool) -> Result<Reply, Fault> {
    let form = Form::sent("organization", &mut request).await?;
    let (project, id) = (request.number(0)?, number(form.text("organization")).ok_or_else(Fault::not_found)?);
    request.site().associate_organization(request.actor(), project, id, associated).await??;
    Ok(changed(&request, associated, &format!("/projects/{project}/organizations")))
}

async fn customer(mut request: ConsoleRequest<'_>, associated: bool) -> Result<Reply, Fault> {
    let form = Form::sent("customer", &mut request).await?;
    let (project, customers) = (request.number(0)?, vec![form.text("customer").to_owned()]);
    request.site().associate_customers(request.actor(), project, customers, associated).await??;
    Ok(changed(&request, associated, &format!("/projects/{project}/customers")))
}

/// On to where one was: to the search for more, or to the list.
fn changed(request: &ConsoleRequest<'_>, associated: bool, list: &str) -> Reply {
    if associated { done_here(request, Done::ProjectOpened) } else { done(request, list, Done::ProjectClosed) }
}

fn under(project: &Project, whom: &str, tab: &str, list: &str) -> Page {
    let page = Page::new(Section::Projects, format!("Open {} to {whom}", project.name)).under("Projects", "/projects");
    let path = format!("/projects/{}", project.id);
    page.under(&project.name, &path).under(tab, format!("{path}/{list}"))
}
