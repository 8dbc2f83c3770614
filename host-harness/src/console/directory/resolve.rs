//! `/console/directories/{id}/conflicts/{group}`: one conflict, and the decisions on it side by side.

use super::super::done::Done;
use super::super::frame::done;
use super::super::names::customers_named;
use super::super::parts::{Ends, Facts, Form, Tone, ago, count, counted, note, panel};
use super::super::request::ConsoleRequest;
use super::super::words;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{
    Conflict, ConflictKind, ConflictPreview, ConflictSubject, MemberChange, Mode, Resolution,
};
use hyper::StatusCode;
use maud::{Markup, html};

/// The forms of the page, one for each decision.
struct Forms {
    adopt: Form,
    rename: Form,
    leave: Form,
}

impl Forms {
    fn new() -> Self {
        Self { adopt: Form::new("adopt"), rename: Form::new("rename"), leave: Form::new("leave") }
    }
}

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    page(&request, &Head::read(&request).await?, StatusCode::OK, &Forms::new()).await
}

pub(in super::super) async fn act(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("rename", &mut request).await?;
    let head = Head::read(&request).await?;
    let (resolution, what, rest) = match form.text("action") {
        "adopt" => (Resolution::Adopt, Done::ConflictAdopted, "/conflicts"),
        "rename" => (Resolution::Rename(form.text("name").to_owned()), Done::ConflictRenamed, "/conflicts"),
        "leave" => (Resolution::Leave, Done::ConflictLeft, "/conflicts/left"),
        _ => return Err(Fault::new(StatusCode::BAD_REQUEST, "Choose one of the decisions on the page.")),
    };
    let group = request.parameter(1);
    let error = match request.site().resolve_conflict(request.actor(), &head.directory.id, group, resolution).await? {
        Ok(()) => return Ok(done(&request, &head.path(rest), what)),
        Err(error) => error,
    };
    let mut forms = Forms::new();
    let form = form.refused(error)?;
    let status = form.status();
    match what {
        Done::ConflictAdopted => forms.adopt = form,
        Done::ConflictRenamed => forms.rename = form,
        _ => forms.leave = form,
    }
    page(&request, &head, status, &forms).await
}

async fn page(request: &ConsoleRequest<'_>, head: &Head, status: StatusCode, forms: &Forms) -> Result<Reply, Fault> {
    let preview = request.site().preview_conflict(&head.directory.id, request.parameter(1)).await??;
    let conflict = &preview.conflict;
    let adopt = adopt(request, head, &preview, &forms.adopt).await?;
    let body = html! {
        (panel("The conflict", &facts(request, conflict)))
        @if head.directory.settings.mode != Mode::Live {
            (note(Tone::Busy, &html! { p { "The directory is staged: what you decide is planned, and takes effect when the plan is applied. Only a new name is given at once." } }))
        }
        div.columns.decide {
            (adopt)
            (rename(request, head, conflict, &forms.rename))
            @if conflict.kind != ConflictKind::Left { (leave(request, head, conflict, &forms.leave)) }
        }
    };
    let page = head.below(request, "Conflicts", "/conflicts", &conflict.name);
    Ok(page.body(body).reply_with(status, request))
}

fn facts(request: &ConsoleRequest<'_>, conflict: &Conflict) -> Markup {
    Facts::new()
        .add("What", html! { (words::conflict_kind(conflict.kind)) })
        .add("Since", ago(conflict.since, request.now))
        .maybe(
            "Organization",
            conflict.organization.as_ref().map(|organization| {
                html! {
                    a href=(request.link(&format!("/organizations/{}", organization.id))) { (organization.name) }
                    " " span.hint {
                        @match &organization.managed_by { Some((_, name)) => { "managed by " (name) }, None => "local" }
                    }
                }
            }),
        )
        .maybe(
            "Refused",
            conflict.refusals.map(|(times, last)| {
                html! {
                    (counted(times, "time", "times")) ", last " (ago(last, request.now))
                }
            }),
        )
        .show()
}

