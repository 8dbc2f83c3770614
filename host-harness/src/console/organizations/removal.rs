//! `/console/organizations/{id}/delete`, `/restore` and `/unlink`.

use super::super::done::Done;
use super::super::frame::{Page, Section, done};
use super::super::parts::{Confirm, Ends, Form, counted};
use super::super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::site::{Organization, Position};
use maud::html;

/// Up to how many members are counted.
const COUNTED: u32 = 1_000;

pub(in super::super) async fn ask_delete(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let organization = request.site().organization(request.number(0)?).await??;
    deletion(&request, &organization, &Form::new("delete")).await
}

pub(in super::super) async fn delete(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("delete", &mut request).await?;
    let organization = request.site().organization(request.number(0)?).await??;
    // Of a site without a retention time, nothing is left to show.
    let kept = request.site().settings().await??.retention_days > 0;
    match request.site().delete_organization(request.actor(), organization.id).await? {
        Ok(()) => {
            let path = if kept { format!("/organizations/{}", organization.id) } else { "/organizations".into() };
            Ok(done(&request, &path, Done::OrganizationDeleted))
        }
        Err(error) => deletion(&request, &organization, &form.refused(error)?).await,
    }
}

pub(in super::super) async fn restore(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    Form::sent("restore", &mut request).await?;
    let organization = request.site().restore_organization(request.actor(), request.number(0)?).await??;
    Ok(done(&request, &format!("/organizations/{}", organization.id), Done::OrganizationRestored))
}

pub(in super::super) async fn ask_unlink(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let organization = request.site().organization(request.number(0)?).await??;
    unlinking(&request, &organization, &Form::new("unlink")).await
}

pub(in super::super) async fn unlink(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("unlink", &mut request).await?;
    let organization = request.site().organization(request.number(0)?).await??;
    match request.site().unlink_organization(request.actor(), organization.id).await? {
        Ok(_) => Ok(done(&request, &format!("/organizations/{}", organization.id), Done::OrganizationUnlinked)),
        Err(error) => unlinking(&request, &organization, &form.refused(error)?).await,
    }
}

async fn deletion(request: &ConsoleRequest<'_>, organization: &Organization, form: &Form) -> Result<Reply, Fault> {
    let members = members(request, organization).await?;
    let days = request.site().settings().await??.retention_days;
    let happens = vec![
        html! { "The projects that only this organization opens are closed to its " b { (members) } ". The customers themselves stay." },
        html! {
            @if days == 0 { b { "It is erased at once, for good:" } " the site keeps nothing that is deleted." }
            @else { "For " (counted(days, "day", "days")) " it can be restored, with its members and projects. Then it is erased for good." }
        },
    ];
    let path = format!("/organizations/{}", organization.id);
    let ends = Ends::dangerous("Delete the organization").or_back(&path);
    let confirm = Confirm { form, path: &format!("{path}/delete"), happens, fields: html! {}, ends };
    let page = under(organization, format!("Delete {}?", organization.name));
    Ok(page.body(confirm.show(request)).reply_with(form.status(), request))
}

async fn unlinking(request: &ConsoleRequest<'_>, organization: &Organization, form: &Form) -> Result<Reply, Fault> {
    let members = members(request, organization).await?;
    let happens = vec![
        html! { "It becomes local with " b { (members) } ", who keep its projects: whoever leaves the group from now on stays a member." },
        html! { "It is renamed and its members are edited here, and no longer by the identity provider." },
        html! { "Its group stays in the directory, listed under Conflicts as left apart. From there you can have it adopt the organization again." },
    ];
    let path = format!("/organizations/{}", organization.id);
    let ends = Ends::dangerous("Unlink the organization").or_back(&path);
    let confirm = Confirm { form, path: &format!("{path}/unlink"), happens, fields: html! {}, ends };
    let page = under(organization, format!("Unlink {}?", organization.name));
    Ok(page.body(confirm.show(request)).reply_with(form.status(), request))
}

/// How many members it has, as far as they are counted.
async fn members(request: &ConsoleRequest<'_>, organization: &Organization) -> Result<String, Fault> {
    let page = request.site().organization_members(organization.id, Position::START, COUNTED).await??;
    let text = counted(page.values.len() as u64, "member", "members");
    Ok(if page.next.is_some() { format!("more than {text}") } else { text })
}

fn under(organization: &Organization, title: String) -> Page {
    let page = Page::new(Section::Organizations, title).under("Organizations", "/organizations");
    page.under(&organization.name, format!("/organizations/{}", organization.id))
}
