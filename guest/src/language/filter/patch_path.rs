//! The path of a PATCH operation (RFC 7644, figure 7): an attribute, possibly with a filter that chooses among its
//! values.

use alloc::format;

use super::Filter;
use super::parse::{Context, Parser};
use crate::language::error::{Error, Result};
use crate::language::path::{AttributePath, Named, is_sub_attribute_name, is_well_formed, resolve};
use crate::language::schema::{ResourceType, Schema, Type};
use crate::text::quoted;

/// What the path of a PATCH operation leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum PatchPath<'a> {
    /// An attribute.
    Attribute {
        /// The attribute; its sub-attribute is the one after the brackets, if there are brackets.
        path: AttributePath,
        /// Which values of a complex multi-valued attribute are meant, over its sub-attributes; `None` for all of them.
        filter: Option<Filter<'a>>,
    },
    /// An extension as a whole.
    Extension(&'static Schema),
    /// The resource itself.
    Resource,
    /// Nothing that the schema knows.
    Unknown,
}

/// Reads the path of a PATCH operation on a resource of a type.
///
/// # Errors
/// `invalidPath` when it is malformed, `invalidFilter` when the filter in it is.
pub fn parse_path<'a>(resource_type: &'static ResourceType, text: &'a str) -> Result<PatchPath<'a>> {
    let text = text.trim_ascii();
    let (name, rest) = text.split_at(text.find('[').unwrap_or(text.len()));
    if !is_well_formed(resource_type, name) {
        return Err(no_path(text));
    }
    let path = match resolve(resource_type, name) {
        Named::Attribute(path) => path,
        // A filter on an attribute that is not kept makes no difference.
        Named::Unknown if rest.is_empty() || ends_well(rest) => return Ok(PatchPath::Unknown),
        Named::Unknown => return Err(no_path(text)),
        _ if !rest.is_empty() => return Err(no_values(name)),
        Named::Extension(schema) => return Ok(PatchPath::Extension(schema)),
        Named::Resource => return Ok(PatchPath::Resource),
    };
    if rest.is_empty() {
        return Ok(PatchPath::Attribute { path, filter: None });
    }
    with_filter(path, text)
}

/// Reads a path that has a filter after the attribute.
fn with_filter(path: AttributePath, text: &str) -> Result<PatchPath<'_>> {
    if path.leaf().kind != Type::Complex || !path.attribute.multi_valued {
        return Err(no_values(&format!("{path}")));
    }
    // From the start of the text, so that positions in messages count from there.
    let mut parser = Parser::new(text)?;
    parser.word("an attribute")?;
    parser.symbol('[');
    let filter = parser.filter(Context::element(path.attribute))?;
    parser.close(']')?;
    let sub_name = sub_attribute_name(parser.rest()).ok_or_else(|| no_path(text))?;
    let sub_attribute = match sub_name.map(|name| path.attribute.sub_attribute(name)) {
        Some(None) => return Ok(PatchPath::Unknown),
        Some(found) => found,
        None => None,
    };
    Ok(PatchPath::Attribute { path: AttributePath { sub_attribute, ..path }, filter: Some(filter) })
}

/// What follows the brackets of a path: nothing, or the name of a sub-attribute. `None` if it is something else.
fn sub_attribute_name(text: &str) -> Option<Option<&str>> {
    if text.is_empty() {
        return Some(None);
    }
    text.strip_prefix('.').filter(|name| is_sub_attribute_name(name)).map(Some)
}

/// Whether nothing but a sub-attribute follows the brackets. What is in them is not read, because the schema does not
/// know the attribute: they end at the first closing bracket outside of quotation marks.
fn ends_well(text: &str) -> bool {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let end = text.find(|character| {
        let closes = character == ']' && !is_quoted;
        is_quoted ^= character == '"' && !is_escaped;
        is_escaped = character == '\\' && is_quoted && !is_escaped;
        closes
    });
    let behind = end.and_then(|end| text.get(end + 1..));
    behind.and_then(sub_attribute_name).is_some()
}

fn no_path(text: &str) -> Error {
    Error::invalid_path(format!("{} is not the path of an attribute", quoted(text)))
}

