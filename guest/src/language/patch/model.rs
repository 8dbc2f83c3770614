//! Tests PATCH against a model that is as simple as possible: plain JSON, every rule written out, nothing shared with
//! the engine.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value as Json, json};

use super::{Effort, apply, parse};
use crate::json::{self, Object, Value};
use crate::language::resource::{Projection, read};
use crate::language::schema::{CORE_USER, ENTERPRISE_USER, GROUP, USER};

/// What an operation is about. There are only a few attributes, so that operations meet.
#[derive(Debug, Clone)]
enum Target {
    /// A single-valued attribute.
    Plain(&'static str),
    /// A complex attribute as a whole.
    Complex(&'static str),
    /// A sub-attribute of a complex attribute.
    Part(&'static str, &'static str),
    /// The phone numbers, as a list.
    List,
    /// The phone numbers in which a sub-attribute has this value, or one sub-attribute of theirs. Without such a
    /// condition, all phone numbers.
    Chosen(Option<(&'static str, &'static str)>, Option<&'static str>),
}

/// How an operation is written, among the ways that mean the same.
#[derive(Debug, Clone, Copy)]
enum Notation {
    Path,
    PathWithUrn,
    Key,
    KeyWithUrn,
    Nested,
}

#[derive(Debug, Clone)]
struct Step {
    op: &'static str,
    target: Target,
    value: Json,
    notation: Notation,
}

/// The schema that an attribute belongs to.
fn urn(attribute: &str) -> &'static str {
    if matches!(attribute, "department" | "manager") { ENTERPRISE_USER } else { CORE_USER }
}

impl Step {
    fn attribute(&self) -> &'static str {
        match self.target {
            Target::Plain(name) | Target::Complex(name) | Target::Part(name, _) => name,
            Target::List | Target::Chosen(..) => "phoneNumbers",
        }
    }

    /// The path after the URN.
    fn path(&self) -> String {
        match self.target {
            Target::Plain(name) | Target::Complex(name) => name.into(),
            Target::Part(name, part) => format!("{name}.{part}"),
            Target::List => "phoneNumbers".into(),
            Target::Chosen(filter, part) => {
                let filter = filter.map(|(name, word)| format!("[{name} eq \"{word}\"]")).unwrap_or_default();
                format!("phoneNumbers{filter}{}", part.map(|part| format!(".{part}")).unwrap_or_default())
            }
        }
    }

    /// The operation as it is sent. Removals and what has no other form are sent with a path.
    fn message(&self) -> Json {
        let (urn, path) = (urn(self.attribute()), self.path());
        let with_urn = format!("{urn}:{path}");
        let short = if urn == CORE_USER { path.clone() } else { with_urn.clone() };
        let keyed = |key: &str, value: &Json| json!({"op": self.op, "value": {key: value}});
        match self.notation {
            Notation::Key if self.op != "remove" => keyed(&short, &self.value),
            Notation::KeyWithUrn if self.op != "remove" => keyed(&with_urn, &self.value),
            Notation::Nested if self.op != "remove" && !path.contains('[') => keyed(urn, &json!({path: self.value})),
            Notation::PathWithUrn => json!({"op": self.op, "path": with_urn, "value": self.value}),
            _ => json!({"op": self.op, "path": short, "value": self.value}),
        }
    }

    /// The resource after the step; `None` if the step must be refused.
    fn expected(&self, mut resource: Json) -> Option<Json> {
        let holder = match urn(self.attribute()) {
            CORE_USER => &mut resource,
            urn => &mut resource[urn],
        };
        if holder.is_null() {
            *holder = json!({});
        }
        let value = if self.op == "remove" { Json::Null } else { self.value.clone() };
        match self.target {
            Target::Plain(name) => holder[name] = value,
            Target::Part(name, part) => {
                if holder[name].is_null() {
                    holder[name] = json!({});
                }
                holder[name][part] = value;
            }
            Target::Complex(name) if value.is_null() => holder[name] = value,
            Target::Complex(name) => {
                let old = &holder[name]["value"];
                let is_another = value.get("value").is_some_and(|new| !old.is_null() && new != old);
                if is_another || holder[name].is_null() {
                    holder[name] = json!({});
                }
                merge(&mut holder[name], &value);
            }
            Target::List | Target::Chosen(..) => {
                let list = holder["phoneNumbers"].as_array().cloned().unwrap_or_default();
                let list = match self.target {
                    Target::Chosen(filter, part) => self.chosen(list, filter, part)?,
                    _ => self.list(list)?,
                };
                holder["phoneNumbers"] = Json::Array(list);
            }
        }
        Some(without_nothing(resource))
    }

    fn list(&self, list: Vec<Json>) -> Option<Vec<Json>> {
        let given: Vec<Json> = self.value.as_array().cloned().unwrap_or_default();
        let given = unique(given.into_iter().map(without_nothing).filter(|element| *element != json!({})).collect());
        primaries_at_most_one(&given)?;
        match self.op {
            "replace" => Some(given),
            "remove" if self.value.is_null() => Some(vec![]),
            "remove" => Some(list.into_iter().filter(|element| !given.iter().any(|it| lists(it, element))).collect()),
            _ => primaries_at_most_one(&unique(given.into_iter().fold(list, added))),
        }
    }

    fn chosen(&self, mut list: Vec<Json>, filter: Option<(&str, &str)>, part: Option<&str>) -> Option<Vec<Json>> {
        let is_chosen = |element: &Json| filter.is_none_or(|(name, word)| element[name] == word);
        let change = match (self.op, part) {
            ("remove", None) => return Some(list.into_iter().filter(|element| !is_chosen(element)).collect()),
            ("remove", Some(part)) => json!({part: null}),
            (_, Some(part)) => json!({part: self.value}),
            ("replace", None) if self.value.is_null() => {
                return Some(list.into_iter().filter(|element| !is_chosen(element)).collect());
            }
            _ => self.value.clone(),
        };
        let before = list.clone();
        if list.iter().any(is_chosen) {
            let losing = change.get("value").is_some_and(Json::is_null);
            for element in &mut list {
                if !is_chosen(element) {
                    if change["primary"] == true {
                        not_primary(element);
                    }
                    continue;
                }
                merge(element, &change);
                *element = without_nothing(element.clone());
                if losing {
                    *element = json!({});
                }
            }
            list.retain(|element| *element != json!({}));
        } else {
            if without_nothing(change.clone()) == json!({}) || change.is_null() {
                return Some(list);
            }
            let mut made = match filter {
                Some(("value", _)) => return None,
                Some((name, word)) => json!({name: word}),
                None => json!({}),
            };
            merge(&mut made, &change);
            if made["primary"] == true {
                list.iter_mut().for_each(not_primary);
            }
            list.push(without_nothing(made));
        }
        if list == before { Some(list) } else { primaries_at_most_one(&unique(list)) }
    }
}

/// A list with one more element, or with one of its elements completed.
fn added(mut list: Vec<Json>, new: Json) -> Vec<Json> {
    if list.contains(&new) {
        return list;
    }
    let same_value = |element: &Json| !new["value"].is_null() && element["value"] == new["value"];
    let of_type = |element: &Json| same_value(element) && element["type"] == new["type"];
    let type_open = |element: &Json| same_value(element) && (element["type"].is_null() || new["type"].is_null());
    let at = list.iter().position(of_type).or_else(|| list.iter().position(type_open));
    if new["primary"] == true {
        list.iter_mut().for_each(not_primary);
    }
    match at {
        Some(at) => merge(&mut list[at], &new),
        None => list.push(new),
    }
    list
}

fn lists(listed: &Json, element: &Json) -> bool {
    if listed["value"].is_null() {
        return listed.as_object().unwrap().iter().all(|(name, value)| element[name] == *value);
    }
    let type_fits = listed["type"].is_null() || element["type"].is_null() || listed["type"] == element["type"];
    listed["value"] == element["value"] && type_fits
}

fn merge(object: &mut Json, change: &Json) {
    for (name, value) in change.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
}

fn not_primary(element: &mut Json) {
    if element["primary"] == true {
        element["primary"] = json!(false);
    }
}

fn primaries_at_most_one(list: &[Json]) -> Option<Vec<Json>> {
    (list.iter().filter(|element| element["primary"] == true).count() < 2).then(|| list.to_vec())
}

fn unique(list: Vec<Json>) -> Vec<Json> {
    list.into_iter().fold(Vec::new(), |mut kept, element| {
        if !kept.contains(&element) {
            kept.push(element);
        }
        kept
    })
}

/// The value without nulls and empty things in it.
fn without_nothing(value: Json) -> Json {
    match value {
        Json::Object(object) => {
            let members = object.into_iter().map(|(name, value)| (name, without_nothing(value)));
            let is_something = |value: &Json| !(value.is_null() || *value == json!({}) || *value == json!([]));
            Json::Object(members.filter(|(_, value)| is_something(value)).collect::<Map<_, _>>())
        }
        Json::Array(values) => Json::Array(values.into_iter().map(without_nothing).collect()),
        other => other,
    }
}

fn word() -> impl Strategy<Value = Json> {
    select(vec![json!("1"), json!("2"), json!("3"), json!("")])
}

fn maybe(strategy: impl Strategy<Value = Json>) -> impl Strategy<Value = Json> {
    prop_oneof![3 => strategy, 1 => Just(Json::Null)]
}

fn phone() -> impl Strategy<Value = Json> {
    let kind = select(vec![json!("work"), json!("home"), Json::Null]);
    (maybe(word()), kind, maybe(word()), select(vec![json!(true), json!(false), Json::Null, Json::Null])).prop_map(
        |(value, kind, display, primary)| {
            without_nothing(json!({"value": value, "type": kind, "display": display, "primary": primary}))
        },
    )
}

fn phones() -> impl Strategy<Value = Json> {
    prop::collection::vec(phone(), 0..4).prop_map(|mut phones| {
        if let Some(first) = phones.iter().position(|phone| phone["primary"] == true) {
            phones[first + 1..].iter_mut().for_each(not_primary);
        }
        Json::Array(unique(phones.into_iter().filter(|phone| *phone != json!({})).collect()))
    })
}

fn user() -> impl Strategy<Value = Json> {
    (maybe(word()), maybe(word()), maybe(word()), phones(), maybe(word()), maybe(word()), maybe(word())).prop_map(
        |(title, given, family, phones, department, manager, display)| {
            without_nothing(json!({
                "userName": "ada", "title": title, "name": {"givenName": given, "familyName": family},
                "phoneNumbers": phones,
                ENTERPRISE_USER: {"department": department, "manager": {"value": manager, "displayName": display}},
            }))
        },
    )
}

/// A target and a value that fits it.
fn target() -> BoxedStrategy<(Target, Json)> {
    let parts = |attribute, one: &'static str, other: &'static str| {
        prop_oneof![
            (maybe(word()), maybe(word()))
                .prop_map(move |(a, b)| (Target::Complex(attribute), json!({one: a, other: b}))),
            word().prop_map(move |a| (Target::Complex(attribute), json!({one: a}))),
            Just((Target::Complex(attribute), Json::Null)),
            (select(vec![one, other]), maybe(word())).prop_map(move |(part, a)| (Target::Part(attribute, part), a)),
        ]
    };
    let filter = select(vec![
        None,
        Some(("type", "work")),
        Some(("type", "home")),
        Some(("display", "1")),
        Some(("value", "1")),
        Some(("value", "2")),
    ]);
    let change = prop_oneof![
        (select(vec!["value", "type", "display"]), maybe(word())).prop_map(|(part, value)| (Some(part), value)),
        select(vec![json!(true), json!(false), Json::Null]).prop_map(|value| (Some("primary"), value)),
        maybe(phone()).prop_map(|value| (None, value)),
    ];
    prop_oneof![
        (select(vec!["title", "nickName", "department"]), maybe(word()))
            .prop_map(|(name, value)| (Target::Plain(name), value)),
        parts("name", "givenName", "familyName"),
        parts("manager", "value", "displayName"),
        prop_oneof![6 => prop::collection::vec(phone(), 0..4).prop_map(Json::Array), 1 => Just(Json::Null)]
            .prop_map(|value| (Target::List, value)),
        (filter, change).prop_map(|(filter, (part, value))| match (filter, part) {
            (None, None) => (Target::List, Json::Null),
            (filter, part) => (Target::Chosen(filter, part), value),
        }),
    ]
    .boxed()
}

fn step() -> impl Strategy<Value = Step> {
    let notation =
        select(vec![Notation::Path, Notation::PathWithUrn, Notation::Key, Notation::KeyWithUrn, Notation::Nested]);
    (select(vec!["add", "replace", "remove"]), target(), notation).prop_map(|(op, (target, value), notation)| Step {
        op,
        target,
        value,
        notation,
    })
}

/// What the engine makes of it: the resource, and whether it says that something changed.
fn patched(stored: &str, operations: &[Json]) -> Option<(Json, bool)> {
    let message = json!({"Operations": operations}).to_string();
    let mut resource = object(stored);
    let operations = parse(&USER, json::parse(&message).unwrap()).ok()?;
    let changed = !apply(&USER, &mut resource, operations, &mut Effort::default()).ok()?.changed.is_empty();
    Some((serde_json::from_str(&json::to_text(&resource)).unwrap(), changed))
}

fn object(text: &str) -> Object<'_> {
    let Value::Object(object) = json::parse(text).unwrap() else { panic!("not an object: {text}") };
    object
}

