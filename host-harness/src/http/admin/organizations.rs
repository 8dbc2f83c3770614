//! `/admin/v1/organizations`

use super::super::call::{Call, time};
use super::super::reply::{Fault, Reply, empty};
use super::shape::{Page, created, flag, limit, ok, position};
use super::{bin, customers};
use crate::runtime::site;
use hyper::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Organization {
    id: u64,
    name: String,
    uuid: String,
    created_at: Timestamp,
    managed_by: Option<String>,
    group: Option<String>,
}

pub(super) async fn list(call: Call<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text, deleted] = call.query(["cursor", "limit", "deleted"])?;
    let (position, limit) = (position(cursor)?, limit(limit_text)?);
    if flag("deleted", deleted.as_deref())? {
        return bin::organizations(&call, position, limit).await;
    }
    let page = call.service.site.organizations(position, limit).await??;
    Ok(ok(&shown_page(page)?))
}

pub(super) async fn create(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let (site, actor) = (&call.service.site, call.actor.clone());
    let new: NewOrganization = call.json().await?;
    Ok(created(&shown(site.create_organization(&actor, &new.name).await??)?))
}

pub(super) async fn get(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    Ok(ok(&shown(call.service.site.organization(call.number(0)?).await??)?))
}

pub(super) async fn update(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let (site, actor, id) = (&call.service.site, call.actor.clone(), call.number(0)?);
    let update: Update = call.json().await?;
    let organization = match update.name {
        Some(name) => site.rename_organization(&actor, id, &name).await??,
        None => site.organization(id).await??,
    };
    Ok(ok(&shown(organization)?))
}

pub(super) async fn delete(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    call.service.site.delete_organization(&call.actor, call.number(0)?).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn members(call: Call<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = call.query(["cursor", "limit"])?;
    let (id, limit) = (call.number(0)?, limit(limit_text)?);
    let page = call.service.site.organization_members(id, position(cursor)?, limit).await??;
    Ok(ok(&customers::shown_page(page)?))
}

pub(super) async fn member(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let customer = call.service.site.organization_member(call.number(0)?, call.parameter(1)).await??;
    Ok(ok(&customers::shown(customer)?))
}

pub(super) async fn add_member(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let customers = vec![call.parameter(1).to_owned()];
    call.service.site.add_members(&call.actor, call.number(0)?, customers).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn remove_member(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let customers = vec![call.parameter(1).to_owned()];
    call.service.site.remove_members(&call.actor, call.number(0)?, customers).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) fn shown_page(page: site::OrganizationPage) -> Result<Page<Organization, String>, Fault> {
    let values = page.values.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(Page { values, next: page.next })
}

pub(super) fn shown(organization: site::Organization) -> Result<Organization, Fault> {
    Ok(Organization {
        id: organization.id,
        name: organization.name,
        uuid: organization.uuid,
        created_at: time(organization.created_at)?,
        managed_by: organization.managed_by,
        group: organization.group,
    })
}
