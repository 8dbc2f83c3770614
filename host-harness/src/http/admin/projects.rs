//! `/admin/v1/projects`

use super::super::call::{Call, time};
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

pub(super) async fn list(call: Call<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = call.query(["cursor", "limit"])?;
    let page = call.state.site.projects(position(cursor)?, limit(limit_text)?).await??;
    let values = page.values.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(ok(&Page { values, next: page.next }))
}

pub(super) async fn create(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let (site, actor) = (&call.state.site, call.actor.clone());
    let new: NewProject = call.json().await?;
    let project = site.create_project(&actor, &new.key, &new.name, new.audience).await??;
    Ok(created(&shown(project)?))
}

pub(super) async fn get(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    Ok(ok(&shown(call.state.site.project(call.number(0)?).await??)?))
}

pub(super) async fn update(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let (site, actor, id) = (&call.state.site, call.actor.clone(), call.number(0)?);
    let update: Update = call.json().await?;
    let project = site.update_project(&actor, id, update.name.as_deref(), update.audience).await??;
    Ok(ok(&shown(project)?))
}

pub(super) async fn delete(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    call.state.site.delete_project(&call.actor, call.number(0)?).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn organizations(call: Call<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = call.query(["cursor", "limit"])?;
    let (id, limit) = (call.number(0)?, limit(limit_text)?);
    let page = call.state.site.project_organizations(id, None, position(cursor)?, limit).await??;
    Ok(ok(&shown::organizations(page)?))
}

pub(super) async fn customers(call: Call<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = call.query(["cursor", "limit"])?;
    let (id, limit) = (call.number(0)?, limit(limit_text)?);
    let page = call.state.site.project_customers(id, None, position(cursor)?, limit).await??;
    Ok(ok(&shown::customers(page)?))
}

pub(super) async fn open_to_organization(call: Call<'_>) -> Result<Reply, Fault> {
    associate_organization(call, true).await
}

pub(super) async fn close_to_organization(call: Call<'_>) -> Result<Reply, Fault> {
    associate_organization(call, false).await
}

pub(super) async fn open_to_customer(call: Call<'_>) -> Result<Reply, Fault> {
    associate_customer(call, true).await
}

pub(super) async fn close_to_customer(call: Call<'_>) -> Result<Reply, Fault> {
    associate_customer(call, false).await
}

async fn associate_organization(call: Call<'_>, associated: bool) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let (project, organization) = (call.number(0)?, call.number(1)?);
    call.state.site.associate_organization(&call.actor, project, organization, associated).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn associate_customer(call: Call<'_>, associated: bool) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let (project, customers) = (call.number(0)?, vec![call.parameter(1).to_owned()]);
    call.state.site.associate_customers(&call.actor, project, customers, associated).await??;
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
