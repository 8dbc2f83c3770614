//! `/admin/v1/organizations`

use super::super::admin_request::{AdminRequest, invalid};
use super::super::fault::Fault;
use super::super::reply::{Reply, empty};
use super::history::WithCauses;
use super::shape::{created, cursor, flag, limit, ok, position, word};
use super::{bin, history, shown};
use crate::runtime::site;
use hyper::StatusCode;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrganization {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    name: Option<String>,
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let known = ["cursor", "limit", "deleted", "query", "directory", "state"];
    let [cursor_text, limit_text, deleted, query, directory, state] = request.query(known)?;
    let limit = limit(limit_text)?;
    let filter = site::OrganizationFilter { query, directory, state: word("state", state)? };
    let is_plain = filter.query.is_none() && filter.directory.is_none() && filter.state.is_none();
    if flag("deleted", deleted.as_deref())? {
        if !is_plain {
            return Err(invalid("Deleted organizations cannot be searched: `deleted` stands alone."));
        }
        return bin::organizations(&request, position(cursor_text)?, limit).await;
    }
    let page = if is_plain {
        request.state.site.organizations(position(cursor_text)?, limit).await??
    } else {
        request.state.site.find_organizations(filter, cursor(cursor_text)?.as_deref(), limit).await??
    };
    Ok(ok(&shown::organizations(page)?))
}

pub(super) async fn create(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor) = (&request.state.site, request.actor.clone());
    let new: NewOrganization = request.json().await?;
    Ok(created(&shown::organization(site.create_organization(&actor, &new.name).await??)?))
}

pub(super) async fn get(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, id) = (&request.state.site, request.number(0)?);
    let value = shown::organization(site.organization(id).await??)?;
    let causes = history::causes(site.organization_causes(id).await??)?;
    Ok(ok(&WithCauses { value, causes }))
}

pub(super) async fn update(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor, id) = (&request.state.site, request.actor.clone(), request.number(0)?);
    let update: Update = request.json().await?;
    let organization = match update.name {
        Some(name) => site.rename_organization(&actor, id, &name).await??,
        None => site.organization(id).await??,
    };
    Ok(ok(&shown::organization(organization)?))
}

pub(super) async fn delete(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    request.state.site.delete_organization(&request.actor, request.number(0)?).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn unlink(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let organization = request.state.site.unlink_organization(&request.actor, request.number(0)?).await??;
    Ok(ok(&shown::organization(organization)?))
}

pub(super) async fn members(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let (id, limit) = (request.number(0)?, limit(limit_text)?);
    let page = request.state.site.organization_members(id, position(cursor)?, limit).await??;
    Ok(ok(&shown::customers(page)?))
}

pub(super) async fn member(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let customer = request.state.site.organization_member(request.number(0)?, request.parameter(1)).await??;
    Ok(ok(&shown::customer(customer)?))
}

pub(super) async fn add_member(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let customers = vec![request.parameter(1).to_owned()];
    request.state.site.add_members(&request.actor, request.number(0)?, customers).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn remove_member(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let customers = vec![request.parameter(1).to_owned()];
    request.state.site.remove_members(&request.actor, request.number(0)?, customers).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}
