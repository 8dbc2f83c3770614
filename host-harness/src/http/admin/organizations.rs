//! `/admin/v1/organizations`

use super::super::call::Call;
use super::super::fault::Fault;
use super::super::reply::{Reply, empty};
use super::shape::{created, flag, limit, ok, position};
use super::{bin, shown};
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

pub(super) async fn list(call: Call<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text, deleted] = call.query(["cursor", "limit", "deleted"])?;
    let (position, limit) = (position(cursor)?, limit(limit_text)?);
    if flag("deleted", deleted.as_deref())? {
        return bin::organizations(&call, position, limit).await;
    }
    let page = call.state.site.organizations(position, limit).await??;
    Ok(ok(&shown::organizations(page)?))
}

pub(super) async fn create(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let (site, actor) = (&call.state.site, call.actor.clone());
    let new: NewOrganization = call.json().await?;
    Ok(created(&shown::organization(site.create_organization(&actor, &new.name).await??)?))
}

pub(super) async fn get(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    Ok(ok(&shown::organization(call.state.site.organization(call.number(0)?).await??)?))
}

pub(super) async fn update(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let (site, actor, id) = (&call.state.site, call.actor.clone(), call.number(0)?);
    let update: Update = call.json().await?;
    let organization = match update.name {
        Some(name) => site.rename_organization(&actor, id, &name).await??,
        None => site.organization(id).await??,
    };
    Ok(ok(&shown::organization(organization)?))
}

pub(super) async fn delete(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    call.state.site.delete_organization(&call.actor, call.number(0)?).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn members(call: Call<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = call.query(["cursor", "limit"])?;
    let (id, limit) = (call.number(0)?, limit(limit_text)?);
    let page = call.state.site.organization_members(id, position(cursor)?, limit).await??;
    Ok(ok(&shown::customers(page)?))
}

pub(super) async fn member(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let customer = call.state.site.organization_member(call.number(0)?, call.parameter(1)).await??;
    Ok(ok(&shown::customer(customer)?))
}

pub(super) async fn add_member(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let customers = vec![call.parameter(1).to_owned()];
    call.state.site.add_members(&call.actor, call.number(0)?, customers).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn remove_member(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let customers = vec![call.parameter(1).to_owned()];
    call.state.site.remove_members(&call.actor, call.number(0)?, customers).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}
