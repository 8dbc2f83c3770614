//! `/console/projects`

use super::super::frame::{Page, Section};
use super::super::parts::{PAGE, Table, counted, day, empty, numeric, pager};
use super::super::request::ConsoleRequest;
use super::super::words;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use maud::html;

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let total = request.site().totals().await??.projects;
    let page = request.site().projects(request.position(), PAGE).await??;
    let mut table =
        Table::new("Projects", [("Name", false), ("Key", false), ("Who may use it", false), numeric("Since")]);
    for project in &page.values {
        table.row([
            html! { a href=(request.link(&format!("/projects/{}", project.id))) { (project.name) } },
            html! { code { (project.key) } },
            words::audience(project.audience),
            day(project.created_at),
        ]);
    }
    let body = html! {
        @if page.values.is_empty() && page.next.is_none() {
            (empty("No projects yet", &html! {
                p { "A project is a service desk with its portal: open to every customer, or restricted to organizations and customers of its own." }
            }))
        } @else {
            (table.show())
        }
        (pager(&request, page.next.as_deref()))
    };
    let lead = html! { (counted(total, "project", "projects")) " in all." };
    let actions = html! { a.button href=(request.link("/projects/new")) { "New project" } };
    Ok(Page::new(Section::Projects, "Projects").lead(lead).actions(actions).body(body).reply(&request))
}
