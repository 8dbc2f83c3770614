//! `/admin/v1/customers`

use super::super::call::{Call, time};
use super::super::reply::{Fault, Reply, empty};
use super::bin;
use super::shape::{Page, created, flag, limit, ok, position};
use crate::runtime::site;
use hyper::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Customer {
    id: String,
    email: String,
    display_name: String,
    active: bool,
    time_zone: Option<String>,
    locale: String,
    created_at: Timestamp,
    managed_by: Option<String>,
}

pub(super) async fn list(call: Call<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text, deleted] = call.query(["cursor", "limit", "deleted"])?;
    let (position, limit) = (position(cursor)?, limit(limit_text)?);
    if flag("deleted", deleted.as_deref())? {
        return bin::customers(&call, position, limit).await;
    }
    let page = call.service.site.customers(position, limit).await??;
    Ok(ok(&shown_page(page)?))
}

pub(super) async fn create(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let (site, actor) = (&call.service.site, call.actor.clone());
    let new: NewCustomer = call.json().await?;
    let new = site::NewCustomer {
        email: new.email,
        display_name: new.display_name,
        time_zone: new.time_zone,
        locale: new.locale,
    };
    Ok(created(&shown(site.create_customer(&actor, new).await??)?))
}

pub(super) async fn get(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    Ok(ok(&shown(call.service.site.customer(call.parameter(0)).await??)?))
}

pub(super) async fn update(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let (site, actor, id) = (&call.service.site, call.actor.clone(), call.parameter(0).to_owned());
    let update: Update = call.json().await?;
    let update = site::CustomerUpdate {
        email: update.email,
        display_name: update.display_name,
        active: update.active,
        time_zone: update.time_zone,
        locale: update.locale,
    };
    Ok(ok(&shown(site.update_customer(&actor, &id, update).await??)?))
}

pub(super) async fn delete(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    call.service.site.delete_customer(&call.actor, call.parameter(0)).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn unlink(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    Ok(ok(&shown(call.service.site.unlink_customer(&call.actor, call.parameter(0)).await??)?))
}

pub(super) async fn relink(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let (site, actor, id) = (&call.service.site, call.actor.clone(), call.parameter(0).to_owned());
    let relinking: Relinking = call.json_or_nothing().await?.unwrap_or_default();
    Ok(ok(&shown(site.relink_customer(&actor, &id, relinking.directory.as_deref()).await??)?))
}

pub(super) fn shown_page(page: site::CustomerPage) -> Result<Page<Customer, String>, Fault> {
    let values = page.values.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(Page { values, next: page.next })
}

pub(super) fn shown(customer: site::Customer) -> Result<Customer, Fault> {
    Ok(Customer {
        id: customer.id,
        email: customer.email,
        display_name: customer.display_name,
        active: customer.active,
        time_zone: customer.time_zone,
        locale: customer.locale,
        created_at: time(customer.created_at)?,
        managed_by: customer.managed_by,
    })
}
