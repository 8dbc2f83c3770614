//! `/console/organizations/new` and `/console/organizations/{id}/edit`.

use super::super::done::Done;
use super::super::frame::{Page, Section, done};
use super::super::names::DirectoryNames;
use super::super::parts::{Ends, Form, Tone, note};
use super::super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::site::Organization;
use maud::{Markup, html};

pub(in super::super) async fn blank(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    Ok(making(&request, &Form::new("organization")))
}

pub(in super::super) async fn make(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("organization", &mut request).await?;
    match request.site().create_organization(request.actor(), form.text("name")).await? {
        Ok(made) => Ok(done(&request, &format!("/organizations/{}", made.id), Done::OrganizationMade)),
        Err(error) => Ok(making(&request, &form.refused(error)?)),
    }
}

pub(in super::super) async fn edit(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let organization = request.site().organization(request.number(0)?).await??;
    let form = Form::new("organization").with("name", &organization.name).seen(&organization);
    editing(&request, &organization, &form).await
}

pub(in super::super) async fn save(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let mut form = Form::sent("organization", &mut request).await?;
    let organization = request.site().organization(request.number(0)?).await??;
    let refused = match form.is_current(&organization) {
        Ok(()) => {
            let name = form.text("name");
            match request.site().rename_organization(request.actor(), organization.id, name).await? {
                Ok(_) => {
                    let path = format!("/organizations/{}", organization.id);
                    return Ok(done(&request, &path, Done::OrganizationRenamed));
                }
                Err(error) => error.into(),
            }
        }
        Err(fault) => fault,
    };
    editing(&request, &organization, &form.refused(refused)?).await
}

fn making(request: &ConsoleRequest<'_>, form: &Form) -> Reply {
    let ends = Ends::with("Make the organization").or_back("/organizations");
    let body = html! { section.panel { (form.show(request, "/organizations/new", &name(form), &ends)) } };
    let lead = html! { "A local organization, edited here. Add its members and its projects afterwards." };
    let page = Page::new(Section::Organizations, "New organization").under("Organizations", "/organizations");
    page.lead(lead).body(body).reply_with(form.status(), request)
}

async fn editing(request: &ConsoleRequest<'_>, organization: &Organization, form: &Form) -> Result<Reply, Fault> {
    let path = format!("/organizations/{}", organization.id);
    let body = match &organization.managed_by {
        Some(directory) => {
            let directories = DirectoryNames::read(request).await?;
            html! {
                (note(Tone::Quiet, &html! {
                    p { "Managed by " (directories.manager(request, Some(directory))) ": renamed at the identity provider, by the name of its group." }
                    p { "To edit it here, " a href=(request.link(&format!("{path}/unlink"))) { "unlink it" } " first." }
                }))
            }
        }
        None => {
            let ends = Ends::with("Save").or_back(&path);
            html! { section.panel { (form.show(request, &format!("{path}/edit"), &name(form), &ends)) } }
        }
    };
    let page = Page::new(Section::Organizations, format!("Rename {}", organization.name));
    let page = page.under("Organizations", "/organizations").under(&organization.name, path);
    Ok(page.body(body).reply_with(form.status(), request))
}

fn name(form: &Form) -> Markup {
    form.line("name", "Name", "Up to 200 characters, and no other organization has it.")
}
