//! What happened to a customer or an organization, and what put it into its state.

use super::kinds;
use super::names::DirectoryNames;
use super::parts::{Facts, at, empty, pager};
use super::request::ConsoleRequest;
use super::sentences::actor;
use super::words;
use crate::runtime::site::{Causes, HistoryEntry, HistoryPage, ValueChange};
use maud::{Markup, html};

/// What gave something its status, its link and its name.
pub(super) fn causes(request: &ConsoleRequest<'_>, directories: &DirectoryNames, causes: &Causes) -> Markup {
    let told = |entry: &Option<HistoryEntry>| {
        entry.as_ref().map(|entry| {
            html! {
                (kinds::name(&entry.kind)) " by " (actor(request, directories, &entry.actor)) ", " (at(entry.at))
                (asked(entry))
            }
        })
    };
    let is_the_same = |one: &Option<HistoryEntry>, other: &Option<HistoryEntry>| {
        one.as_ref().map(|entry| entry.sequence) == other.as_ref().map(|entry| entry.sequence)
    };
    if causes.status.is_none() && causes.link.is_none() && causes.name.is_none() {
        return html! { p.hint { "It lies too far back to be told." } };
    }
    // Most often it came into being with all three.
    if is_the_same(&causes.status, &causes.link) && is_the_same(&causes.status, &causes.name) {
        return Facts::new().maybe("Status, link, name", told(&causes.status)).show();
    }
    let causes = [("Status", &causes.status), ("Link", &causes.link), ("Name", &causes.name)];
    let facts = causes.into_iter().fold(Facts::new(), |facts, (name, cause)| facts.maybe(name, told(cause)));
    facts.show()
}

/// A page of a history, newest first.
pub(super) fn timeline(request: &ConsoleRequest<'_>, directories: &DirectoryNames, page: &HistoryPage) -> Markup {
    html! {
        @if page.values.is_empty() {
            (empty("Nothing is told", &html! { p { "What happens to it from now on stands here, with old and new values." } }))
        } @else {
            ol.timeline.panel {
                @for entry in &page.values {
                    li class=(kinds::tone(std::iter::once(entry.kind.as_str())).class()) {
                        p { b { (kinds::name(&entry.kind)) } " by " (actor(request, directories, &entry.actor)) }
                        p.hint { (at(entry.at)) (asked(entry)) }
                        @if !entry.values.is_empty() { (values(&entry.values)) }
                    }
                }
            }
        }
        (pager(request, page.next.as_deref()))
    }
}

/// The request that made a change.
fn asked(entry: &HistoryEntry) -> Markup {
    html! { @if let Some(id) = &entry.request { span.hint { ", request " code { (id) } } } }
}

/// Values before and after.
fn values(values: &[ValueChange]) -> Markup {
    let word = |value: &ValueChange, text: &Option<String>| {
        text.as_deref().map_or("nothing", |text| words::value(&value.attribute, text)).to_owned()
    };
    html! {
        ul.values {
            @for value in values {
                li {
                    span.hint { (words::attribute(&value.attribute)) }
                    " "
                    @if value.old.is_none() && value.new.is_none() {
                        span.hint { "not known" }
                    } @else if value.old.is_none() {
                        ins { (word(value, &value.new)) }
                    } @else {
                        del { (word(value, &value.old)) } " → " ins { (word(value, &value.new)) }
                    }
                }
            }
        }
    }
}
