//! Attribute notation (RFC 7644, section 3.10): how filters, PATCH paths, `attributes` and `sortBy` name attributes.

use alloc::format;

use crate::language::error::{Error, Result};
use crate::language::schema::{Attribute, RESOURCE_TYPES, ResourceType, Schema};
use crate::text::quoted;

/// An attribute that the schema knows, or one of its sub-attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributePath {
    /// The extension that it belongs to; `None` for core and common attributes.
    pub extension: Option<&'static Schema>,
    /// The attribute.
    pub attribute: &'static Attribute,
    /// The sub-attribute, if it names one.
    pub sub_attribute: Option<&'static Attribute>,
}

/// What a name in a request stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// An attribute.
    Attribute(AttributePath),
    /// An extension as a whole, named by its URN alone.
    Extension(&'static Schema),
    /// The resource itself, named by the URN of its core schema.
    Resource,
    /// Nothing that the schema knows.
    Unknown,
}

impl AttributePath {
    /// The attribute that the path ends with: the sub-attribute if there is one.
    #[must_use]
    pub fn leaf(&self) -> &'static Attribute {
        self.sub_attribute.unwrap_or(self.attribute)
    }

    /// Whether this is the core or common attribute of that exact name, with that sub-attribute.
    #[must_use]
    pub fn is(&self, attribute: &str, sub_attribute: Option<&str>) -> bool {
        self.extension.is_none()
            && self.attribute.name == attribute
            && self.sub_attribute.map(|attribute| attribute.name) == sub_attribute
    }
}

impl core::fmt::Display for AttributePath {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if let Some(schema) = self.extension {
            write!(formatter, "{}:", schema.id)?;
        }
        formatter.write_str(self.attribute.name)?;
        match self.sub_attribute {
            Some(attribute) => write!(formatter, ".{}", attribute.name),
            None => Ok(()),
        }
    }
}

/// Whether a character can stand in an attribute name or in front of it in a URN. `$` is there for `$ref`.
#[must_use]
pub fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '$' | '.' | ':')
}

/// Whether this can name an attribute, even an unknown one under an unknown URN (RFC 7644, figure 1:
/// `attrPath = [URI ":"] ATTRNAME *1subAttr`), or a schema as a whole by its URN.
#[must_use]
pub fn is_well_formed(resource_type: &ResourceType, text: &str) -> bool {
    if !text.contains(':') {
        return is_dotted(text);
    }
    let known = || core::iter::once(resource_type.schema).chain(resource_type.extensions);
    // A known URN is followed by one of its attributes, or else it is the beginning of a longer URN.
    if let Some(rest) = known().find_map(|schema| after_urn(schema, text)).filter(|rest| !rest.contains(':')) {
        return rest.is_empty() || is_dotted(rest);
    }
    is_qualified(text)
}

/// An attribute name, or two joined by a dot.
fn is_dotted(text: &str) -> bool {
    match text.split_once('.') {
        Some((name, sub_name)) => is_attribute_name(name) && is_sub_attribute_name(sub_name),
        None => is_attribute_name(text),
    }
}

/// `ATTRNAME = ALPHA *(nameChar)`
fn is_attribute_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The same for a sub-attribute. The RFCs have one with a name of another form: `$ref`.
#[must_use]
pub fn is_sub_attribute_name(text: &str) -> bool {
    is_attribute_name(text.strip_prefix('$').unwrap_or(text))
}

/// A URI followed by something: a scheme and at least two parts, in the characters of URIs (RFC 3986, appendix A; URNs
/// have no others, RFC 8141, section 2), with percent signs only before two hexadecimal digits.
fn is_qualified(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let mut bytes = rest.bytes();
    let mut is_uri = true;
    while let Some(byte) = bytes.next() {
        is_uri &= match byte {
            b'%' => {
                [bytes.next(), bytes.next()].iter().all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=".contains(&byte),
        };
    }
    is_scheme && is_uri && rest.contains(':') && !rest.starts_with(':') && !rest.ends_with([':', '.'])
}

/// What `text` stands for in a resource of this type: `userName`, `name.givenName`, a URN followed by an attribute, or
/// a URN alone. Letter case does not matter.
#[must_use]
pub fn resolve(resource_type: &'static ResourceType, text: &str) -> Named {
    // URNs hold dots and colons themselves, so the known ones are tried as prefixes first.
    if let Some(rest) = after_urn(resource_type.schema, text) {
        return match rest {
            "" => Named::Resource,
            name => match name.split_once('.').map_or(name, |(first, _)| first) {
                first if resource_type.schema.attribute(first).is_some() => in_core(resource_type, name),
                _ => Named::Unknown,
            },
        };
    }
    for schema in resource_type.extensions {
        match after_urn(schema, text) {
            Some("") => return Named::Extension(schema),
            Some(name) => {
                return dotted(name, |name| schema.attribute(name), Some(schema));
            }
            None => {}
        }
    }
    in_core(resource_type, text)
}

/// As [`resolve`], for places where only an attribute will do.
///
/// # Errors
/// `invalidFilter` when it names no attribute.
pub fn resolve_attribute(resource_type: &'static ResourceType, text: &str) -> Result<AttributePath> {
    match resolve(resource_type, text) {
        Named::Attribute(path) => Ok(path),
        _ => Err(Error::invalid_filter(format!("{} has no attribute {}", resource_type.name, quoted(text)))),
    }
}

/// The attribute of this name that resources of another type have, for searches over all types.
#[must_use]
pub fn resolve_elsewhere(resource_type: &'static ResourceType, text: &str) -> Option<AttributePath> {
    let others = RESOURCE_TYPES.iter().filter(|other| other.name != resource_type.name);
    others.map(|other| resolve(other, text)).find_map(|named| match named {
        Named::Attribute(path) => Some(path),
        _ => None,
    })
}

/// What follows the schema's URN and a colon; empty if there is nothing but the URN. `None` for another URN.
fn after_urn<'t>(schema: &Schema, text: &'t str) -> Option<&'t str> {
    [schema.id, schema.draft_id].into_iter().find_map(|urn| {
        let (front, rest) = text.split_at_checked(urn.len())?;
        if !front.eq_ignore_ascii_case(urn) {
            return None;
        }
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix(':').filter(|name| !name.is_empty()) }
    })
}

