//! The admin API under `/admin/v1`: JSON in, a call of [`Site`](crate::Site), JSON out.

mod access;
mod bin;
mod changes;
mod conflicts;
mod customers;
mod directories;
mod groups;
mod keys;
mod organizations;
mod projects;
mod settings;
mod shape;
mod shown;
mod status;
mod stream;
mod unlinked;

use super::asked::Asked;
use super::call::Call;
use super::fault::Fault;
use super::reply::Reply;
use super::routes::Routes;
use super::state::State;
use hyper::Method;

/// What every path of this surface starts with.
pub(super) const PREFIX: &str = "/admin/";

/// What the surface consists of.
pub(super) static ENDPOINTS: &[(&str, &[(Method, Endpoint)])] = &[
    ("/admin/v1/directories", &[(Method::GET, Endpoint::ListDirectories), (Method::POST, Endpoint::ConnectDirectory)]),
    (
        "/admin/v1/directories/{id}",
        &[
            (Method::GET, Endpoint::GetDirectory),
            (Method::PATCH, Endpoint::UpdateDirectory),
            (Method::DELETE, Endpoint::DisconnectDirectory),
        ],
    ),
    ("/admin/v1/directories/{id}/keys", &[(Method::GET, Endpoint::ListKeys), (Method::POST, Endpoint::RotateKey)]),
    ("/admin/v1/directories/{id}/keys/{keyId}", &[(Method::DELETE, Endpoint::RevokeKey)]),
    ("/admin/v1/directories/{id}/conflicts", &[(Method::GET, Endpoint::ListConflicts)]),
    (
        "/admin/v1/directories/{id}/conflicts/{groupId}",
        &[(Method::GET, Endpoint::PreviewConflict), (Method::POST, Endpoint::ResolveConflict)],
    ),
    ("/admin/v1/conflicts", &[(Method::GET, Endpoint::ListSameNames)]),
    ("/admin/v1/directories/{id}/unlinked", &[(Method::GET, Endpoint::ListUnlinked)]),
    ("/admin/v1/directories/{id}/groups/{groupId}/check", &[(Method::GET, Endpoint::CheckGroup)]),
    ("/admin/v1/directories/{id}/groups/{groupId}/repair", &[(Method::POST, Endpoint::RepairGroup)]),
    ("/admin/v1/directories/{id}/status", &[(Method::GET, Endpoint::ReadStatus)]),
    ("/admin/v1/directories/{id}/requests", &[(Method::GET, Endpoint::ListRequests)]),
    ("/admin/v1/directories/{id}/release", &[(Method::POST, Endpoint::ReleaseDeletions)]),
    ("/admin/v1/customers", &[(Method::GET, Endpoint::ListCustomers), (Method::POST, Endpoint::CreateCustomer)]),
    (
        "/admin/v1/customers/{id}",
        &[
            (Method::GET, Endpoint::GetCustomer),
            (Method::PATCH, Endpoint::UpdateCustomer),
            (Method::DELETE, Endpoint::DeleteCustomer),
        ],
    ),
    ("/admin/v1/customers/{id}/unlink", &[(Method::POST, Endpoint::UnlinkCustomer)]),
    ("/admin/v1/customers/{id}/relink", &[(Method::POST, Endpoint::RelinkCustomer)]),
    ("/admin/v1/customers/{id}/restore", &[(Method::POST, Endpoint::RestoreCustomer)]),
    ("/admin/v1/customers/{id}/erase", &[(Method::POST, Endpoint::EraseCustomer)]),
    (
        "/admin/v1/organizations",
        &[(Method::GET, Endpoint::ListOrganizations), (Method::POST, Endpoint::CreateOrganization)],
    ),
    (
        "/admin/v1/organizations/{id}",
        &[
            (Method::GET, Endpoint::GetOrganization),
            (Method::PATCH, Endpoint::UpdateOrganization),
            (Method::DELETE, Endpoint::DeleteOrganization),
        ],
    ),
    ("/admin/v1/organizations/{id}/restore", &[(Method::POST, Endpoint::RestoreOrganization)]),
    ("/admin/v1/organizations/{id}/members", &[(Method::GET, Endpoint::ListMembers)]),
    (
        "/admin/v1/organizations/{id}/members/{customerId}",
        &[
            (Method::GET, Endpoint::GetMember),
            (Method::PUT, Endpoint::AddMember),
            (Method::DELETE, Endpoint::RemoveMember),
        ],
    ),
    ("/admin/v1/projects", &[(Method::GET, Endpoint::ListProjects), (Method::POST, Endpoint::CreateProject)]),
    (
        "/admin/v1/projects/{id}",
        &[
            (Method::GET, Endpoint::GetProject),
            (Method::PATCH, Endpoint::UpdateProject),
            (Method::DELETE, Endpoint::DeleteProject),
        ],
    ),
    ("/admin/v1/projects/{id}/organizations", &[(Method::GET, Endpoint::ListProjectOrganizations)]),
    (
        "/admin/v1/projects/{id}/organizations/{organizationId}",
        &[(Method::PUT, Endpoint::OpenToOrganization), (Method::DELETE, Endpoint::CloseToOrganization)],
    ),
    ("/admin/v1/projects/{id}/customers", &[(Method::GET, Endpoint::ListProjectCustomers)]),
    (
        "/admin/v1/projects/{id}/customers/{customerId}",
        &[(Method::PUT, Endpoint::OpenToCustomer), (Method::DELETE, Endpoint::CloseToCustomer)],
    ),
    ("/admin/v1/settings", &[(Method::GET, Endpoint::GetSettings), (Method::PATCH, Endpoint::UpdateSettings)]),
    ("/admin/v1/access", &[(Method::GET, Endpoint::ReadAccess)]),
    ("/admin/v1/changes", &[(Method::GET, Endpoint::ReadChanges)]),
    ("/admin/v1/changes/stream", &[(Method::GET, Endpoint::StreamChanges)]),
];

