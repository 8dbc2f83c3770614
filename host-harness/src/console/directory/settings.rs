//! `/console/directories/{id}/settings`

use super::super::parts::{Facts, copy, count, counted, duration, panel};
use super::super::request::ConsoleRequest;
use super::super::words;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{EmailChange, EmailPresence, OutsideDomains, Settings, UnknownMembers};
use maud::{Markup, html};

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let settings = &head.directory.settings;
    let body = html! {
        (panel("General", &Facts::new()
            .add("Name", html! { (settings.name) })
            .add("Mode", html! { (words::mode(settings.mode)) })
            .add("SCIM base URL", copy(&request.place.url(&head.directory.scim_path)))
            .add("Counts as silent", html! {
                @match settings.silent_after {
                    0 => "Never",
                    times => { "After " (count(times)) " times its usual interval without a request" }
                }
            })
            .show()))
        (panel("Users", &users(settings)))
        (panel("Groups", &groups(settings)))
        (panel("Projects by rule", &rules(&request, settings)))
        (panel("Deletion limit", &html! {
            @match settings.deletion_limit {
                Some(limit) => p { "More than " (count(limit)) " deletions and deactivations within an hour are "
                    "held until somebody lets them through." },
                None => p.hint { "None: every deletion and deactivation goes through." },
            }
        }))
    };
    Ok(head.page(&request, "Settings").body(body).reply(&request))
}

fn users(settings: &Settings) -> Markup {
    let change = match settings.email_change {
        EmailChange::Refuse => "Refused, and nothing is changed",
        EmailChange::Follow => "Followed: the customer keeps id, organizations and history",
    };
    let presence = match settings.email {
        EmailPresence::Optional => "Kept, linked to no customer",
        EmailPresence::Required => "Refused",
    };
    let outside = match settings.outside_domains {
        OutsideDomains::Unlinked => "Kept, linked to no customer",
        OutsideDomains::Refuse => "Refused",
    };
    Facts::new()
        .add("Email changes", html! { (change) })
        .add("Without an email", html! { (presence) })
        .add(
            "Email domains",
            html! {
                @if settings.domains.is_empty() { span.hint { "Any" } } @else { (settings.domains.join(", ")) }
            },
        )
        .add("Outside of them", html! { (outside) })
        .show()
}

fn groups(settings: &Settings) -> Markup {
    let unknown = match settings.unknown_members {
        UnknownMembers::Refuse => "The request is refused",
        UnknownMembers::Skip => "Left out, and logged",
    };
    Facts::new()
        .add("On a conflict", html! { (words::conflict_policy(settings.conflict_policy)) })
        .add(
            "Grace of adoptions",
            html! {
                @match settings.adoption_grace_seconds {
                    0 => "None",
                    seconds => { "Former members stay for " (duration(u64::from(seconds) * 1_000)) }
                }
            },
        )
        .add("Unknown members", html! { (unknown) })
        .add("Memberships as resources", html! { @if settings.membership_resources { "On" } @else { "Off" } })
        .show()
}

fn rules(request: &ConsoleRequest<'_>, settings: &Settings) -> Markup {
    html! {
        @if settings.project_rules.is_empty() {
            p.hint {
                "None. With a rule, organizations of groups whose names fit a pattern are associated with projects "
                "at once."
            }
        } @else {
            p.hint { (counted(settings.project_rules.len() as u64, "rule", "rules")) ", all of which apply." }
            ul.plain {
                @for rule in &settings.project_rules {
                    li {
                        code { (rule.pattern) } " → "
                        @for (index, project) in rule.projects.iter().enumerate() {
                            @if index > 0 { ", " }
                            a href=(request.link(&format!("/projects/{project}"))) { "project " (project) }
                        }
                    }
                }
            }
        }
    }
}
