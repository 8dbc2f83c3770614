//! States, in words and with a colour.

use maud::{Markup, html};

/// How a state is meant, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::console) enum Tone {
    /// Something does not work.
    Bad,
    /// Somebody should look.
    Warn,
    /// Something is under way.
    Busy,
    /// All is well.
    Good,
    /// Nothing in particular.
    Quiet,
}

impl Tone {
    /// The class that gives an element its colours.
    pub(in crate::console) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }
}

/// A state in a word or two.
pub(in crate::console) fn badge(tone: Tone, text: &str) -> Markup {
    html! { span class={ "badge " (tone.class()) } { (text) } }
}

/// Something to know on a page, in a box.
pub(in crate::console) fn note(tone: Tone, content: &Markup) -> Markup {
    html! { div class={ "note " (tone.class()) } { (content) } }
}
