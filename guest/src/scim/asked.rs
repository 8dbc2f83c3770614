//! What a request or operation names, read from it before anything is checked: the log tells of a refused one, too.

use alloc::string::{String, ToString};

use super::write::Method;
use crate::directories::MemberCounts;
use crate::directories::logged::NewSubject;
use crate::json::{Object, Value};
use crate::provisioning::notes::{Done, shown_name};
use crate::store::keys::{self, Kind};
use crate::store::pages::count;

/// How many attributes the log lists.
const MAX_ATTRIBUTES: usize = 50;

/// The longest name of an attribute that it lists, in bytes.
const MAX_ATTRIBUTE_BYTES: usize = 64;

/// What the names of a usual user's attributes take, in bytes.
const ATTRIBUTES_BYTES: usize = 160;

/// What a request or operation names.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Whether it is about a user or a group, if it is about one.
    kind: Option<Kind>,
    /// The id of what is there already.
    id: Option<String>,
    /// The name that is sent.
    name: Option<String>,
    /// The attributes that it names, with a blank between any two.
    pub attributes: String,
    /// How many members it names.
    pub members: MemberCounts,
    /// How many attributes that are.
    count: usize,
    is_patch: bool,
}

impl Asked {
    /// What a write names. `id` is that of an existing resource, `body` is what could be read of its body.
    #[must_use]
    pub fn of(kind: Kind, id: Option<&str>, method: Method, body: Option<&Value<'_>>) -> Self {
        // What is not an id may be an address.
        let id = id.filter(|id| keys::is_id(id)).map(ToString::to_string);
        let mut asked = Asked { kind: Some(kind), id, ..Asked::default() };
        let Some(Value::Object(body)) = body else { return asked };
        if method == Method::Patch {
            asked.is_patch = true;
            asked.patch(body);
            return asked;
        }
        let name = match kind {
            Kind::User => "userName",
            Kind::Group => "displayName",
        };
        asked.name = body.get_ignoring_case(name).and_then(Value::as_str).map(shown_name);
        asked.attributes.reserve(ATTRIBUTES_BYTES);
        asked.attributes_of(body, false);
        asked
    }

    /// What a write to a membership names: it is about a group.
    #[must_use]
    pub fn of_membership(method: Method) -> Self {
        let (adds, removes) = (u32::from(method == Method::Post), u32::from(method == Method::Delete));
        let members = MemberCounts { to_add: adds, to_remove: removes, ..MemberCounts::default() };
        Asked { kind: Some(Kind::Group), members, ..Asked::default() }
    }

    fn patch(&mut self, body: &Object<'_>) {
        let operations = match body.get_ignoring_case("Operations") {
            Some(Value::Array(operations)) => operations.as_slice(),
            Some(operation) => core::slice::from_ref(operation),
            None => &[],
        };
        for operation in operations.iter().filter_map(Value::as_object) {
            let text = |name: &str| operation.get_ignoring_case(name).and_then(Value::as_str);
            let removes = text("op").is_some_and(|op| op.eq_ignore_ascii_case("remove"));
            let value = operation.get_ignoring_case("value");
            match (text("path").filter(|path| !path.trim().is_empty()), value) {
                (Some(path), value) => self.attribute(path, value, removes),
                (None, Some(Value::Object(value))) => self.attributes_of(value, removes),
                _ => {}
            }
        }
    }

    fn attributes_of(&mut self, object: &Object<'_>, removes: bool) {
        for (name, value) in object.iter() {
            match value {
                // The attributes of an extension, under its URN.
                Value::Object(extension) if name.contains(':') => {
                    extension.iter().for_each(|(name, value)| self.attribute(name, Some(value), removes));
                }
                value => self.attribute(name, Some(value), removes),
            }
        }
    }

    /// Notes an attribute by its name or path.
    fn attribute(&mut self, path: &str, value: Option<&Value<'_>>, removes: bool) {
        let is_plain = is_name(path);
        let name = if is_plain { path } else { attribute_of(path) };
        if self.kind == Some(Kind::Group) && name.eq_ignore_ascii_case("members") {
            let named = match value {
                Some(Value::Array(members)) => count(members.len()),
                None | Some(Value::Null) => u32::from(path.contains('[')),
                Some(_) => 1,
            };
            let counted = if removes { &mut self.members.to_remove } else { &mut self.members.to_add };
            *counted = counted.saturating_add(named);
        }
        if self.count >= MAX_ATTRIBUTES || !is_plain && !is_name(name) {
            return;
        }
        // An operation for each member of a group names the same attribute thousands of times.
        if self.is_patch && self.attributes.split(' ').any(|known| known == name) {
            return;
        }
        if self.count > 0 {
            self.attributes.push(' ');
        }
        self.attributes.push_str(name);
        self.count += 1;
    }

    /// Whom or what it was about, now that it was tried.
    #[must_use]
    pub fn subject<'s>(&'s self, done: &'s Done) -> Option<NewSubject<'s>> {
        let kind = self.kind?;
        let id = done.id.as_deref().or(self.id.as_deref());
        Some(NewSubject { kind, id, name: done.name.as_deref().or(self.name.as_deref()) })
    }
}

/// Whether a text can be the name of an attribute that the log lists.
fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-');
    (1..=MAX_ATTRIBUTE_BYTES).contains(&text.len()) && text.bytes().all(is_part)
}

/// The attribute that a path is about: the first name behind the URN, if it has one.
fn attribute_of(path: &str) -> &str {
    let path = path.split('[').next().unwrap_or_default();
    let path = path.rsplit(':').next().unwrap_or_default();
    path.split('.').next().unwrap_or_default().trim()
}
