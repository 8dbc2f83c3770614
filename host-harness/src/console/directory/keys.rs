//! `/console/directories/{id}/keys`: the keys that work, issuing another one, and revoking one.

use super::super::done::Done;
use super::super::frame::done;
use super::super::parts::{
    Confirm, Ends, Facts, Form, Table, Tone, ago, at, badge, copy, counted, day, empty, live, note,
};
use super::super::request::ConsoleRequest;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{IssuedKey, KeyStatus};
use hyper::StatusCode;
use maud::{Markup, html};

/// How long the keys that worked until now go on working, unless the administrator says.
const OVERLAP_SECONDS: u32 = 24 * 60 * 60;

const OVERLAP: &str = "Overlap";

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let form = Form::new("rotate").with_span("overlap", OVERLAP_SECONDS).seen(&ids(&head.status.keys));
    Ok(page(&request, &head, &form, None))
}

/// Issues a key. The answer is the page itself, since a key is shown once and nowhere else; sent once more, the same form is
/// refused, because there is another key since.
pub(in super::super) async fn rotate(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let mut form = Form::sent("rotate", &mut request).await?;
    let head = Head::read(&request).await?;
    let overlap = match is_current(&mut form, &head).and_then(|()| form.span("overlap", OVERLAP)) {
        Ok(overlap) => overlap,
        Err(fault) => return Ok(page(&request, &head, &form.refused(fault)?, None)),
    };
    match request.site().rotate_key(request.actor(), &head.directory.id, overlap).await? {
        Ok(issued) => {
            let head = Head::read(&request).await?;
            let form = Form::new("rotate").with_span("overlap", overlap).seen(&ids(&head.status.keys));
            Ok(page(&request, &head, &form, Some(&issued)))
        }
        Err(error) => Ok(page(&request, &head, &form.refused(error)?, None)),
    }
}

pub(in super::super) async fn ask(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    revocation(&request, &head, &Form::new("revoke"))
}

pub(in super::super) async fn revoke(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("revoke", &mut request).await?;
    let head = Head::read(&request).await?;
    match request.site().revoke_key(request.actor(), &head.directory.id, request.parameter(1)).await? {
        Ok(()) => Ok(done(&request, &head.path("/keys"), Done::KeyRevoked)),
        Err(error) => revocation(&request, &head, &form.refused(error)?),
    }
}

fn ids(keys: &[KeyStatus]) -> Vec<&str> {
    keys.iter().map(|status| status.key.id.as_str()).collect()
}

fn is_current(form: &mut Form, head: &Head) -> Result<(), Fault> {
    form.is_current(&ids(&head.status.keys)).map_err(|fault| Fault {
        detail:
            "The keys have changed since you loaded the page, and no key was issued. Look below whether somebody has \
                 issued one already; send the form again to issue another."
                .into(),
        ..fault
    })
}

fn page(request: &ConsoleRequest<'_>, head: &Head, form: &Form, issued: Option<&IssuedKey>) -> Reply {
    let keys = &head.status.keys;
    let rotate = form.length(
        "overlap",
        OVERLAP,
        "For so long the keys that work now go on working, so that there is time to enter the new one. With 0 they stop \
         at once.",
    );
    let body = html! {
        @if let Some(issued) = issued { (new_key(request, head, issued)) }
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
                (table(request, head))
            }
        }))
        section.panel.apart {
            h2 { "Issue a new key" }
            (form.show(request, &head.path("/keys"), &rotate, &Ends::with("Issue a key")))
        }
    };
    head.page(request, "Keys").body(body).reply_with(form.status(), request)
}

fn table(request: &ConsoleRequest<'_>, head: &Head) -> Markup {
    let mut table = Table::new("Keys that work", ["Key", "Issued", "Expires", "Last used", "Revoke"]);
    for status in &head.status.keys {
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
            html! {
                a.button.small href=(request.link(&head.path(&format!("/keys/{}/revoke", key.id)))) aria-label={ "Revoke " (key.id) } {
                    "Revoke …"
                }
            },
        ]);
    }
    table.show()
}

/// A key that was just issued, with where to enter it.
fn new_key(request: &ConsoleRequest<'_>, head: &Head, issued: &IssuedKey) -> Markup {
    note(
        Tone::Good,
        &html! {
            div role="status" {
                p { b { "The new key. It is shown only now: copy it before you leave the page." } }
                (Facts::new()
                    .add("Key", copy(&issued.api_key))
                    .add("SCIM base URL", copy(&request.place.url(&head.directory.scim_path)))
                    .add("Expires", at(issued.key.expires_at))
                    .show())
            }
        },
    )
}

/// The page that asks before a key is revoked.
fn revocation(request: &ConsoleRequest<'_>, head: &Head, form: &Form) -> Result<Reply, Fault> {
    let id = request.parameter(1);
    let found = head.status.keys.iter().find(|status| status.key.id == id);
    let status = found.ok_or_else(|| Fault::new(StatusCode::NOT_FOUND, "This key works no more."))?;
    let others = head.status.keys.len() as u64 - 1;
    let happens = vec![
        html! {
            "The key " code { (id) } " stops at once, for good. "
            @match status.last_used {
                Some(last) => { "It was last used " (ago(last, request.now)) "." }
                None => "It was never used.",
            }
        },
        html! {
            @if others == 0 {
                b { "No other key works." } " Nothing can come from the identity provider until a new key is entered there: "
                (counted(head.status.users, "user", "users")) " and " (counted(head.status.groups, "group", "groups"))
                " stay as they are now, leavers included."
            } @else {
                (counted(others, "other key goes", "other keys go")) " on working. Requests with this one are answered 401."
            }
        },
    ];
    let ends = Ends::dangerous("Revoke the key").or_back(head.path("/keys"));
    let confirm = Confirm { form, path: &head.path(&format!("/keys/{id}/revoke")), happens, fields: html! {}, ends };
    let body = confirm.show(request);
    Ok(head.below(request, "Keys", "/keys", "Revoke the key?").body(body).reply_with(form.status(), request))
}
