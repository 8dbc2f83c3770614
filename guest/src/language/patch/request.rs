//! The PATCH message: operations in which every notation of a path is resolved, so that later steps see only
//! attributes.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::{Operation, Verb, owned};
use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::language::filter::{Filter, PatchPath, parse_path};
use crate::language::path::{AttributePath, Named, resolve};
use crate::language::schema::{ResourceType, Schema};
use crate::text::quoted;

/// How many operations one message may have. Some providers send one for each member of a group, a few thousand at
/// once.
pub const MAX_OPERATIONS: usize = 10_000;

const PATCH_URN: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Reads a PATCH message for a resource of a type.
///
/// # Errors
/// `invalidSyntax` when the message is not built as it must be, `invalidValue` when a value is missing or there are too
/// many operations, `invalidPath` or `invalidFilter` when a path is malformed, `noTarget` when a removal has no path,
/// and `mutability` when a path leads to what clients cannot write.
pub fn parse<'a>(resource_type: &'static ResourceType, body: Value<'a>) -> Result<Vec<Operation<'a>>> {
    let [schemas, operations] = fields(body, "the body", ["schemas", "Operations"])?;
    check_schemas(schemas)?;
    let sent = match operations {
        Some(Value::Array(operations)) => operations,
        Some(operation @ Value::Object(_)) => vec![operation],
        _ => return Err(Error::invalid_syntax("the body must have an array of Operations")),
    };
    if sent.len() > MAX_OPERATIONS {
        let detail = format!("there are more than the {MAX_OPERATIONS} Operations that are allowed");
        return Err(Error::invalid_value(detail));
    }
    let mut reader = Reader { resource_type, operations: Vec::with_capacity(sent.len()) };
    for operation in sent {
        reader.operation(operation)?;
    }
    Ok(reader.operations)
}

/// The members of these names, in any letter case.
fn fields<'a, const N: usize>(value: Value<'a>, what: &str, names: [&str; N]) -> Result<[Option<Value<'a>>; N]> {
    let Value::Object(object) = value else {
        return Err(Error::invalid_syntax(format!("{what} must be an object, not {}", value.kind())));
    };
    check_names(&object)?;
    let mut found = [const { None }; N];
    for (name, value) in object {
        if let Some(at) = names.iter().position(|known| known.eq_ignore_ascii_case(&name)) {
            found[at] = Some(value);
        }
    }
    Ok(found)
}

fn check_names(object: &Object<'_>) -> Result<()> {
    match object.repeated_name() {
        None => Ok(()),
        Some(name) => Err(Error::invalid_syntax(format!("{} is there more than once", quoted(name)))),
    }
}

/// A message without `schemas` is accepted; one that says it is something else is not.
fn check_schemas(schemas: Option<Value<'_>>) -> Result<()> {
    let urns = match schemas {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(urns)) => urns,
        Some(other) => {
            return Err(Error::invalid_syntax(format!("schemas must be an array of URNs, not {}", other.kind())));
        }
    };
    let is_patch = |urn: &Value<'_>| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(PATCH_URN));
    if urns.is_empty() || urns.iter().any(is_patch) {
        return Ok(());
    }
    Err(Error::invalid_syntax(format!("schemas must hold {PATCH_URN}")))
}

fn verb(op: Option<Value<'_>>) -> Result<Verb> {
    const VERBS: [(&str, Verb); 3] = [("add", Verb::Add), ("replace", Verb::Replace), ("remove", Verb::Remove)];
    let op = op.unwrap_or(Value::Null);
    let word = op.as_str().unwrap_or_default();
    match VERBS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)) {
        Some((_, verb)) => Ok(*verb),
        None => Err(Error::invalid_syntax(format!("op must be add, replace or remove, not {}", quoted(word)))),
    }
}

/// What an operation does, and with what.
struct Action<'a> {
    verb: Verb,
    value: Value<'a>,
}

struct Reader<'a> {
    resource_type: &'static ResourceType,
    operations: Vec<Operation<'a>>,
}

impl<'a> Reader<'a> {
    fn operation(&mut self, operation: Value<'a>) -> Result<()> {
        let [op, path, value] = fields(operation, "an operation", ["op", "path", "value"])?;
        let verb = verb(op)?;
        let path = match path {
            None | Some(Value::Null) => Cow::Borrowed(""),
            Some(Value::String(path)) => path,
            Some(other) => return Err(Error::invalid_path(format!("a path must be a string, not {}", other.kind()))),
        };
        let value = match value {
            None if verb != Verb::Remove => {
                return Err(Error::invalid_value("an operation that adds or replaces must have a value"));
            }
            value => value.unwrap_or(Value::Null),
        };
        let action = Action { verb, value };
        if path.trim().is_empty() { self.resource(action) } else { self.explicit(path, action) }
    }

