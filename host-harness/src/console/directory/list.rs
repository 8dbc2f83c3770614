//! `/console/directories`

use super::super::frame::{Page, Section};
use super::super::overview::first_steps;
use super::super::parts::{PAGE, Table, count, live, numeric, pager};
use super::super::request::ConsoleRequest;
use super::super::words;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use maud::html;

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let page = request.site().directories(request.cursor(), PAGE).await??;
    let title = Page::new(Section::Directories, "Directories");
    if page.values.is_empty() && request.cursor().is_none() {
        return Ok(title.body(first_steps(&request)).reply(&request));
    }
    let columns = [
        ("Name", false),
        ("Mode", false),
        ("On a conflict", false),
        numeric("Users"),
        numeric("Groups"),
        numeric("Unlinked"),
        numeric("Conflicts"),
    ];
    let mut table = Table::new("Directories", columns);
    for directory in &page.values {
        let settings = &directory.settings;
        table.row([
            html! { a href=(request.link(&format!("/directories/{}", directory.id))) { (settings.name) } },
            words::mode(settings.mode),
            html! { (words::conflict_policy(settings.conflict_policy)) },
            html! { (count(directory.users)) },
            html! { (count(directory.groups)) },
            html! { (count(directory.unlinked)) },
            html! { (count(directory.conflicts)) },
        ]);
    }
    let lead = html! { "The identity providers that push their users and groups here." };
    let body = html! {
        (live("directories", &table.show()))
        (pager(&request, page.next.as_deref()))
        p.after { a.button href=(request.link("/connect")) { "Connect an identity provider" } }
    };
    Ok(title.lead(lead).body(body).reply(&request))
}
