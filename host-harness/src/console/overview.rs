//! `/console`: how everything is, and what wants a decision.

use super::chart;
use super::detail::Detail;
use super::feed::{self, Part};
use super::frame::{Page, Section};
use super::parts::Tone;
use super::parts::{ago, badge, count, counted, empty, live, meter, panel};
use super::request::ConsoleRequest;
use super::sentences::Teller;
use super::subjects::Subjects;
use super::words;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::changes::Filter;
use crate::runtime::directories::{Directory, DirectoryMeasures, DirectoryStatus, Mode, State};
use maud::{Markup, html};

/// How many directories are shown with their status; each takes a call.
const SHOWN: usize = 8;

/// How many directories are looked at for what wants a decision.
const LOOKED_AT: u32 = 100;

/// How many of the last changes are told.
const CHANGES: u32 = 20;

/// In how many sentences at most.
const SENTENCES: usize = 8;

const MINUTE: u64 = 60_000;

const HOUR: u64 = 60 * MINUTE;

/// How long before its end a key is spoken of.
const EXPIRES_SOON: u64 = 30 * 24 * HOUR;

pub(super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let site = request.site();
    let totals = site.totals().await??;
    let directories = site.directories(None, LOOKED_AT).await??;
    let measures = site.directory_measures().await??;
    let mut shown = Vec::new();
    for directory in directories.values.iter().take(SHOWN) {
        shown.push((directory, site.directory_status(&directory.id).await??));
    }
    let changes = feed::last(site, &Filter::everything(), Part::default(), CHANGES).await?;
    let subjects = Subjects::of(&request, &Detail::default(), &changes.changes).await?;
    let teller = Teller { request: &request, subjects: &subjects };
    let lead = html! {
        a href=(request.link("/customers")) { (counted(totals.customers.all, "customer", "customers")) } ", "
        a href=(request.link("/organizations")) { (counted(totals.organizations.all, "organization", "organizations")) }
        " and "
        a href=(request.link("/projects")) { (counted(totals.projects, "project", "projects")) } "."
    };
    if directories.values.is_empty() {
        return Ok(Page::new(Section::Overview, "Overview").lead(lead).body(first_steps(&request)).reply(&request));
    }
    let decisions = decisions(&request, &directories.values, &measures.directories);
    let left_out = directories.values.len().saturating_sub(shown.len());
    let body = html! {
        (live("decisions", &panel("Wants a decision", &decisions)))
        (live("directories", &html! {
            div.columns { @for (directory, status) in &shown { (card(&request, directory, status)) } }
            @if left_out > 0 || directories.next.is_some() {
                p { a href=(request.link("/directories")) { "All directories" } }
            }
        }))
        div.columns.halves {
            (live("hours", &panel("The last 24 hours", &chart::hours(
                request.now,
                shown.iter().flat_map(|(_, status)| &status.hours),
            ))))
            (live("changes", &panel("Last changes", &html! {
                @if changes.changes.is_empty() {
                    (empty("Nothing yet", &html! { p { "What is done on the site appears here." } }))
                } @else {
                    (teller.feed(&changes.changes, SENTENCES, |at| ago(at, request.now)))
                    @if changes.before.is_some() { p { a href=(request.link("/activity")) { "All activity" } } }
                }
            })))
        }
    };
    Ok(Page::new(Section::Overview, "Overview").lead(lead).body(body).reply(&request))
}

