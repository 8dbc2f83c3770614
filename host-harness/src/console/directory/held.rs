//! `/console/directories/{id}/held`: whose deletion or deactivation waits.

use super::super::parts::{PAGE, Table, Tone, ago, count, empty, live, note, pager};
use super::super::request::ConsoleRequest;
use super::head::Head;
use super::logged::kind_name;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use maud::html;

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let page = request.site().held(&head.directory.id, request.cursor(), PAGE).await??;
    let mut table = Table::new("Held deletions and deactivations", ["Name", "What", "Is to be", "First asked for"]);
    for held in &page.values {
        table.row([
            html! {
                a href=(request.link(&head.path(&format!("/requests?subject={}", held.id)))) { (held.name) }
            },
            html! { (kind_name(held.kind)) },
            html! { @if held.deletes { "deleted" } @else { "deactivated" } },
            ago(held.since, request.now),
        ]);
    }
    let limit = head.directory.settings.deletion_limit;
    let body = live(
        "held",
        &html! {
            @if let Some(until) = head.status.released_until {
                (note(Tone::Warn, &html! { p { "Deletions go through uncounted; that ends " (ago(until, request.now)) "." } }))
            }
            @if page.values.is_empty() {
                (empty("Nothing is held", &html! {
                    @match limit {
                        Some(limit) => p { "More than " (count(limit)) " deletions and deactivations within an hour "
                            "would wait here, by name, "
                            "until somebody lets them through." },
                        None => p {
                            "This directory has no deletion limit: every deletion and deactivation goes through. "
                            "With a limit, what goes past it within an hour waits here, by name."
                        },
                    }
                }))
            } @else {
                p.intro {
                    "The identity provider is told to try again later. Once they are let through, its next try takes "
                    "effect."
                }
                p.actions { a.button href=(request.link(&head.path("/held/release"))) { "Let them through …" } }
                (table.show())
                (pager(&request, page.next.as_deref()))
            }
        },
    );
    Ok(head.page(&request, "Held").body(body).reply(&request))
}
