//! Forms that change something: what is in their fields, what was refused, and how they look.

use super::super::request::ConsoleRequest;
use super::told::told;
use crate::http::fault::Fault;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use maud::{Markup, html};
use sha2::{Digest, Sha256};
use std::fmt::Debug;

/// The field that says what its sender had seen, see [`Form::seen`].
const SEEN: &str = "seen";

/// Units of time, each with its seconds, the largest last.
const UNITS: [(&str, u32); 4] = [("seconds", 1), ("minutes", 60), ("hours", 3_600), ("days", 86_400)];

/// A form: first as the page has it, then as it was sent, and once more on the page if it was refused.
pub(in crate::console) struct Form {
    /// What its fields' ids begin with, so that a page can have several.
    name: &'static str,
    values: Vec<(String, String)>,
    refusal: Option<Fault>,
}

/// One of the values that a field can have.
pub(in crate::console) struct Choice<T> {
    pub(in crate::console) is: T,
    /// As the form sends it.
    pub(in crate::console) word: &'static str,
    pub(in crate::console) name: &'static str,
    /// What comes of it.
    pub(in crate::console) does: &'static str,
}

/// What a form ends with.
pub(in crate::console) struct Ends {
    text: &'static str,
    dangerous: bool,
    back: Option<String>,
}

impl Ends {
    /// A button with this text.
    pub(in crate::console) fn with(text: &'static str) -> Self {
        Self { text, dangerous: false, back: None }
    }

    /// A button that takes something away.
    pub(in crate::console) fn dangerous(text: &'static str) -> Self {
        Self { dangerous: true, ..Self::with(text) }
    }

    /// Beside it, the way back: a path behind `/console`.
    pub(in crate::console) fn or_back(mut self, path: impl Into<String>) -> Self {
        self.back = Some(path.into());
        self
    }
}

impl Form {
    /// One with nothing in it.
    pub(in crate::console) fn new(name: &'static str) -> Self {
        Self { name, values: Vec::new(), refusal: None }
    }

    /// What a field begins with.
    pub(in crate::console) fn with(mut self, field: &str, value: impl Into<String>) -> Self {
        self.values.push((field.into(), value.into()));
        self
    }

    /// What a field of choices begins with.
    pub(in crate::console) fn with_choice<T: PartialEq>(self, field: &str, choices: &[Choice<T>], value: &T) -> Self {
        let word = choices.iter().find(|choice| choice.is == *value).map_or("", |choice| choice.word);
        self.with(field, word)
    }

    /// What a box to tick begins with.
    pub(in crate::console) fn with_tick(self, field: &str, ticked: bool) -> Self {
        if ticked { self.with(field, "on") } else { self }
    }

    /// What a length of time begins with: in the largest unit that fits.
    pub(in crate::console) fn with_span(self, field: &str, seconds: u32) -> Self {
        let fits = |(_, unit): &&(&str, u32)| seconds.is_multiple_of(*unit) && seconds > 0;
        let (unit, length) = UNITS.iter().rev().find(fits).unwrap_or(&UNITS[0]);
        self.with(field, (seconds / length).to_string()).with(&unit_of(field), *unit)
    }

    /// Keeps in mind what its reader sees of something, so that nobody overwrites what others have changed since.
    pub(in crate::console) fn seen(self, of: &impl Debug) -> Self {
        let digest = fingerprint(of);
        self.with(SEEN, digest)
    }

    /// The form that was sent. It has to carry the token of the session.
    pub(in crate::console) async fn sent(name: &'static str, request: &mut ConsoleRequest<'_>) -> Result<Self, Fault> {
        Ok(Self { name, values: request.form().await?, refusal: None })
    }

    /// Refuses it if somebody has changed the thing since its sender saw it. What was entered can be sent once more then.
    pub(in crate::console) fn is_current(&mut self, of: &impl Debug) -> Result<(), Fault> {
        let now = fingerprint(of);
        if self.raw(SEEN) == now {
            return Ok(());
        }
        self.values.retain(|(field, _)| field != SEEN);
        self.values.push((SEEN.into(), now));
        Err(Fault::new(
            StatusCode::CONFLICT,
            "Somebody else has changed this since you loaded the page, and nothing was saved. What you entered is still \
             here: save it again to put it in place of theirs, or load the page anew to see theirs.",
        ))
    }

    /// What was entered into a field, without the blanks around it.
    pub(in crate::console) fn text(&self, field: &str) -> &str {
        self.raw(field).trim()
    }

    /// The same, if anything was.
    pub(in crate::console) fn entered(&self, field: &str) -> Option<&str> {
        Some(self.text(field)).filter(|text| !text.is_empty())
    }

    /// What was entered into a field with a text on each line.
    pub(in crate::console) fn lines(&self, field: &str) -> Vec<&str> {
        self.raw(field).lines().map(str::trim).filter(|line| !line.is_empty()).collect()
    }

    /// The number that was entered into a field of this name to the reader.
    pub(in crate::console) fn number(&self, field: &str, label: &str) -> Result<u32, Fault> {
        let text = self.text(field).replace(',', "");
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_number.then(|| text.parse().ok()).flatten();
        number.ok_or_else(|| invalid(format!("“{label}” needs a whole number, at most 4,294,967,295.")))
    }

