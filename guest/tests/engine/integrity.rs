//! Compares everything in a storage with everything else: resources with their indexes, both directions of memberships,
//! counts, and the change feed with what became of it. Knows the layout from its description in `store/keys.rs` alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::storage::Memory;

/// The keys of one family, by what follows the first slash, taken apart at the others.
type Family<'m> = BTreeMap<Vec<&'m str>, &'m str>;

struct Store<'m>(BTreeMap<&'m str, Family<'m>>);

/// Checks the whole of a storage.
///
/// # Panics
/// Where something in it disagrees with something else.
pub fn check(memory: &Memory) {
    let map = memory.snapshot();
    let mut store = Store(BTreeMap::new());
    for (key, value) in map.iter() {
        let (family, rest) = key.split_once('/').unwrap_or((key, ""));
        let known = ["schema", "d", "dn", "dc", "k", "u", "un", "ue", "ux", "g", "gn", "gx", "m", "mo", "c", "cl", "w"];
        assert!(known.contains(&family), "{key}");
        // A name or address may hold slashes and is the last part.
        store.0.entry(family).or_default().insert(rest.splitn(2, '/').collect(), value);
    }
    if map.is_empty() {
        return;
    }
    assert_eq!(store.family("schema").values().collect::<Vec<_>>(), [&"1"]);
    let directories: Vec<&str> = store.family("d").keys().map(|key| key[0]).collect();
    assert_eq!(store.family("dn").values().copied().collect::<BTreeSet<_>>(), directories.iter().copied().collect());
    for (key, value) in store.family("d") {
        let name = json(value)["name"].as_str().unwrap().to_string();
        assert_eq!(store.family("dn")[&vec![encode(&comparable(&name)).as_str()]], key[0]);
    }
    let feed = Feed::read(&store);
    for directory in &directories {
        store.check_directory(directory, &feed);
    }
    assert_eq!(feed.directories, directories.iter().map(ToString::to_string).collect());
    store.check_edges(&directories);
}

impl<'m> Store<'m> {
    fn family(&self, name: &str) -> Family<'m> {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// What follows the directory in the keys of a family.
    fn of<'s>(&'s self, family: &str, directory: &str) -> BTreeMap<&'m str, &'m str> {
        let family = self.family(family);
        family.into_iter().filter(|(key, _)| key[0] == directory).map(|(key, value)| (key[1], value)).collect()
    }

    /// The ids of what waits to be swept.
    fn swept(&self, directory: &str, kind: &str) -> BTreeSet<&'m str> {
        let waiting = self.of("w", directory).into_iter();
        waiting.filter(|(_, value)| json(value) == kind).map(|(id, _)| id).collect()
    }

    fn check_directory(&self, directory: &str, feed: &Feed) {
        let (users, groups) = (self.of("u", directory), self.of("g", directory));
        self.check_indexes(directory, "u", "userName", &users);
        self.check_indexes(directory, "g", "displayName", &groups);
        let mut memberships = 0;
        for (group, value) in &groups {
            let members = self.of("m", group);
            let (header, _) = resource(value);
            assert_eq!(header["members"].as_u64().unwrap_or(0), members.len() as u64, "the count of group {group}");
            memberships += members.len();
            let visible = members.into_keys().filter(|user| users.contains_key(user)).map(ToString::to_string);
            assert_eq!(feed.members.get(*group).cloned().unwrap_or_default(), visible.collect(), "group {group}");
        }
        let counts = json(self.family("dc")[&vec![directory]]);
        assert_eq!(counts["users"], users.len());
        assert_eq!(counts["groups"], groups.len());
        assert_eq!(counts["memberships"], memberships);
        assert_eq!(counts["unswept_users"], self.swept(directory, "user").len());
        let ids = |all: &BTreeMap<&str, &str>| all.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(feed.users.get(directory).cloned().unwrap_or_default(), ids(&users));
        assert_eq!(feed.groups.get(directory).cloned().unwrap_or_default(), ids(&groups));
    }

    /// The indexes hold what follows from the resources, and nothing else.
    fn check_indexes(&self, directory: &str, kind: &str, name: &str, resources: &BTreeMap<&str, &str>) {
        let (mut names, mut external, mut emails) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        for (id, value) in resources {
            let (header, attributes) = resource(value);
            let text = |value: &Value| value.as_str().map(ToString::to_string);
            let folded = encode(&comparable(attributes[name].as_str().unwrap()));
            assert_eq!(names.insert(folded, id.to_string()), None, "two of one name");
            external.extend(text(&attributes["externalId"]).map(|external| format!("{}!{id}", encode(&external))));
            let all = attributes["emails"].as_array().into_iter().flatten().filter_map(|email| text(&email["value"]));
            emails.extend(all.map(|email| format!("{}!{id}", encode(&comparable(&email)))));
            if let Some(active) = attributes["active"].as_bool() {
                assert_eq!(header["inactive"].as_bool().unwrap_or(false), !active);
            }
        }
        let stored = |index: &str| self.of(&format!("{kind}{index}"), directory);
        let keys = |index: &str| stored(index).into_keys().map(ToString::to_string).collect::<BTreeSet<_>>();
        let stored_names: BTreeMap<String, String> =
            stored("n").into_iter().map(|(name, id)| (name.to_string(), id.to_string())).collect();
        assert_eq!(stored_names, names);
        assert_eq!(keys("x"), external);
        assert_eq!(keys("e"), emails);
    }

    /// A membership is there from both ends, and both ends are there or wait to be swept.
    fn check_edges(&self, directories: &[&str]) {
        let backwards = self.family("mo").into_keys().map(|key| vec![key[1], key[0]]).collect::<BTreeSet<_>>();
        assert_eq!(self.family("m").into_keys().collect::<BTreeSet<_>>(), backwards);
        let waiting = self.family("w");
        let gone: BTreeSet<&str> =
            waiting.iter().filter(|(_, kind)| json(kind) == "directory").map(|(key, _)| key[0]).collect();
        for family in ["k", "u", "un", "ue", "ux", "g", "gn", "gx", "dc", "w"] {
            for key in self.family(family).keys() {
                assert!(directories.contains(&key[0]) || gone.contains(key[0]), "{family}/{key:?} is of no directory");
            }
        }
        let ends: BTreeSet<&str> =
            ["u", "g", "w"].iter().flat_map(|family| self.family(family).into_keys().map(|key| key[1])).collect();
        for edge in self.family("m").keys() {
            assert!(ends.contains(edge[0]) && ends.contains(edge[1]), "the membership {edge:?} is of nothing");
        }
    }
}

