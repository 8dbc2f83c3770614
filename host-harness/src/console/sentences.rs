//! Changes of the feed as sentences: who did what to what.

use super::attributes;
use super::detail::Detail;
use super::kinds;
use super::names::DirectoryNames;
use super::parts::{count, counted};
use super::request::ConsoleRequest;
use super::subjects::{Known, MEMBERS_NAMED, Subjects};
use crate::runtime::changes::Change;
use maud::{Markup, html};

/// How much of what was done at once is told in one sentence.
const DEEDS: usize = 4;

/// Makes sentences of changes whose subjects were looked up.
pub(super) struct Teller<'a> {
    pub(super) request: &'a ConsoleRequest<'a>,
    pub(super) subjects: &'a Subjects,
}

/// Who made a change.
pub(super) fn actor(request: &ConsoleRequest<'_>, directories: &DirectoryNames, actor: &str) -> Markup {
    html! {
        @match actor.split_once(':') {
            Some(("directory", id)) => a href=(request.link(&format!("/directories/{id}"))) { (directories.name(id)) },
            Some(_) => b { (admin(actor)) },
            None => b { "Usher" },
        }
    }
}

/// The name of an administrator who made a change, or of somebody else who is no directory.
pub(super) fn admin(actor: &str) -> &str {
    if actor.starts_with("setup:") {
        return "Whoever has a set-up link";
    }
    match actor.strip_prefix("admin:").unwrap_or(actor) {
        // Whoever sends the key alone gives no name.
        "key" => "An administrator",
        name => name,
    }
}

