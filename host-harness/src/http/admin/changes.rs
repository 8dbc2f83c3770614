//! `/admin/v1/changes`

use super::super::admin_request::{AdminRequest, invalid, time};
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::shape::{Page, limit, ok};
use crate::runtime::changes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
pub(super) struct Change {
    pub(super) sequence: u64,
    at: Timestamp,
    actor: String,
    request: Option<String>,
    pub(super) kind: String,
    detail: Box<RawValue>,
}

pub(super) async fn read(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [after, limit_text] = request.query(["after", "limit"])?;
    let after = after.map_or(Ok(0), |after| {
        let after = after.parse::<u64>();
        after.map_err(|_| invalid("`after` is the number of a change, or 0."))
    })?;
    let limit = limit(limit_text)?;
    let changes = request.state.site.changes(after, limit).await??;
    let last = changes.last().map(|change| change.sequence);
    let values = changes.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    let next = last.filter(|_| values.len() >= limit as usize);
    Ok(ok(&Page { values, next }))
}

pub(super) fn shown(change: changes::Change) -> Result<Change, Fault> {
    let detail = RawValue::from_string(change.detail).map_err(|error| {
        tracing::error!(%error, sequence = change.sequence, "a change's detail is no JSON");
        Fault::internal()
    })?;
    Ok(Change {
        sequence: change.sequence,
        at: time(change.at)?,
        actor: change.actor,
        request: change.request,
        kind: change.kind,
        detail,
    })
}
