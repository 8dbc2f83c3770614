//! The REST of service desks under `/rest/servicedeskapi`, in the shapes that existing clients of the reference product
//! read and write.

mod customers;
mod desks;
mod fault;
mod organizations;
mod page;
mod shape;

use super::asked::Asked;
use super::call::Call;
use super::fault::Fault;
use super::reply::Reply;
use super::routes::Routes;
use super::state::State;
use hyper::Method;

pub(super) use fault::reply as shaped;

/// What every path of this surface starts with.
pub(super) const PREFIX: &str = "/rest/servicedeskapi/";

/// What the surface consists of.
pub(super) static ENDPOINTS: &[(&str, &[(Method, Endpoint)])] = &[
    ("/rest/servicedeskapi/customer", &[(Method::POST, Endpoint::CreateCustomer)]),
    (
        "/rest/servicedeskapi/customer/user/{accountId}/revoke-portal-only-access",
        &[(Method::PUT, Endpoint::RevokeAccess)],
    ),
    (
        "/rest/servicedeskapi/organization",
        &[(Method::GET, Endpoint::ListOrganizations), (Method::POST, Endpoint::CreateOrganization)],
    ),
    (
        "/rest/servicedeskapi/organization/{organizationId}",
        &[(Method::GET, Endpoint::GetOrganization), (Method::DELETE, Endpoint::DeleteOrganization)],
    ),
    (
        "/rest/servicedeskapi/organization/{organizationId}/user",
        &[
            (Method::GET, Endpoint::ListUsers),
            (Method::POST, Endpoint::AddUsers),
            (Method::DELETE, Endpoint::RemoveUsers),
        ],
    ),
    ("/rest/servicedeskapi/servicedesk", &[(Method::GET, Endpoint::ListDesks)]),
    ("/rest/servicedeskapi/servicedesk/{serviceDeskId}", &[(Method::GET, Endpoint::GetDesk)]),
    (
        "/rest/servicedeskapi/servicedesk/{serviceDeskId}/organization",
        &[
            (Method::GET, Endpoint::ListDeskOrganizations),
            (Method::POST, Endpoint::AddDeskOrganization),
            (Method::DELETE, Endpoint::RemoveDeskOrganization),
        ],
    ),
    (
        "/rest/servicedeskapi/servicedesk/{serviceDeskId}/customer",
        &[
            (Method::GET, Endpoint::ListDeskCustomers),
            (Method::POST, Endpoint::AddDeskCustomers),
            (Method::DELETE, Endpoint::RemoveDeskCustomers),
        ],
    ),
];

/// One thing that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    CreateCustomer,
    RevokeAccess,
    ListOrganizations,
    CreateOrganization,
    GetOrganization,
    DeleteOrganization,
    ListUsers,
    AddUsers,
    RemoveUsers,
    ListDesks,
    GetDesk,
    ListDeskOrganizations,
    AddDeskOrganization,
    RemoveDeskOrganization,
    ListDeskCustomers,
    AddDeskCustomers,
    RemoveDeskCustomers,
}

pub(super) async fn answer(routes: &Routes<Endpoint>, state: &State, asked: &mut Asked<'_>) -> Result<Reply, Fault> {
    let (endpoint, parameters) = routes.find(&asked.head.method, asked.head.uri.path())?;
    let actor = state.admit(asked).await?;
    tracing::debug!(request = asked.id, actor, ?endpoint, "service desk");
    let call = Call::new(state, actor, parameters, asked).await?;
    match endpoint {
        Endpoint::CreateCustomer => customers::create(call).await,
        Endpoint::RevokeAccess => customers::revoke_access(call).await,
        Endpoint::ListOrganizations => organizations::list(call).await,
        Endpoint::CreateOrganization => organizations::create(call).await,
        Endpoint::GetOrganization => organizations::get(call).await,
        Endpoint::DeleteOrganization => organizations::delete(call).await,
        Endpoint::ListUsers => organizations::users(call).await,
        Endpoint::AddUsers => organizations::add_users(call).await,
        Endpoint::RemoveUsers => organizations::remove_users(call).await,
        Endpoint::ListDesks => desks::list(call).await,
        Endpoint::GetDesk => desks::get(call).await,
        Endpoint::ListDeskOrganizations => desks::organizations(call).await,
        Endpoint::AddDeskOrganization => desks::associate_organization(call, true).await,
        Endpoint::RemoveDeskOrganization => desks::associate_organization(call, false).await,
        Endpoint::ListDeskCustomers => desks::customers(call).await,
        Endpoint::AddDeskCustomers => desks::add_customers(call).await,
        Endpoint::RemoveDeskCustomers => desks::remove_customers(call).await,
    }
}
