//! A value filter chooses the same elements in a PATCH path as in a query, for every sub-attribute of every multi-valued
//! attribute that clients write.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};
use usher_engine::directories::{EmailChange, Settings};

use super::site::{Directory, Site, settings};

/// The multi-valued attributes of users, each with its sub-attributes that are text; all have `primary` besides.
const ATTRIBUTES: [(&str, &[&str]); 8] = [
    ("emails", &["value", "display", "type"]),
    ("phoneNumbers", &["value", "display", "type"]),
    ("ims", &["value", "display", "type"]),
    ("photos", &["value", "display", "type"]),
    ("addresses", &["formatted", "streetAddress", "locality", "region", "postalCode", "country", "type"]),
    ("entitlements", &["value", "display", "type"]),
    ("roles", &["value", "display", "type"]),
    ("x509Certificates", &["value", "display", "type"]),
];

/// Values, and what they are compared with. All are base64, for certificates.
const WORDS: [&str; 8] = ["work", "WORK", "home", "aaaa", "AAAA", "woQ=", "1234", "+/+/"];

/// A test in a filter. Sub-attribute and word are chosen from those that there are.
#[derive(Debug, Clone)]
struct Term {
    name: Index,
    operator: &'static str,
    word: Index,
    is_negated: bool,
    joint: &'static str,
}

fn terms() -> impl Strategy<Value = Vec<Term>> {
    let operators = ["eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr", "eq null", "ne null"];
    let term =
        (any::<Index>(), select(operators.to_vec()), any::<Index>(), any::<bool>(), select(vec![" and ", " or "]));
    vec(
        term.prop_map(|(name, operator, word, is_negated, joint)| Term { name, operator, word, is_negated, joint }),
        1..4,
    )
}

/// The filter that terms make of these sub-attributes and words.
fn filter(terms: &[Term], names: &[&str], words: &[String]) -> String {
    let mut text = String::new();
    for Term { name, operator, word, is_negated, joint } in terms {
        let (name, word) = (*name.get(names), word.get(words));
        let term = match (name, *operator) {
            (_, "pr" | "eq null" | "ne null") => format!("{name} {operator}"),
            ("primary", "ne") => format!("primary ne {}", word.len() % 2 == 0),
            ("primary", _) => format!("primary eq {}", word.contains('o')),
            (_, operator) => format!("{name} {operator} {}", json!(word)),
        };
        if !text.is_empty() {
            text.push_str(joint);
        }
        let (before, after) = if *is_negated { ("not (", ")") } else { ("", "") };
        text.extend([before, &term, after]);
    }
    text
}

/// Whether a query with a filter finds a resource; none where the filter is refused.
fn finds(directory: &Directory<'_>, path: &str, filter: &str) -> Option<bool> {
    let (endpoint, id) = path.rsplit_once('/').unwrap();
    let answer = directory.post(&format!("{endpoint}/.search"), &json!({ "filter": filter, "count": 1_000 }));
    if answer.status != 200 {
        answer.refused(400, "invalidFilter");
        return None;
    }
    Some(answer.ids().iter().any(|found| found == id))
}

/// Puts each of the elements alone into the resource and asks whether the filter finds it; then all of them, and has those
/// that the filter chooses removed.
fn compare(directory: &Directory<'_>, path: &str, body: &Value, attribute: &str, elements: &[Value], text: &str) {
    let filter = format!("{attribute}[{text}]");
    let put = |elements: &[Value]| {
        let mut body = body.clone();
        body[attribute] = elements.into();
        directory.send("PUT", path, &body).expect(200).body[attribute].as_array().unwrap().clone()
    };
    let mut expected = Vec::new();
    for element in elements {
        let stored = put(std::slice::from_ref(element));
        match finds(directory, path, &filter) {
            Some(true) => {}
            Some(false) => expected.extend(stored),
            None => {
                directory.patch(path, json!([{ "op": "remove", "path": filter }])).refused(400, "invalidFilter");
                return;
            }
        }
    }
    put(elements);
    directory.patch(path, json!([{ "op": "remove", "path": filter }])).expect(200);
    let left = directory.get(path).expect(200).body[attribute].as_array().cloned().unwrap_or_default();
    assert_eq!(left, expected, "{filter}");
}

