//! `/console/directories/{id}/groups/{group}`: one group, and how it compares with its organization.
//!
//! A comparison reads all memberships of the directory, so it is made when somebody asks for it, and not with the page.

use super::super::done::Done;
use super::super::frame::done;
use super::super::names::customers_named;
use super::super::parts::{Facts, Form, Tone, act, ago, badge, count, counted, note, panel};
use super::super::request::ConsoleRequest;
use super::groups;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{Difference, GroupCheck};
use maud::{Markup, html};

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let group = request.site().group(&head.directory.id, request.parameter(1)).await??;
    let facts = facts(&request, &head, &group.id, group.members, group.organization);
    let body = html! {
        (panel("The group", &facts.show()))
        (panel("Compared with its organization", &compare(&request, &head, &group.id)))
    };
    Ok(head.below(&request, "Groups", "/groups", &group.name).body(body).reply(&request))
}

/// Makes the comparison.
pub(in super::super) async fn check(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    Form::sent("check", &mut request).await?;
    let head = Head::read(&request).await?;
    let check = request.site().check_group(&head.directory.id, request.parameter(1)).await??;
    let facts = facts(&request, &head, &check.group, check.members, check.organization);
    let probation = probation(&request, &check).await?;
    let body = html! {
        @if check.differences.is_empty() {
            (note(Tone::Good, &html! { p { "The group and its organization match." } }))
        }
        (panel("The group", &facts.show()))
        @if !check.differences.is_empty() {
            (panel("What does not match", &html! {
                ul.plain {
                    @for difference in &check.differences {
                        li { (badge(Tone::Warn, "Differs")) " " (differs(difference)) }
                    }
                }
            }))
        }
        @if let Some(probation) = probation { (panel("On probation", &probation)) }
        @if !check.differences.is_empty() || check.probation.count > 0 {
            (panel("Repair", &repairing(&request, &head, &check)))
        }
        (panel("Compared with its organization", &compare(&request, &head, &check.group)))
    };
    Ok(head.below(&request, "Groups", "/groups", &check.name).body(body).reply(&request))
}

/// Puts right what does not match.
pub(in super::super) async fn repair(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    Form::sent("repair", &mut request).await?;
    let (id, group) = (request.parameter(0), request.parameter(1));
    let repaired = request.site().repair_group(request.actor(), id, group).await??;
    let what = if repaired.left.is_empty() { Done::GroupRepaired } else { Done::GroupRepairedInPart };
    Ok(done(&request, &format!("/directories/{id}/groups/{group}"), what))
}

/// What a repair does with what was found, and its button.
fn repairing(request: &ConsoleRequest<'_>, head: &Head, check: &GroupCheck) -> Markup {
    html! {
        p.hint {
            "The group decides, because the identity provider pushed it: the organization gets its name and its members."
            @if check.probation.count > 0 {
                " Probation ends: " (counted(check.probation.count, "customer is", "customers are")) " no longer a member."
            }
        }
        (act(request, &head.path(&format!("/groups/{}/repair", check.group)), "Repair"))
    }
}

fn facts(request: &ConsoleRequest<'_>, head: &Head, group: &str, members: u32, organization: Option<u64>) -> Facts {
    let link = |path: String, text: &str| html! { a href=(request.link(&path)) { (text) } };
    Facts::new()
        .add("Members", html! { (count(members)) })
        .add("Organization", groups::organization(request, head.directory.settings.mode, organization))
        .add("Requests", link(head.path(&format!("/requests?subject={group}")), "All requests about it"))
        .add("Changes", link(format!("/activity?directory={}&group={group}", head.directory.id), "Who came and went"))
        .add("Group id", html! { code { (group) } })
}

/// The form that asks for a comparison.
fn compare(request: &ConsoleRequest<'_>, head: &Head, group: &str) -> Markup {
    html! {
        p.hint {
            "Whether the group and its organization have the same name and members. That reads all memberships of "
            "the directory, which takes a second or two in a large one."
        }
        (act(request, &head.path(&format!("/groups/{group}")), "Compare"))
    }
}

async fn probation(request: &ConsoleRequest<'_>, check: &GroupCheck) -> Result<Option<Markup>, Fault> {
    let probation = &check.probation;
    if probation.count == 0 {
        return Ok(None);
    }
    let ids: Vec<_> = probation.first.iter().map(|(id, _)| id.clone()).collect();
    let named = customers_named(request, &ids).await?;
    Ok(Some(html! {
        p.hint {
            (counted(probation.count, "restored customer is a member", "restored customers are members"))
            " of the organization until the identity provider confirms or replaces them."
        }
        ul.names {
            @for ((id, name), (_, until)) in named.iter().zip(&probation.first) {
                li {
                    a href=(request.link(&format!("/customers/{id}"))) { (name) } " "
                    span.hint { "ends " (ago(*until, request.now)) }
                }
            }
        }
    }))
}

fn differs(difference: &Difference) -> Markup {
    html! {
        @match difference {
            Difference::NoOrganization => { "The group has no organization." }
            Difference::BrokenLink => { "The group and its organization do not name each other, or the organization "
                "is gone." }
            Difference::Name(name) => { "The organization is called " b { (name) } "." }
            Difference::MemberCount(count) => { "The group says that it has " (counted(*count, "member", "members")) ", and has not." }
            Difference::OneSided(count) => { (counted(*count, "membership is", "memberships are")) " stored on one "
                "side only." }
            Difference::Strangers(count) => { (counted(*count, "member is no user", "members are no users")) " of "
                "the directory." }
        }
    }
}
