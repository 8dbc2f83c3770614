//! What is deleted: `?deleted=true` of a list, `restore` and `erase`.

use super::super::admin_request::{AdminRequest, time};
use super::super::fault::Fault;
use super::super::reply::{Reply, empty};
use super::shape::{Page, ok};
use super::shown;
use crate::runtime::site::Position;
use hyper::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

/// Something deleted, with the members that it had.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deleted<T> {
    #[serde(flatten)]
    was: T,
    deleted_at: Timestamp,
    /// When it is erased, unless it is restored.
    erased_at: Timestamp,
}

pub(super) async fn customers(request: &AdminRequest<'_>, position: Position, limit: u32) -> Result<Reply, Fault> {
    let page = request.state.site.deleted_customers(position, limit).await??;
    let values = page.values.into_iter().map(|deleted| {
        let was = shown::customer(deleted.customer)?;
        Ok(Deleted { was, deleted_at: time(deleted.deleted_at)?, erased_at: time(deleted.erased_at)? })
    });
    Ok(ok(&Page { values: values.collect::<Result<Vec<_>, Fault>>()?, next: page.next }))
}

pub(super) async fn restore_customer(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let customer = request.state.site.restore_customer(&request.actor, request.parameter(0)).await??;
    Ok(ok(&shown::customer(customer)?))
}

pub(super) async fn erase_customer(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    request.state.site.erase_customer(&request.actor, request.parameter(0)).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn organizations(request: &AdminRequest<'_>, position: Position, limit: u32) -> Result<Reply, Fault> {
    let page = request.state.site.deleted_organizations(position, limit).await??;
    let values = page.values.into_iter().map(|deleted| {
        let was = shown::organization(deleted.organization)?;
        Ok(Deleted { was, deleted_at: time(deleted.deleted_at)?, erased_at: time(deleted.erased_at)? })
    });
    Ok(ok(&Page { values: values.collect::<Result<Vec<_>, Fault>>()?, next: page.next }))
}

pub(super) async fn restore_organization(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let organization = request.state.site.restore_organization(&request.actor, request.number(0)?).await??;
    Ok(ok(&shown::organization(organization)?))
}