/// One thing that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    ListDirectories,
    ConnectDirectory,
    GetDirectory,
    UpdateDirectory,
    DisconnectDirectory,
    ListKeys,
    RotateKey,
    RevokeKey,
    ListConflicts,
    ListSameNames,
    PreviewConflict,
    ResolveConflict,
    ListUnlinked,
    CheckGroup,
    RepairGroup,
    ReadStatus,
    ListRequests,
    ReleaseDeletions,
    ListCustomers,
    CreateCustomer,
    GetCustomer,
    UpdateCustomer,
    DeleteCustomer,
    UnlinkCustomer,
    RelinkCustomer,
    RestoreCustomer,
    EraseCustomer,
    ListOrganizations,
    CreateOrganization,
    GetOrganization,
    UpdateOrganization,
    DeleteOrganization,
    RestoreOrganization,
    ListMembers,
    GetMember,
    AddMember,
    RemoveMember,
    ListProjects,
    CreateProject,
    GetProject,
    UpdateProject,
    DeleteProject,
    ListProjectOrganizations,
    OpenToOrganization,
    CloseToOrganization,
    ListProjectCustomers,
    OpenToCustomer,
    CloseToCustomer,
    GetSettings,
    UpdateSettings,
    ReadAccess,
    ReadChanges,
    StreamChanges,
}

pub(super) async fn answer(routes: &Routes<Endpoint>, state: &State, asked: &mut Asked<'_>) -> Result<Reply, Fault> {
    let (endpoint, parameters) = routes.find(&asked.head.method, asked.head.uri.path())?;
    let actor = state.admit(asked).await?;
    tracing::debug!(request = asked.id, actor, ?endpoint, "administration");
    let call = Call::new(state, actor, parameters, asked).await?;
    match endpoint {
        Endpoint::ListDirectories => directories::list(call).await,
        Endpoint::ConnectDirectory => directories::connect(call).await,
        Endpoint::GetDirectory => directories::get(call).await,
        Endpoint::UpdateDirectory => directories::update(call).await,
        Endpoint::DisconnectDirectory => directories::disconnect(call).await,
        Endpoint::ListKeys => keys::list(call).await,
        Endpoint::RotateKey => keys::rotate(call).await,
        Endpoint::RevokeKey => keys::revoke(call).await,
        Endpoint::ListConflicts => conflicts::list(call).await,
        Endpoint::ListSameNames => conflicts::list_of_site(call).await,
        Endpoint::PreviewConflict => conflicts::preview(call).await,
        Endpoint::ResolveConflict => conflicts::resolve(call).await,
        Endpoint::ListUnlinked => unlinked::list(call).await,
        Endpoint::CheckGroup => groups::check(call).await,
        Endpoint::RepairGroup => groups::repair(call).await,
        Endpoint::ReadStatus => status::status(call).await,
        Endpoint::ListRequests => status::requests(call).await,
        Endpoint::ReleaseDeletions => status::release(call).await,
        Endpoint::ListCustomers => customers::list(call).await,
        Endpoint::CreateCustomer => customers::create(call).await,
        Endpoint::GetCustomer => customers::get(call).await,
        Endpoint::UpdateCustomer => customers::update(call).await,
        Endpoint::DeleteCustomer => customers::delete(call).await,
        Endpoint::UnlinkCustomer => customers::unlink(call).await,
        Endpoint::RelinkCustomer => customers::relink(call).await,
        Endpoint::RestoreCustomer => bin::restore_customer(call).await,
        Endpoint::EraseCustomer => bin::erase_customer(call).await,
        Endpoint::ListOrganizations => organizations::list(call).await,
        Endpoint::CreateOrganization => organizations::create(call).await,
        Endpoint::GetOrganization => organizations::get(call).await,
        Endpoint::UpdateOrganization => organizations::update(call).await,
        Endpoint::DeleteOrganization => organizations::delete(call).await,
        Endpoint::RestoreOrganization => bin::restore_organization(call).await,
        Endpoint::ListMembers => organizations::members(call).await,
        Endpoint::GetMember => organizations::member(call).await,
        Endpoint::AddMember => organizations::add_member(call).await,
        Endpoint::RemoveMember => organizations::remove_member(call).await,
        Endpoint::ListProjects => projects::list(call).await,
        Endpoint::CreateProject => projects::create(call).await,
        Endpoint::GetProject => projects::get(call).await,
        Endpoint::UpdateProject => projects::update(call).await,
        Endpoint::DeleteProject => projects::delete(call).await,
        Endpoint::ListProjectOrganizations => projects::organizations(call).await,
        Endpoint::OpenToOrganization => projects::associate_organization(call, true).await,
        Endpoint::CloseToOrganization => projects::associate_organization(call, false).await,
        Endpoint::ListProjectCustomers => projects::customers(call).await,
        Endpoint::OpenToCustomer => projects::associate_customer(call, true).await,
        Endpoint::CloseToCustomer => projects::associate_customer(call, false).await,
        Endpoint::GetSettings => settings::get(call).await,
        Endpoint::UpdateSettings => settings::update(call).await,
        Endpoint::ReadAccess => access::read(call).await,
        Endpoint::ReadChanges => changes::read(call).await,
        Endpoint::StreamChanges => stream::open(call).await,
    }
}
