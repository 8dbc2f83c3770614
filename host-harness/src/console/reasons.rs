//! Why a project is open to a customer, or is not.

use super::parts::{Table, Tone, badge};
use super::request::ConsoleRequest;
use crate::runtime::site::{Admitted, OpenProject, Reason};
use maud::{Markup, html};

/// How many reasons are shown of one customer and one project: somebody may be in it through thousands of organizations.
const SHOWN: usize = 12;

/// The reasons, each with where it comes from.
pub(super) fn reasons(request: &ConsoleRequest<'_>, reasons: &[Reason]) -> Markup {
    html! {
        ul.reasons {
            @for reason in reasons.iter().take(SHOWN) { li { (shown(request, reason)) } }
            @if reasons.len() > SHOWN { li.hint { "and " (reasons.len() - SHOWN) " more" } }
        }
    }
}

fn shown(request: &ConsoleRequest<'_>, reason: &Reason) -> Markup {
    html! {
        @match reason {
            Reason::Open => "Open to every active customer",
            Reason::Direct => "One of the project's own customers",
            Reason::Organization((id, name)) => {
                "Member of the organization " a href=(request.link(&format!("/organizations/{id}"))) { (name) }
            }
            Reason::Deactivated => (badge(Tone::Warn, "Deactivated: no project is open")),
        }
    }
}

/// The projects that are open to a customer, and why.
pub(super) fn projects(request: &ConsoleRequest<'_>, open: &[OpenProject]) -> Markup {
    let mut table = Table::new("Projects that are open to it", ["Project", "Key", "Why"]);
    for OpenProject { project, reasons: why } in open {
        table.row([
            html! { a href=(request.link(&format!("/projects/{}", project.id))) { (project.name) } },
            html! { code { (project.key) } },
            reasons(request, why),
        ]);
    }
    table.show()
}

/// The customers who may use a project, and why.
pub(super) fn customers(request: &ConsoleRequest<'_>, admitted: &[Admitted]) -> Markup {
    let mut table = Table::new("Customers who may use it", ["Name", "Address", "Why"]);
    for Admitted { customer, reasons: why } in admitted {
        table.row([
            html! { a href=(request.link(&format!("/customers/{}", customer.id))) { (customer.display_name) } },
            html! { (customer.email) },
            reasons(request, why),
        ]);
    }
    table.show()
}