/// Anything, made of what the engine has a meaning for.
fn anything() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "\\PC{0,8}".prop_map(Json::from),
        select(vec!["True", "add", "Replace", "remove", "1", "Group", CORE_USER, "AQI=", ""]).prop_map(Json::from),
        name().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            prop::collection::vec((name(), inner), 0..5)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    let known = vec![
        "userName",
        "username",
        "displayName",
        "title",
        "active",
        "externalId",
        "name",
        "givenName",
        "name.givenName",
        "emails",
        "value",
        "type",
        "primary",
        "emails.value",
        "emails[type eq \"1\"].value",
        "emails[value eq \"1\"]",
        "emails[not (primary eq true) or type pr]",
        "emails[",
        "photos",
        "addresses",
        "x509Certificates",
        "members",
        "members[value eq \"1\"]",
        "members[type pr]",
        "$ref",
        "id",
        "meta",
        "groups",
        "schemas",
        CORE_USER,
        ENTERPRISE_USER,
        "urn:scim:schemas:core:2.0",
        "manager",
        "department",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
    ];
    prop_oneof![9 => select(known).prop_map(String::from), 1 => "\\PC{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn operations_do_what_the_model_says(stored in user(), steps in prop::collection::vec(step(), 1..6)) {
        let mut expected = Some((stored.clone(), false));
        for step in &steps {
            expected = expected.and_then(|(resource, changed)| {
                let after = step.expected(resource.clone())?;
                Some((after.clone(), changed || after != resource))
            });
        }
        let messages: Vec<Json> = steps.iter().map(Step::message).collect();
        prop_assert_eq!(patched(&stored.to_string(), &messages), expected, "{:?}", messages);
    }

    #[test]
    fn replacing_twice_is_replacing_once(stored in user(), step in step()) {
        let step = Step { op: "replace", ..step };
        // A filter may no longer match after the replacement that it led to.
        prop_assume!(!matches!(step.target, Target::Chosen(Some(_), _)));
        if let Some((once, _)) = patched(&stored.to_string(), &[step.message()]) {
            prop_assert_eq!(patched(&once.to_string(), &[step.message()]), Some((once, false)));
        }
    }

    #[test]
    fn what_is_stored_reads_as_itself(stored in user()) {
        let text = stored.to_string();
        prop_assert_eq!(read(&USER, json::parse(&text).unwrap()).unwrap().attributes, object(&text));
    }

    #[test]
    fn any_body_is_read_or_refused(mut body in anything()) {
        if let Json::Object(body) = &mut body {
            body.insert("userName".into(), json!("ada"));
            body.insert("displayName".into(), json!("Ada"));
        }
        let text = body.to_string();
        for resource_type in [&USER, &GROUP] {
            if let Ok(first) = read(resource_type, json::parse(&text).unwrap()) {
                let stored = json::to_text(&first.attributes);
                let again = read(resource_type, json::parse(&stored).unwrap()).unwrap();
                prop_assert_eq!(again.attributes, first.attributes);
            }
        }
    }

    #[test]
    fn any_operation_leaves_a_resource_as_it_is_stored(
        stored in user(),
        operations in prop::collection::vec(
            (select(vec!["add", "replace", "remove"]), prop::option::of(name()), anything()), 1..4),
    ) {
        let operations: Vec<Json> =
            operations.iter().map(|(op, path, value)| json!({"op": op, "path": path, "value": value})).collect();
        if let Some((resource, changed)) = patched(&stored.to_string(), &operations) {
            prop_assert!(changed || resource == stored, "{:?}", operations);
            let text = resource.to_string();
            prop_assert_eq!(read(&USER, json::parse(&text).unwrap()).unwrap().attributes, object(&text));
        }
    }

    #[test]
    fn any_message_is_read_or_refused(message in anything(), operation in anything()) {
        for message in [message, json!({"Operations": [operation]})] {
            let text = message.to_string();
            for resource_type in [&USER, &GROUP] {
                if let Ok(operations) = parse(resource_type, json::parse(&text).unwrap()) {
                    let _ = apply(resource_type, &mut object(r#"{"userName":"a","displayName":"b"}"#), operations, &mut Effort::default());
                }
            }
        }
    }

    #[test]
    fn a_projection_takes_away_and_adds_nothing(stored in user(), names in prop::collection::vec(name(), 0..4)) {
        let text = stored.to_string();
        let names = names.join(",");
        for (attributes, excluded) in [(Some(&*names), None), (None, Some(&*names))] {
            let projection = Projection::from_query(&USER, attributes, excluded).unwrap();
            let mut resource = object(&text);
            projection.apply(&mut resource);
            let (once, full) = (resource.clone(), object(&text));
            let is_part = |name: &str, value: &Value<'_>| {
                full.get(name).is_some_and(|whole| whole == value || whole.kind() == value.kind())
                    && (projection.wants(name) || name == ENTERPRISE_USER)
            };
            prop_assert!(resource.iter().all(|(name, value)| is_part(name, value)));
            projection.apply(&mut resource);
            prop_assert_eq!(resource, once);
        }
    }
}
