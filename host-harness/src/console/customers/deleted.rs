//! `/console/customers/deleted`: who can still be restored.

use super::super::frame::{Page, Section};
use super::super::parts::{PAGE, Table, ago, empty, numeric, pager, row_act};
use super::super::request::ConsoleRequest;
use super::lists;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use maud::html;

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let page = request.site().deleted_customers(request.position(), PAGE).await??;
    let mut table = Table::new(
        "Deleted customers",
        [("Name", false), ("Address", false), numeric("Deleted"), numeric("To be erased"), ("Restore", false)],
    );
    for deleted in &page.values {
        let customer = &deleted.customer;
        table.row([
            html! { a href=(request.link(&format!("/customers/{}", customer.id))) { (customer.display_name) } },
            html! { (customer.email) },
            ago(deleted.deleted_at, request.now),
            ago(deleted.erased_at, request.now),
            row_act(&request, &format!("/customers/{}/restore", customer.id), "Restore", &customer.display_name),
        ]);
    }
    let body = html! {
        @if page.values.is_empty() && page.next.is_none() {
            (empty("Nobody is deleted", &html! {
                p { "Whoever is deleted, by an identity provider or on the site, stands here until the retention time is over, and can be restored." }
            }))
        } @else {
            (table.show())
        }
        (pager(&request, page.next.as_deref()))
    };
    let lead = html! { "They have no access and are members of nothing. Restored, they are local, with their projects and memberships." };
    let page = Page::new(Section::Customers, "Deleted customers").lead(lead).tabs(lists(&request, "Deleted"));
    Ok(page.body(body).reply(&request))
}
