//! Which attributes of a resource an answer holds: `attributes` and `excludedAttributes` (RFC 7644, section 3.9).

use alloc::format;
use alloc::vec::Vec;

use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::language::path::{self, AttributePath, Named};
use crate::language::schema::{Attribute, ResourceType, Returned, Schema};

/// How many names one list may have: some five times as many as the schema knows.
pub const MAX_NAMES: usize = 500;

/// Which parts of a resource a client wants returned.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    resource_type: &'static ResourceType,
    choice: Choice,
}

#[derive(Debug, Clone, PartialEq)]
enum Choice {
    Everything,
    Only(Vec<Named>),
    Without(Vec<Named>),
}

/// How much of an attribute is returned.
enum Share {
    Whole,
    Nothing,
    /// The sub-attributes decide.
    Parts,
}

impl Projection {
    /// Reads the two query parameters, lists of names separated by commas.
    ///
    /// # Errors
    /// `invalidValue` when both are given or one of them is too long.
    pub fn from_query(
        resource_type: &'static ResourceType,
        attributes: Option<&str>,
        excluded: Option<&str>,
    ) -> Result<Self> {
        let names = |list: Option<&str>| named(resource_type, list.unwrap_or_default().split(','));
        Self::choose(resource_type, names(attributes)?, names(excluded)?)
    }

    /// Reads the two members of a search request, arrays of names.
    ///
    /// # Errors
    /// As [`from_query`](Self::from_query), and when a list is not an array of strings.
    pub fn from_search(
        resource_type: &'static ResourceType,
        attributes: Option<&Value<'_>>,
        excluded: Option<&Value<'_>>,
    ) -> Result<Self> {
        let names = |list: Option<&Value<'_>>| match list {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(names)) => named(resource_type, names.iter().filter_map(Value::as_str)),
            Some(other) => {
                Err(Error::invalid_value(format!("attributes must be listed in an array, not {}", other.kind())))
            }
        };
        Self::choose(resource_type, names(attributes)?, names(excluded)?)
    }

    fn choose(
        resource_type: &'static ResourceType,
        attributes: Option<Vec<Named>>,
        excluded: Option<Vec<Named>>,
    ) -> Result<Self> {
        let choice = match (attributes, excluded) {
            (None, None) => Choice::Everything,
            (Some(names), None) => Choice::Only(names),
            (None, Some(names)) => Choice::Without(names),
            (Some(_), Some(_)) => {
                return Err(Error::invalid_value("attributes and excludedAttributes exclude each other"));
            }
        };
        Ok(Projection { resource_type, choice })
    }

    /// Whether nothing is left out.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.choice == Choice::Everything
    }

    /// Whether the core or common attribute of this name is returned, in part at least.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.resource_type
            .attribute(name)
            .is_some_and(|attribute| !matches!(self.share(None, attribute), Share::Nothing))
    }

    /// Removes what is not wanted from a resource.
    pub fn apply(&self, resource: &mut Object<'_>) {
        resource.retain(|name, value| match (self.resource_type.extension(name), value) {
            (Some(schema), Value::Object(extension)) => {
                extension.retain(|name, value| self.keep(Some(schema), schema.attribute(name), value));
                !extension.is_empty()
            }
            (_, value) => self.keep(None, self.resource_type.attribute(name), value),
        });
    }

    /// Removes what is not wanted from a value. Returns whether the value is to stay.
    fn keep(
        &self,
        extension: Option<&'static Schema>,
        attribute: Option<&'static Attribute>,
        value: &mut Value<'_>,
    ) -> bool {
        let Some(attribute) = attribute else { return !matches!(self.choice, Choice::Only(_)) };
        match self.share(extension, attribute) {
            Share::Whole => true,
            Share::Nothing => false,
            Share::Parts => self.keep_parts(extension, attribute, value),
        }
    }

    fn keep_parts(
        &self,
        extension: Option<&'static Schema>,
        attribute: &'static Attribute,
        value: &mut Value<'_>,
    ) -> bool {
        let in_list = matches!(self.choice, Choice::Only(_));
        let keep = |object: &mut Object<'_>| {
            object.retain(|name, _| self.names_part(extension, attribute, name) == in_list);
            !object.is_empty()
        };
        match value {
            Value::Object(object) => keep(object),
            Value::Array(elements) => {
                elements.retain_mut(|element| match element {
                    Value::Object(object) => keep(object),
                    _ => true,
                });
                !elements.is_empty()
            }
            _ => true,
        }
    }

    fn share(&self, extension: Option<&'static Schema>, attribute: &'static Attribute) -> Share {
        if attribute.returned == Returned::Always {
            return Share::Whole;
        }
        let on_request = attribute.returned == Returned::Request;
        let (names, if_named, otherwise) = match &self.choice {
            Choice::Only(names) => (names, Share::Whole, Share::Nothing),
            Choice::Everything | Choice::Without(_) if on_request => return Share::Nothing,
            Choice::Everything => return Share::Whole,
            Choice::Without(names) => (names, Share::Nothing, Share::Whole),
        };
        let core = self.resource_type.schema;
        let mut in_parts = false;
        for name in names {
            let whole = match name {
                Named::Attribute(path) if is_of(path, extension, attribute) => {
                    in_parts |= path.sub_attribute.is_some();
                    path.sub_attribute.is_none()
                }
                Named::Extension(schema) => extension.is_some_and(|extension| extension.id == schema.id),
                Named::Resource => extension.is_none() && core.attribute(attribute.name).is_some(),
                Named::Attribute(_) | Named::Unknown => false,
            };
            if whole {
                return if_named;
            }
        }
        if in_parts { Share::Parts } else { otherwise }
    }

    fn names_part(&self, extension: Option<&'static Schema>, attribute: &'static Attribute, part: &str) -> bool {
        let (Choice::Only(names) | Choice::Without(names)) = &self.choice else { return false };
        names.iter().any(|name| match name {
            Named::Attribute(path) if is_of(path, extension, attribute) => {
                path.sub_attribute.is_some_and(|sub_attribute| sub_attribute.name == part)
            }
            _ => false,
        })
    }
}

