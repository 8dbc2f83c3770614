//! The path of a PATCH operation (RFC 7644, figure 7): an attribute, possibly with a filter that chooses among its
//! values.

use alloc::format;

use super::Filter;
use super::parse::{Parser, Scope};
use crate::error::{Error, Result};
use crate::path::{AttributePath, Named, quoted, resolve};
use crate::schema::{ResourceType, Schema, Type};

/// What the path of a PATCH operation leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum PatchPath<'a> {
    /// An attribute.
    Attribute {
        /// The attribute; its sub-attribute is the one behind the brackets, where there are brackets.
        path: AttributePath,
        /// Which values of a complex multi-valued attribute are meant, over its sub-attributes; none for all of them.
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
    if !is_name(name) {
        return Err(Error::invalid_path(format!("{} is not the path of an attribute", quoted(text))));
    }
    let path = match resolve(resource_type, name) {
        Named::Attribute(path) => path,
        // What is asked of an attribute that is not kept makes no difference.
        Named::Unknown => return Ok(PatchPath::Unknown),
        _ if !rest.is_empty() => return Err(no_values(name)),
        Named::Extension(schema) => return Ok(PatchPath::Extension(schema)),
        Named::Resource => return Ok(PatchPath::Resource),
    };
    if rest.is_empty() {
        return Ok(PatchPath::Attribute { path, filter: None });
    }
    with_filter(path, text)
}

/// Reads a path that has a filter behind the attribute.
fn with_filter(path: AttributePath, text: &str) -> Result<PatchPath<'_>> {
    if path.leaf().kind != Type::Complex || !path.attribute.multi_valued {
        return Err(no_values(&format!("{path}")));
    }
    // From the start of the text, so that positions in messages count from there.
    let mut parser = Parser::new(text)?;
    parser.word("an attribute")?;
    parser.symbol('[');
    let filter = parser.filter(Scope::element(path.attribute))?;
    parser.close(']')?;
    let sub_name = if parser.symbol('.') { Some(parser.word("a sub-attribute")?) } else { None };
    parser.end("a dot and a sub-attribute, or the end")?;
    let sub_attribute = match sub_name.map(|name| path.attribute.sub_attribute(name)) {
        Some(None) => return Ok(PatchPath::Unknown),
        Some(found) => found,
        None => None,
    };
    Ok(PatchPath::Attribute { path: AttributePath { sub_attribute, ..path }, filter: Some(filter) })
}

/// Whether it can be a name, be it of an attribute that we do not know under a URN that we do not know.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|character| !character.is_whitespace() && !matches!(character, '"' | ']' | '(' | ')'))
}

fn no_values(name: &str) -> Error {
    Error::invalid_path(format!("{} is not a list of values among which a filter could choose", quoted(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ScimType;
    use crate::schema::{ENTERPRISE_USER, GROUP, USER};
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
            (r#"emails[primary gt true]"#, "invalidFilter"),
            (r#"emails[type eq "work"]value"#, "invalidFilter"),
            (r#"emails[type eq "work"]."#, "invalidFilter"),
            (r#"emails[type eq "work"].value eq "x""#, "invalidFilter"),
        ] {
            assert_eq!(understood(&USER, text), expected, "{text}");
        }
    }

    #[test]
    fn messages_count_from_the_start_of_the_path() {
        let error = parse_path(&USER, r#"emails[type eq work].value"#).unwrap_err();
        assert!(error.detail.starts_with("at character 16: expected a string"), "{}", error.detail);
    }
}
