//! `/console/directories/{id}/unlinked`: users who are linked to no customer.

use super::super::parts::{PAGE, Table, Tone, badge, count, empty, live, pager};
use super::super::request::ConsoleRequest;
use super::super::words;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use maud::html;

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let page = request.site().unlinked(&head.directory.id, request.cursor(), PAGE).await??;
    let mut table = Table::new("Users linked to no customer", ["User", "Why", "What helps", "Customer"]);
    for user in &page.values {
        table.row([
            html! {
                a href=(request.link(&head.path(&format!("/requests?subject={}", user.id)))) { (user.user_name) }
            },
            html! { (words::unlinked_reason(user.reason)) },
            html! { (words::unlinked_remedy(user.reason)) },
            html! {
                @match &user.customer {
                    Some(customer) => {
                        a href=(request.link(&format!("/customers/{customer}"))) { "Former customer" } " "
                        a.button.small href=(request.link(&format!("/customers/{customer}/relink"))) { "Link again …" }
                    }
                    None => span.hint { "None" },
                }
            },
        ]);
    }
    let body = live(
        "unlinked",
        &html! {
            @if page.values.is_empty() {
                (empty("Everybody is linked", &html! {
                    p {
                        "Users without an email address, with one outside of the directory's domains, or whom an "
                        "administrator has unlinked stand here, each with the reason."
                    }
                }))
            } @else {
                p.badges.intro {
                    @for unlinked in &head.status.unlinked_by {
                        (badge(Tone::Quiet, &format!("{}: {}", words::unlinked_reason(unlinked.reason), count(unlinked.count))))
                    }
                }
                (table.show())
                (pager(&request, page.next.as_deref()))
            }
        },
    );
    Ok(head.page(&request, "Unlinked").body(body).reply(&request))
}
