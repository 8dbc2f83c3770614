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
    let Asked { filter, after, limit: limit_text, before, order, since } = asked(&request)?;
    let limit = limit(limit_text)?;
    let site = &request.state.site;
    let position = |name: &str, text: Option<String>| {
        text.map(|text| number(&text).ok_or_else(|| invalid(format!("`{name}` is the number of a change, or 0."))))
            .transpose()
    };
    let (after, before) = (position("after", after)?, position("before", before)?);
    let part = match (order.as_deref(), after, before, since) {
        (Some("newest"), None, before, None) => site.changes_back(before, filter, limit).await??,
        (Some("newest"), ..) => return Err(invalid("With `order=newest`, changes are asked for by `before`.")),
        (Some("oldest") | None, after, None, None) => site.changes(after.unwrap_or(0), filter, limit).await??,
        (Some("oldest") | None, None, None, Some(since)) => {
            let since: Timestamp = since.parse().map_err(|_| invalid("`since` is a time as in RFC 3339."))?;
            // No change was made before 1970.
            let since = u64::try_from(since.as_millisecond()).unwrap_or(0);
            let after = site.changes_before_time(since).await??;
            site.changes(after, filter, limit).await??
        }
        (Some("oldest") | None, ..) => {
            return Err(invalid(
                "Changes are asked for by one of `after` and `since`, or by `before` with `order=newest`.",
            ));
        }
        (Some(_), ..) => return Err(invalid("`order` is `oldest` or `newest`.")),
    };
    let values = part.changes.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(ok(&Page { values, next: part.more.then_some(part.position) }))
}

/// What a query asks for.
pub(super) struct Asked {
    /// Which changes.
    pub(super) filter: changes::Filter,
    /// Where to begin.
    pub(super) after: Option<String>,
    /// How many.
    pub(super) limit: Option<String>,
    before: Option<String>,
    order: Option<String>,
    since: Option<String>,
}

impl Asked {
    /// The same where there is nothing but a filter and a place to begin at: as the name of a parameter that is there
    /// besides.
    pub(super) fn other(&self) -> Option<&'static str> {
        let Self { limit, before, order, since, .. } = self;
        let others = [("limit", limit), ("before", before), ("order", order), ("since", since)];
        others.into_iter().find_map(|(name, value)| value.is_some().then_some(name))
    }
}

pub(super) fn asked(request: &AdminRequest<'_>) -> Result<Asked, Fault> {
    let [kinds, actor, directory, user, group, customer, organization, project, after, limit, before, order, since] =
        request.query([
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
            "before",
            "order",
            "since",
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
    Ok(Asked { filter, after, limit, before, order, since })
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
