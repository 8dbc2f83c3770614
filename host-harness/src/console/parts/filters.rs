//! What a list is narrowed down by: a form that works by itself, and as one types where the script runs.

use super::super::request::ConsoleRequest;
use maud::{Markup, html};

/// Choices that stand together.
pub(in crate::console) struct Choices<'a> {
    /// The value that stands for all of them.
    pub(in crate::console) all: &'a str,
    pub(in crate::console) name: &'a str,
    /// Each with its value and its name.
    pub(in crate::console) choices: &'a [(&'a str, &'a str)],
}

/// The form above a list. What it has in the query is what it shows.
pub(in crate::console) struct Filters<'a> {
    request: &'a ConsoleRequest<'a>,
    fields: Vec<Markup>,
    set: bool,
}

impl<'a> Filters<'a> {
    pub(in crate::console) fn new(request: &'a ConsoleRequest<'a>) -> Self {
        Self { request, fields: Vec::new(), set: false }
    }

    /// A field to type in.
    pub(in crate::console) fn text(mut self, name: &str, label: &str, hint: &str) -> Self {
        let value = self.request.query(name);
        self.set |= value.is_some();
        let id = format!("filter-{name}");
        self.fields.push(html! {
            div.field.grow {
                label for=(id) { (label) }
                input id=(id) type="search" name=(name) value=[value] placeholder=(hint) maxlength="200" autocomplete="off"
                    spellcheck="false";
            }
        });
        self
    }

    /// A choice: each with the value in the query and its name. `any` is the name of no choice.
    pub(in crate::console) fn choice<V: AsRef<str>, N: AsRef<str>>(
        mut self,
        name: &str,
        label: &str,
        any: &str,
        choices: &[(V, N)],
    ) -> Self {
        let value = self.request.query(name);
        self.set |= value.is_some();
        let id = format!("filter-{name}");
        self.fields.push(html! {
            div.field {
                label for=(id) { (label) }
                select id=(id) name=(name) {
                    option value="" { (any) }
                    @for (choice, text) in choices {
                        option value=(choice.as_ref()) selected[value == Some(choice.as_ref())] { (text.as_ref()) }
                    }
                }
            }
        });
        self
    }

    /// A choice among many, which stand together in groups.
    pub(in crate::console) fn groups(mut self, name: &str, label: &str, any: &str, groups: &[Choices<'_>]) -> Self {
        let value = self.request.query(name);
        self.set |= value.is_some();
        let id = format!("filter-{name}");
        self.fields.push(html! {
            div.field {
                label for=(id) { (label) }
                select id=(id) name=(name) {
                    option value="" { (any) }
                    @for Choices { all, name, choices } in groups {
                        optgroup label=(name) {
                            option value=(all) selected[value == Some(*all)] { (name) ": all" }
                            @for (choice, text) in *choices {
                                option value=(choice) selected[value == Some(*choice)] { (text) }
                            }
                        }
                    }
                }
            }
        });
        self
    }

    /// A day to choose.
    pub(in crate::console) fn day(mut self, name: &str, label: &str) -> Self {
        let value = self.request.query(name);
        self.set |= value.is_some();
        let id = format!("filter-{name}");
        self.fields.push(html! {
            div.field {
                label for=(id) { (label) }
                input id=(id) type="date" name=(name) value=[value];
            }
        });
        self
    }

    /// Something that a link has narrowed the list down by: it is kept, and can be taken away.
    pub(in crate::console) fn kept(mut self, name: &str, label: &str, text: Option<String>) -> Self {
        let (Some(value), Some(text)) = (self.request.query(name), text) else { return self };
        self.set = true;
        let without = self.request.here_with(&[(name, None), ("cursor", None)]);
        self.fields.push(html! {
            p.kept {
                input type="hidden" name=(name) value=(value);
                span { (label) ": " b { (text) } }
                a href=(without) { "Take away" }
            }
        });
        self
    }

    /// Whether something was asked for.
    pub(in crate::console) fn is_set(&self) -> bool {
        self.set
    }

    /// The form, with the list that it is about.
    pub(in crate::console) fn around(self, list: &Markup) -> Markup {
        let path = self.request.place.local(self.request.head.uri.path());
        html! {
            form.filters method="get" action=(path) role="search" data-filters="results" {
                @for field in &self.fields { (field) }
                div.field.ends {
                    button type="submit" { "Search" }
                    @if self.set { a.clear href=(path) { "Clear" } }
                }
            }
            div #results { (list) }
        }
    }
}
