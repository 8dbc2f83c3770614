//! `/console/directories/{id}/plan`: what going live would do, counted; who loses access first.

use super::super::parts::{
    Facts, Table, Tone, ago, badge, count, counted, duration, empty, live, note, numeric, panel,
};
use super::super::request::ConsoleRequest;
use super::super::sentences::admin;
use super::super::words::{PLANNED_CUSTOMERS, PLANNED_ORGANIZATIONS, Planned};
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{ApplyProgress, Mode, Plan, PlanAccess, PlannedKind};
use maud::{Markup, html};

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let plan = request.site().plan(&head.directory.id).await??;
    let progress = request.site().apply_progress(&head.directory.id).await??;
    let body = live(
        "plan",
        &html! {
            @if let Some(progress) = &progress { (applied(&request, progress)) }
            @if plan.mode == Mode::Live {
                (empty("Nothing is planned", &html! {
                    p { "The directory is live: what it pushes reaches the site at once." }
                    p {
                        "Staged, its pushes are kept as a plan that you look through first: who is made, linked, "
                        "changed or deactivated, and who gains or loses which project."
                    }
                    p { a.button href=(request.link(&head.path("/stage"))) { "Stage the directory …" } }
                }))
            } @else {
                (counts(&request, &head, &plan))
            }
        },
    );
    Ok(head.page(&request, "Plan").body(body).reply(&request))
}

fn counts(request: &ConsoleRequest<'_>, head: &Head, plan: &Plan) -> Markup {
    let of = |kind| plan.kinds.iter().find(|planned| planned.kind == kind).map_or(0, |planned| planned.count);
    let all: u64 = plan.kinds.iter().map(|planned| planned.count).sum();
    html! {
        div.strip {
            p.hint { @if let Some(changed) = plan.changed_at { "The plan last changed " (ago(changed, request.now)) "." } }
            @if plan.mode == Mode::Staged {
                a.button.main href=(request.link(&head.path("/plan/apply"))) { "Apply the plan …" }
            } @else {
                a.button.small href=(request.link(&head.path("/stage"))) { "Stop the apply …" }
            }
        }
        (access(request, head, plan))
        @if let Some(limit) = plan.limit.filter(|limit| plan.going > u64::from(*limit)) {
            (note(Tone::Warn, &html! {
                p {
                    b { (counted(plan.going, "customer or organization goes", "customers and organizations go")) }
                    ", more than the deletion limit of " (count(limit)) ": applying asks for exactly that number."
                }
            }))
        }
        @if plan.blocked > 0 {
            (note(Tone::Warn, &html! {
                p {
                    a href=(request.link(&head.path("/plan/blocked"))) {
                        (counted(plan.blocked, "item is blocked", "items are blocked"))
                    }
                    " by what the site has changed since. They stay unlinked or apart when the plan is applied."
                }
            }))
        }
        @if all == 0 {
            (empty("The plan is empty", &html! { p { "Nothing that the identity provider has pushed would change "
                "the site." } }))
        } @else {
            div.columns {
                (panel("Customers", &kinds(request, head, &PLANNED_CUSTOMERS, of)))
                (panel("Organizations", &kinds(request, head, &PLANNED_ORGANIZATIONS, of)))
            }
        }
    }
}

fn kinds(request: &ConsoleRequest<'_>, head: &Head, kinds: &[Planned], of: impl Fn(PlannedKind) -> u64) -> Markup {
    html! {
        ul.counts {
            @for planned in kinds {
                @let number = of(planned.kind);
                li.none[number == 0] {
                    @if number > 0 {
                        a href=(request.link(&head.path(&format!("/plan/{}", planned.path)))) { (planned.name) }
                    } @else {
                        span { (planned.name) }
                    }
                    @if planned.goes && number > 0 { " " (badge(Tone::Bad, "Goes")) }
                    b { (count(number)) }
                }
            }
        }
    }
}

/// What is said of one who loses a project, and of several.
const LOSING: [&str; 2] = ["person loses a project", "persons lose projects"];

/// The same of those who gain one.
const GAINING: [&str; 2] = ["person gains a project", "persons gain projects"];

/// Who loses and who gains projects, as it was worked out last.
fn access(request: &ConsoleRequest<'_>, head: &Head, plan: &Plan) -> Markup {
    let working =
        plan.access_since.map(|since| html! { "It is being worked out, since " (ago(since, request.now)) "." });
    let Some(access) = &plan.access else {
        return panel(
            "Who loses access",
            &html! {
                p.hint {
                    @match working {
                        Some(working) => (working),
                        None => "It is worked out when the plan has not changed for a moment.",
                    }
                }
            },
        );
    };
    let heading = if access.losing > 0 { "Who loses access" } else { "Access" };
    panel(
        heading,
        &html! {
            div.turnover {
                (turnover(request, head, access.losing, "loses-access", LOSING))
                (turnover(request, head, access.gaining, "gains-access", GAINING))
            }
            @if !access.projects.is_empty() { (by_project(request, access)) }
            p.hint {
                "As of " (ago(access.as_of, request.now)) "."
                @if !access.is_current { " The plan has changed since." }
                @if let Some(working) = working { " " (working) }
            }
        },
    )
}

/// How many persons lose or gain projects, with the list of them.
fn turnover(request: &ConsoleRequest<'_>, head: &Head, number: u64, path: &str, [one, many]: [&str; 2]) -> Markup {
    let text = if number == 1 { one } else { many };
    html! {
        p {
            b.big { (count(number)) } " "
            @if number > 0 { a href=(request.link(&head.path(&format!("/plan/{path}")))) { (text) } } @else { (text) }
        }
    }
}

fn by_project(request: &ConsoleRequest<'_>, access: &PlanAccess) -> Markup {
    let mut table =
        Table::new("Who gains and loses which project", [("Project", false), numeric("Lose it"), numeric("Gain it")]);
    for project in &access.projects {
        table.row([
            html! { a href=(request.link(&format!("/projects/{}", project.project))) { (project.name) } },
            html! { (count(project.losing)) },
            html! { (count(project.gaining)) },
        ]);
    }
    table.show()
}

/// How the last apply goes, or went.
fn applied(request: &ConsoleRequest<'_>, progress: &ApplyProgress) -> Markup {
    let (done, of) = (progress.done, progress.of.max(progress.done));
    let rest = rest(progress, request.now);
    let facts = Facts::new()
        .add("By", html! { (admin(&progress.by)) })
        .add("Begun", ago(progress.since, request.now))
        .maybe("Ended", progress.ended.map(|ended| ago(ended, request.now)))
        .maybe("Blocked", (progress.blocked > 0).then(|| html! { (count(progress.blocked)) }))
        .maybe("Time left", rest.map(|rest| html! { "about " (duration(rest)) }));
    let heading = match progress.ended {
        None => "The plan is being applied",
        Some(_) if progress.stopped => "The last apply was stopped",
        Some(_) => "The plan was applied",
    };
    panel(
        heading,
        &html! {
            div.progress {
                progress max=(of) value=(done) aria-label="Progress of the apply" { }
                span { b { (count(done)) } " of " (count(of)) }
            }
            (facts.show())
        },
    )
}

/// How long an apply still takes at its rate so far.
fn rest(progress: &ApplyProgress, now: u64) -> Option<u64> {
    let took = now.checked_sub(progress.since)?;
    let left = progress.of.checked_sub(progress.done)?;
    let goes_on = progress.ended.is_none() && progress.done > 0;
    goes_on.then(|| u64::try_from(u128::from(took) * u128::from(left) / u128::from(progress.done)).ok())?
}
