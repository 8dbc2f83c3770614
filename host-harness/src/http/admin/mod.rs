//! The admin API under `/admin/v1`: JSON in, a call of [`Site`](crate::Site), JSON out.

mod access;
mod bin;
mod changes;
mod conflicts;
mod customers;
mod directories;
mod groups;
mod held;
mod history;
mod keys;
mod organizations;
mod plan;
mod projects;
mod requests;
mod rules;
mod settings;
mod setup_links;
mod shape;
mod shown;
mod status;
mod stream;
mod totals;
mod unlinked;
mod words;

use super::admin_request::AdminRequest;
use super::context::RequestContext;
use super::fault::Fault;
use super::reply::Reply;
use super::routes::{Endpoints, Routes, endpoints};
use super::state::State;

/// What every path of this surface starts with.
pub(super) const PREFIX: &str = "/admin/";

/// What the surface consists of.
pub(super) static ENDPOINTS: &Endpoints = endpoints! {
    "/admin/v1/directories" => { GET directories::list, POST directories::connect }
    "/admin/v1/directories/{id}" => { GET directories::get, PATCH directories::update, DELETE directories::disconnect }
    "/admin/v1/directories/{id}/keys" => { GET keys::list, POST keys::rotate }
    "/admin/v1/directories/{id}/keys/{keyId}" => { DELETE keys::revoke }
    "/admin/v1/directories/{id}/setup-links" => { GET setup_links::list, POST setup_links::make }
    "/admin/v1/directories/{id}/setup-links/{linkId}" => { DELETE setup_links::revoke }
    "/admin/v1/directories/{id}/conflicts" => { GET conflicts::list }
    "/admin/v1/directories/{id}/adoptions" => { GET conflicts::adoptions }
    "/admin/v1/directories/{id}/conflicts/{groupId}" => { GET conflicts::preview, POST conflicts::resolve }
    "/admin/v1/conflicts" => { GET conflicts::list_of_site }
    "/admin/v1/directories/{id}/unlinked" => { GET unlinked::list }
    "/admin/v1/directories/{id}/rules/preview" => { POST rules::preview }
    "/admin/v1/directories/{id}/rules/apply" => { POST rules::apply }
    "/admin/v1/directories/{id}/plan" => { GET plan::counts }
    "/admin/v1/directories/{id}/plan/{kind}" => { GET plan::list }
    "/admin/v1/directories/{id}/plan/members/{groupId}" => { GET plan::members }
    "/admin/v1/directories/{id}/apply" => { GET plan::progress, POST plan::apply }
    "/admin/v1/directories/{id}/groups" => { GET groups::list }
    "/admin/v1/directories/{id}/groups/{groupId}" => { GET groups::get }
    "/admin/v1/directories/{id}/groups/{groupId}/check" => { GET groups::check }
    "/admin/v1/directories/{id}/groups/{groupId}/repair" => { POST groups::repair }
    "/admin/v1/directories/{id}/status" => { GET status::status }
    "/admin/v1/directories/{id}/requests" => { GET requests::list }
    "/admin/v1/directories/{id}/requests/{sequence}" => { GET requests::get }
    "/admin/v1/directories/{id}/capture" => { POST requests::start_capture, DELETE requests::stop_capture }
    "/admin/v1/directories/{id}/held" => { GET held::list }
    "/admin/v1/directories/{id}/release" => { POST held::release }
    "/admin/v1/customers" => { GET customers::list, POST customers::create }
    "/admin/v1/customers/{id}" => { GET customers::get, PATCH customers::update, DELETE customers::delete }
    "/admin/v1/customers/{id}/history" => { GET history::of_customer }
    "/admin/v1/customers/{id}/organizations" => { GET customers::organizations }
    "/admin/v1/customers/{id}/unlink" => { POST customers::unlink }
    "/admin/v1/customers/{id}/relink" => { POST customers::relink }
    "/admin/v1/customers/{id}/restore" => { POST bin::restore_customer }
    "/admin/v1/customers/{id}/erase" => { POST bin::erase_customer }
    "/admin/v1/organizations" => { GET organizations::list, POST organizations::create }
    "/admin/v1/organizations/{id}" => {
        GET organizations::get,
        PATCH organizations::update,
        DELETE organizations::delete,
    }
    "/admin/v1/organizations/{id}/history" => { GET history::of_organization }
    "/admin/v1/organizations/{id}/unlink" => { POST organizations::unlink }
    "/admin/v1/organizations/{id}/restore" => { POST bin::restore_organization }
    "/admin/v1/organizations/{id}/projects" => { GET projects::of_organization }
    "/admin/v1/organizations/{id}/members" => { GET organizations::members }
    "/admin/v1/organizations/{id}/members/{customerId}" => {
        GET organizations::member,
        PUT organizations::add_member,
        DELETE organizations::remove_member,
    }
    "/admin/v1/projects" => { GET projects::list, POST projects::create }
    "/admin/v1/projects/{id}" => { GET projects::get, PATCH projects::update, DELETE projects::delete }
    "/admin/v1/projects/{id}/organizations" => { GET projects::organizations }
    "/admin/v1/projects/{id}/organizations/{organizationId}" => {
        PUT projects::open_to_organization,
        DELETE projects::close_to_organization,
    }
    "/admin/v1/projects/{id}/customers" => { GET projects::customers }
    "/admin/v1/projects/{id}/customers/{customerId}" => {
        PUT projects::open_to_customer,
        DELETE projects::close_to_customer,
    }
    "/admin/v1/settings" => { GET settings::get, PATCH settings::update }
    "/admin/v1/access" => { GET access::read }
    "/admin/v1/totals" => { GET totals::read }
    "/admin/v1/changes" => { GET changes::read }
    "/admin/v1/changes/stream" => { GET stream::open }
};

pub(super) async fn answer(routes: &Routes, state: &State, context: &mut RequestContext<'_>) -> Result<Reply, Fault> {
    let (endpoint, parameters) = routes.find(&context.head.method, context.head.uri.path())?;
    let actor = state.admit(context).await?;
    tracing::debug!(request = context.id, actor, endpoint = endpoint.name, "administration");
    (endpoint.handler)(AdminRequest::new(state, actor, parameters, context).await?).await
}