    /// An operation with a path of its own.
    fn explicit(&mut self, path: Cow<'a, str>, action: Action<'a>) -> Result<()> {
        match target(self.resource_type, path)? {
            PatchPath::Unknown => Ok(()),
            PatchPath::Resource => self.resource(action),
            PatchPath::Extension(schema) => self.extension(schema, action.verb, action.value),
            PatchPath::Attribute { path, filter } => {
                if !path.attribute.is_writable() || !path.leaf().is_writable() {
                    return Err(Error::mutability(format!("{path} is read-only")));
                }
                if path.is("schemas", None) {
                    return written_schemas(action.verb);
                }
                self.operations.push(Operation { verb: action.verb, path, filter, value: action.value });
                Ok(())
            }
        }
    }

    /// An operation on the resource as a whole: one for each member of its value.
    fn resource(&mut self, action: Action<'a>) -> Result<()> {
        if action.verb == Verb::Remove {
            return Err(Error::no_target("a removal must have a path that says what to remove"));
        }
        let Value::Object(object) = action.value else {
            let kind = action.value.kind();
            return Err(Error::invalid_value(format!("without a path the value must be an object, not {kind}")));
        };
        check_names(&object)?;
        for (name, value) in object {
            let target = if name.contains('[') { target(self.resource_type, name)? } else { self.named(&name) };
            match target {
                PatchPath::Extension(schema) => self.extension(schema, action.verb, value)?,
                PatchPath::Resource => self.qualified(self.resource_type.schema, action.verb, value)?,
                PatchPath::Attribute { path, filter } => self.implicit(path, filter, action.verb, value),
                PatchPath::Unknown => {}
            }
        }
        Ok(())
    }

    /// An operation on an extension as a whole.
    fn extension(&mut self, schema: &'static Schema, verb: Verb, value: Value<'a>) -> Result<()> {
        if verb != Verb::Remove && value != Value::Null {
            return self.qualified(schema, verb, value);
        }
        for attribute in schema.attributes.iter().filter(|attribute| attribute.is_writable()) {
            let path = AttributePath { extension: Some(schema), attribute, sub_attribute: None };
            self.implicit(path, None, Verb::Remove, Value::Null);
        }
        Ok(())
    }

    /// The members of an object that stands under a schema's URN.
    fn qualified(&mut self, schema: &'static Schema, verb: Verb, value: Value<'a>) -> Result<()> {
        let object = match value {
            Value::Null => return Ok(()),
            Value::Object(object) => object,
            other => {
                return Err(Error::invalid_value(format!("{} must be an object, not {}", schema.id, other.kind())));
            }
        };
        check_names(&object)?;
        for (name, value) in object {
            if let PatchPath::Attribute { path, filter } = self.named(&format!("{}:{name}", schema.id)) {
                self.implicit(path, filter, verb, value);
            }
        }
        Ok(())
    }

    /// An operation on an attribute that the client may have sent along without meaning to change it.
    fn implicit(&mut self, path: AttributePath, filter: Option<Filter<'a>>, verb: Verb, value: Value<'a>) {
        let writable = path.attribute.is_writable() && path.leaf().is_writable() && !path.is("schemas", None);
        // Otherwise a client that writes out every field that it has would empty the group unawares.
        let left_unset = path.is("members", None) && value == Value::Null;
        if writable && !left_unset {
            self.operations.push(Operation { verb, path, filter, value });
        }
    }

    fn named(&self, name: &str) -> PatchPath<'a> {
        match resolve(self.resource_type, name) {
            Named::Attribute(path) => PatchPath::Attribute { path, filter: None },
            Named::Extension(schema) => PatchPath::Extension(schema),
            Named::Resource => PatchPath::Resource,
            Named::Unknown => PatchPath::Unknown,
        }
    }
}

/// What a path leads to.
fn target<'a>(resource_type: &'static ResourceType, path: Cow<'a, str>) -> Result<PatchPath<'a>> {
    match path {
        Cow::Borrowed(path) => parse_path(resource_type, path),
        Cow::Owned(path) => parse_path(resource_type, &path).map(owned::path),
    }
}

/// `schemas` follows from the values: a client may write it, to no effect, but not take it away.
fn written_schemas(verb: Verb) -> Result<()> {
    if verb == Verb::Remove { Err(Error::mutability("schemas is required and cannot be removed")) } else { Ok(()) }
}
