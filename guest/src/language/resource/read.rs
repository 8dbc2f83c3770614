//! What a client sent for a whole resource (POST, PUT), brought into the form that is stored.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use super::{check, member_ids, typed};
use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::language::path::AttributePath;
use crate::language::schema::{Attribute, RESOURCE_TYPES, ResourceType, Schema};
use crate::text::quoted;

/// A resource as it was sent, in two parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Representation<'a> {
    /// What is stored as the resource.
    pub attributes: Object<'a>,
    /// The ids of a group's members; `None` if the body does not name members.
    pub members: Option<Vec<Cow<'a, str>>>,
}

/// Reads the body of a POST or PUT. What the schema does not know and what clients cannot write is dropped; what is
/// `null` or empty counts as left out.
///
/// # Errors
/// `invalidSyntax` when the body is not an object or has a name twice; `invalidValue` when a value is of the wrong type
/// or too long, something required is missing, or `schemas` belongs to another resource type.
pub fn read<'a>(resource_type: &'static ResourceType, body: Value<'a>) -> Result<Representation<'a>> {
    let body = match body {
        Value::Object(body) => body,
        other => return Err(Error::invalid_syntax(format!("the body must be a JSON object, not {}", other.kind()))),
    };
    let mut reader = Reader { resource_type, attributes: Object::new(), members: None };
    reader.body(body)?;
    check(resource_type, &reader.attributes)?;
    Ok(Representation { attributes: reader.attributes, members: reader.members })
}

struct Reader<'a> {
    resource_type: &'static ResourceType,
    attributes: Object<'a>,
    members: Option<Vec<Cow<'a, str>>>,
}

impl<'a> Reader<'a> {
    fn body(&mut self, body: Object<'a>) -> Result<()> {
        check_names(&body)?;
        for (name, value) in body {
            if let Some(attribute) = self.resource_type.attribute(&name) {
                self.attribute(attribute, value)?;
            } else if let Some(schema) = self.resource_type.extension(&name) {
                self.extension(schema, value)?;
            } else if self.resource_type.schema.is_named(&name) {
                self.core(value)?;
            }
        }
        Ok(())
    }

    /// Some clients put the core attributes under their URN, as if they were an extension.
    fn core(&mut self, value: Value<'a>) -> Result<()> {
        let Some(object) = schema_object(self.resource_type.schema, value)? else { return Ok(()) };
        for (name, value) in object {
            if let Some(attribute) = self.resource_type.schema.attribute(&name) {
                self.attribute(attribute, value)?;
            }
        }
        Ok(())
    }

    fn attribute(&mut self, attribute: &'static Attribute, value: Value<'a>) -> Result<()> {
        match attribute.name {
            "schemas" => check_schemas(self.resource_type, &value),
            "members" => match self.members.replace(member_ids(value)?) {
                None => Ok(()),
                Some(_) => Err(given_twice(attribute.name)),
            },
            _ if !attribute.is_writable() => Ok(()),
            _ => {
                let path = AttributePath { extension: None, attribute, sub_attribute: None };
                match typed(path, value)? {
                    Some(value) => put(&mut self.attributes, attribute.name, value),
                    None => Ok(()),
                }
            }
        }
    }

    fn extension(&mut self, schema: &'static Schema, value: Value<'a>) -> Result<()> {
        let Some(object) = schema_object(schema, value)? else { return Ok(()) };
        let mut values = Object::new();
        for (name, value) in object {
            let Some(attribute) = schema.attribute(&name).filter(|attribute| attribute.is_writable()) else { continue };
            let path = AttributePath { extension: Some(schema), attribute, sub_attribute: None };
            if let Some(value) = typed(path, value)? {
                values.push(attribute.name, value);
            }
        }
        if values.is_empty() { Ok(()) } else { put(&mut self.attributes, schema.id, Value::Object(values)) }
    }
}

/// The object under a schema's URN.
fn schema_object<'a>(schema: &Schema, value: Value<'a>) -> Result<Option<Object<'a>>> {
    match value {
        Value::Null => Ok(None),
        Value::Object(object) => {
            check_names(&object)?;
            Ok(Some(object))
        }
        other => Err(Error::invalid_value(format!("{} must be an object, not {}", schema.id, other.kind()))),
    }
}

fn check_names(object: &Object<'_>) -> Result<()> {
    object.repeated_name().map_or(Ok(()), |name| Err(given_twice(name)))
}