    /// The seconds of the length of time that was entered.
    pub(in crate::console) fn span(&self, field: &str, label: &str) -> Result<u32, Fault> {
        let number = self.number(field, label)?;
        let unit = UNITS.iter().find(|(unit, _)| *unit == self.raw(&unit_of(field))).map_or(1, |(_, length)| *length);
        number.checked_mul(unit).ok_or_else(|| invalid(format!("“{label}” is too long.")))
    }

    /// What was chosen.
    pub(in crate::console) fn chosen<T: Copy>(
        &self,
        field: &str,
        label: &str,
        choices: &[Choice<T>],
    ) -> Result<T, Fault> {
        let chosen = choices.iter().find(|choice| choice.word == self.raw(field));
        chosen.map(|choice| choice.is).ok_or_else(|| invalid(format!("Choose one of those under “{label}”.")))
    }

    /// Whether a box was ticked.
    pub(in crate::console) fn is_ticked(&self, field: &str) -> bool {
        !self.raw(field).is_empty()
    }

    /// The same form, for the page to show once more with the reason. What is no refusal but a failure goes on as such.
    pub(in crate::console) fn refused(mut self, error: impl Into<Fault>) -> Result<Self, Fault> {
        let fault = error.into();
        if !matches!(fault.status, StatusCode::BAD_REQUEST | StatusCode::CONFLICT) {
            return Err(fault);
        }
        self.refusal = Some(fault);
        Ok(self)
    }

    /// The status of a page with this form.
    pub(in crate::console) fn status(&self) -> StatusCode {
        self.refusal.as_ref().map_or(StatusCode::OK, |fault| fault.status)
    }

    /// The form with these fields, sent to a path behind `/console`.
    pub(in crate::console) fn show(
        &self,
        request: &ConsoleRequest<'_>,
        path: &str,
        fields: &Markup,
        ends: &Ends,
    ) -> Markup {
        html! {
            form.act method="post" action=(request.link(path)) {
                (request.token_field())
                @if !self.raw(SEEN).is_empty() { input type="hidden" name=(SEEN) value=(self.raw(SEEN)); }
                @if let Some(fault) = &self.refusal {
                    // With the focus, so that it is read out and the next stop by Tab is the first field.
                    div.refusal role="alert" tabindex="-1" autofocus { (told(fault)) }
                }
                (fields)
                div.ends {
                    button class=[ends.dangerous.then_some("danger")] type="submit" { (ends.text) }
                    @if let Some(back) = &ends.back { a.button href=(request.link(back)) { "Back" } }
                }
            }
        }
    }

    /// A field for a line of text.
    pub(in crate::console) fn line(&self, field: &str, label: &str, hint: &str) -> Markup {
        self.labelled(field, label, hint, |id, hinted| {
            html! {
                input id=(id) type="text" name=(field) value=(self.raw(field)) aria-describedby=[hinted] autocomplete="off"
                    spellcheck="false";
            }
        })
    }

    /// A field for a number.
    pub(in crate::console) fn digits(&self, field: &str, label: &str, hint: &str) -> Markup {
        self.labelled(field, label, hint, |id, hinted| {
            html! {
                input.short id=(id) type="text" inputmode="numeric" name=(field) value=(self.raw(field))
                    aria-describedby=[hinted] autocomplete="off";
            }
        })
    }

    /// A field for a length of time, with its unit.
    pub(in crate::console) fn length(&self, field: &str, label: &str, hint: &str) -> Markup {
        let unit = unit_of(field);
        self.labelled(field, label, hint, |id, hinted| {
            html! {
                div.pair {
                    input.short id=(id) type="text" inputmode="numeric" name=(field) value=(self.raw(field))
                        aria-describedby=[hinted] autocomplete="off";
                    select name=(unit) aria-label={ "Unit of “" (label) "”" } {
                        @for (name, _) in UNITS { option value=(name) selected[self.raw(&unit) == name] { (name) } }
                    }
                }
            }
        })
    }

    /// A field for several lines of text.
    pub(in crate::console) fn area(&self, field: &str, label: &str, hint: &str) -> Markup {
        let rows = self.raw(field).lines().count().clamp(2, 12) + 1;
        self.labelled(field, label, hint, |id, hinted| {
            html! {
                textarea id=(id) name=(field) rows=(rows) aria-describedby=[hinted] spellcheck="false" { (self.raw(field)) }
            }
        })
    }

    /// A field to choose one of many from: each with its value and its name.
    pub(in crate::console) fn select<V: AsRef<str>, N: AsRef<str>>(
        &self,
        field: &str,
        label: &str,
        hint: &str,
        options: &[(V, N)],
    ) -> Markup {
        self.labelled(field, label, hint, |id, hinted| {
            html! {
                select id=(id) name=(field) aria-describedby=[hinted] {
                    @for (value, name) in options {
                        option value=(value.as_ref()) selected[self.raw(field) == value.as_ref()] { (name.as_ref()) }
                    }
                }
            }
        })
    }

