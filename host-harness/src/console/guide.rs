//! What to enter at the identity provider, and whether it is heard: for an administrator, and for whoever has a set-up link.

use super::parts::{Facts, Table, Tone, ago, copy, count, live, note, panel};
use super::place::Place;
use super::providers::{PROVIDERS, Provider};
use maud::{Markup, html};

/// The part that tells whether something was heard.
const CHECK: &str = "check";

/// What is known of an identity provider that is being set up.
pub(super) struct Heard {
    /// When a request last came, in milliseconds since the Unix epoch.
    pub(super) at: Option<u64>,
    /// When the last one was refused for its key, likewise.
    pub(super) wrong_key_at: Option<u64>,
    /// Why the last one was refused, unless something has succeeded since.
    pub(super) failure: Option<String>,
    pub(super) users: u64,
    pub(super) groups: u64,
}

/// What to enter, and where, at each identity provider. The instructions for the one that is `chosen` are open. `remedy` is
/// what the reader can do where the address is none for identity providers in the cloud.
pub(super) fn instructions(
    heading: &str,
    place: &Place,
    scim_path: &str,
    chosen: Option<&Provider>,
    remedy: &Markup,
) -> Markup {
    let url = place.url(scim_path);
    let entered = html! {
        (Facts::new()
            .add("SCIM base URL", copy(&url))
            .add("Key", html! { "The one that was issued for this directory" })
            .show())
        @if !place.secure {
            (note(Tone::Warn, &html! {
                p {
                    "This address begins with http. An identity provider in the cloud reaches only what is open to the "
                    "internet, over https. " (remedy)
                }
            }))
        }
        div.guides {
            @for provider in &PROVIDERS {
                details name="provider" open[chosen.is_some_and(|chosen| chosen.word == provider.word)] {
                    summary { (provider.name) }
                    (steps(provider))
                }
            }
        }
    };
    panel(heading, &entered)
}

fn steps(provider: &Provider) -> Markup {
    let mut table = Table::new("What to map", ["Attribute", "Comes from", "Is here"]);
    for mapped in provider.mapping {
        table.row([
            html! { code { (mapped.attribute) } },
            html! { (mapped.from) },
            html! { span.hint { (mapped.becomes) } },
        ]);
    }
    html! {
        p { "The SCIM base URL is called " b { (provider.url) } " there, and the key " b { (provider.key) } "." }
        ol.steps { @for step in provider.steps { li { (step) } } }
        h3 { "Attributes to map" }
        (table.show())
        h3 { "What to look out for" }
        ul.bullets { @for trap in provider.traps { li { (trap) } } }
    }
}

/// Whether the identity provider is heard: this turns green by itself.
pub(super) fn check(heading: &str, heard: &Heard, now: u64) -> Markup {
    let told = html! {
        @match (heard.at, heard.wrong_key_at) {
            (None, None) => (note(Tone::Busy, &html! {
                p { b { "Waiting for the first request …" } }
                p { "This page looks by itself; where it does not, load it again. The test of the connection, at the identity "
                    "provider, already counts." }
            })),
            (None, Some(last)) => (note(Tone::Warn, &html! {
                p { b { "Requests come, but with a key that does not work." } " The last one came " (ago(last, now)) "." }
                p { "Enter the key once more, and see that all of it is copied, without blanks around it." }
            })),
            (Some(at), _) => (connected(heard, at, now)),
        }
    };
    live(CHECK, &panel(heading, &html! { div role="status" { (told) } }))
}

fn connected(heard: &Heard, at: u64, now: u64) -> Markup {
    let so_far = html! {
        (count(heard.users)) @if heard.users == 1 { " user" } @else { " users" } " and "
        (count(heard.groups)) @if heard.groups == 1 { " group" } @else { " groups" } " have come so far."
    };
    html! {
        @if let Some(failure) = &heard.failure {
            (note(Tone::Warn, &html! {
                p { b { "It is connected, but the last request was refused." } " It came " (ago(at, now)) "." }
                @if !failure.is_empty() { p { "The answer was: " (failure) } }
                p { (so_far) }
            }))
        } @else {
            (note(Tone::Good, &html! {
                p { b { "Connected." } " The last request came " (ago(at, now)) "." }
                p { (so_far) }
            }))
        }
    }
}