/// One attribute can come under two names: a URN and its draft, or inside and outside the core schema's object.
fn put<'a>(object: &mut Object<'a>, name: &'static str, value: Value<'a>) -> Result<()> {
    if object.get(name).is_some() {
        return Err(given_twice(name));
    }
    object.push(name, value);
    Ok(())
}

fn given_twice(name: &str) -> Error {
    Error::invalid_syntax(format!("the body has {} more than once", quoted(name)))
}

/// The stored `schemas` follows from the values, so what is sent is only checked: an unknown URN does no harm, but a
/// resource of another type is a mistake that must not pass. The draft URN of the other type does not count, because
/// drafts used one URN for both.
fn check_schemas(resource_type: &'static ResourceType, value: &Value<'_>) -> Result<()> {
    let urns = match value {
        Value::Null => return Ok(()),
        Value::Array(urns) => urns,
        other => return Err(Error::invalid_value(format!("schemas must be an array of URNs, not {}", other.kind()))),
    };
    let mut other_type = None;
    let mut own = false;
    for urn in urns {
        let Some(urn) = urn.as_str() else {
            return Err(Error::invalid_value(format!("schemas must hold URNs, not {}", urn.kind())));
        };
        own |= resource_type.schema.is_named(urn);
        other_type = other_type.or(RESOURCE_TYPES.iter().find(|other| other.schema.id.eq_ignore_ascii_case(urn)));
    }
    match other_type {
        Some(other) if !own => Err(Error::invalid_value(format!(
            "this is a {}, and {} takes a {}",
            other.name, resource_type.endpoint, resource_type.name
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use crate::language::error::ScimType;
    use crate::language::schema::{GROUP, USER};
    use alloc::string::{String, ToString};

    fn user(members: &str) -> Result<String> {
        let text = format!(r#"{{"userName":"ada"{members}}}"#);
        let attributes = read(&USER, json::parse(&text).unwrap())?.attributes;
        let text = json::to_text(&attributes);
        Ok(text.strip_prefix(r#"{"userName":"ada""#).unwrap().trim_start_matches(',').strip_suffix('}').unwrap().into())
    }

    #[test]
    fn what_clients_send_is_brought_into_the_form_of_the_schema() {
        let enterprise = r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#;
        for (sent, stored) in [
            (r#","DISPLAYNAME":"A","nickname":"""#, r#""displayName":"A","nickName":"""#),
            (r#","id":"1","meta":{"resourceType":7},"groups":[],"password":"x","favourite":{}"#, ""),
            (r#","title":null,"roles":[],"name":{},"emails":[{}],"phoneNumbers":[null]"#, ""),
            (r#","active":"True""#, r#""active":true"#),
            (r#","active":"FALSE""#, r#""active":false"#),
            (r#","name":{"GIVENNAME":"A","x":1,"middleName":null}"#, r#""name":{"givenName":"A"}"#),
            (r#","emails":{"value":"a","primary":"true"}"#, r#""emails":[{"value":"a","primary":true}]"#),
            (r#","emails":["a",{"value":"a"},"a","b"]"#, r#""emails":[{"value":"a"},{"value":"b"}]"#),
            (r#","roles":"admin""#, r#""roles":[{"value":"admin"}]"#),
            (
                r#","x509Certificates":[{"value":"AQI="},{"value":"-_8"}]"#,
                r#""x509Certificates":[{"value":"AQI="},{"value":"-_8"}]"#,
            ),
            (r#","urn:scim:schemas:core:2.0":{"title":"T","externalId":"x"}"#, r#""title":"T""#),
            (r#","urn:example:unknown:1.0:User":{"title":"T"}"#, ""),
            (r#","schemas":["urn:scim:schemas:core:2.0","urn:x"]"#, ""),
            (r#","schemas":[]"#, ""),
        ] {
            assert_eq!(user(sent).unwrap(), stored, "{sent}");
        }
        for (sent, stored) in [
            (r#"{"manager":"2","department":""}"#, r#"{"manager":{"value":"2"},"department":""}"#),
            (r#"{"manager":[{"$ref":null,"VALUE":"2"}],"x":1}"#, r#"{"manager":{"value":"2"}}"#),
        ] {
            assert_eq!(
                user(&format!(r#","urn:scim:schemas:extension:enterprise:2.0":{sent}"#)).unwrap(),
                format!("{enterprise}:{stored}")
            );
        }
        assert_eq!(user(&format!(r#",{enterprise}:{{"manager":[],"employeeNumber":null}}"#)).unwrap(), "");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        use ScimType::{InvalidSyntax, InvalidValue};
        for (sent, scim_type) in [
            (r#","username":"b""#, InvalidSyntax),
            (r#","name":{"givenName":"a","givenname":"b"}"#, InvalidSyntax),
            (r#","urn:scim:schemas:core:2.0":{"userName":"b"}"#, InvalidSyntax),
            (r#","name":"Ada Byron""#, InvalidValue),
            (r#","name":[{"givenName":"a"},{"givenName":"b"}]"#, InvalidValue),
            (r#","title":42"#, InvalidValue),
            (r#","title":["x"]"#, InvalidValue),
            (r#","active":"perhaps""#, InvalidValue),
            (r#","active":1"#, InvalidValue),
            (r#","emails":7"#, InvalidValue),
            (r#","emails":[["a"]]"#, InvalidValue),
            (r#","emails":[{"value":{"a":"b"}}]"#, InvalidValue),
            (r#","emails":[{"value":"a","primary":true},{"value":"b","primary":"true"}]"#, InvalidValue),
            (r#","addresses":["Main Street"]"#, InvalidValue),
            (r#","x509Certificates":[{"value":"no base64!"}]"#, InvalidValue),
            (r#","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":[]"#, InvalidValue),
            (r#","schemas":"urn:ietf:params:scim:schemas:core:2.0:User""#, InvalidValue),
            (r#","schemas":[7]"#, InvalidValue),
            (r#","schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]"#, InvalidValue),
        ] {
            assert_eq!(user(sent).unwrap_err().scim_type, Some(scim_type), "{sent}");
        }
        for body in ["{}", r#"{"userName":null}"#, r#"{"userName":" "}"#, r#"{"userName":42}"#] {
            assert_eq!(read(&USER, json::parse(body).unwrap()).unwrap_err().scim_type, Some(InvalidValue), "{body}");
        }
        for body in ["[]", "null", "\"x\""] {
            assert_eq!(read(&USER, json::parse(body).unwrap()).unwrap_err().scim_type, Some(InvalidSyntax), "{body}");
        }
        assert_eq!(
            user(r#","emails":[{"value":7}]"#).unwrap_err().detail,
            "emails.value must be a string, not a number"
        );
    }

    #[test]
    fn limits_are_named() {
        let long = |name: &str, length| user(&format!(r#","{name}":"{}""#, "é".repeat(length)));
        assert!(long("title", 4_096).is_ok());
        assert!(long("title", 4_097).unwrap_err().detail.contains("4096 characters"));
        assert!(long("externalId", 150).is_ok());
        assert!(long("externalId", 151).unwrap_err().detail.contains("300 bytes"));
        let grows_in_lower_case = format!(r#","externalId":"{}""#, "Ⱥ".repeat(101));
        assert!(user(&grows_in_lower_case).unwrap_err().detail.contains("300 bytes"));
        let emails = |count: usize| (0..count).map(|n| format!(r#""e{n}""#)).collect::<Vec<_>>().join(",");
        assert!(user(&format!(r#","emails":[{}]"#, emails(100))).is_ok());
        assert!(user(&format!(r#","emails":[{}]"#, emails(101))).unwrap_err().detail.contains("100 values"));
        let roles = (0..20).map(|n| format!("\"{n}{}\"", "x".repeat(4_000))).collect::<Vec<_>>().join(",");
        assert!(user(&format!(r#","roles":[{roles}]"#)).unwrap_err().detail.contains("65536 bytes"));
        let group =
            |name: &str| read(&GROUP, json::parse(&format!(r#"{{"displayName":"{name}"}}"#)).unwrap()).map(|_| ());
        assert!(group(&format!("  {} ", "é".repeat(200))).is_ok());
        assert!(group(&"é".repeat(201)).unwrap_err().detail.contains("200 characters"));
        assert!(group("  ").is_err());
    }

    #[test]
    fn members_are_split_off() {
        let group = |members: &str| {
            let text = format!(r#"{{"displayName":"G"{members}}}"#);
            let read = read(&GROUP, json::parse(&text).unwrap()).unwrap();
            assert_eq!(json::to_text(&read.attributes), r#"{"displayName":"G"}"#);
            read.members.map(|ids| ids.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(group(""), None);
        assert_eq!(group(r#","members":null"#), Some([].into()));
        assert_eq!(group(r#","Members":[{"value":"1"},{"value":"1"}]"#), Some(["1".into()].into()));
    }
}
