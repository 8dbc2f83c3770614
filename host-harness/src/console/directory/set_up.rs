//! `/console/directories/{id}/set-up`: what to do at the identity provider, whether it is heard, and links for somebody
//! else to do it.

use super::super::done::Done;
use super::super::frame::done;
use super::super::guide::{Heard, check, instructions};
use super::super::parts::{Ends, Facts, Form, Table, Tone, act, ago, at, badge, copy, empty, live, note};
use super::super::providers::named;
use super::super::request::ConsoleRequest;
use super::super::sentences::admin;
use super::super::set_up::PREFIX;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{DirectoryStatus, IssuedKey, NewSetupLink, SetupLink};
use maud::{Markup, html};

/// For how many days a link is good, unless the administrator says.
pub(in super::super) const DAYS: u32 = 7;

/// How long the keys that worked until a link is used go on working, unless the administrator says.
const OVERLAP_SECONDS: u32 = 24 * 60 * 60;

const GOOD_FOR: &str = "Days that it is good for";
const OVERLAP: &str = "Overlap";

/// What is shown once, and nowhere else.
pub(in super::super) enum Once {
    Key(IssuedKey),
    Link(NewSetupLink),
}

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    page(&request, request.parameter(0), request.query("provider"), &form(), None).await
}

/// Makes a link. The answer is the page itself, since the link is shown once.
pub(in super::super) async fn make_link(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("link", &mut request).await?;
    let id = request.parameter(0).to_owned();
    let asked = form.number("days", GOOD_FOR).and_then(|days| Ok((days, form.span("overlap", OVERLAP)?)));
    let (days, overlap) = match asked {
        Ok(asked) => asked,
        Err(fault) => return page(&request, &id, None, &form.refused(fault)?, None).await,
    };
    match request.site().make_setup_link(request.actor(), &id, days, overlap).await? {
        Ok(made) => page(&request, &id, None, &form, Some(&Once::Link(made))).await,
        Err(error) => page(&request, &id, None, &form.refused(error)?, None).await,
    }
}

pub(in super::super) async fn revoke_link(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    request.form().await?;
    let (id, link) = (request.parameter(0), request.parameter(1));
    request.site().revoke_setup_link(request.actor(), id, link).await??;
    Ok(done(&request, &format!("/directories/{id}/set-up"), Done::SetupLinkRevoked))
}

/// The form for a link, as it is at first.
pub(in super::super) fn form() -> Form {
    Form::new("link").with("days", DAYS.to_string()).with_span("overlap", OVERLAP_SECONDS)
}

/// The page of a directory, with the instructions for one identity provider open, and what is shown once.
pub(in super::super) async fn page(
    request: &ConsoleRequest<'_>,
    id: &str,
    provider: Option<&str>,
    form: &Form,
    once: Option<&Once>,
) -> Result<Reply, Fault> {
    let head = Head::of(request, id).await?;
    let links = request.site().setup_links(id).await??;
    let path = head.path("/set-up");
    let chosen = provider.and_then(named);
    let remedy = html! { "Such an address is told to the server with " code { "--public-url" } "." };
    let body = html! {
        @match once {
            Some(Once::Key(issued)) => (shown_key(issued)),
            Some(Once::Link(made)) => (shown_link(request, made, chosen.map(|provider| provider.word))),
            None => {}
        }
        (check("Is it heard?", &heard(&head.status), request.now))
        (instructions("At the identity provider", request.place, &head.directory.scim_path, chosen, &remedy))
        section.panel {
            h2 { "Have somebody else do it" }
            p.hint {
                "A set-up link shows these instructions to somebody without an account here, and issues the key to them alone: "
                "once. You can take it back."
            }
            (live("links", &table(request, &head, &links)))
            (form.show(request, &path, &html! {
                (form.digits("days", GOOD_FOR, "1 to 30."))
                (form.length("overlap", OVERLAP, "For so long the keys that work now go on working when the link is used. \
                                                  With 0 they stop at once: then nobody else has a key."))
            }, &Ends::with("Make a set-up link")))
        }
    };
    let page = head.page(request, "Set-up").body(body);
    let query = chosen.map_or(String::new(), |provider| format!("?provider={}", provider.word));
    let page = if once.is_some() { page.found_at(format!("{path}{query}")) } else { page };
    Ok(page.reply_with(form.status(), request))
}

/// What is known of the identity provider: since the directory was connected, not only of one key.
fn heard(status: &DirectoryStatus) -> Heard {
    let failure = status.last_failure.as_ref();
    let failure = failure.filter(|failure| status.last_success.is_none_or(|success| success < failure.at));
    Heard {
        at: status.last_request,
        wrong_key_at: status.refused.iter().map(|refused| refused.last).max(),
        failure: failure.map(|failure| failure.detail.clone().unwrap_or_default()),
        users: status.users,
        groups: status.groups,
    }
}

fn shown_key(issued: &IssuedKey) -> Markup {
    note(
        Tone::Good,
        &html! {
            div role="status" {
                p { b { "The directory is connected. This is its key: it is shown only now, so copy it before you leave." } }
                (Facts::new().add("Key", copy(&issued.api_key)).add("Works until", at(issued.key.expires_at)).show())
            }
        },
    )
}

fn shown_link(request: &ConsoleRequest<'_>, made: &NewSetupLink, provider: Option<&str>) -> Markup {
    let mut url = format!("{}{}", request.place.url(PREFIX), made.token);
    if let Some(provider) = provider {
        url.push_str("?provider=");
        url.push_str(provider);
    }
    note(
        Tone::Good,
        &html! {
            div role="status" {
                p { b { "The set-up link is made. It is shown only now: copy it, and send it to whoever runs the identity provider." } }
                (Facts::new().add("Set-up link", copy(&url)).add("Good until", at(made.link.expires_at)).show())
                p.hint { "Whoever has it first gets the key. Send it in a way that nobody else reads." }
            }
        },
    )
}

fn table(request: &ConsoleRequest<'_>, head: &Head, links: &[SetupLink]) -> Markup {
    if links.is_empty() {
        return empty(
            "No set-up link",
            &html! { p { "Those that are good, or were used, stand here until they expire." } },
        );
    }
    let mut table = Table::new("Set-up links", ["Made", "By", "State", "Expires", "Take back"]);
    for link in links {
        table.row([
            ago(link.created_at, request.now),
            html! { (admin(&link.made_by)) },
            html! {
                @match (link.used_at, &link.key) {
                    (Some(used), Some(key)) => span.badges {
                        (badge(Tone::Good, "Used")) (ago(used, request.now)) span.hint { "for the key " code { (key) } }
                    },
                    _ => (badge(Tone::Busy, "Not used yet")),
                }
            },
            ago(link.expires_at, request.now),
            act(request, &head.path(&format!("/set-up/{}/revoke", link.id)), "Take back"),
        ]);
    }
    html! {
        (table.show())
        p.hint { "To take one back closes its page. A key that it has issued goes on working." }
    }
}
