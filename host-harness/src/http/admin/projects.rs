//! `/admin/v1/projects`

use super::super::admin_request::{AdminRequest, time};
use super::super::fault::Fault;
use super::super::reply::{Reply, empty};
use super::shape::{Page, created, limit, ok, position};
use super::shown;
use crate::runtime::site::{self, Audience};
use hyper::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewProject {
    key: String,
    name: String,
    /// Nobody is let in who was not named, unless the administrator says so.
    #[serde(default = "restricted")]
    audience: Audience,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    name: Option<String>,
    audience: Option<Audience>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Project {
    id: u64,
    key: String,
    name: String,
    audience: Audience,
    created_at: Timestamp,
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let page = request.state.site.projects(position(cursor)?, limit(limit_text)?).await??;
    let values = page.values.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(ok(&Page { values, next: page.next }))
}

pub(super) async fn create(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor) = (&request.state.site, request.actor.clone());
    let new: NewProject = request.json().await?;
    let project = site.create_project(&actor, &new.key, &new.name, new.audience).await??;
    Ok(created(&shown(project)?))
}

pub(super) async fn get(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    Ok(ok(&shown(request.state.site.project(request.number(0)?).await??)?))
}

pub(super) async fn update(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor, id) = (&request.state.site, request.actor.clone(), request.number(0)?);
    let update: Update = request.json().await?;
    let project = site.update_project(&actor, id, update.name.as_deref(), update.audience).await??;
    Ok(ok(&shown(project)?))
}

pub(super) async fn delete(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    request.state.site.delete_project(&request.actor, request.number(0)?).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn organizations(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let (id, limit) = (request.number(0)?, limit(limit_text)?);
    let page = request.state.site.project_organizations(id, None, position(cursor)?, limit).await??;
    Ok(ok(&shown::organizations(page)?))
}

/// Those that an organization is associated with.
pub(super) async fn of_organization(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let (id, limit) = (request.number(0)?, limit(limit_text)?);
    let page = request.state.site.organization_projects(id, position(cursor)?, limit).await??;
    let values = page.values.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(ok(&Page { values, next: page.next }))
}

pub(super) async fn customers(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let (id, limit) = (request.number(0)?, limit(limit_text)?);
    let page = request.state.site.project_customers(id, position(cursor)?, limit).await??;
    Ok(ok(&shown::customers(page)?))
}

pub(super) async fn open_to_organization(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    associate_organization(request, true).await
}

pub(super) async fn close_to_organization(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    associate_organization(request, false).await
}

pub(super) async fn open_to_customer(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    associate_customer(request, true).await
}

pub(super) async fn close_to_customer(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    associate_customer(request, false).await
}

async fn associate_organization(request: AdminRequest<'_>, associated: bool) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (project, organization) = (request.number(0)?, request.number(1)?);
    request.state.site.associate_organization(&request.actor, project, organization, associated).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn associate_customer(request: AdminRequest<'_>, associated: bool) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (project, customers) = (request.number(0)?, vec![request.parameter(1).to_owned()]);
    request.state.site.associate_customers(&request.actor, project, customers, associated).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) fn shown(project: site::Project) -> Result<Project, Fault> {
    Ok(Project {
        id: project.id,
        key: project.key,
        name: project.name,
        audience: project.audience,
        created_at: time(project.created_at)?,
    })
}

fn restricted() -> Audience {
    Audience::Restricted
}
