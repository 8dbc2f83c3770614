//! `/admin/v1/changes`

use super::super::admin_request::{AdminRequest, invalid, number, time};
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
    let (filter, [after, limit_text]) = asked(&request)?;
    let after = after.map_or(Ok(0), |after| {
        let after = after.parse::<u64>();
        after.map_err(|_| invalid("`after` is the number of a change, or 0."))
    })?;
    let part = request.state.site.changes(after, filter, limit(limit_text)?).await??;
    let values = part.changes.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(ok(&Page { values, next: part.more.then_some(part.position) }))
}

/// Which changes a query asks for, with where to begin and how many.
pub(super) fn asked(request: &AdminRequest<'_>) -> Result<(changes::Filter, [Option<String>; 2]), Fault> {
    let [kinds, actor, directory, user, group, customer, organization, project, after, limit] = request.query([
        "kind",
        "actor",
        "directory",
        "user",
        "group",
        "customer",
        "organization",
        "project",
        "after",
        "limit",
    ])?;
    let whole = |name: &str, text: Option<String>| {
        text.map(|text| number(&text).ok_or_else(|| invalid(format!("`{name}` is a number.")))).transpose()
    };
    let filter = changes::Filter {
        kinds: kinds.iter().flat_map(|kinds| kinds.split(',')).map(str::to_owned).collect(),
        actor,
        directory,
        user,
        group,
        customer,
        organization: whole("organization", organization)?,
        project: whole("project", project)?,
    };
    Ok((filter, [after, limit]))
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
