//! The details of a change as text.

use alloc::string::String;

use serde::Serialize;

use crate::json;
use crate::store::feed::Detail;
use crate::store::records::UnlinkedReason;

/// The details of a change, as readers of the feed get them. The stored form may change without changing this one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    members: &'d [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changed: &'d [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<bool>,
}

/// The details as a JSON object.
pub(super) fn describe(detail: &Detail) -> String {
    json::to_text(&Details {
        directory: detail.directory.as_deref(),
        key: detail.key.as_deref(),
        link: detail.link.as_deref(),
        user: detail.user.as_deref(),
        group: detail.group.as_deref(),
        customer: detail.customer.as_deref(),
        organization: detail.organization,
        project: detail.project,
        members: &detail.members,
        days: detail.days,
        changed: &detail.changed,
        reason: detail.reason.map(|reason| match reason {
            UnlinkedReason::NoEmail => "noEmail",
            UnlinkedReason::Unlinked => "unlinked",
            UnlinkedReason::OutsideDomains => "outsideDomains",
            UnlinkedReason::Staged => "staged",
            UnlinkedReason::AddressTaken => "addressTaken",
        }),
        action: detail.action.as_deref(),
        count: detail.count,
        first: detail.first.as_deref(),
        last: detail.last.as_deref(),
        until: detail.until.as_deref(),
        values: detail.values,
    })
}
