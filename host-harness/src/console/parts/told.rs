//! Why something was refused, and what to do about it.

use crate::http::fault::{Fault, Rule};
use hyper::StatusCode;
use maud::{Markup, html};

/// An error as a page tells it.
pub(in crate::console) fn told(fault: &Fault) -> Markup {
    html! {
        p { (sentence(&fault.detail)) }
        @if let Some(advice) = advice(fault) { p.hint { (advice) } }
    }
}

/// What to do, where the text does not say so by itself.
fn advice(fault: &Fault) -> Option<&'static str> {
    match (fault.rule, fault.status) {
        (Some(Rule::Unique), _) => Some("Choose another one, or change the one that has it."),
        (Some(Rule::Managed), _) => Some("Change it at the identity provider, or unlink it first."),
        (None, StatusCode::NOT_FOUND) => Some("It may have been deleted since, or the link may be cut short."),
        _ if fault.retry_after.is_some() => Some("Load the page again in a moment."),
        _ => None,
    }
}

/// A text of the engine as a sentence: it begins with a capital letter and ends with a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let mut sentence: String = first.chain(letters).collect();
    if !sentence.is_empty() && !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_says_becomes_a_sentence() {
        for (text, shown) in
            [("a name is taken", "A name is taken."), ("Already one.", "Already one."), ("", ""), ("über", "Über.")]
        {
            assert_eq!(sentence(text), shown);
        }
    }
}
