//! `/console/directories/{id}/keys`

use super::super::parts::{Table, Tone, ago, badge, day, empty, live};
use super::super::request::ConsoleRequest;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use maud::html;

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let keys = &head.status.keys;
    let mut table = Table::new("Keys that work", ["Key", "Issued", "Expires", "Last used"]);
    for status in keys {
        let key = &status.key;
        table.row([
            html! { code { (key.id) } },
            day(key.created_at),
            html! {
                span.badges {
                    (ago(key.expires_at, request.now))
                    @if status.expires_soon { (badge(Tone::Warn, "Expires soon")) }
                }
            },
            html! {
                @match status.last_used { Some(at) => (ago(at, request.now)), None => span.hint { "Never" } }
            },
        ]);
    }
    let body = html! {
        p.intro {
            "With a key, the identity provider shows that it is this directory. A key is shown once, when it is "
            "issued; a year later it expires."
        }
        (live("keys", &html! {
            @if keys.is_empty() {
                (empty("No key works", &html! {
                    p {
                        "Every key has expired or was revoked, so that nothing can come. Issue a new one, and enter "
                        "it at the identity provider."
                    }
                }))
            } @else {
                (table.show())
            }
        }))
    };
    Ok(head.page(&request, "Keys").body(body).reply(&request))
}
