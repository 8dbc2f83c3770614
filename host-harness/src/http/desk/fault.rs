//! Errors in the shape of this surface.

use super::super::fault::{Fault, Rule};
use super::super::reply::{Reply, json};
use hyper::StatusCode;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    error_message: &'a str,
    i18n_error_message: Message,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    i18n_key: &'static str,
    parameters: [&'static str; 0],
}

/// An error as it is sent. What is managed is forbidden to everyone here, as it is in the reference product to those who
/// lack a permission: its clients take a conflict for something that another name would solve.
pub(in crate::http) fn reply(mut fault: Fault) -> Reply {
    if fault.rule == Some(Rule::Managed) {
        fault.status = StatusCode::FORBIDDEN;
    }
    let body =
        Body { error_message: &fault.detail, i18n_error_message: Message { i18n_key: key(&fault), parameters: [] } };
    let reply = json(fault.status, "application/json", &body);
    fault.finish(reply)
}

/// What a client may look a translation up with.
fn key(fault: &Fault) -> &'static str {
    match (fault.rule, fault.status) {
        (Some(Rule::Managed), _) => "usher.error.managed",
        (Some(Rule::Unique), _) => "usher.error.taken",
        (None, StatusCode::UNAUTHORIZED) => "usher.error.unauthorized",
        (None, StatusCode::FORBIDDEN) => "usher.error.forbidden",
        (None, StatusCode::NOT_FOUND) => "usher.error.not-found",
        (None, StatusCode::METHOD_NOT_ALLOWED) => "usher.error.method",
        (None, StatusCode::SERVICE_UNAVAILABLE) => "usher.error.unavailable",
        (None, status) if status.is_server_error() => "usher.error.internal",
        (None, _) => "usher.error.invalid",
    }
}
