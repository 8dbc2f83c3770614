//! Blocks of a page.

use super::badge::Tone;
use super::number::count;
use maud::{Markup, html};

/// A part that follows the site by itself: the script puts it in place anew when something was committed.
pub(in crate::console) fn live(id: &str, content: &Markup) -> Markup {
    html! { div id=(id) data-part { (content) } }
}

/// A part of a page under a heading of its own.
pub(in crate::console) fn panel(heading: &str, content: &Markup) -> Markup {
    html! { section.panel { h2 { (heading) } (content) } }
}

/// What is said where there is nothing: what would stand here, and how it comes.
pub(in crate::console) fn empty(heading: &str, text: &Markup) -> Markup {
    html! { div.empty { p.heading { (heading) } div.hint { (text) } } }
}

/// Names and values, one below the other.
#[derive(Default)]
pub(in crate::console) struct Facts(Vec<(&'static str, Markup)>);

impl Facts {
    pub(in crate::console) fn new() -> Self {
        Self::default()
    }

    pub(in crate::console) fn add(mut self, name: &'static str, value: Markup) -> Self {
        self.0.push((name, value));
        self
    }

    /// Adds it where there is one.
    pub(in crate::console) fn maybe(self, name: &'static str, value: Option<Markup>) -> Self {
        match value {
            Some(value) => self.add(name, value),
            None => self,
        }
    }

    pub(in crate::console) fn show(&self) -> Markup {
        html! { dl.facts { @for (name, value) in &self.0 { div { dt { (name) } dd { (value) } } } } }
    }
}

/// How near a number is to its limit.
pub(in crate::console) fn meter(name: &str, value: u64, limit: u64) -> Markup {
    let share = (value as f64 / limit.max(1) as f64 * 100.0).min(100.0);
    let tone = match share {
        share if share >= 95.0 => Tone::Bad,
        share if share >= 80.0 => Tone::Warn,
        _ => Tone::Good,
    };
    html! {
        div class={ "meter " (tone.class()) } {
            p { span.name { (name) } " " span.value { b { (count(value)) } " of " (count(limit)) } }
            svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" {
                rect.whole width="100" height="4" {}
                // A sliver at least, so that something is to be seen of a little.
                rect.share width=(if value > 0 { share.max(1.0) } else { 0.0 }) height="4" {}
            }
        }
    }
}

/// A text to be copied. The button is there where the script is.
pub(in crate::console) fn copy(text: &str) -> Markup {
    html! { span.copy { code { (text) } button.plain type="button" data-copy=(text) hidden { "Copy" } } }
}