proptest! {
    #[test]
    fn of_users(
        attribute in select(ATTRIBUTES.to_vec()),
        elements in vec(vec((any::<Index>(), select(WORDS.to_vec())), 1..4), 1..5),
        primary in prop::option::of(any::<Index>()),
        terms in terms(),
    ) {
        let (attribute, names) = attribute;
        let mut elements: Vec<Value> = elements
            .iter()
            .map(|parts| parts.iter().map(|(name, word)| ((*name.get(names)).to_string(), json!(word))).collect::<Map<_, _>>())
            .map(Value::Object)
            .collect();
        elements.sort_by_key(Value::to_string);
        elements.dedup();
        if let Some(primary) = primary {
            let chosen = primary.index(elements.len());
            elements.iter_mut().enumerate().for_each(|(at, element)| element["primary"] = json!(at == chosen));
        }
        let names: Vec<&str> = names.iter().copied().chain(["primary"]).collect();
        let text = filter(&terms, &names, &WORDS.map(String::from));
        let site = Site::new();
        let directory = site.connect(&Settings { email_change: EmailChange::Follow, ..settings("idp") });
        let path = format!("/Users/{}", directory.post("/Users", &json!({ "userName": "ann" })).expect(201).id());
        compare(&directory, &path, &json!({ "userName": "ann" }), attribute, &elements, &text);
    }

    #[test]
    fn of_groups(members in vec(0..4_usize, 1..5), terms in terms()) {
        let site = Site::new();
        let directory = site.connect(&settings("idp"));
        let users: Vec<String> = (0..4).map(|at| directory.user(&format!("u{at}@x.test"))).collect();
        let path = format!("/Groups/{}", directory.group("Staff", &[]));
        let mut elements: Vec<Value> = members.iter().map(|at| json!({ "value": users[*at] })).collect();
        elements.sort_by_key(Value::to_string);
        elements.dedup();
        let mut words: Vec<String> = ["User", "user", "Group", "https://", "/Users/"].map(String::from).to_vec();
        for user in &users {
            let reference = directory.get(&format!("/Users/{user}")).body["meta"]["location"].clone();
            words.extend([user.clone(), user[..17].to_string(), reference.as_str().unwrap().to_string()]);
        }
        let text = filter(&terms, &["value", "$ref", "$REF", "type", "display"], &words);
        compare(&directory, &path, &json!({ "displayName": "Staff" }), "members", &elements, &text);
    }
}

#[test]
fn members_are_chosen_by_every_part_of_theirs() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users: Vec<String> = ["a@x.test", "b@x.test"].map(|name| directory.user(name)).to_vec();
    let group = directory.group("Staff", &users);
    let reference =
        directory.get(&format!("/Users/{}", users[0])).body["meta"]["location"].as_str().unwrap().to_string();
    let left = |filter: &str| {
        let members: Vec<Value> = users.iter().map(|id| json!({ "value": id })).collect();
        let operations = json!([
            { "op": "replace", "path": "members", "value": members },
            { "op": "remove", "path": format!("members[{filter}]") },
        ]);
        let answer = directory.patch(&format!("/Groups/{group}"), operations).expect(200);
        let left = answer.body["members"].as_array().unwrap().clone();
        left.iter().map(|member| member["value"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(left(&format!("not ($ref eq \"{reference}\")")), users[..1]);
    assert_eq!(left(&format!("$ref eq \"{reference}\"")), users[1..]);
    assert_eq!(left(&format!("$ref ew \"{}\"", users[0])), users[1..]);
    assert_eq!(left("$ref pr"), [""; 0]);
    assert_eq!(left("$ref eq \"https://elsewhere.test\""), users);
    assert_eq!(left("type eq \"user\" and not (value pr)"), users);
}

/// What one operation removes by a filter another may add again, and the other way round: the order decides.
#[test]
fn filters_and_names_take_effect_in_the_order_of_the_operations() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users: Vec<String> = ["a@x.test", "b@x.test", "c@x.test"].map(|name| directory.user(name)).to_vec();
    let path = format!("/Groups/{}", directory.group("Staff", &users[..2]));
    let add = |at: usize| json!({ "op": "add", "path": "members", "value": [{ "value": users[at] }] });
    let remove = |at: usize| json!({ "op": "remove", "path": format!("members[value eq \"{}\"]", users[at]) });
    let remove_all = json!({ "op": "remove", "path": "members[type eq \"User\"]" });
    let replace = |at: usize| json!({ "op": "replace", "path": "members", "value": [{ "value": users[at] }] });
    for (operations, expected) in [
        (vec![remove_all.clone(), add(2)], vec![2]),
        (vec![add(2), remove_all.clone()], vec![]),
        (vec![add(2), remove_all.clone(), add(0), remove(0), add(1)], vec![1]),
        (vec![remove_all.clone(), replace(2)], vec![2]),
        (vec![replace(2), remove_all.clone()], vec![]),
        (vec![replace(2), remove_all.clone(), add(2), replace(1), add(0)], vec![0, 1]),
    ] {
        let start =
            json!({ "op": "replace", "path": "members", "value": [{ "value": users[0] }, { "value": users[1] }] });
        directory.patch(&path, json!([start])).expect(200);
        let answer = directory.patch(&path, json!(operations)).expect(200);
        let mut left: Vec<&str> =
            answer.body["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect();
        left.sort_unstable();
        let expected: Vec<&str> = expected.into_iter().map(|at: usize| users[at].as_str()).collect();
        assert_eq!(left, expected, "{operations:?}");
    }
}
