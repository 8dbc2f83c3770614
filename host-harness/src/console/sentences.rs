//! Changes of the feed as sentences: who did what to what.

use super::names::DirectoryNames;
use super::request::ConsoleRequest;
use crate::runtime::changes::Change;
use maud::{Markup, html};

/// A change as a sentence.
pub(super) fn sentence(request: &ConsoleRequest<'_>, directories: &DirectoryNames, change: &Change) -> Markup {
    html! { (actor(request, directories, &change.actor)) " · " (change.kind) }
}

/// Who made a change.
pub(super) fn actor(request: &ConsoleRequest<'_>, directories: &DirectoryNames, actor: &str) -> Markup {
    html! {
        @match actor.split_once(':') {
            Some(("directory", id)) => (directories.manager(request, Some(id))),
            Some(_) => b { (admin(actor)) },
            None => b { "Usher" },
        }
    }
}

/// The name of an administrator who made a change.
pub(super) fn admin(actor: &str) -> &str {
    actor.strip_prefix("admin:").unwrap_or(actor)
}