/// The group gets the organization: who comes and goes by that, and with which projects.
async fn adopt(
    request: &ConsoleRequest<'_>,
    head: &Head,
    preview: &ConflictPreview,
    form: &Form,
) -> Result<Markup, Fault> {
    let coming = customers_named(request, &preview.added.first).await?;
    let going = customers_named(request, &preview.removed.first).await?;
    let conflict = &preview.conflict;
    let is_refused = matches!(conflict.subject, ConflictSubject::RefusedGroup(_));
    let fields = html! {
        p.hint {
            @if conflict.organization.is_none() { "No organization has the name any more: one is made for the group." }
            @else if is_refused {
                "When the group is pushed again, it gets the organization, and its members become those of the group."
            } @else { "It keeps its number and projects, becomes managed, and its members become those of the group at once." }
        }
        (turn(request, "Who comes", &preview.added, &coming))
        (turn(request, "Who goes", &preview.removed, &going))
        @if is_refused { p.hint { "Who is in the group is not known before it is pushed again: some of them may stay." } }
        div {
            h3 { "Projects that go with it: " (count(preview.projects.len() as u64)) }
            @if !preview.projects.is_empty() {
                p.hint { "Whoever comes gains them; whoever goes loses them, unless something else opens them." }
                ul.names { @for (id, name) in &preview.projects { li { a href=(request.link(&format!("/projects/{id}"))) { (name) } } } }
            }
        }
    };
    let ends = if preview.removed.count > 0 { Ends::dangerous("Adopt it") } else { Ends::with("Adopt it") };
    Ok(decision(request, head, "Adopt the organization", "adopt", form, &fields, &ends))
}

/// The organization makes room for the group.
fn rename(request: &ConsoleRequest<'_>, head: &Head, conflict: &Conflict, form: &Form) -> Markup {
    let fields = html! {
        p.hint {
            "The organization keeps its members and projects under another name. The group gets an organization of its own, "
            "called " b { (conflict.name) } @if conflict.refusals.is_some() { ", when it is pushed again" } "."
        }
        (form.line("name", "New name of the organization", ""))
    };
    decision(request, head, "Rename the organization", "rename", form, &fields, &Ends::with("Rename it"))
}

/// Nothing changes but the list.
fn leave(request: &ConsoleRequest<'_>, head: &Head, conflict: &Conflict, form: &Form) -> Markup {
    let fields = html! {
        p.hint {
            @if conflict.refusals.is_some() {
                "The conflict is taken off the list. Pushed again, the group is refused again, and listed again."
            } @else {
                "The organization stays as it is, and the group has none: nobody gains or loses anything. You can take it up "
                "again under Left apart."
            }
        }
    };
    decision(request, head, "Leave them apart", "leave", form, &fields, &Ends::with("Leave apart"))
}

fn decision(
    request: &ConsoleRequest<'_>,
    head: &Head,
    heading: &str,
    action: &str,
    form: &Form,
    fields: &Markup,
    ends: &Ends,
) -> Markup {
    let fields = html! { input type="hidden" name="action" value=(action); (fields) };
    let path = head.path(&format!("/conflicts/{}", request.parameter(1)));
    panel(heading, &form.show(request, &path, &fields, ends))
}

/// Who comes or goes, by the first of them.
fn turn(request: &ConsoleRequest<'_>, heading: &str, change: &MemberChange, named: &[(String, String)]) -> Markup {
    let left_out = u64::from(change.count).saturating_sub(named.len() as u64);
    html! {
        div {
            h3 { (heading) ": " (count(change.count)) }
            @if change.count > 0 {
                ul.names {
                    @for (id, name) in named { li { a href=(request.link(&format!("/customers/{id}"))) { (name) } } }
                }
                @if left_out > 0 { p.hint { "and " (count(left_out)) " more" } }
            } @else {
                p.hint { "Nobody" }
            }
        }
    }
}
