//! `/console/organizations/deleted`: what can still be restored.

use super::super::frame::{Page, Section};
use super::super::parts::{PAGE, Table, ago, empty, numeric, pager, row_act};
use super::super::request::ConsoleRequest;
use super::lists;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use maud::html;

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let page = request.site().deleted_organizations(request.position(), PAGE).await??;
    let mut table = Table::new(
        "Deleted organizations",
        [("Name", false), numeric("Deleted"), numeric("To be erased"), ("Restore", false)],
    );
    for deleted in &page.values {
        let organization = &deleted.organization;
        table.row([
            html! { a href=(request.link(&format!("/organizations/{}", organization.id))) { (organization.name) } },
            ago(deleted.deleted_at, request.now),
            ago(deleted.erased_at, request.now),
            row_act(&request, &format!("/organizations/{}/restore", organization.id), "Restore", &organization.name),
        ]);
    }
    let body = html! {
        @if page.values.is_empty() && page.next.is_none() {
            (empty("None is deleted", &html! {
                p { "What is deleted, with its group or on the site, stands here until the retention time is over, and can be restored." }
            }))
        } @else {
            (table.show())
        }
        (pager(&request, page.next.as_deref()))
    };
    let lead = html! { "They have no members. Restored, they are local, with their members and projects." };
    let page = Page::new(Section::Organizations, "Deleted organizations").lead(lead).tabs(lists(&request, "Deleted"));
    Ok(page.body(body).reply(&request))
}
