//! `/rest/servicedeskapi/organization`

use super::super::admin_request::AdminRequest;
use super::super::fault::Fault;
use super::super::reply::{Reply, empty, json};
use super::page::Window;
use super::shape::{self, Named};
use crate::runtime::site;
use hyper::StatusCode;
use serde::Deserialize;

#[derive(Deserialize)]
struct NewOrganization {
    name: String,
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let window = Window::of(&request)?;
    if let Some(account) = &window.account {
        let all = request.state.site.organizations_of(account).await??;
        let (from, to) = window.bounds(all.len());
        let next = (to < all.len()).then(String::new);
        let values = all.into_iter().take(to).skip(from).collect();
        return shown_page(window, site::OrganizationPage { values, next }, &request.origin()?);
    }
    let page = request.state.site.organizations(window.position(), window.limit).await??;
    shown_page(window, page, &request.origin()?)
}

pub(super) async fn create(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let (site, origin, actor) = (&request.state.site, request.origin()?, request.actor.clone());
    let new: NewOrganization = request.json().await?;
    let made = site.create_organization(&actor, &new.name).await??;
    Ok(json(StatusCode::CREATED, "application/json", &shape::organization(made, &origin)?))
}

pub(super) async fn get(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let organization = request.state.site.organization(request.number(0)?).await??;
    Ok(json(StatusCode::OK, "application/json", &shape::organization(organization, &request.origin()?)?))
}

pub(super) async fn delete(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    request.state.site.delete_organization(&request.actor, request.number(0)?).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn users(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let window = Window::of(&request)?;
    let page = request.state.site.organization_members(request.number(0)?, window.position(), window.limit).await??;
    Ok(shown_users(window, page, &request.origin()?))
}

pub(super) async fn add_users(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let (site, actor, id) = (&request.state.site, request.actor.clone(), request.number(0)?);
    let named: Named = request.json().await?;
    site.add_members(&actor, id, named.ids()?).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn remove_users(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let (site, actor, id) = (&request.state.site, request.actor.clone(), request.number(0)?);
    let named: Named = request.json().await?;
    site.remove_members(&actor, id, named.ids()?).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) fn shown_page(window: Window, page: site::OrganizationPage, origin: &str) -> Result<Reply, Fault> {
    let values = page.values.into_iter().map(|value| shape::organization(value, origin));
    Ok(window.page(values.collect::<Result<Vec<_>, _>>()?, page.next.is_none()))
}

pub(super) fn shown_users(window: Window, page: site::CustomerPage, origin: &str) -> Reply {
    let values: Vec<_> = page.values.into_iter().map(|value| shape::user(value, origin)).collect();
    window.page(values, page.next.is_none())
}