fn no_values(name: &str) -> Error {
    Error::invalid_path(format!("{} is not a list of values among which a filter could choose", quoted(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::error::ScimType;
    use crate::language::schema::{ENTERPRISE_USER, GROUP, USER};
    use alloc::string::{String, ToString};

    fn understood(resource_type: &'static ResourceType, text: &str) -> String {
        match parse_path(resource_type, text) {
            Ok(PatchPath::Attribute { path, filter: None }) => path.to_string(),
            Ok(PatchPath::Attribute { path, filter: Some(filter) }) => format!("{path} of [{filter}]"),
            Ok(PatchPath::Extension(schema)) => format!("extension {}", schema.name),
            Ok(PatchPath::Resource) => "resource".into(),
            Ok(PatchPath::Unknown) => "unknown".into(),
            Err(Error { scim_type: Some(ScimType::InvalidPath), .. }) => "invalidPath".into(),
            Err(Error { scim_type: Some(ScimType::InvalidFilter), .. }) => "invalidFilter".into(),
            Err(other) => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn paths_of_identity_providers_are_understood() {
        for (text, expected) in [
            ("active", "active"),
            (" NAME.givenName ", "name.givenName"),
            ("emails", "emails"),
            ("emails.value", "emails.value"),
            (r#"emails[type eq "work"].value"#, r#"emails.value of [type eq "work"]"#),
            (r#"EMAILS[Type EQ "Work"]"#, r#"emails of [type eq "Work"]"#),
            (r#"emails[primary eq "True"].value"#, "emails.value of [primary eq true]"),
            (
                r#"emails[type eq "a]b" and value sw "["].display"#,
                r#"emails.display of [type eq "a]b" and value sw "["]"#,
            ),
            (r#"phoneNumbers[type sw "wo" or value pr].value"#, r#"phoneNumbers.value of [type sw "wo" or value pr]"#),
            (
                r#"urn:ietf:params:scim:schemas:core:2.0:User:addresses[type eq "work"].country"#,
                r#"addresses.country of [type eq "work"]"#,
            ),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
            ),
            (ENTERPRISE_USER, "extension EnterpriseUser"),
            ("urn:ietf:params:scim:schemas:core:2.0:User", "resource"),
        ] {
            assert_eq!(understood(&USER, text), expected, "{text}");
        }
        assert_eq!(understood(&GROUP, r#"members[value eq "Ab"]"#), r#"members of [value eq "Ab"]"#);
    }

    #[test]
    fn what_the_schema_does_not_know_is_told_apart_from_what_is_malformed() {
        for (text, expected) in [
            ("password", "unknown"),
            ("name.nonsense", "unknown"),
            (r#"emails[type eq "work"].nonsense"#, "unknown"),
            (r#"nonsense[type eq "work"].value"#, "unknown"),
            ("urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User:tag", "unknown"),
            ("urn:example:what's+this:tag", "unknown"),
            ("urn:example:(this):that", "unknown"),
            ("emails.nonsense", "unknown"),
            (r#"nonsense[type eq "a]b\"]" and x]"#, "unknown"),
            (r#"urn:example:x:things[type eq "work"].$ref"#, "unknown"),
            ("/active", "invalidPath"),
            ("$.active", "invalidPath"),
            ("active:", "invalidPath"),
            ("active;", "invalidPath"),
            ("name/givenName", "invalidPath"),
            ("name.", "invalidPath"),
            ("name.givenName.x", "invalidPath"),
            ("emails.value.foo", "invalidPath"),
            ("{}", "invalidPath"),
            ("urn:ietf:params:scim:schemas:core:2.0:User:", "invalidPath"),
            ("urn:ietf:params:scim:schemas:core:2.0:User:active;", "invalidPath"),
            (r#"emails[type eq "work"]..value"#, "invalidPath"),
            (r#"emails[type eq "work"].value.foo"#, "invalidPath"),
            (r#"emails[type eq "work"] .value"#, "invalidPath"),
            (r#"emails[type eq "work"][value eq "x"]"#, "invalidPath"),
            (r#"/emails[type eq "work"].value"#, "invalidPath"),
            (r#"nonsense[type eq "work"]..value"#, "invalidPath"),
            (r#"nonsense[type eq "work"].value.foo"#, "invalidPath"),
            (r#"nonsense[type eq "work].value"#, "invalidPath"),
            ("nonsense[", "invalidPath"),
            ("", "invalidPath"),
            (" ", "invalidPath"),
            ("[type eq \"work\"]", "invalidPath"),
            ("user name", "invalidPath"),
            ("emails]", "invalidPath"),
            (r#"emails.value[type eq "work"]"#, "invalidPath"),
            (r#"name[givenName eq "x"]"#, "invalidPath"),
            (r#"userName[value eq "x"]"#, "invalidPath"),
            (r#"urn:ietf:params:scim:schemas:core:2.0:User[id eq "x"]"#, "invalidPath"),
            (r#"emails[type eq "work""#, "invalidFilter"),
            ("emails[", "invalidFilter"),
            ("emails[]", "invalidFilter"),
            ("emails[0]", "invalidFilter"),
            (r#"emails[nonsense eq "work"]"#, "invalidFilter"),
            (r"emails[primary gt true]", "invalidFilter"),
            (r#"emails[type eq "work"]value"#, "invalidPath"),
            (r#"emails[type eq "work"]."#, "invalidPath"),
            (r#"emails[type eq "work"].value eq "x""#, "invalidPath"),
        ] {
            assert_eq!(understood(&USER, text), expected, "{text}");
        }
    }

    #[test]
    fn messages_count_from_the_start_of_the_path() {
        let error = parse_path(&USER, r"emails[type eq work].value").unwrap_err();
        assert!(error.detail.starts_with("at character 16: expected a string"), "{}", error.detail);
    }
}
