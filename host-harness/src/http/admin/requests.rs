//! `/admin/v1/directories/{id}/requests`, and `/capture` of their bodies

use super::super::admin_request::{AdminRequest, time};
use super::super::fault::Fault;
use super::super::reply::{Reply, empty};
use super::shape::{Page, flag, limit, ok, whole};
use crate::runtime::directories::{self, Effect, LogFilter, ResourceKind};
use hyper::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoggedRequest {
    sequence: u64,
    at: Timestamp,
    method: String,
    path: String,
    request: Option<String>,
    status: u16,
    scim_type: Option<String>,
    detail: Option<String>,
    effect: Option<Effect>,
    subject: Option<Subject>,
    attributes: Vec<String>,
    members: Option<Members>,
    changes: BTreeMap<String, u32>,
    operations: Option<u32>,
    refused: Option<u32>,
    listed: Vec<Operation>,
    notes: Vec<String>,
    has_body: bool,
}

#[derive(Serialize)]
struct Subject {
    kind: ResourceKind,
    id: Option<String>,
    name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    to_add: u32,
    added: u32,
    to_remove: u32,
    removed: u32,
}

#[derive(Serialize)]
struct Operation {
    method: String,
    subject: Option<Subject>,
    status: u16,
    effect: Effect,
}

#[derive(Serialize)]
struct WholeRequest {
    #[serde(flatten)]
    request: LoggedRequest,
    body: Option<Body>,
}

#[derive(Serialize)]
struct Body {
    text: String,
    bytes: u64,
    cut: bool,
    values: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewCapture {
    seconds: serde_json::Number,
    #[serde(default)]
    values: bool,
}

#[derive(Serialize)]
struct Capture {
    until: Timestamp,
    values: bool,
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [subject, name, failed, cursor, limit_text] =
        request.query(["subject", "name", "failed", "cursor", "limit"])?;
    let (id, limit) = (request.parameter(0), limit(limit_text)?);
    let filter = LogFilter { subject, name, failed: flag("failed", failed.as_deref())? };
    let page = request.state.site.requests(id, filter, cursor.as_deref(), limit).await??;
    let values = page.values.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(ok(&Page { values, next: page.next }))
}

pub(super) async fn get(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (id, sequence) = (request.parameter(0), request.number(1)?);
    let directories::WholeRequest { request, body } = request.state.site.request(id, sequence).await??;
    let body = body.map(|directories::CapturedBody { text, bytes, cut, values }| Body { text, bytes, cut, values });
    Ok(ok(&WholeRequest { request: shown(request)?, body }))
}

pub(super) async fn start_capture(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor, id) = (&request.state.site, request.actor.clone(), request.parameter(0).to_owned());
    let NewCapture { seconds, values } = request.json().await?;
    let until = site.start_capture(&actor, &id, whole("seconds", &seconds)?, values).await??;
    Ok(ok(&Capture { until: time(until)?, values }))
}

pub(super) async fn stop_capture(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    request.state.site.stop_capture(&request.actor, request.parameter(0)).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) fn shown(request: directories::LoggedRequest) -> Result<LoggedRequest, Fault> {
    let subject = |subject: directories::LogSubject| {
        let directories::LogSubject { kind, id, name } = subject;
        Subject { kind, id, name }
    };
    Ok(LoggedRequest {
        sequence: request.sequence,
        at: time(request.at)?,
        method: request.method,
        path: request.path,
        request: request.request,
        status: request.status,
        scim_type: request.scim_type,
        detail: request.detail,
        effect: request.effect,
        subject: request.subject.map(subject),
        attributes: request.attributes,
        members: request.members.map(|members| {
            let directories::MemberCounts { to_add, added, to_remove, removed } = members;
            Members { to_add, added, to_remove, removed }
        }),
        changes: request.changes.into_iter().map(|change| (change.kind, change.count)).collect(),
        operations: request.operations,
        refused: request.refused,
        listed: request
            .listed
            .into_iter()
            .map(|operation| Operation {
                method: operation.method,
                subject: operation.subject.map(subject),
                status: operation.status,
                effect: operation.effect,
            })
            .collect(),
        notes: request.notes,
        has_body: request.has_body,
    })
}
