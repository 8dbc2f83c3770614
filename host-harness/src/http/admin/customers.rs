//! `/admin/v1/customers`

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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewCustomer {
    email: String,
    display_name: String,
    time_zone: Option<String>,
    locale: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    email: Option<String>,
    display_name: Option<String>,
    active: Option<bool>,
    time_zone: Option<String>,
    locale: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Relinking {
    directory: Option<String>,
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let known = ["cursor", "limit", "deleted", "query", "directory", "state"];
    let [cursor_text, limit_text, deleted, query, directory, state] = request.query(known)?;
    let limit = limit(limit_text)?;
    let filter = site::CustomerFilter { query, directory, state: word("state", state)? };
    let is_plain = filter.query.is_none() && filter.directory.is_none() && filter.state.is_none();
    if flag("deleted", deleted.as_deref())? {
        if !is_plain {
            return Err(invalid("Deleted customers cannot be searched: `deleted` stands alone."));
        }
        return bin::customers(&request, position(cursor_text)?, limit).await;
    }
    let page = if is_plain {
        request.state.site.customers(position(cursor_text)?, limit).await??
    } else {
        request.state.site.find_customers(filter, cursor(cursor_text)?.as_deref(), limit).await??
    };
    Ok(ok(&shown::customers(page)?))
}

pub(super) async fn organizations(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let values = request.state.site.organizations_of(request.parameter(0)).await??;
    Ok(ok(&shown::organizations(site::OrganizationPage { values, next: None })?))
}

pub(super) async fn create(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor) = (&request.state.site, request.actor.clone());
    let new: NewCustomer = request.json().await?;
    let new = site::NewCustomer {
        email: new.email,
        display_name: new.display_name,
        time_zone: new.time_zone,
        locale: new.locale,
    };
    Ok(created(&shown::customer(site.create_customer(&actor, new).await??)?))
}

pub(super) async fn get(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, id) = (&request.state.site, request.parameter(0));
    let value = shown::customer(site.customer(id).await??)?;
    let causes = history::causes(site.customer_causes(id).await??)?;
    Ok(ok(&WithCauses { value, causes }))
}

pub(super) async fn update(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor, id) = (&request.state.site, request.actor.clone(), request.parameter(0).to_owned());
    let update: Update = request.json().await?;
    let update = site::CustomerUpdate {
        email: update.email,
        display_name: update.display_name,
        active: update.active,
        time_zone: update.time_zone,
        locale: update.locale,
    };
    Ok(ok(&shown::customer(site.update_customer(&actor, &id, update).await??)?))
}

pub(super) async fn delete(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    request.state.site.delete_customer(&request.actor, request.parameter(0)).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn unlink(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    Ok(ok(&shown::customer(request.state.site.unlink_customer(&request.actor, request.parameter(0)).await??)?))
}

pub(super) async fn relink(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor, id) = (&request.state.site, request.actor.clone(), request.parameter(0).to_owned());
    let relinking: Relinking = request.json_or_nothing().await?.unwrap_or_default();
    Ok(ok(&shown::customer(site.relink_customer(&actor, &id, relinking.directory.as_deref()).await??)?))
}
