//! `/console/projects/new`, `/console/projects/{id}/edit` and `/delete`.

use super::super::choices::AUDIENCES;
use super::super::done::Done;
use super::super::frame::{Page, Section, done};
use super::super::parts::{Confirm, Ends, Form, counted};
use super::super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::site::{Audience, Position, Project};
use maud::{Markup, html};

const AUDIENCE: &str = "Who may use it";

/// Up to how many organizations and customers are counted.
const COUNTED: u32 = 1_000;

pub(in super::super) async fn blank(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    // Nobody is let in who was not named, unless somebody says so.
    let form = Form::new("project").with_choice("audience", &AUDIENCES, &Audience::Restricted);
    Ok(making(&request, &form))
}

pub(in super::super) async fn make(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("project", &mut request).await?;
    let audience = match form.chosen("audience", AUDIENCE, &AUDIENCES) {
        Ok(audience) => audience,
        Err(fault) => return Ok(making(&request, &form.refused(fault)?)),
    };
    match request.site().create_project(request.actor(), form.text("key"), form.text("name"), audience).await? {
        Ok(project) => Ok(done(&request, &format!("/projects/{}", project.id), Done::ProjectMade)),
        Err(error) => Ok(making(&request, &form.refused(error)?)),
    }
}

pub(in super::super) async fn edit(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let project = request.site().project(request.number(0)?).await??;
    let form = Form::new("project").with("name", &project.name);
    let form = form.with_choice("audience", &AUDIENCES, &project.audience).seen(&project);
    Ok(editing(&request, &project, &form))
}

pub(in super::super) async fn save(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let mut form = Form::sent("project", &mut request).await?;
    let project = request.site().project(request.number(0)?).await??;
    let audience = form.is_current(&project).and_then(|()| form.chosen("audience", AUDIENCE, &AUDIENCES));
    let refused = match audience {
        Ok(audience) => {
            let (name, audience) = (Some(form.text("name")), Some(audience));
            match request.site().update_project(request.actor(), project.id, name, audience).await? {
                Ok(_) => return Ok(done(&request, &format!("/projects/{}", project.id), Done::ProjectSaved)),
                Err(error) => error.into(),
            }
        }
        Err(fault) => fault,
    };
    Ok(editing(&request, &project, &form.refused(refused)?))
}

pub(in super::super) async fn ask_delete(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let project = request.site().project(request.number(0)?).await??;
    deletion(&request, &project, &Form::new("delete")).await
}

pub(in super::super) async fn delete(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("delete", &mut request).await?;
    let project = request.site().project(request.number(0)?).await??;
    match request.site().delete_project(request.actor(), project.id).await? {
        Ok(()) => Ok(done(&request, "/projects", Done::ProjectDeleted)),
        Err(error) => deletion(&request, &project, &form.refused(error)?).await,
    }
}

fn making(request: &ConsoleRequest<'_>, form: &Form) -> Reply {
    let fields = html! {
        (form.line("name", "Name", ""))
        (form.line("key", "Key", "2 to 10 letters and digits, a letter first, such as OPS. It stays what it is."))
        (audience(form))
    };
    let ends = Ends::with("Make the project").or_back("/projects");
    let body = html! { section.panel { (form.show(request, "/projects/new", &fields, &ends)) } };
    let page = Page::new(Section::Projects, "New project").under("Projects", "/projects");
    page.body(body).reply_with(form.status(), request)
}

fn editing(request: &ConsoleRequest<'_>, project: &Project, form: &Form) -> Reply {
    let path = format!("/projects/{}", project.id);
    let fields = html! { (form.line("name", "Name", "")) (audience(form)) };
    let ends = Ends::with("Save").or_back(&path);
    let body = html! { section.panel { (form.show(request, &format!("{path}/edit"), &fields, &ends)) } };
    under(project, format!("Edit {}", project.name)).body(body).reply_with(form.status(), request)
}

fn audience(form: &Form) -> Markup {
    form.choices("audience", AUDIENCE, &AUDIENCES)
}

async fn deletion(request: &ConsoleRequest<'_>, project: &Project, form: &Form) -> Result<Reply, Fault> {
    let site = request.site();
    let organizations = site.project_organizations(project.id, None, Position::START, COUNTED).await??;
    let customers = site.project_customers(project.id, Position::START, COUNTED).await??;
    let or_more = |next: &Option<String>| if next.is_some() { " or more" } else { "" };
    let happens = vec![
        html! {
            "Nobody may use it any more: not the members of "
            b { (counted(organizations.values.len() as u64, "organization", "organizations")) (or_more(&organizations.next)) }
            ", nor " b { (counted(customers.values.len() as u64, "customer", "customers")) (or_more(&customers.next)) }
            " of its own."
        },
        html! { "It is gone for good: a project cannot be restored. Its key is free for another." },
    ];
    let path = format!("/projects/{}", project.id);
    let ends = Ends::dangerous("Delete the project").or_back(&path);
    let confirm = Confirm { form, path: &format!("{path}/delete"), happens, fields: html! {}, ends };
    let page = under(project, format!("Delete {}?", project.name));
    Ok(page.body(confirm.show(request)).reply_with(form.status(), request))
}

fn under(project: &Project, title: String) -> Page {
    let page = Page::new(Section::Projects, title).under("Projects", "/projects");
    page.under(&project.name, format!("/projects/{}", project.id))
}
