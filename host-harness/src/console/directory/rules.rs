//! `/console/directories/{id}/rules`: what the project rules would do to organizations that exist, and doing it.

use super::super::done::Done;
use super::super::frame::done;
use super::super::parts::{Ends, Form, PAGE, Table, counted, empty, pager};
use super::super::request::ConsoleRequest;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::RulePage;
use maud::{Markup, html};

/// How many groups one transaction deals with.
const GROUPS_AT_ONCE: u32 = 1_000;

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    page(&request, &Head::read(&request).await?, &Form::new("rules")).await
}

/// Applies the rules to all organizations, some at a time, so that no other writer waits for the whole. What is done stays
/// done if the rest fails, and doing it once more does the rest.
pub(in super::super) async fn apply(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("rules", &mut request).await?;
    let head = Head::read(&request).await?;
    let mut cursor: Option<String> = None;
    loop {
        let applied =
            request.site().apply_rules(request.actor(), &head.directory.id, cursor.as_deref(), GROUPS_AT_ONCE).await?;
        match applied {
            Ok(applied) if applied.next.is_some() => cursor = applied.next,
            Ok(_) => return Ok(done(&request, &head.path("/rules"), Done::RulesApplied)),
            Err(error) => return page(&request, &head, &form.refused(error)?).await,
        }
    }
}

async fn page(request: &ConsoleRequest<'_>, head: &Head, form: &Form) -> Result<Reply, Fault> {
    let rules = head.directory.settings.project_rules.len() as u64;
    let page = request.site().preview_rules(&head.directory.id, request.cursor(), PAGE).await??;
    let is_done = page.values.is_empty() && page.next.is_none() && request.cursor().is_none();
    let body = html! {
        p.intro {
            "Organizations get the projects of the " (counted(rules, "rule", "rules")) " when they are made or adopted. "
            "Those that existed before get them here. Nobody loses a project by this."
        }
        @if is_done {
            (empty("Nothing to do", &html! {
                p {
                    @if rules == 0 { "The directory has no project rules. Write some into its settings." }
                    @else { "Every organization that a rule fits is associated with its projects." }
                }
            }))
        } @else {
            (effects(request, head, &page))
            (pager(request, page.next.as_deref()))
            section.panel.apart {
                p { "Applying does this for all groups of the directory, also those on the pages that follow." }
                (form.show(request, &head.path("/rules"), &html! {}, &Ends::with("Apply the rules")))
            }
        }
    };
    let page = head.below(request, "Settings", "/settings", "Projects by rule");
    Ok(page.body(body).reply_with(form.status(), request))
}

fn effects(request: &ConsoleRequest<'_>, head: &Head, page: &RulePage) -> Markup {
    let mut table = Table::new("What the rules would add", ["Organization", "Would get"]);
    for effect in &page.values {
        table.row([
            html! { a href=(request.link(&format!("/organizations/{}", effect.organization))) { (effect.name) } },
            html! {
                @for (index, (id, name)) in effect.projects.iter().enumerate() {
                    @if index > 0 { ", " }
                    a href=(request.link(&format!("/projects/{id}"))) { (name) }
                }
            },
        ]);
    }
    html! {
        @if page.values.is_empty() {
            (empty("Nothing on this page", &html! { p { "Go on to the next page: there are more groups to look at." } }))
        } @else {
            (table.show())
        }
        @if head.status.groups == 0 { p.hint { "The directory has no groups yet." } }
    }
}
