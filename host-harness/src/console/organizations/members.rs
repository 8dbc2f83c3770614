//! `/console/organizations/{id}/add` and `/remove`: who is a member.

use super::super::done::Done;
use super::super::frame::{Page, Section, done, done_here};
use super::super::parts::{Form, Tone, note};
use super::super::picker;
use super::super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use maud::html;

pub(in super::super) async fn pick(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let organization = request.site().organization(request.number(0)?).await??;
    let path = format!("/organizations/{}", organization.id);
    let body = if organization.managed_by.is_some() {
        note(
            Tone::Quiet,
            &html! { p { "Its members are those of its group: they are edited at the identity provider." } },
        )
    } else {
        picker::customers(&request).await?
    };
    let title = format!("Add members to {}", organization.name);
    let page = Page::new(Section::Organizations, title).under("Organizations", "/organizations");
    Ok(page.under(&organization.name, path).body(body).reply(&request))
}

pub(in super::super) async fn add(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("add", &mut request).await?;
    let customers = vec![form.text("customer").to_owned()];
    request.site().add_members(request.actor(), request.number(0)?, customers).await??;
    Ok(done_here(&request, Done::MemberAdded))
}

pub(in super::super) async fn remove(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("remove", &mut request).await?;
    let id = request.number(0)?;
    let customers = vec![form.text("customer").to_owned()];
    request.site().remove_members(request.actor(), id, customers).await??;
    Ok(done(&request, &format!("/organizations/{id}"), Done::MemberRemoved))
}