fn in_core(resource_type: &'static ResourceType, text: &str) -> Named {
    dotted(text, |name| resource_type.attribute(name), None)
}

fn dotted(text: &str, find: impl Fn(&str) -> Option<&'static Attribute>, extension: Option<&'static Schema>) -> Named {
    let (name, sub_name) = match text.split_once('.') {
        Some((name, sub_name)) => (name, Some(sub_name)),
        None => (text, None),
    };
    let Some(attribute) = find(name) else { return Named::Unknown };
    let sub_attribute = match sub_name {
        None => None,
        Some(sub_name) => match attribute.sub_attribute(sub_name) {
            Some(found) => Some(found),
            None => return Named::Unknown,
        },
    };
    Named::Attribute(AttributePath { extension, attribute, sub_attribute })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::schema::{ENTERPRISE_USER, GROUP, USER};
    use alloc::string::{String, ToString};

    fn path(text: &str) -> String {
        match resolve(&USER, text) {
            Named::Attribute(path) => path.to_string(),
            other => format!("{other:?}").split('(').next().unwrap_or_default().to_string(),
        }
    }

    #[test]
    fn names_are_found_in_any_case_and_with_urns() {
        assert_eq!(path("USERNAME"), "userName");
        assert_eq!(path("name.FamilyName"), "name.familyName");
        assert_eq!(path("meta.lastmodified"), "meta.lastModified");
        assert_eq!(path("urn:ietf:params:scim:schemas:core:2.0:User:name.givenName"), "name.givenName");
        assert_eq!(path("URN:IETF:params:scim:schemas:core:2.0:user:emails"), "emails");
        assert_eq!(path(&format!("{ENTERPRISE_USER}:manager.value")), format!("{ENTERPRISE_USER}:manager.value"));
        assert_eq!(
            path("urn:scim:schemas:extension:enterprise:2.0:department"),
            format!("{ENTERPRISE_USER}:department")
        );
        assert_eq!(path(ENTERPRISE_USER), "Extension");
        assert_eq!(path("urn:ietf:params:scim:schemas:core:2.0:User"), "Resource");
    }

    #[test]
    fn other_names_are_unknown() {
        for text in [
            "",
            ".",
            "user",
            "userName.x",
            "name.",
            "department",
            "urn:example:x",
            "urn:ietf:params:scim:schemas:core:2.0:Userx",
            "urn:ietf:params:scim:schemas:core:2.0:User:id.x",
            "urn:ietf:params:scim:schemas:core:2.0:User:",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:",
            "é",
        ] {
            assert_eq!(resolve(&USER, text), Named::Unknown, "{text}");
        }
        assert_eq!(resolve(&GROUP, "emails"), Named::Unknown);
    }

    #[test]
    fn names_that_nobody_knows_are_told_apart_from_what_is_no_name() {
        for text in [
            "userName",
            "x",
            "a-b_c9",
            "name.givenName",
            "things.$ref",
            ENTERPRISE_USER,
            "urn:ietf:params:scim:schemas:core:2.0:User:name.nonsense",
            "urn:ietf:params:scim:schemas:core:2.0:User:custom:1.0:tag",
            "urn:scim:schemas:core:2.0:User:userName",
            "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User:tag.part",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department",
            "urn:example:a.b_c~d-e:(what's)+this,*;=&$!@/%C3%A9:tag",
            "URN:acme:extension:1.0",
            "https://acme.test:8443/schemas/user?v=1#top:tag",
        ] {
            assert!(is_well_formed(&USER, text), "{text}");
        }
        for text in [
            "",
            " ",
            "/active",
            "$.active",
            "$ref",
            "active:",
            ":active",
            "active;",
            "active:x",
            "name/givenName",
            "name.",
            ".name",
            "name..givenName",
            "name.givenName.x",
            "name.$",
            "na$me",
            "1st",
            "_x",
            "{}",
            "[]",
            "*",
            "user name",
            "é",
            "urn:",
            "urn:x",
            "urn:x:",
            "urn::x",
            "urn:x:y.",
            "urn:x:y z",
            "urn:x:%zz",
            "urn:x:%C",
            "urn:x:é",
            "urn:x:\"y\"",
            "ur/n:x:y",
            "urn:ietf:params:scim:schemas:core:2.0:User:",
            "urn:ietf:params:scim:schemas:core:2.0:User:/active",
            "urn:ietf:params:scim:schemas:core:2.0:User:name.",
            "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName.x",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager..value",
        ] {
            assert!(!is_well_formed(&USER, text), "{text}");
        }
    }
}
