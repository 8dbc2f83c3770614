//! The REST of service desks under `/rest/servicedeskapi`, in the shapes that existing clients of the reference product
//! read and write.

mod customers;
mod desks;
mod fault;
mod organizations;
mod page;
mod shape;

use super::admin_request::AdminRequest;
use super::context::RequestContext;
use super::fault::Fault;
use super::reply::Reply;
use super::routes::{Endpoints, Routes, endpoints};
use super::state::State;

pub(super) use fault::reply as shaped;

/// What every path of this surface starts with.
pub(super) const PREFIX: &str = "/rest/servicedeskapi/";

/// What the surface consists of.
pub(super) static ENDPOINTS: &Endpoints = endpoints! {
    "/rest/servicedeskapi/customer" => { POST customers::create }
    "/rest/servicedeskapi/customer/user/{accountId}/revoke-portal-only-access" => { PUT customers::revoke_access }
    "/rest/servicedeskapi/organization" => { GET organizations::list, POST organizations::create }
    "/rest/servicedeskapi/organization/{organizationId}" => { GET organizations::get, DELETE organizations::delete }
    "/rest/servicedeskapi/organization/{organizationId}/user" => {
        GET organizations::users,
        POST organizations::add_users,
        DELETE organizations::remove_users,
    }
    "/rest/servicedeskapi/servicedesk" => { GET desks::list }
    "/rest/servicedeskapi/servicedesk/{serviceDeskId}" => { GET desks::get }
    "/rest/servicedeskapi/servicedesk/{serviceDeskId}/organization" => {
        GET desks::organizations,
        POST desks::open_to_organization,
        DELETE desks::close_to_organization,
    }
    "/rest/servicedeskapi/servicedesk/{serviceDeskId}/customer" => {
        GET desks::customers,
        POST desks::add_customers,
        DELETE desks::remove_customers,
    }
};

pub(super) async fn answer(routes: &Routes, state: &State, context: &mut RequestContext<'_>) -> Result<Reply, Fault> {
    let (endpoint, parameters) = routes.find(&context.head.method, context.head.uri.path())?;
    let actor = state.admit(context).await?;
    tracing::debug!(request = context.id, actor, endpoint = endpoint.name, "service desk");
    (endpoint.handler)(AdminRequest::new(state, actor, parameters, context).await?).await
}
