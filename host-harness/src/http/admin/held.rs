//! `/admin/v1/directories/{id}/held` and `/release`

use super::super::admin_request::{AdminRequest, time};
use super::super::fault::Fault;
use super::super::reply::{Reply, empty};
use super::shape::{Page, limit, ok};
use crate::runtime::directories::{self, ResourceKind};
use hyper::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

#[derive(Serialize)]
struct Held {
    kind: ResourceKind,
    id: String,
    name: String,
    /// Whether it is to be deleted; otherwise it is to be deactivated.
    deletes: bool,
    since: Timestamp,
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let (id, limit) = (request.parameter(0), limit(limit_text)?);
    let page = request.state.site.held(id, cursor.as_deref(), limit).await??;
    let values = page.values.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(ok(&Page { values, next: page.next }))
}

pub(super) async fn release(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    request.state.site.release_deletions(&request.actor, request.parameter(0)).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn shown(held: directories::HeldDeletion) -> Result<Held, Fault> {
    let directories::HeldDeletion { kind, id, name, deletes, since } = held;
    Ok(Held { kind, id, name, deletes, since: time(since)? })
}
