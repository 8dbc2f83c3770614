//! `/admin/v1/directories/{id}/status`, `/requests` and `/release`

use super::super::admin_request::{AdminRequest, time};
use super::super::fault::Fault;
use super::super::reply::{Reply, empty};
use super::keys::{self, Key};
use super::shape::{Page, limit, ok};
use crate::runtime::directories;
use hyper::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    state: directories::State,
    users: u64,
    groups: u64,
    memberships: u64,
    unlinked: u64,
    conflicts: u64,
    limits: Limits,
    last_request_at: Option<Timestamp>,
    last_success_at: Option<Timestamp>,
    last_failure: Option<LoggedRequest>,
    failures_in_24_hours: u32,
    hours: Vec<Hour>,
    released_until: Option<Timestamp>,
    keys: Vec<KeyStatus>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Limits {
    groups: u64,
    members_of_a_group: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Hour {
    at: Timestamp,
    requests: u32,
    failures: u32,
    changes: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyStatus {
    #[serde(flatten)]
    key: Key,
    expires_soon: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedRequest {
    sequence: u64,
    at: Timestamp,
    method: String,
    path: String,
    request: Option<String>,
    status: u16,
    scim_type: Option<String>,
    detail: Option<String>,
    changes: BTreeMap<String, u32>,
    dry_run: bool,
    operations: Option<u32>,
    refused: Option<u32>,
    notes: Vec<String>,
}

pub(super) async fn status(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let status = request.state.site.directory_status(request.parameter(0)).await??;
    let hours = status.hours.into_iter().map(|hour| {
        let directories::Hour { at, requests, failures, changes } = hour;
        Ok(Hour { at: time(at)?, requests, failures, changes })
    });
    let keys = status
        .keys
        .into_iter()
        .map(|status| Ok(KeyStatus { key: keys::shown(status.key)?, expires_soon: status.expires_soon }));
    Ok(ok(&Status {
        state: status.state,
        users: status.users,
        groups: status.groups,
        memberships: status.memberships,
        unlinked: status.unlinked,
        conflicts: status.conflicts,
        limits: Limits { groups: status.group_limit, members_of_a_group: status.member_limit },
        last_request_at: status.last_request.map(time).transpose()?,
        last_success_at: status.last_success.map(time).transpose()?,
        last_failure: status.last_failure.map(shown).transpose()?,
        failures_in_24_hours: status.failures,
        hours: hours.collect::<Result<_, Fault>>()?,
        released_until: status.released_until.map(time).transpose()?,
        keys: keys.collect::<Result<_, Fault>>()?,
    }))
}

pub(super) async fn requests(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let limit = limit(limit_text)?;
    let page = request.state.site.requests(request.parameter(0), cursor.as_deref(), limit).await??;
    let values = page.values.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(ok(&Page { values, next: page.next }))
}

pub(super) async fn release(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    request.state.site.release_deletions(&request.actor, request.parameter(0)).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn shown(request: directories::LoggedRequest) -> Result<LoggedRequest, Fault> {
    Ok(LoggedRequest {
        sequence: request.sequence,
        at: time(request.at)?,
        method: request.method,
        path: request.path,
        request: request.request,
        status: request.status,
        scim_type: request.scim_type,
        detail: request.detail,
        changes: request.changes.into_iter().map(|change| (change.kind, change.count)).collect(),
        dry_run: request.dry_run,
        operations: request.operations,
        refused: request.refused,
        notes: request.notes,
    })
}
