//! From one page of a list to the next.

use super::super::request::ConsoleRequest;
use maud::{Markup, html};

/// The ways on from here: to what follows, and back to the beginning.
pub(in crate::console) fn pager(request: &ConsoleRequest<'_>, next: Option<&str>) -> Markup {
    let further = request.cursor().is_some();
    html! {
        @if further || next.is_some() {
            nav.pager aria-label="Pages" {
                @if further { a.button href=(request.here_with(&[("cursor", None)])) { "To the beginning" } }
                @if let Some(next) = next {
                    a.button rel="next" href=(request.here_with(&[("cursor", Some(next))])) { "Next page" }
                } @else {
                    span.hint { "This is the last page." }
                }
            }
        }
    }
}
