//! `/rest/servicedeskapi/servicedesk`

use super::super::admin_request::{AdminRequest, invalid};
use super::super::fault::Fault;
use super::super::reply::{Reply, empty, json};
use super::organizations::{shown_page, shown_users};
use super::page::{MAX_LIMIT, Window};
use super::shape::{self, Named, Number, desk_of};
use crate::runtime::site::{Audience, CustomerPage};
use hyper::StatusCode;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Association {
    organization_id: Number,
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let (window, origin) = (Window::of(&request)?, request.origin()?);
    let page = request.state.site.projects(window.position(), window.limit).await??;
    let values: Vec<_> = page.values.into_iter().map(|project| shape::desk(project, &origin)).collect();
    Ok(window.page(values, page.next.is_none()))
}

pub(super) async fn get(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    Ok(json(StatusCode::OK, "application/json", &shape::desk(desk_of(&request).await?, &request.origin()?)))
}

pub(super) async fn organizations(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let (window, project) = (Window::of(&request)?, desk_of(&request).await?);
    let (account, position) = (window.account.as_deref(), window.position());
    let page = request.state.site.project_organizations(project.id, account, position, window.limit).await??;
    shown_page(window, page, &request.origin()?)
}

pub(super) async fn open_to_organization(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    associate_organization(request, true).await
}

pub(super) async fn close_to_organization(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    associate_organization(request, false).await
}

async fn associate_organization(request: AdminRequest<'_>, associated: bool) -> Result<Reply, Fault> {
    let (project, site, actor) = (desk_of(&request).await?, &request.state.site, request.actor.clone());
    let association: Association = request.json().await?;
    let organization = association.organization_id.value();
    let organization = organization.ok_or_else(|| invalid("`organizationId` is the number of an organization."))?;
    site.associate_organization(&actor, project.id, organization, associated).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn customers(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let (window, project) = (Window::of(&request)?, desk_of(&request).await?);
    let page = match &window.query {
        Some(query) => offered(&request, project.id, query, &window).await?,
        None => request.state.site.project_customers(project.id, window.position(), window.limit).await??,
    };
    Ok(shown_users(window, page, &request.origin()?))
}

/// From how many pages of the index one answer to a picker is gathered; each of them looks at 1,000 entries at most.
const MAX_PARTS: usize = 20;

/// The part of those whom a picker offers for a query that a request asks for. The pages that it is gathered from have
/// cursors and may be short, while clients count from `start`.
async fn offered(
    request: &AdminRequest<'_>,
    project: u64,
    query: &str,
    window: &Window,
) -> Result<CustomerPage, Fault> {
    let (mut skip, limit) = (window.start() as usize, window.limit as usize);
    let (mut values, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..MAX_PARTS {
        // One more than fits tells whether others follow.
        let wanted = (skip + limit - values.len()).saturating_add(1).min(MAX_LIMIT as usize);
        let wanted = u32::try_from(wanted).unwrap_or(MAX_LIMIT);
        let page = request.state.site.find_project_customers(project, query, cursor.as_deref(), wanted).await??;
        let passed = page.values.len().min(skip);
        skip -= passed;
        values.extend(page.values.into_iter().skip(passed));
        if values.len() > limit || page.next.is_none() {
            let next = (values.len() > limit).then(String::new);
            values.truncate(limit);
            return Ok(CustomerPage { values, next });
        }
        cursor = page.next;
    }
    // Too much of the site has been looked at for one request: the page is short, and not the last.
    Ok(CustomerPage { values, next: Some(String::new()) })
}

pub(super) async fn add_customers(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let project = desk_of(&request).await?;
    associate_customers(request, project.id, true).await
}

pub(super) async fn remove_customers(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let project = desk_of(&request).await?;
    if project.audience == Audience::Open {
        return Err(invalid("The service desk is open to every customer; nobody can be removed from it."));
    }
    associate_customers(request, project.id, false).await
}

async fn associate_customers(request: AdminRequest<'_>, project: u64, associated: bool) -> Result<Reply, Fault> {
    let (site, actor) = (&request.state.site, request.actor.clone());
    let customers = request.json::<Named>().await?.ids()?;
    site.associate_customers(&actor, project, customers, associated).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}
