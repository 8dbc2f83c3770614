//! `/admin/v1/directories/{id}/status`

use super::super::admin_request::{AdminRequest, time};
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::keys::{self, Key};
use super::requests::{self, LoggedRequest};
use super::shape::ok;
use crate::runtime::directories;
use jiff::Timestamp;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    state: directories::State,
    warnings: Vec<directories::Warning>,
    users: u64,
    groups: u64,
    memberships: u64,
    largest_group: Option<LargestGroup>,
    unlinked: u64,
    unlinked_by: Vec<UnlinkedCount>,
    conflicts: u64,
    planned: u64,
    limits: Limits,
    last_request_at: Option<Timestamp>,
    last_success_at: Option<Timestamp>,
    usual_interval_seconds: Option<u64>,
    first_sync: Option<FirstSync>,
    silent_since: Option<Timestamp>,
    last_failure: Option<LoggedRequest>,
    failures_in_24_hours: u32,
    hours: Vec<Hour>,
    held: u32,
    released_until: Option<Timestamp>,
    capture: Option<Capture>,
    keys: Vec<KeyStatus>,
    refused_for_key: Vec<RefusedRequests>,
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
struct FirstSync {
    since: Timestamp,
    changes: u64,
}

#[derive(Serialize)]
struct LargestGroup {
    id: String,
    name: String,
    members: u32,
}

#[derive(Serialize)]
struct UnlinkedCount {
    reason: directories::UnlinkedReason,
    count: u64,
}

#[derive(Serialize)]
struct Capture {
    until: Timestamp,
    values: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefusedRequests {
    /// Whether the key had expired; otherwise it was a wrong or revoked one, or none.
    expired: bool,
    count: u64,
    last_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyStatus {
    #[serde(flatten)]
    key: Key,
    last_used_at: Option<Timestamp>,
    expires_soon: bool,
}

pub(super) async fn status(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let status = request.state.site.directory_status(request.parameter(0)).await??;
    let hours = status.hours.into_iter().map(|hour| {
        let directories::Hour { at, requests, failures, changes } = hour;
        Ok(Hour { at: time(at)?, requests, failures, changes })
    });
    let keys = status.keys.into_iter().map(|status| {
        let last_used_at = status.last_used.map(time).transpose()?;
        Ok(KeyStatus { key: keys::shown(status.key)?, last_used_at, expires_soon: status.expires_soon })
    });
    let refused = status.refused.into_iter().map(|refused| {
        let directories::RefusedRequests { expired, count, last } = refused;
        Ok(RefusedRequests { expired, count, last_at: time(last)? })
    });
    let unlinked_by = status.unlinked_by.into_iter();
    let values = status.captured_values;
    Ok(ok(&Status {
        state: status.state,
        warnings: status.warnings,
        users: status.users,
        groups: status.groups,
        memberships: status.memberships,
        largest_group: status.largest_group.map(|directories::LargestGroup { id, name, members }| LargestGroup {
            id,
            name,
            members,
        }),
        unlinked: status.unlinked,
        unlinked_by: unlinked_by
            .map(|directories::UnlinkedCount { reason, count }| UnlinkedCount { reason, count })
            .collect(),
        conflicts: status.conflicts,
        planned: status.planned,
        limits: Limits { groups: status.group_limit, members_of_a_group: status.member_limit },
        last_request_at: status.last_request.map(time).transpose()?,
        last_success_at: status.last_success.map(time).transpose()?,
        usual_interval_seconds: status.usual_interval.map(|interval| interval / 1_000),
        first_sync: status
            .first_sync
            .map(|directories::FirstSync { since, changes }| Ok::<_, Fault>(FirstSync { since: time(since)?, changes }))
            .transpose()?,
        silent_since: status.silent_since.map(time).transpose()?,
        last_failure: status.last_failure.map(requests::shown).transpose()?,
        failures_in_24_hours: status.failures,
        hours: hours.collect::<Result<_, Fault>>()?,
        held: status.held,
        released_until: status.released_until.map(time).transpose()?,
        capture: status
            .captured_until
            .map(|until| Ok::<_, Fault>(Capture { until: time(until)?, values }))
            .transpose()?,
        keys: keys.collect::<Result<_, Fault>>()?,
        refused_for_key: refused.collect::<Result<_, Fault>>()?,
    }))
}
