//! `/console/directories/{id}/plan/apply`: goes live.

use super::super::done::Done;
use super::super::frame::done;
use super::super::parts::{Confirm, Ends, Form, count, counted};
use super::super::request::ConsoleRequest;
use super::super::words::{PLANNED_CUSTOMERS, PLANNED_ORGANIZATIONS};
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{Mode, Plan};
use maud::{Markup, html};

pub(in super::super) async fn ask(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    page(&request, &Head::read(&request).await?, &Form::new("apply")).await
}

pub(in super::super) async fn act(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("apply", &mut request).await?;
    let head = Head::read(&request).await?;
    let accepted = match form.entered("accept").map(|_| form.number("accept", "How many go")).transpose() {
        Ok(accepted) => accepted.map(u64::from),
        Err(fault) => return page(&request, &head, &form.refused(fault)?).await,
    };
    match request.site().apply_plan(request.actor(), &head.directory.id, accepted).await? {
        Ok(_) => Ok(done(&request, &head.path("/plan"), Done::ApplyStarted)),
        Err(error) => page(&request, &head, &form.refused(error)?).await,
    }
}

async fn page(request: &ConsoleRequest<'_>, head: &Head, form: &Form) -> Result<Reply, Fault> {
    let plan = request.site().plan(&head.directory.id).await??;
    let path = head.path("/plan/apply");
    let body = if plan.mode == Mode::Staged {
        let asks = plan.limit.filter(|limit| plan.going > u64::from(*limit));
        let text = if asks.is_some() { Ends::dangerous("Apply the plan") } else { Ends::with("Apply the plan") };
        let fields = html! { @if let Some(limit) = asks { (accept(&plan, limit)) } };
        Confirm { form, path: &path, happens: happens(&plan), fields, ends: text.or_back(head.path("/plan")) }
            .show(request)
    } else {
        // Somebody else was faster.
        html! {
            section.panel {
                p {
                    @if plan.mode == Mode::Applying { "The plan is being applied already." }
                    @else { "The directory is live: there is no plan to apply." }
                }
                p { a.button href=(request.link(&head.path("/plan"))) { "Back" } }
            }
        }
    };
    let page = head.below(request, "Plan", "/plan", "Apply the plan?");
    Ok(page.body(body).reply_with(form.status(), request))
}

fn happens(plan: &Plan) -> Vec<Markup> {
    let mut happens = Vec::new();
    let count_of = |kind| plan.kinds.iter().find(|planned| planned.kind == kind).map_or(0, |planned| planned.count);
    if let Some(access) = &plan.access {
        happens.push(html! {
            b { (counted(access.losing, "person loses a project", "persons lose projects")) ", "
                (counted(access.gaining, "gains one", "gain some")) "." }
            @if !access.is_current { " The plan has changed since that was counted." }
        });
    }
    let goes = PLANNED_CUSTOMERS.iter().chain(&PLANNED_ORGANIZATIONS).filter(|planned| planned.goes);
    let comes = PLANNED_CUSTOMERS.iter().chain(&PLANNED_ORGANIZATIONS).filter(|planned| !planned.goes);
    for planned in goes.chain(comes) {
        let number = count_of(planned.kind);
        if number > 0 {
            happens.push(html! { (planned.name) ": " b { (count(number)) } });
        }
    }
    if happens.is_empty() {
        happens.push(html! { "Nothing changes on the site." });
    }
    if plan.blocked > 0 {
        happens.push(html! {
            (counted(plan.blocked, "item is blocked and stays", "items are blocked and stay")) " unlinked or apart."
        });
    }
    happens.push(html! { "Then the directory is live: what it pushes reaches the site at once." });
    happens
}

/// What is to be ticked where more go than the guard lets pass.
fn accept(plan: &Plan, limit: u32) -> Markup {
    let number = plan.going.to_string();
    let label =
        format!("Yes, {} may go", counted(plan.going, "customer or organization", "customers and organizations"));
    let hint = format!(
        "They are deleted, deactivated or unlinked: more than the deletion limit of {}. Should there be more of them by \
         the time you apply, you are asked again.",
        count(limit)
    );
    Form::new("apply").tick("accept", Some(&number), &label, &hint)
}
