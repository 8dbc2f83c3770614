//! `/rest/servicedeskapi/organization`

use super::super::call::Call;
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

pub(super) async fn list(call: Call<'_>) -> Result<Reply, Fault> {
    let window = Window::of(&call)?;
    if let Some(account) = &window.account {
        let all = call.state.site.organizations_of(account).await??;
        let (from, to) = window.bounds(all.len());
        let next = (to < all.len()).then(String::new);
        let values = all.into_iter().take(to).skip(from).collect();
        return shown_page(window, site::OrganizationPage { values, next }, &call.origin()?);
    }
    let page = call.state.site.organizations(window.position(), window.limit).await??;
    shown_page(window, page, &call.origin()?)
}

pub(super) async fn create(call: Call<'_>) -> Result<Reply, Fault> {
    let (site, origin, actor) = (&call.state.site, call.origin()?, call.actor.clone());
    let new: NewOrganization = call.json().await?;
    let made = site.create_organization(&actor, &new.name).await??;
    Ok(json(StatusCode::CREATED, "application/json", &shape::organization(made, &origin)?))
}

pub(super) async fn get(call: Call<'_>) -> Result<Reply, Fault> {
    let organization = call.state.site.organization(call.number(0)?).await??;
    Ok(json(StatusCode::OK, "application/json", &shape::organization(organization, &call.origin()?)?))
}

pub(super) async fn delete(call: Call<'_>) -> Result<Reply, Fault> {
    call.state.site.delete_organization(&call.actor, call.number(0)?).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn users(call: Call<'_>) -> Result<Reply, Fault> {
    let window = Window::of(&call)?;
    let page = call.state.site.organization_members(call.number(0)?, window.position(), window.limit).await??;
    Ok(shown_users(window, page, &call.origin()?))
}

pub(super) async fn add_users(call: Call<'_>) -> Result<Reply, Fault> {
    let (site, actor, id) = (&call.state.site, call.actor.clone(), call.number(0)?);
    let named: Named = call.json().await?;
    site.add_members(&actor, id, named.ids()?).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn remove_users(call: Call<'_>) -> Result<Reply, Fault> {
    let (site, actor, id) = (&call.state.site, call.actor.clone(), call.number(0)?);
    let named: Named = call.json().await?;
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
