//! `/console/directories/{id}/groups`: the groups that have an organization, and one compared with it.

use super::super::parts::{
    Facts, Filters, PAGE, Table, Tone, ago, badge, count, counted, day, empty, note, pager, panel,
};
use super::super::request::ConsoleRequest;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{Difference, Mode};
use crate::runtime::site::OrganizationFilter;
use maud::{Markup, html};

pub(in super::super) async fn list(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let filters = Filters::new(&request).text("query", "Name", "Beginning of a word of the name");
    let filter = OrganizationFilter {
        query: request.query("query").map(str::to_owned),
        directory: Some(head.directory.id.clone()),
        state: None,
    };
    let page = request.site().find_organizations(filter, request.cursor(), PAGE).await??;
    let mut table = Table::new("Groups with an organization", ["Group", "Organization", "Since"]);
    for organization in &page.values {
        table.row([
            html! {
                @match &organization.group {
                    Some(group) => a href=(request.link(&head.path(&format!("/groups/{group}")))) { (organization.name) },
                    None => (organization.name),
                }
            },
            html! { a href=(request.link(&format!("/organizations/{}", organization.id))) { "Number " (organization.id) } },
            day(organization.created_at),
        ]);
    }
    let list = html! {
        @if page.values.is_empty() {
            @if filters.is_set() || page.next.is_some() {
                (empty("No group fits", &html! { p { "Each word is the beginning of a word of the name. Try fewer letters." } }))
            } @else {
                (empty("No group has an organization", &html! { (none_yet(head.directory.settings.mode)) }))
            }
        } @else {
            (table.show())
        }
        (pager(&request, page.next.as_deref()))
    };
    let body = html! {
        p.intro {
            (counted(head.status.groups, "group", "groups")) " in the directory. Those that are linked to an organization of the site are "
            "listed; "
            a href=(request.link(&head.path("/conflicts/left"))) { "those left apart" } " are not."
        }
        (filters.around(&list))
    };
    Ok(head.page(&request, "Groups").body(body).reply(&request))
}

/// One group compared with its organization.
pub(in super::super) async fn one(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let check = request.site().check_group(&head.directory.id, request.parameter(1)).await??;
    let facts = Facts::new()
        .add("Members", html! { (count(check.members)) })
        .add("Organization", html! {
            @match check.organization {
                Some(id) => a href=(request.link(&format!("/organizations/{id}"))) { "Number " (id) },
                None => span.hint { "None" },
            }
        })
        .add("Group id", html! { code { (check.group) } })
        .add("Requests", html! {
            a href=(request.link(&head.path(&format!("/requests?subject={}", check.group)))) { "All requests about it" }
        });
    let probation = &check.probation;
    let body = html! {
        @if check.differences.is_empty() {
            (note(Tone::Good, &html! { p { "The group and its organization fit." } }))
        }
        (panel("The group", &facts.show()))
        @if !check.differences.is_empty() {
            (panel("What does not fit", &html! {
                ul.plain { @for difference in &check.differences { li { (badge(Tone::Warn, "Differs")) " " (differs(difference)) } } }
            }))
        }
        @if probation.count > 0 {
            (panel("On probation", &html! {
                p.hint {
                    (counted(probation.count, "restored customer is a member", "restored customers are members"))
                    " of the organization until the identity provider confirms or replaces them."
                }
                ul.names {
                    @for (customer, until) in &probation.first {
                        li { a href=(request.link(&format!("/customers/{customer}"))) { code { (customer) } } " " span.hint { "ends " (ago(*until, request.now)) } }
                    }
                }
            }))
        }
    };
    Ok(head.below(&request, "Groups", "/groups", &check.name).body(body).reply(&request))
}

fn none_yet(mode: Mode) -> Markup {
    html! {
        @match mode {
            Mode::Staged | Mode::Applying => p { "The directory is staged: its groups get their organizations when the plan is applied." },
            Mode::Live => p { "They come with the groups that the identity provider pushes." },
        }
    }
}

fn differs(difference: &Difference) -> Markup {
    html! {
        @match difference {
            Difference::NoOrganization => { "The group has no organization." }
            Difference::BrokenLink => { "The group and its organization do not name each other, or the organization is gone." }
            Difference::Name(name) => { "The organization is called " b { (name) } "." }
            Difference::MemberCount(count) => { "The group says that it has " (counted(*count, "member", "members")) ", and has not." }
            Difference::OneSided(count) => { (counted(*count, "membership is", "memberships are")) " stored on one side only." }
            Difference::Strangers(count) => { (counted(*count, "member is no user", "members are no users")) " of the directory." }
        }
    }
}