/// What an administrator is asked for, the most urgent first, each with where it is done.
fn decisions(request: &ConsoleRequest<'_>, directories: &[Directory], measures: &[DirectoryMeasures]) -> Markup {
    let mut items: Vec<(Tone, &str, Markup)> = Vec::new();
    let mut add = |tone, word, path: String, text: String, name: &str| {
        items.push((tone, word, html! { a href=(request.link(&path)) { (text) } " " span.hint { "in " (name) } }));
    };
    for measured in measures {
        let (id, name) = (&measured.id, measured.name.as_str());
        match measured.key_expires_at {
            None => add(
                Tone::Bad,
                "No key",
                format!("/directories/{id}/keys"),
                "No key works: nothing can come".into(),
                name,
            ),
            Some(end) if end < request.now + EXPIRES_SOON => {
                let days = end.saturating_sub(request.now) / (24 * HOUR);
                let text = format!("The last key expires in {}", counted(days, "day", "days"));
                add(Tone::Warn, "Key", format!("/directories/{id}/keys"), text, name);
            }
            Some(_) => {}
        }
        if measured.is_holding || measured.held > 0 {
            let text = format!(
                "{} held",
                counted(measured.held, "deletion or deactivation is", "deletions and deactivations are")
            );
            add(Tone::Bad, "Held", format!("/directories/{id}/held"), text, name);
        }
        if measured.conflicts > 0 {
            let text = format!("{} open", counted(measured.conflicts, "conflict is", "conflicts are"));
            add(Tone::Warn, "Conflict", format!("/directories/{id}/conflicts"), text, name);
        }
        if measured.is_staged && measured.planned > 0 {
            let text = format!(
                "A plan for {} is there to apply",
                counted(measured.planned, "customer or organization", "customers and organizations")
            );
            add(Tone::Busy, "Plan", format!("/directories/{id}/plan"), text, name);
        }
    }
    for directory in directories {
        // Of a directory that is staged, all users are unlinked until its plan is applied.
        if directory.unlinked > 0 && directory.settings.mode == Mode::Live {
            let text = format!("{} linked to no customer", counted(directory.unlinked, "user is", "users are"));
            add(
                Tone::Quiet,
                "Unlinked",
                format!("/directories/{}/unlinked", directory.id),
                text,
                &directory.settings.name,
            );
        }
    }
    items.sort_by_key(|(tone, ..)| *tone);
    html! {
        @if items.is_empty() {
            p.hint { "Nothing. Conflicts, held deletions, plans, keys that expire and unlinked users appear here." }
        } @else {
            ul.decisions { @for (tone, word, text) in &items { li { (badge(*tone, word)) span { (text) } } } }
        }
    }
}

/// A directory at a glance.
fn card(request: &ConsoleRequest<'_>, directory: &Directory, status: &DirectoryStatus) -> Markup {
    html! {
        section.panel.directory {
            div.title {
                h2 { a href=(request.link(&format!("/directories/{}", directory.id))) { (directory.settings.name) } }
                (words::directory_state(status))
            }
            p.hint { (in_words(status, request.now)) }
            dl.numbers {
                div { dt { "Users" } dd { (count(status.users)) } }
                div { dt { "Memberships" } dd { (count(status.memberships)) } }
                div { dt { "Refused, 24 h" } dd { (count(status.failures)) } }
            }
            (meter("Groups", status.groups, status.group_limit))
            @if let Some(largest) = &status.largest_group {
                (meter("Largest group", largest.members.into(), status.member_limit.into()))
            }
        }
    }
}

/// The state of a directory as a sentence.
pub(super) fn in_words(status: &DirectoryStatus, now: u64) -> Markup {
    let last = html! {
        @match status.last_request {
            Some(last) => {
                "The last request came " (ago(last, now))
                @if let Some(hour) = status.hours.last().filter(|hour| hour.at + HOUR > now) {
                    "; " (counted(hour.changes, "change", "changes")) " in this hour"
                }
                "."
            }
            None => "Waiting for the first request.",
        }
    };
    html! {
        @match status.state {
            State::Connected | State::Waiting => (last),
            State::FirstSync => { (first_sync(status, now)) (last) }
            State::Failing => { "One request after the other is refused. " (last) }
            State::Held => { "Deletions and deactivations wait until somebody lets them through. " (last) }
            State::Staged => {
                (counted(status.planned, "customer or organization is", "customers and organizations are"))
                " planned; nothing reaches the site. " (first_sync(status, now)) (last)
            }
            State::Applying => { "The plan is being applied. " (last) }
            State::Silent => { "Nothing has come for much longer than usual. " (last) }
            State::NoKeyWorks => { "Every key has expired or was revoked, so nothing can come. " (last) }
        }
    }
}

/// How the first sync goes, while it is under way. How much is yet to come, no identity provider says.
fn first_sync(status: &DirectoryStatus, now: u64) -> Markup {
    html! {
        @if let Some(first) = &status.first_sync {
            "The first sync began " (ago(first.since, now)) " and has made " (counted(first.changes, "change", "changes"))
            // Of less than a minute there is no rate.
            @let minutes = now.saturating_sub(first.since) / MINUTE;
            @if let Some(rate) = first.changes.checked_div(minutes) { ", " (count(rate)) " a minute" }
            ". "
        }
    }
}

/// What is shown where no directory is connected.
pub(super) fn first_steps(request: &ConsoleRequest<'_>) -> Markup {
    empty(
        "No identity provider is connected",
        &html! {
            p {
                "A directory is one identity provider, such as Entra ID or Okta, that pushes its users and groups "
                "here. Connect one: the next page says what to enter there."
            }
            p { a.button href=(request.link("/connect")) { "Connect an identity provider" } }
            p { "Staged, it changes nothing on the site until you have seen and applied its plan." }
        },
    )
}
