//! `/console/directories/{id}/settings`: what each setting does, and changing it.

use super::super::choices::{CONFLICT_POLICIES, EMAIL_CHANGES, EMAIL_PRESENCES, OUTSIDE_DOMAINS, UNKNOWN_MEMBERS};
use super::super::done::Done;
use super::super::frame::done;
use super::super::parts::{Ends, Form, panel};
use super::super::request::ConsoleRequest;
use super::super::words;
use super::head::Head;
use super::rule_lines::Projects;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{Mode, Settings, SettingsUpdate};
use maud::{Markup, html};

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let settings = &head.directory.settings;
    let projects = Projects::read(&request).await?;
    let form = Form::new("settings")
        .with("name", &settings.name)
        .with("silent-after", settings.silent_after.to_string())
        .with_choice("email-change", &EMAIL_CHANGES, &settings.email_change)
        .with_choice("email", &EMAIL_PRESENCES, &settings.email)
        .with("domains", settings.domains.join("\n"))
        .with_choice("outside-domains", &OUTSIDE_DOMAINS, &settings.outside_domains)
        .with_choice("conflict-policy", &CONFLICT_POLICIES, &settings.conflict_policy)
        .with_span("adoption-grace", settings.adoption_grace_seconds)
        .with_choice("unknown-members", &UNKNOWN_MEMBERS, &settings.unknown_members)
        .with_tick("membership-resources", settings.membership_resources)
        .with("project-rules", projects.lines(&settings.project_rules))
        .with("deletion-limit", settings.deletion_limit.map(|limit| limit.to_string()).unwrap_or_default())
        .seen(settings);
    Ok(page(&request, &head, &form))
}

pub(in super::super) async fn save(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let mut form = Form::sent("settings", &mut request).await?;
    let head = Head::read(&request).await?;
    let refused = match update(&request, &head.directory.settings, &mut form).await {
        Ok(update) => match request.site().update_directory(request.actor(), &head.directory.id, update).await? {
            Ok(_) => return Ok(done(&request, &head.path("/settings"), Done::SettingsSaved)),
            Err(error) => error.into(),
        },
        Err(fault) => fault,
    };
    Ok(page(&request, &head, &form.refused(refused)?))
}

/// What the form asks for that is not so already.
async fn update(request: &ConsoleRequest<'_>, now: &Settings, form: &mut Form) -> Result<SettingsUpdate, Fault> {
    form.is_current(now)?;
    let limit = form.entered("deletion-limit").map(|_| form.number("deletion-limit", "Deletion limit")).transpose()?;
    let domains = form.text("domains").split([',', ';', ' ', '\t', '\r', '\n']).filter(|domain| !domain.is_empty());
    let domains: Vec<_> = domains.map(str::to_owned).collect();
    let rules = Projects::read(request).await?.rules(request, &form.lines("project-rules")).await?;
    Ok(SettingsUpdate {
        name: other(form.text("name").to_owned(), &now.name),
        email_change: other(form.chosen("email-change", "An address changes", &EMAIL_CHANGES)?, &now.email_change),
        email: other(form.chosen("email", "A user has no address", &EMAIL_PRESENCES)?, &now.email),
        unknown_members: other(
            form.chosen("unknown-members", "A group names strangers", &UNKNOWN_MEMBERS)?,
            &now.unknown_members,
        ),
        conflict_policy: other(
            form.chosen("conflict-policy", "A local organization has the name", &CONFLICT_POLICIES)?,
            &now.conflict_policy,
        ),
        adoption_grace_seconds: other(form.span("adoption-grace", "Grace of adoptions")?, &now.adoption_grace_seconds),
        deletion_limit: other(limit, &now.deletion_limit),
        mode: None,
        domains: other(domains, &now.domains),
        outside_domains: other(
            form.chosen("outside-domains", "An address is elsewhere", &OUTSIDE_DOMAINS)?,
            &now.outside_domains,
        ),
        project_rules: other(rules, &now.project_rules),
        membership_resources: other(form.is_ticked("membership-resources"), &now.membership_resources),
        silent_after: other(form.number("silent-after", "Silent after")?, &now.silent_after),
    })
}

/// A value, where it is another than now.
fn other<T: PartialEq>(value: T, now: &T) -> Option<T> {
    (value != *now).then_some(value)
}

fn page(request: &ConsoleRequest<'_>, head: &Head, form: &Form) -> Reply {
    let fields = html! {
        (panel("General", &html! {
            (form.line("name", "Name", "What it is called here. Identity providers do not see it."))
            (form.digits("silent-after", "Silent after", "So many times its usual interval without a request, and it \
                counts as silent. 0 for never."))
        }))
        (panel("Users", &html! {
            (form.area("domains", "Email domains", "One on each line. A user with an address elsewhere takes over no \
                customer. Empty: users of any domain."))
            (form.choices("outside-domains", "An address is elsewhere", &OUTSIDE_DOMAINS))
            (form.choices("email", "A user has no address", &EMAIL_PRESENCES))
            (form.choices("email-change", "An address changes", &EMAIL_CHANGES))
        }))
        (panel("Groups", &html! {
            (form.choices("conflict-policy", "A local organization has the name of a new group", &CONFLICT_POLICIES))
            (form.length("adoption-grace", "Grace of adoptions", "For so long the former members of an adopted \
                organization stay, unless the identity provider sends the full list before."))
            (form.choices("unknown-members", "A group names members that are no users of the directory", &UNKNOWN_MEMBERS))
            (form.tick("membership-resources", None, "Memberships as resources", "For identity providers that add and \
                remove members one by one, at /GroupMemberships. Leave it off unless yours asks for it."))
        }))
        (panel("Projects by rule", &html! {
            (form.area("project-rules", "Rules", "One on each line: a pattern of group names, in which * stands for \
                anything, then = and the keys of projects, as in “Harbour* = OPS, PAY”. Organizations get these projects \
                when they are made or adopted."))
            p { a href=(request.link(&head.path("/rules"))) { "What the saved rules would do to organizations that exist" } }
        }))
        (panel("Deletion limit", &form.digits("deletion-limit", "Deletions and deactivations an hour", "More than that \
            are held until somebody lets them through. Empty: no limit.")))
    };
    let body = html! {
        (mode(request, head))
        (form.show(request, &head.path("/settings"), &fields, &Ends::with("Save settings")))
        section.panel.apart {
            h2 { "Disconnect" }
            p.hint { "Ends the directory. You choose whether what it manages stays, and see what that means first." }
            p { a.button href=(request.link(&head.path("/disconnect"))) { "Disconnect …" } }
        }
    };
    head.page(request, "Settings").body(body).reply_with(form.status(), request)
}

/// Whether what it pushes reaches the site, and the way to change that.
fn mode(request: &ConsoleRequest<'_>, head: &Head) -> Markup {
    let mode = head.directory.settings.mode;
    html! {
        section.panel.apart {
            h2 { "Mode" }
            p.badges {
                (words::mode(mode))
                span {
                    @match mode {
                        Mode::Live => "What it pushes reaches the site at once.",
                        Mode::Staged => "What it pushes is planned. It goes live when you apply the plan.",
                        Mode::Applying => "The plan is being applied; then it is live.",
                    }
                }
            }
            p {
                @match mode {
                    Mode::Live => a.button href=(request.link(&head.path("/stage"))) { "Stage …" },
                    Mode::Staged | Mode::Applying => a.button href=(request.link(&head.path("/plan"))) { "Go to the plan" },
                }
            }
        }
    }
}
