//! `/rest/servicedeskapi/servicedesk`

use super::super::call::{Call, invalid};
use super::super::reply::{Fault, Reply, empty, json};
use super::organizations::{refuse_account, shown_page, shown_users};
use super::page::Window;
use super::shape::{self, Named, Number, desk_of};
use crate::runtime::site::Audience;
use hyper::StatusCode;
use serde::Deserialize;

/// How many customers one request may add or remove here, where each takes a call of its own.
const MAX_CUSTOMERS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Association {
    organization_id: Number,
}

pub(super) async fn list(call: Call<'_>) -> Result<Reply, Fault> {
    let (window, origin) = (Window::of(&call)?, call.origin()?);
    let page = call.service.site.projects(window.position(), window.limit).await??;
    let values: Vec<_> = page.values.into_iter().map(|project| shape::desk(project, &origin)).collect();
    Ok(window.page(values, page.next.is_none()))
}

pub(super) async fn get(call: Call<'_>) -> Result<Reply, Fault> {
    Ok(json(StatusCode::OK, "application/json", &shape::desk(desk_of(&call).await?, &call.origin()?)))
}

pub(super) async fn organizations(call: Call<'_>) -> Result<Reply, Fault> {
    refuse_account(&call)?;
    let (window, project) = (Window::of(&call)?, desk_of(&call).await?);
    let page = call.service.site.project_organizations(project.id, window.position(), window.limit).await??;
    shown_page(window, page, &call.origin()?)
}

pub(super) async fn associate_organization(call: Call<'_>, associated: bool) -> Result<Reply, Fault> {
    let (project, site, actor) = (desk_of(&call).await?, &call.service.site, call.actor.clone());
    let association: Association = call.json().await?;
    let organization = association.organization_id.value();
    let organization = organization.ok_or_else(|| invalid("`organizationId` is the number of an organization."))?;
    site.associate_organization(&actor, project.id, organization, associated).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn customers(call: Call<'_>) -> Result<Reply, Fault> {
    let (window, project) = (Window::of(&call)?, desk_of(&call).await?);
    let (query, position) = (window.query.as_deref(), window.position());
    let page = call.service.site.project_customers(project.id, query, position, window.limit).await??;
    shown_users(window, page, &call.origin()?)
}

pub(super) async fn add_customers(call: Call<'_>) -> Result<Reply, Fault> {
    let project = desk_of(&call).await?;
    associate_customers(call, project.id, true).await
}

pub(super) async fn remove_customers(call: Call<'_>) -> Result<Reply, Fault> {
    let project = desk_of(&call).await?;
    if project.audience == Audience::Open {
        return Err(invalid("The service desk is open to every customer; nobody can be removed from it."));
    }
    associate_customers(call, project.id, false).await
}

async fn associate_customers(call: Call<'_>, project: u64, associated: bool) -> Result<Reply, Fault> {
    let (site, actor) = (&call.service.site, call.actor.clone());
    let customers = call.json::<Named>().await?.ids()?;
    if customers.len() > MAX_CUSTOMERS {
        return Err(invalid(format!("A request to a service desk names at most {MAX_CUSTOMERS} customers.")));
    }
    // All of them or, where one is unknown, none.
    for customer in &customers {
        site.customer(customer).await??;
    }
    for customer in &customers {
        site.associate_customer(&actor, project, customer, associated).await??;
    }
    Ok(empty(StatusCode::NO_CONTENT))
}
