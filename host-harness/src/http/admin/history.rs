//! `/admin/v1/customers/{id}/history`, `/admin/v1/organizations/{id}/history`

use super::super::admin_request::{AdminRequest, time};
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::shape::{Page, limit, ok};
use crate::runtime::site;
use jiff::Timestamp;
use serde::Serialize;

#[derive(Serialize)]
struct Entry {
    sequence: u64,
    at: Timestamp,
    actor: String,
    request: Option<String>,
    kind: String,
    /// The user or group that it was done for.
    resource: Option<String>,
    values: Vec<Value>,
}

/// What the site shows of something, before and after.
#[derive(Serialize)]
pub(super) struct Value {
    attribute: String,
    old: Option<String>,
    new: Option<String>,
}

impl From<site::ValueChange> for Value {
    fn from(site::ValueChange { attribute, old, new }: site::ValueChange) -> Self {
        Self { attribute, old, new }
    }
}

/// Something, with what put it into its state.
#[derive(Serialize)]
pub(super) struct WithCauses<T> {
    #[serde(flatten)]
    pub(super) value: T,
    pub(super) causes: Causes,
}

/// What put something into its state.
#[derive(Serialize)]
pub(super) struct Causes {
    status: Option<Entry>,
    link: Option<Entry>,
    name: Option<Entry>,
}

pub(super) async fn of_customer(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let limit = limit(limit_text)?;
    page(request.state.site.customer_history(request.parameter(0), cursor.as_deref(), limit).await??)
}

pub(super) async fn of_organization(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let limit = limit(limit_text)?;
    page(request.state.site.organization_history(request.number(0)?, cursor.as_deref(), limit).await??)
}

pub(super) fn causes(causes: site::Causes) -> Result<Causes, Fault> {
    Ok(Causes {
        status: causes.status.map(entry).transpose()?,
        link: causes.link.map(entry).transpose()?,
        name: causes.name.map(entry).transpose()?,
    })
}

fn page(page: site::HistoryPage) -> Result<Reply, Fault> {
    let values = page.values.into_iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    Ok(ok(&Page { values, next: page.next }))
}

fn entry(entry: site::HistoryEntry) -> Result<Entry, Fault> {
    Ok(Entry {
        sequence: entry.sequence,
        at: time(entry.at)?,
        actor: entry.actor,
        request: entry.request,
        kind: entry.kind,
        resource: entry.resource,
        values: entry.values.into_iter().map(Value::from).collect(),
    })
}
