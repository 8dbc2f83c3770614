//! The page that asks once before something is done: it says in numbers what will happen.

use super::super::request::ConsoleRequest;
use super::form::{Ends, Form};
use maud::{Markup, html};

/// What will happen, and the button that makes it so; sent to a path behind `/console`.
pub(in crate::console) struct Confirm<'a> {
    pub(in crate::console) form: &'a Form,
    pub(in crate::console) path: &'a str,
    /// A sentence each, the gravest first.
    pub(in crate::console) happens: Vec<Markup>,
    /// What is to be entered besides.
    pub(in crate::console) fields: Markup,
    pub(in crate::console) ends: Ends,
}

impl Confirm<'_> {
    pub(in crate::console) fn show(&self, request: &ConsoleRequest<'_>) -> Markup {
        let fields = html! {
            h2 { "What will happen" }
            ul.happens { @for happens in &self.happens { li { (happens) } } }
            (self.fields)
        };
        html! { section.panel.confirm { (self.form.show(request, self.path, &fields, &self.ends)) } }
    }
}
