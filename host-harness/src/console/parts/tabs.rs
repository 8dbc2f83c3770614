//! Pages that belong together.

use super::super::request::ConsoleRequest;
use super::number::count;
use maud::{Markup, html};

/// One of the pages, with how much there is on it, where that is worth a number.
pub(in crate::console) struct Tab {
    pub(in crate::console) name: &'static str,
    /// Behind `/console`.
    pub(in crate::console) path: String,
    pub(in crate::console) count: Option<u64>,
}

/// The pages in a row. The current one is that of the name.
pub(in crate::console) fn tabs(request: &ConsoleRequest<'_>, label: &str, current: &str, tabs: &[Tab]) -> Markup {
    html! {
        nav.tabs aria-label=(label) {
            ul {
                @for tab in tabs {
                    li {
                        a href=(request.link(&tab.path)) aria-current=[(tab.name == current).then_some("page")] {
                            (tab.name)
                            @if let Some(number) = tab.count.filter(|count| *count > 0) { " " span.number { (count(number)) } }
                        }
                    }
                }
            }
        }
    }
}