/// What the change feed alone says that there is.
#[derive(Default)]
struct Feed {
    directories: BTreeSet<String>,
    users: BTreeMap<String, BTreeSet<String>>,
    groups: BTreeMap<String, BTreeSet<String>>,
    members: BTreeMap<String, BTreeSet<String>>,
}

impl Feed {
    fn read(store: &Store<'_>) -> Self {
        let entries = store.family("c");
        let last: usize = store.family("cl").values().next().map_or(0, |last| last.parse().unwrap());
        let numbers: Vec<usize> = entries.keys().map(|key| key[0].parse().unwrap()).collect();
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "the feed has a gap");
        let mut feed = Feed::default();
        for value in entries.values() {
            feed.apply(&json(value));
        }
        feed
    }

    fn apply(&mut self, change: &Value) {
        let detail = &change["detail"];
        let id = |name: &str| detail[name].as_str().unwrap().to_string();
        let members = || detail["members"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_string());
        match change["kind"].as_str().unwrap() {
            "directory.connected" => assert!(self.directories.insert(id("directory"))),
            "directory.disconnected" => {
                assert!(self.directories.remove(&id("directory")));
                self.users.remove(&id("directory"));
                self.groups.remove(&id("directory"));
            }
            "user.created" => assert!(self.users.entry(id("directory")).or_default().insert(id("user"))),
            "user.deleted" => {
                assert!(self.users.entry(id("directory")).or_default().remove(&id("user")));
                for members in self.members.values_mut() {
                    members.remove(&id("user"));
                }
            }
            "group.created" => assert!(self.groups.entry(id("directory")).or_default().insert(id("group"))),
            "group.deleted" => {
                assert!(self.groups.entry(id("directory")).or_default().remove(&id("group")));
                self.members.remove(&id("group"));
            }
            "group.members-added" => {
                let group = self.members.entry(id("group")).or_default();
                members().for_each(|user| assert!(group.insert(user)));
            }
            "group.members-removed" => {
                let group = self.members.entry(id("group")).or_default();
                members().for_each(|user| assert!(group.remove(&user)));
            }
            "user.updated" | "group.updated" | "directory.updated" => {
                assert!(!detail["changed"].as_array().unwrap().is_empty());
            }
            "key.issued" | "key.revoked" => assert!(detail["key"].is_string()),
            other => panic!("an unknown change: {other}"),
        }
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The header and the attributes of a stored resource.
fn resource(value: &str) -> (Value, Value) {
    let (header, attributes) = value.split_once('\n').unwrap();
    (json(header), json(attributes))
}

/// A name as it is compared.
pub fn comparable(name: &str) -> String {
    name.trim()
        .chars()
        .flat_map(|character| if character == 'ς' { vec!['σ'] } else { character.to_lowercase().collect() })
        .collect()
}

fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        0x00..=0x23 => format!("#{byte:02x}"),
        0x24..=0x7d => char::from(byte).to_string(),
        _ => format!("~{byte:02x}"),
    };
    text.bytes().map(byte).collect()
}