fn is_of(path: &AttributePath, extension: Option<&'static Schema>, attribute: &'static Attribute) -> bool {
    path.attribute.name == attribute.name && path.extension.map(|schema| schema.id) == extension.map(|schema| schema.id)
}

/// What a list names, each thing once; `None` if it names nothing at all. A list of names that the schema does not know
/// is not empty: whoever asks for them alone does not ask for everything.
fn named<'n>(resource_type: &'static ResourceType, names: impl Iterator<Item = &'n str>) -> Result<Option<Vec<Named>>> {
    let mut found = Vec::new();
    for (at, name) in names.map(str::trim).filter(|name| !name.is_empty()).enumerate() {
        if at == MAX_NAMES {
            let detail = format!("more than the {MAX_NAMES} attribute names that are allowed are listed");
            return Err(Error::invalid_value(detail));
        }
        let name = path::resolve(resource_type, name);
        if !found.contains(&name) {
            found.push(name);
        }
    }
    Ok((!found.is_empty()).then_some(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use crate::language::error::ScimType;
    use crate::language::schema::{GROUP, USER};
    use alloc::string::String;

    const ADA: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ada",
        "name":{"givenName":"Ada","familyName":"King"},"emails":[{"value":"a@x","type":"work"},{"type":"home"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"D","manager":{"value":"2"}},
        "meta":{"version":"3"}}"#;
    const ALWAYS: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1""#;
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn apply(projection: &Projection) -> String {
        let Value::Object(mut ada) = json::parse(ADA).unwrap() else { panic!("an object") };
        projection.apply(&mut ada);
        json::to_text(&ada)
    }

    fn only(names: &str) -> String {
        let text = apply(&Projection::from_query(&USER, Some(names), None).unwrap());
        text.strip_prefix(ALWAYS).unwrap().trim_start_matches(',').trim_end_matches('}').into()
    }

    #[test]
    fn attributes_are_chosen_in_every_notation() {
        assert_eq!(only("id"), "");
        assert_eq!(only("nonsense"), "");
        assert_eq!(only("USERNAME, meta.version"), r#""userName":"ada","meta":{"version":"3""#);
        assert_eq!(only("name.givenName"), r#""name":{"givenName":"Ada""#);
        assert_eq!(only("name.givenName,name"), r#""name":{"givenName":"Ada","familyName":"King""#);
        assert_eq!(only("emails.value"), r#""emails":[{"value":"a@x"}]"#);
        assert_eq!(only("emails.display"), "");
        let department = format!("\"{ENTERPRISE}\":{{\"department\":\"D\"");
        assert_eq!(only(&format!("{ENTERPRISE}:department")), department);
        assert_eq!(
            only(&format!("{ENTERPRISE}:manager.value")),
            format!("\"{ENTERPRISE}\":{{\"manager\":{{\"value\":\"2\"")
        );
        assert_eq!(only(ENTERPRISE), format!("{department},\"manager\":{{\"value\":\"2\""));
        assert!(!only("urn:ietf:params:scim:schemas:core:2.0:User").contains(ENTERPRISE));
        assert!(only("urn:ietf:params:scim:schemas:core:2.0:User").contains("userName"));
    }

    #[test]
    fn attributes_are_left_out_but_for_those_always_returned() {
        let without = |names| apply(&Projection::from_query(&USER, None, Some(names)).unwrap());
        let text = without(
            "ID,schemas,emails,meta,name.familyName,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        );
        assert_eq!(text, format!(r#"{ALWAYS},"userName":"ada","name":{{"givenName":"Ada"}}}}"#));
        assert!(without("emails.type").contains(r#""emails":[{"value":"a@x"}]"#));
        assert!(!without("name.familyName,name.givenName").contains("name\":"));
    }

    #[test]
    fn wants_looks_through_sub_attributes() {
        let of = |attributes, excluded| Projection::from_query(&GROUP, attributes, excluded).unwrap();
        assert!(of(None, None).wants("members") && of(None, None).is_everything());
        assert!(of(Some(""), Some(" ,")).is_everything());
        assert!(!of(None, Some("members")).wants("members"));
        assert!(of(None, Some("members.type")).wants("members"));
        assert!(of(Some("members.value"), None).wants("members"));
        assert!(!of(Some("displayName"), None).wants("members"));
        assert!(of(Some("displayName"), None).wants("id"));
        assert!(!of(None, None).wants("groups"));
    }

    #[test]
    fn lists_are_bounded_and_exclude_each_other() {
        let fails =
            |result: Result<Projection>| assert_eq!(result.unwrap_err().scim_type, Some(ScimType::InvalidValue));
        fails(Projection::from_query(&USER, Some("id"), Some("name")));
        fails(Projection::from_query(&USER, Some(&"x,".repeat(MAX_NAMES + 1)), None));
        fails(Projection::from_search(&USER, Some(&Value::from("id")), None));
        let names = json::parse(r#"["userName", 7]"#).unwrap();
        let projection = Projection::from_search(&USER, Some(&names), Some(&Value::Null)).unwrap();
        assert_eq!(projection, Projection::from_query(&USER, Some("userName"), None).unwrap());
    }
}
