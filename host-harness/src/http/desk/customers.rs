//! `/rest/servicedeskapi/customer`

use super::super::admin_request::{AdminRequest, invalid};
use super::super::fault::{Fault, Rule};
use super::super::reply::{Reply, empty, json};
use super::shape;
use crate::runtime::site;
use hyper::StatusCode;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewCustomer {
    email: String,
    display_name: Option<String>,
    /// The older name of the same.
    full_name: Option<String>,
}

pub(super) async fn create(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [strict] = request.query_among(["strictConflictStatusCode"]);
    let strict = strict.is_some_and(|strict| strict.eq_ignore_ascii_case("true"));
    let (site, origin, actor) = (&request.state.site, request.origin()?, request.actor.clone());
    let new: NewCustomer = request.json().await?;
    let name = new.display_name.or(new.full_name).ok_or_else(|| invalid("`displayName` is needed."))?;
    let new = site::NewCustomer { email: new.email, display_name: name, time_zone: None, locale: None };
    let made = site.create_customer(&actor, new).await?.map_err(|error| {
        let mut fault = Fault::from(error);
        if fault.rule == Some(Rule::Unique) && !strict {
            fault.status = StatusCode::BAD_REQUEST;
        }
        fault
    });
    Ok(json(StatusCode::CREATED, "application/json", &shape::user(made?, &origin)))
}

/// No portal is open to the customer any more.
pub(super) async fn revoke_access(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let update =
        site::CustomerUpdate { email: None, display_name: None, active: Some(false), time_zone: None, locale: None };
    request.state.site.update_customer(&request.actor, request.parameter(0), update).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}