    /// A few values to choose one from, each with what comes of it.
    pub(in crate::console) fn choices<T>(&self, field: &str, label: &str, choices: &[Choice<T>]) -> Markup {
        html! {
            fieldset.choices {
                legend { (label) }
                @for choice in choices {
                    @let id = self.id(&format!("{field}-{}", choice.word));
                    div.choice {
                        input id=(id) type="radio" name=(field) value=(choice.word) checked[self.raw(field) == choice.word]
                            aria-describedby={ (id) "-does" };
                        div {
                            label for=(id) { (choice.name) }
                            p.hint id={ (id) "-does" } { (choice.does) }
                        }
                    }
                }
            }
        }
    }

    /// A box to tick. Ticked, it sends `on`, or this value.
    pub(in crate::console) fn tick(&self, field: &str, value: Option<&str>, label: &str, hint: &str) -> Markup {
        let id = self.id(field);
        html! {
            div.choice {
                input id=(id) type="checkbox" name=(field) value=(value.unwrap_or("on")) checked[self.is_ticked(field)]
                    aria-describedby={ (id) "-hint" };
                div {
                    label for=(id) { (label) }
                    p.hint id={ (id) "-hint" } { (hint) }
                }
            }
        }
    }

    fn labelled(
        &self,
        field: &str,
        label: &str,
        hint: &str,
        control: impl FnOnce(&str, Option<&str>) -> Markup,
    ) -> Markup {
        let id = self.id(field);
        let hinted = format!("{id}-hint");
        html! {
            div.field {
                label for=(id) { (label) }
                (control(&id, (!hint.is_empty()).then_some(hinted.as_str())))
                @if !hint.is_empty() { p.hint id=(hinted) { (hint) } }
            }
        }
    }

    fn id(&self, field: &str) -> String {
        format!("{}-{field}", self.name)
    }

    fn raw(&self, field: &str) -> &str {
        self.values.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value)
    }
}

/// A button that does something by itself, sent to a path behind `/console`.
pub(in crate::console) fn act(request: &ConsoleRequest<'_>, path: &str, text: &str) -> Markup {
    html! {
        form.one method="post" action=(request.link(path)) {
            (request.token_field())
            button.plain type="submit" { (text) }
        }
    }
}

/// The same in a row of a list, with the name of what it is about for those who do not see where it stands.
pub(in crate::console) fn row_act(request: &ConsoleRequest<'_>, path: &str, text: &str, name: &str) -> Markup {
    html! {
        form.one method="post" action=(request.link(path)) {
            (request.token_field())
            button.plain type="submit" aria-label={ (text) " " (name) } { (text) }
        }
    }
}

/// A form around a list, each entry of which has a button of its own, made by [`row_button`]; sent to a link.
pub(in crate::console) fn acts(request: &ConsoleRequest<'_>, link: &str, list: &Markup) -> Markup {
    html! { form method="post" action=(link) { (request.token_field()) (list) } }
}

/// The button of an entry: it says what it does, and to whom for those who do not see where it stands.
pub(in crate::console) fn row_button(field: &str, value: &str, text: &str, name: &str) -> Markup {
    html! { button.plain type="submit" name=(field) value=(value) aria-label={ (text) " " (name) } { (text) } }
}

fn unit_of(field: &str) -> String {
    format!("{field}-unit")
}

fn invalid(detail: String) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, detail)
}

/// A short text that is another when the thing is.
fn fingerprint(of: &impl Debug) -> String {
    let hash = Sha256::digest(format!("{of:?}"));
    URL_SAFE_NO_PAD.encode(&hash[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_shown_in_the_largest_unit_and_read_back() {
        for (seconds, number, unit) in
            [(0, "0", "seconds"), (90, "90", "seconds"), (3_600, "1", "hours"), (172_800, "2", "days")]
        {
            let form = Form::new("f").with_span("grace", seconds);
            assert_eq!((form.raw("grace"), form.raw("grace-unit")), (number, unit));
            assert_eq!(form.span("grace", "Grace").ok(), Some(seconds));
        }
        let long = Form::new("f").with("grace", "4294967295").with("grace-unit", "days");
        assert!(long.span("grace", "Grace").is_err());
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        for (text, number) in [("1,500", Some(1_500)), (" 7 ", Some(7)), ("", None), ("-1", None), ("4294967296", None)]
        {
            assert_eq!(Form::new("f").with("n", text).number("n", "Number").ok(), number, "{text}");
        }
    }

    #[test]
    fn who_has_not_seen_the_last_change_is_told_so_once() {
        let mut form = Form::new("f").seen(&("Entra ID", 3));
        assert!(form.is_current(&("Entra ID", 3)).is_ok());
        assert!(form.is_current(&("Okta", 3)).is_err());
        assert!(form.is_current(&("Okta", 3)).is_ok(), "sent once more, it takes effect");
    }

    #[test]
    fn a_failure_is_no_refusal() {
        let form = Form::new("f").refused(Fault::new(StatusCode::CONFLICT, "taken")).expect("a refusal");
        assert_eq!(form.status(), StatusCode::CONFLICT);
        assert!(Form::new("f").refused(Fault::unavailable()).is_err());
    }
}
