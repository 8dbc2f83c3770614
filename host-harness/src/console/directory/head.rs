//! What all pages of one directory begin with: its name, its state, and the tabs.

use super::super::frame::{Page, Section};
use super::super::parts::{Tab, live, tabs};
use super::super::request::ConsoleRequest;
use super::super::words;
use crate::http::fault::Fault;
use crate::runtime::directories::{Directory, DirectoryStatus, Mode};
use maud::{Markup, html};

/// A directory, as its pages need it.
pub(super) struct Head {
    pub(super) directory: Directory,
    pub(super) status: DirectoryStatus,
}

impl Head {
    /// The directory in the path, in two calls.
    pub(super) async fn read(request: &ConsoleRequest<'_>) -> Result<Self, Fault> {
        Self::of(request, request.parameter(0)).await
    }

    /// The directory with this id, likewise.
    pub(super) async fn of(request: &ConsoleRequest<'_>, id: &str) -> Result<Self, Fault> {
        let directory = request.site().directory(id).await??;
        let status = request.site().directory_status(id).await??;
        Ok(Self { directory, status })
    }

    /// The path of one of its pages behind `/console`.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/directories/{}{rest}", self.directory.id)
    }

    /// A page of it, under the tab of this name.
    pub(super) fn page(&self, request: &ConsoleRequest<'_>, tab: &str) -> Page {
        self.plain(&self.directory.settings.name).tabs(self.tabs(request, tab))
    }

    /// A page that lies under one of its tabs, with its own heading.
    pub(super) fn below(&self, request: &ConsoleRequest<'_>, tab: &str, rest: &str, title: &str) -> Page {
        let page = Page::new(Section::Directories, title).under("Directories", "/directories");
        let page = page.under(&self.directory.settings.name, self.path("")).under(tab, self.path(rest));
        page.tabs(self.tabs(request, tab))
    }

    fn plain(&self, title: &str) -> Page {
        let mode = match self.directory.settings.mode {
            // The state says the same.
            Mode::Staged | Mode::Applying => None,
            Mode::Live => Some(html! { span.hint { "Live: what it pushes reaches the site at once" } }),
        };
        let lead = html! { div.badges { (words::directory_state(&self.status)) @if let Some(mode) = mode { (mode) } } };
        let lead = live("state", &lead);
        Page::new(Section::Directories, title).under("Directories", "/directories").lead(lead)
    }

    fn tabs(&self, request: &ConsoleRequest<'_>, current: &str) -> Markup {
        let tab = |name, rest: &str, count| Tab { name, path: self.path(rest), count };
        let pages = [
            tab("Status", "", None),
            tab("Plan", "/plan", Some(self.status.planned)),
            tab("Conflicts", "/conflicts", Some(self.status.conflicts)),
            tab("Held", "/held", Some(self.status.held.into())),
            tab("Unlinked", "/unlinked", Some(self.status.unlinked)),
            tab("Groups", "/groups", None),
            tab("Requests", "/requests", None),
            tab("Keys", "/keys", None),
            tab("Set-up", "/set-up", None),
            tab("Settings", "/settings", None),
        ];
        live("tabs", &tabs(request, "Directory", current, &pages))
    }
}