impl Teller<'_> {
    /// Changes as a list, newest first, with a sentence for what was done at once: at most so many sentences.
    pub(super) fn feed(&self, changes: &[Change], most: usize, time: impl Fn(u64) -> Markup) -> Markup {
        let at_once = |one: &Change, other: &Change| {
            (one.at, &one.actor, &one.request) == (other.at, &other.actor, &other.request)
        };
        html! {
            ol.feed {
                @for step in changes.chunk_by(at_once).take(most) {
                    li class=(kinds::tone(step.iter().map(|change| change.kind.as_str())).class()) {
                        span { (self.sentence(step)) }
                        span.hint { @if let Some(change) = step.first() { (time(change.at)) } }
                    }
                }
            }
        }
    }

    /// What was done at once, as a sentence. The changes come newest first, and are told in their order.
    fn sentence(&self, step: &[Change]) -> Markup {
        let told = step.len().min(DEEDS);
        html! {
            @if let Some(change) = step.first() { (actor(self.request, &self.subjects.directories, &change.actor)) " " }
            @for (index, change) in step.iter().rev().take(told).enumerate() {
                @if index > 0 { @if index + 1 == step.len() { " and " } @else { ", " } }
                (self.deed(change, &Detail::of(change)))
            }
            @if step.len() > told { " and made " (counted((step.len() - told) as u64, "more change", "more changes")) }
        }
    }

    /// What was done.
    fn deed(&self, change: &Change, detail: &Detail) -> Markup {
        match change.kind.split_once('.').map_or("", |(about, _)| about) {
            "directory" | "key" | "setup-link" | "admin-key" | "settings" | "plan" => self.deed_of_site(change, detail),
            "user" | "group" => self.deed_of_directory(change, detail),
            "customer" => self.deed_of_customer(change, detail),
            "organization" | "conflict" => self.deed_of_organization(change, detail),
            "project" => self.deed_of_project(change, detail),
            _ => unknown(change),
        }
    }

    fn deed_of_site(&self, change: &Change, detail: &Detail) -> Markup {
        let directory = self.directory(detail);
        html! {
            @match change.kind.as_str() {
                "directory.connected" => { "connected the directory " (directory) }
                "directory.updated" => { "changed " (settings(detail)) " of " (directory) }
                "directory.disconnected" => { "disconnected " (directory) "; what it managed is local now" }
                "directory.removed" => { "disconnected " (directory) " and removed what it managed" }
                "directory.deletions-held" => { "went past the deletion limit: further deletions are held" }
                "directory.released" => { "let the held deletions of " (directory) " through" }
                "directory.capture-started" => {
                    "had the bodies of requests of " (directory) " captured"
                    @if detail.values == Some(true) { ", with values" }
                }
                "directory.capture-stopped" => { "stopped the capture of requests of " (directory) }
                "key.issued" => { "issued a key of " (directory) }
                "key.expiring" => {
                    "noticed that a key of " (directory) " expires in " (counted(detail.days.unwrap_or_default(), "day", "days"))
                }
                "key.revoked" => { "revoked a key of " (directory) }
                "setup-link.made" => { "made a set-up link for " (directory) }
                "setup-link.used" => { "used the set-up link of " (directory) }
                "setup-link.revoked" => { "took a set-up link of " (directory) " back" }
                "setup-link.expired" => { "noticed that a set-up link of " (directory) " expired unused" }
                "admin-key.refused" => {
                    "refused " (counted(detail.count.unwrap_or_default(), "sign-in", "sign-ins")) " with a wrong admin key"
                }
                "settings.updated" => { "changed " (settings(detail)) " of the site" }
                "plan.apply-started" => { "began to apply the plan of " (directory) }
                "plan.applied" => { "applied the plan of " (directory) ", which is live now" }
                "plan.blocked" => {
                    @if let Some(customer) = &detail.customer { "found what was planned for " (self.customer(customer)) " blocked" }
                    @else if let Some(id) = detail.organization { "found what was planned for " (self.organization(id)) " blocked" }
                    @else { "stopped applying the plan of " (directory) ": the site refused a step" }
                }
                _ => (unknown(change)),
            }
        }
    }

    fn deed_of_directory(&self, change: &Change, detail: &Detail) -> Markup {
        let user = || self.resource("user", detail.user.as_deref(), detail.home(change));
        let group = || self.resource("group", detail.group.as_deref(), detail.home(change));
        html! {
            @match change.kind.as_str() {
                "user.created" => { "added the user " (user()) }
                "user.updated" => { "changed " (changed(detail)) " of the user " (user()) }
                "user.unlinked" => {
                    "left the user " (user()) " without a customer"
                    @if let Some(reason) = &detail.reason { ": " (attributes::why_unlinked(reason)) }
                }
                "user.deleted" => { "deleted the user " (user()) }
                "group.created" => { "added the group " (group()) }
                "group.updated" => { "changed " (changed(detail)) " of the group " (group()) }
                "group.members-added" => { "added " (self.users(detail)) " to " (group()) }
                "group.members-removed" => { "removed " (self.users(detail)) " from " (group()) }
                "group.repaired" => { "had the group " (group()) " repaired" }
                "group.deleted" => { "deleted the group " (group()) }
                _ => (unknown(change)),
            }
        }
    }

    fn deed_of_customer(&self, change: &Change, detail: &Detail) -> Markup {
        let customer = self.customer(detail.customer.as_deref().unwrap_or_default());
        html! {
            @match change.kind.as_str() {
                "customer.created" => { "made the customer " (customer) }
                "customer.linked" => { "linked the customer " (customer) }
                "customer.unlinked" => {
                    "unlinked the customer " (customer)
                    @if let Some(reason) = &detail.reason { ": " (attributes::why_unlinked(reason)) }
                }
                "customer.updated" => { "changed " (changed(detail)) " of " (customer) }
                "customer.activated" => { "activated " (customer) }
                "customer.deactivated" => { "deactivated " (customer) }
                "customer.deleted" => { "deleted the customer " (customer) }
                "customer.restored" => { "restored the customer " (customer) }
                "customer.erased" => { "erased the customer " (customer) " for good" }
                _ => (unknown(change)),
            }
        }
    }

    fn deed_of_organization(&self, change: &Change, detail: &Detail) -> Markup {
        let organization =
            || detail.organization.map_or_else(|| html! { "an organization" }, |id| self.organization(id));
        html! {
            @match change.kind.as_str() {
                "organization.created" => { "made the organization " (organization()) }
                "organization.adopted" => { "adopted the organization " (organization()) }
                "organization.settled" => { "ended the grace of " (organization()) ": its members are the group's alone" }
                "organization.conflict" => { "pushed a group that was left apart from " (organization()) ", which has its name" }
                "organization.unlinked" => { "unlinked the organization " (organization()) }
                "organization.renamed" => { "renamed the organization " (organization()) }
                "organization.members-added" => { "added " (self.customers(detail)) " to " (organization()) }
                "organization.members-removed" => { "removed " (self.customers(detail)) " from " (organization()) }
                "organization.deleted" => { "deleted the organization " (organization()) }
                "organization.restored" => { "restored the organization " (organization()) }
                "organization.erased" => { "erased the organization " (organization()) " for good" }
                "conflict.refused" => { "had a group refused, because " (organization()) " has its name" }
                "conflict.found" => { "found two of the same name" @if detail.organization.is_some() { ": " (organization()) } }
                "conflict.resolved" => {
                    @match detail.action.as_deref() {
                        Some("adopt") => { "resolved a conflict: a group has adopted " (organization()) }
                        Some("rename") => { "resolved a conflict by renaming " (organization()) }
                        Some("leave") => { "resolved a conflict by leaving a group apart from " (organization()) }
                        _ => { "resolved a conflict about " (organization()) }
                    }
                }
                _ => (unknown(change)),
            }
        }
    }

    fn deed_of_project(&self, change: &Change, detail: &Detail) -> Markup {
        let project = self.project(detail.project.unwrap_or_default());
        let organization =
            || detail.organization.map_or_else(|| html! { "an organization" }, |id| self.organization(id));
        let customer = || self.customer(detail.customer.as_deref().unwrap_or_default());
        html! {
            @match change.kind.as_str() {
                "project.created" => { "made the project " (project) }
                "project.updated" => { "changed " (changed(detail)) " of the project " (project) }
                "project.organization-added" => { "opened the project " (project) " to " (organization()) }
                "project.organization-removed" => { "closed the project " (project) " to " (organization()) }
                "project.customer-added" => { "made " (customer()) " a customer of the project " (project) }
                "project.customer-removed" => { "took " (customer()) " off the customers of the project " (project) }
                "project.deleted" => { "deleted the project " (project) }
                _ => (unknown(change)),
            }
        }
    }

    fn directory(&self, detail: &Detail) -> Markup {
        let id = detail.directory.as_deref().unwrap_or_default();
        html! {
            @match self.subjects.directories.known(id) {
                Some(name) => a href=(self.request.link(&format!("/directories/{id}"))) { (name) },
                None => "a directory that is disconnected",
            }
        }
    }

    fn customer(&self, id: &str) -> Markup {
        self.known(self.subjects.customer(id), "a customer", &format!("/customers/{id}"))
    }

    fn organization(&self, id: u64) -> Markup {
        self.known(self.subjects.organization(id), "an organization", &format!("/organizations/{id}"))
    }

    fn project(&self, id: u64) -> Markup {
        self.known(self.subjects.project(id), "a project", &format!("/projects/{id}"))
    }

    /// The name of something, which leads to its page as long as there is one.
    fn known(&self, known: Option<&Known>, unnamed: &str, path: &str) -> Markup {
        html! {
            @match known {
                Some(Known::Named(name)) => a href=(self.request.link(path)) { (name) },
                Some(Known::Gone) => { (unnamed) " that is gone" }
                None => a href=(self.request.link(path)) { (unnamed) },
            }
        }
    }

    /// A user or group, which leads to what was asked about it.
    fn resource(&self, kind: &str, id: Option<&str>, home: Option<&str>) -> Markup {
        let id = id.unwrap_or_default();
        let name = html! {
            @match self.subjects.resource(id) {
                Some(name) => (name),
                // The kind stands before it.
                None => code { (id) },
            }
        };
        html! {
            @match home.filter(|home| self.subjects.directories.known(home).is_some()) {
                Some(home) if kind == "group" => a href=(self.request.link(&format!("/directories/{home}/groups/{id}"))) { (name) },
                Some(home) => a href=(self.request.link(&format!("/directories/{home}/requests?subject={id}"))) { (name) },
                None => b { (name) },
            }
        }
    }

    /// The members of a group who came or went.
    fn users(&self, detail: &Detail) -> Markup {
        let names: Option<Vec<&str>> = detail.members.iter().map(|id| self.subjects.resource(id)).collect();
        match names {
            Some(names) if names.len() <= MEMBERS_NAMED && !names.is_empty() => {
                joined(names.iter().map(|name| html! { bdi { (name) } }))
            }
            _ => html! { (counted(detail.members.len() as u64, "member", "members")) },
        }
    }

    /// The members of an organization who came or went.
    fn customers(&self, detail: &Detail) -> Markup {
        match &detail.members[..] {
            few if (1..=MEMBERS_NAMED).contains(&few.len()) => joined(few.iter().map(|id| self.customer(id))),
            many => html! { (counted(many.len() as u64, "member", "members")) },
        }
    }
}

/// A kind of change that this version does not know.
fn unknown(change: &Change) -> Markup {
    html! { "did " code { (kinds::name(&change.kind)) } }
}

fn joined(names: impl Iterator<Item = Markup>) -> Markup {
    html! { @for (index, name) in names.enumerate() { @if index > 0 { " and " } (name) } }
}

/// The attributes that changed, in words.
fn changed(detail: &Detail) -> Markup {
    listed(&detail.changed, attributes::changed, "attribute", "attributes")
}

/// The settings that changed, in words.
fn settings(detail: &Detail) -> Markup {
    listed(&detail.changed, attributes::setting, "setting", "settings")
}

/// The first few names, and how many more there are.
fn listed(names: &[String], word: impl Fn(&str) -> &str, one: &str, many: &str) -> Markup {
    const NAMED: usize = 3;
    html! {
        @if names.is_empty() { "something" }
        @for (index, name) in names.iter().take(NAMED).enumerate() {
            @if index > 0 { @if index + 1 == names.len() { " and " } @else { ", " } }
            (word(name))
        }
        @if names.len() > NAMED {
            " and " (count((names.len() - NAMED) as u64)) " more " @if names.len() - NAMED == 1 { (one) } @else { (many) }
        }
    }
}
