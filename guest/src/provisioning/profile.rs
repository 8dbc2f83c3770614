//! What the attributes of a user or group say, in the words of the site.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::address::is_address;
use crate::json::{Object, Value};
use crate::site::customers::Profile;
use crate::store::keys;

/// What a user's attributes say about the person.
#[must_use]
pub fn profile(attributes: &Object<'_>, inactive: bool) -> Profile {
    let sent = |name: &str| text(attributes, name).map(str::trim).filter(|text| !text.is_empty());
    Profile {
        email: email(attributes),
        display_name: display_name(attributes),
        active: !inactive,
        time_zone: sent("timezone").map(ToString::to_string),
        locale: sent("locale").or_else(|| sent("preferredLanguage")).map(ToString::to_string),
    }
}

/// The email address by which a user is matched with a customer, as it is compared: the primary one, else the first,
/// else the user name, each only if it is an address.
#[must_use]
pub fn email(attributes: &Object<'_>) -> Option<String> {
    let emails = attributes.get("emails").and_then(Value::as_array).unwrap_or_default();
    let is_primary =
        |email: &&Value<'_>| email.as_object().and_then(|email| email.get("primary")) == Some(&Value::Bool(true));
    emails
        .iter()
        .find(is_primary)
        .and_then(address)
        .or_else(|| emails.iter().find_map(address))
        .or_else(|| text(attributes, "userName").filter(|name| is_address(name)))
        .map(keys::comparable)
}

fn address<'o>(email: &'o Value<'_>) -> Option<&'o str> {
    email.as_object()?.get("value")?.as_str().filter(|value| is_address(value))
}

/// The display name, else `name.formatted`, else given and family name, else the user name.
fn display_name(attributes: &Object<'_>) -> String {
    fn text<'o>(object: &'o Object<'_>, name: &str) -> Option<&'o str> {
        object.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }
    let name = attributes.get("name").and_then(Value::as_object);
    let part = |part: &str| name.and_then(|name| text(name, part));
    let parts: Vec<&str> = [part("givenName"), part("familyName")].into_iter().flatten().collect();
    text(attributes, "displayName")
        .or_else(|| part("formatted"))
        .map(ToString::to_string)
        .or_else(|| (!parts.is_empty()).then(|| parts.join(" ")))
        .or_else(|| text(attributes, "userName").map(ToString::to_string))
        .unwrap_or_default()
}

/// The text of an attribute; `None` if it is missing or not a text.
#[must_use]
pub fn text<'o>(attributes: &'o Object<'_>, name: &str) -> Option<&'o str> {
    attributes.get(name).and_then(Value::as_str)
}

/// The name of a group.
#[must_use]
pub fn group_name<'o>(attributes: &'o Object<'_>) -> &'o str {
    attributes.get("displayName").and_then(Value::as_str).unwrap_or_default()
}
