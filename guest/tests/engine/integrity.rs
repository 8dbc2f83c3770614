//! Compares everything in a storage with everything else: resources with their indexes, both directions of memberships
//! and associations, both ends of links, counts, and the change feed with what became of it. Knows the layout from its
//! description in `store/keys.rs` alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::storage::Memory;

/// The keys of one family, by what follows the first slash, taken apart at the others.
type Family<'m> = BTreeMap<Vec<&'m str>, &'m str>;

struct Store<'m>(BTreeMap<&'m str, Family<'m>>);

const FAMILIES: [&str; 71] = [
    "schema", "s", "d", "dn", "dr", "dc", "ds", "rl", "k", "sl", "u", "un", "ue", "ux", "g", "gn", "gx", "cf", "cr",
    "ca", "ce", "ul", "m", "mo", "cu", "cm", "ch", "ci", "cw", "cn", "oh", "ow", "dg", "sc", "uc", "og", "o", "on",
    "p", "pk", "pa", "po", "op", "pc", "cp", "n", "c", "cl", "t", "w", "rc", "ro", "hc", "ho", "rb", "hd", "fg", "gs",
    "ma", "pl", "pn", "pg", "pr", "ap", "we", "wc", "wn", "wo", "ws", "ub", "gb",
];

/// Checks the whole of a storage.
///
/// # Panics
/// Where something in it disagrees with something else.
pub fn check(memory: &Memory) {
    let map = memory.snapshot();
    let mut store = Store(BTreeMap::new());
    for (key, value) in map.iter() {
        let (family, rest) = key.split_once('/').unwrap_or((key, ""));
        assert!(FAMILIES.contains(&family), "{key}");
        // A name or address may hold slashes and is the last part.
        store.0.entry(family).or_default().insert(rest.splitn(2, '/').collect(), value);
    }
    if map.is_empty() {
        return;
    }
    assert_eq!(store.family("schema").values().collect::<Vec<_>>(), [&"5"]);
    let directories: Vec<&str> = store.family("d").keys().map(|key| key[0]).collect();
    let mut names = Names::default();
    for (id, record) in store.records("d") {
        names.add(record["name"].as_str().unwrap(), &id, &record["twin"]);
    }
    names.check(store.whole("dn"), &store.of("cf", "site"));
    let feed = Feed::read(&store);
    for directory in &directories {
        store.check_directory(directory, &feed);
    }
    assert_eq!(feed.directories, directories.iter().map(ToString::to_string).collect());
    store.check_edges(&directories, &feed);
    store.check_plans(&directories);
    store.check_probation(&directories);
    store.check_customers(&directories, &feed);
    store.check_organizations(&directories, &feed);
    store.check_found(&directories);
    store.check_totals(&directories);
    store.check_projects(&feed);
    store.check_logs(&directories, &feed);
    store.check_due(&directories);
    store.check_history();
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

    /// A family that is no directory's, with the whole of each key.
    fn whole(&self, family: &str) -> BTreeMap<String, &'m str> {
        self.family(family).into_iter().map(|(key, value)| (key.join("/"), value)).collect()
    }

    /// The value of a key; `null` if there is none.
    fn of_key(&self, family: &str, key: &str) -> Value {
        self.family(family).get(&vec![key]).map_or(Value::Null, |value| json(value))
    }

    /// The records of a family that is no directory's.
    fn records(&self, family: &str) -> BTreeMap<String, Value> {
        self.whole(family).into_iter().map(|(key, value)| (key, json(value))).collect()
    }

    /// What the deleted of a family are restored to.
    fn kept(&self, family: &str) -> BTreeMap<String, Value> {
        self.records(family).into_iter().map(|(id, kept)| (id, kept["record"].clone())).collect()
    }

    /// The ids of what waits to be swept.
    fn swept(&self, directory: &str, kind: &str) -> BTreeSet<&'m str> {
        let waiting = self.of("w", directory).into_iter();
        waiting.filter(|(_, value)| json(value).get(kind).is_some()).map(|(id, _)| id).collect()
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
        let sizes = groups.iter().filter_map(|(group, value)| {
            let members = resource(value).0["members"].as_u64()?;
            Some(format!("{members:010}/{group}"))
        });
        let stored = self.of("gs", directory).into_keys().map(ToString::to_string);
        assert_eq!(stored.collect::<BTreeSet<_>>(), sizes.collect::<BTreeSet<_>>(), "the sizes of groups");
        let counts = json(self.family("dc")[&vec![directory]]);
        assert_eq!(counts["users"], users.len());
        assert_eq!(counts["groups"], groups.len());
        assert_eq!(counts["memberships"], memberships);
        self.check_blocks(directory, "ub", &users, &counts["blocks"]["users"]);
        self.check_blocks(directory, "gb", &groups, &counts["blocks"]["groups"]);
        let count = |name: &str| usize::try_from(counts[name].as_u64().unwrap_or(0)).unwrap();
        assert_eq!(count("unswept_users"), self.swept(directory, "user").len());
        assert_eq!(count("unlinked"), self.check_unlinked(directory, &users));
        assert_eq!(count("conflicts"), self.check_conflicts(directory, &groups, feed));
        let ids = |all: &BTreeMap<&str, &str>| all.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(feed.users.get(directory).cloned().unwrap_or_default(), ids(&users));
        assert_eq!(feed.groups.get(directory).cloned().unwrap_or_default(), ids(&groups));
    }

    /// The blocks of ids begin before all of them, and each has as many as are counted, up to a number; the last one has
    /// the rest.
    fn check_blocks(&self, directory: &str, family: &str, resources: &BTreeMap<&str, &str>, open: &Value) {
        let closed = self.of(family, directory);
        let (from, before) = (open["from"].as_str().unwrap_or(""), open["before"].as_u64().unwrap_or(0));
        assert!(closed.keys().next().copied().unwrap_or(from).is_empty(), "{closed:?} {open}");
        assert!(closed.keys().all(|first| *first < from), "{closed:?} {open}");
        let ends = closed.keys().skip(1).copied().chain([from]);
        let mut sum = 0;
        for ((first, count), end) in closed.iter().zip(ends) {
            let count: usize = count.parse().unwrap();
            assert_eq!(count, resources.range(*first..end).count(), "the block {family} {first:?}");
            sum += count;
        }
        assert_eq!(before, sum as u64);
        let largest = closed.values().map(|count| count.parse().unwrap()).chain([resources.len() - sum]).max();
        assert!(largest < Some(640), "{closed:?} {open}");
    }

    /// Every user that is linked to no customer is listed with the reason, and nobody else; how many they are.
    fn check_unlinked(&self, directory: &str, users: &BTreeMap<&'m str, &'m str>) -> usize {
        let headers = users.iter().map(|(id, value)| (*id, resource(value).0));
        let reason = |(id, header): (&'m str, Value)| {
            assert!(header["customer"].is_null() || header["unlinked"].is_null());
            let stored = self.of("ul", directory).get(id).copied().unwrap_or_default();
            let reason = match (&header["unlinked"], stored) {
                (Value::Null, "\"staged\"") => {
                    assert!(self.of("pl", directory).contains_key(id), "nothing is planned for {id}");
                    stored
                }
                (Value::Null, "\"addressTaken\"") => stored,
                (Value::Null, _) if has_address(users[id]) => "\"outsideDomains\"",
                (Value::Null, _) => "\"noEmail\"",
                _ => "\"unlinked\"",
            };
            header["customer"].is_null().then_some((id, reason))
        };
        let unlinked: BTreeMap<&str, &str> = headers.filter_map(reason).collect();
        assert_eq!(self.of("ul", directory), unlinked);
        let counts = json(self.family("dc")[&vec![directory]]);
        for reason in ["noEmail", "unlinked", "outsideDomains", "staged", "addressTaken"] {
            let of_reason = unlinked.values().filter(|value| value.trim_matches('"') == reason).count();
            assert_eq!(counts["unlinkedBy"][reason].as_u64().unwrap_or(0), of_reason as u64, "{reason}");
        }
        unlinked.len()
    }

    /// Conflicts are of groups without an organization, and open as the feed has it; how many they are.
    fn check_conflicts(&self, directory: &str, groups: &BTreeMap<&str, &str>, feed: &Feed) -> usize {
        let conflicts = self.of("cf", directory);
        let names = conflicts.iter().filter_map(|(id, value)| {
            let name = json(value)["refused"]["name"].as_str()?.to_string();
            Some((encode(&comparable(&name)), *id))
        });
        let of_names = self.of("cr", directory).into_iter().map(|(name, id)| (name.to_string(), id));
        assert_eq!(of_names.collect::<BTreeMap<_, _>>(), names.collect());
        for (group, value) in self.of("ca", directory) {
            // That of a group whose deletion is planned stays until then.
            let planned = self.of("pl", directory).get(group).map_or(Value::Null, |planned| json(planned));
            let header = groups.get(group).map_or(planned, |value| resource(value).0);
            assert_eq!(header["organization"], json(value)["organization"], "an adoption of {group}");
        }
        for group in self.of("ce", directory).keys() {
            assert!(resource(groups[group]).0["organization"].is_null() && !is_apart(conflicts.get(group)));
        }
        for (group, value) in groups {
            let listed = is_apart(conflicts.get(group)) || self.of("ce", directory).contains_key(group);
            let planned = self.of("pl", directory).contains_key(group);
            assert!(listed || planned || resource(value).0["organization"].is_u64(), "the group {group} is not listed");
        }
        let apart = conflicts.iter().filter(|(_, value)| json(value)["apart"] != false);
        let listed = apart.map(|(group, value)| {
            assert!(json(value)["since"].is_u64());
            assert!(resource(groups[group]).0["organization"].is_null());
            group.to_string()
        });
        let listed = listed.collect::<BTreeSet<_>>();
        assert_eq!(
            listed,
            feed.conflicts.intersection(&groups.keys().map(ToString::to_string).collect()).cloned().collect()
        );
        conflicts.len()
    }

    /// The indexes hold what follows from the resources, and nothing else.
    fn check_indexes(&self, directory: &str, kind: &str, name: &str, resources: &BTreeMap<&str, &str>) {
        let (mut names, mut external, mut emails) = (Names::default(), BTreeSet::new(), BTreeSet::new());
        for (id, value) in resources {
            let (header, attributes) = resource(value);
            let text = |value: &Value| value.as_str().map(ToString::to_string);
            names.add(attributes[name].as_str().unwrap(), id, &header["twin"]);
            external.extend(text(&attributes["externalId"]).map(|external| format!("{}!{id}", encode(&external))));
            let all = attributes["emails"].as_array().into_iter().flatten().filter_map(|email| text(&email["value"]));
            emails.extend(all.map(|email| format!("{}!{id}", encode(&comparable(&email)))));
            if let Some(active) = attributes["active"].as_bool() {
                assert_eq!(header["inactive"].as_bool().unwrap_or(false), !active);
            }
        }
        let stored = |index: &str| self.of(&format!("{kind}{index}"), directory);
        let keys = |index: &str| stored(index).into_keys().map(ToString::to_string).collect::<BTreeSet<_>>();
        names.check(
            stored("n").into_iter().map(|(name, id)| (name.to_string(), id)).collect(),
            &self.of("cf", directory),
        );
        assert_eq!(keys("x"), external);
        assert_eq!(keys("e"), emails);
    }

    /// A membership is there from both ends, and both ends are there or wait to be swept.
    fn check_edges(&self, directories: &[&str], feed: &Feed) {
        self.check_reverse("m", "mo");
        let waiting = self.family("w");
        let gone: BTreeSet<&str> = waiting
            .iter()
            .filter(|(_, kind)| ["directory", "removal"].contains(&json(kind).as_str().unwrap_or_default()))
            .map(|(key, _)| key[0])
            .collect();
        for key in self.family("sl").keys() {
            assert!(directories.contains(&key[0]), "sl/{key:?} is of none");
        }
        for family in [
            "dr", "k", "u", "un", "ue", "ux", "g", "gn", "gx", "cf", "cr", "ca", "ce", "ul", "dc", "rl", "cn", "rb",
            "hd", "gs", "pl", "pn", "pg", "pr", "ap", "ub", "gb",
        ] {
            for key in self.family(family).keys() {
                let of_site = family == "cf" && key[0] == "site";
                assert!(
                    of_site || directories.contains(&key[0]) || gone.contains(key[0]),
                    "{family}/{key:?} is of none"
                );
            }
        }
        for key in waiting.keys() {
            assert!(key[0] == "site" || feed.once.contains(key[0]), "w/{key:?} is of no directory");
        }
        let second = |family: &str| self.family(family).into_keys().map(|key| key[1]).collect::<BTreeSet<_>>();
        let waiting = second("w");
        let (users, groups) = (second("u"), second("g"));
        let customers: BTreeSet<String> =
            [self.records("cu"), self.kept("rc")].into_iter().flatten().map(|(id, _)| id).collect();
        let organizations: Vec<(String, Value)> = [self.records("o"), self.kept("ro")].into_iter().flatten().collect();
        let holders: BTreeSet<String> = organizations.iter().flat_map(|(id, record)| holders(id, record)).collect();
        let left_behind = self.whole("og");
        let leaving: BTreeSet<&str> = self.family("pl").into_keys().map(|key| key[1]).collect();
        for edge in self.family("m").keys() {
            let (holder, member) = (edge[0], edge[1]);
            let is_held = groups.contains(holder) || holders.contains(holder) || waiting.contains(holder);
            let is_member = if holder.starts_with("o:") {
                customers.contains(member)
            } else {
                // Users of a disconnected directory are gone, those of its groups that are organizations have stayed.
                let group = holder.trim_start_matches("s:");
                let leaves = leaving.contains(member) && holder.starts_with("s:");
                users.contains(member) || leaves || left_behind.contains_key(group) && !groups.contains(group)
            };
            let is_swept = waiting.contains(member) || waiting.contains(holder) || !gone.is_empty();
            assert!(is_held && (is_member || is_swept), "the membership {edge:?} is of nothing");
        }
    }

    /// What is stored from both ends is the same from both.
    fn check_reverse(&self, forwards: &str, backwards: &str) {
        let backwards: Family<'_> =
            self.family(backwards).into_iter().map(|(key, value)| (vec![key[1], key[0]], value)).collect();
        assert_eq!(self.family(forwards), backwards);
    }

    /// What is planned is found by its name, counted, and has the claims that follow from it; what cannot be done is
    /// blocked, and nothing else.
    fn check_plans(&self, directories: &[&str]) {
        let text = |record: &Value, name: &str| record[name].as_str().map(ToString::to_string);
        let mut claims: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
        let mut staged = 0_u64;
        for (directory, record) in self.records("d") {
            let plan = self.of("pl", &directory);
            let is_staged = record["mode"].is_string();
            staged += u64::from(is_staged);
            assert!(is_staged || plan.is_empty(), "the live directory {directory} plans something");
            let (mut names, mut counts) = (BTreeSet::new(), BTreeMap::new());
            for (id, planned) in &plan {
                let planned = json(planned);
                self.check_planned(&directory, id, &planned);
                let kind = text(&planned, "kind").unwrap();
                let list = if planned["blocked"].is_null() { kebab(&kind) } else { "blocked".to_string() };
                names.insert(format!("{list}/{}!{id}", encode(&comparable(planned["name"].as_str().unwrap()))));
                *counts.entry(if planned["blocked"].is_null() { kind } else { list }).or_insert(0_u64) += 1;
            }
            assert_eq!(self.of("pn", &directory).into_keys().map(ToString::to_string).collect::<BTreeSet<_>>(), names);
            let stored = self.of_key("dc", &directory)["planned"].clone();
            let kinds = stored["kinds"].as_array().cloned().unwrap_or_default();
            let counted = KINDS.iter().zip(kinds).map(|(kind, count)| (kind.to_string(), count.as_u64().unwrap()));
            let blocked = ("blocked".to_string(), stored["blocked"].as_u64().unwrap_or(0));
            assert_eq!(counted.chain([blocked]).filter(|(_, count)| *count > 0).collect::<BTreeMap<_, _>>(), counts);
            let leaving = plan.values().map(|planned| json(planned)).filter(|planned| {
                planned["kind"] == "deleteCustomer"
                    && planned["linked"] == true
                    && self.records("cu").contains_key(planned["customer"].as_str().unwrap())
            });
            let counts = self.of_key("dc", &directory);
            assert_eq!(counts["leaving"].as_u64().unwrap_or(0), leaving.count() as u64, "who leaves {directory}");
        }
        for (key, planned) in self.family("pl") {
            let planned = json(planned);
            let is_user = planned["kind"].as_str().unwrap().ends_with("Customer");
            let (of_text, of_id) = if is_user { ("we", "wc") } else { ("wn", "wo") };
            let mut claim = |key_of: String| {
                claims.entry(key_of).or_default().insert((key[0].to_string(), key[1].to_string()));
            };
            if let Some(text) = text(&planned, "wants") {
                claim(format!("{of_text}/{}", encode(&text)));
            }
            if planned["linked"] != true {
                if let Some(id) = text(&planned, "customer") {
                    claim(format!("{of_id}/{id}"));
                }
                let number = planned["organization"].as_u64();
                if let Some(number) = number {
                    claim(format!("{of_id}/{number:010}"));
                }
            }
        }
        let stored: BTreeMap<String, BTreeSet<(String, String)>> = ["we", "wc", "wn", "wo"]
            .into_iter()
            .flat_map(|family| {
                self.whole(family).into_iter().map(move |(key, value)| (format!("{family}/{key}"), value))
            })
            .map(|(key, value)| (key, serde_json::from_str(value).unwrap()))
            .collect();
        assert_eq!(stored, claims);
        let known = self.whole("ws").into_values().next().map_or(0, |count| count.parse().unwrap());
        assert_eq!((known, directories.len()), (staged, self.family("d").len()));
    }

    /// What is planned for a user or group fits what there is.
    fn check_planned(&self, directory: &str, id: &str, planned: &Value) {
        let kind = planned["kind"].as_str().unwrap();
        let is_user = kind.ends_with("Customer");
        let family = if is_user { "u" } else { "g" };
        let stored = self.of(family, directory).get(id).map(|value| resource(value).0);
        let name = if is_user { "customer" } else { "organization" };
        assert_eq!(stored.is_none(), kind.starts_with("delete"), "{planned} of {id}");
        if let Some(header) = &stored {
            let is_linked = !header[name].is_null();
            assert_eq!(planned["linked"] == true, is_linked, "{planned} of {id}");
            assert!(!is_linked || header[name] == planned[name]);
        }
        if !is_user && planned["linked"] == true && stored.is_some() {
            let count = |name: &str| usize::try_from(planned[name].as_u64().unwrap_or(0)).unwrap();
            let staying = format!("s:{id}");
            assert_eq!(
                [count("come"), count("go")],
                [self.of("ma", id).len(), self.of("m", &staying).len()],
                "{planned}"
            );
        }
        self.check_blocked(directory, id, planned);
    }

    /// It is blocked if somebody else has what it wants and does not give it up, or if what it found is not there any
    /// more.
    fn check_blocked(&self, directory: &str, id: &str, planned: &Value) {
        let is_user = planned["kind"].as_str().unwrap().ends_with("Customer");
        let (records, index) = if is_user { ("cu", "cm") } else { ("o", "on") };
        let holder = |text: &str| self.whole(index).get(&encode(text)).map(ToString::to_string);
        let record = |id: &str| self.records(records)[id].clone();
        let plan = self.of("pl", directory);
        let frees = |planner: &str, wanted: &str| {
            plan.get(planner).is_some_and(|other| {
                let other = json(other);
                other["blocked"].is_null()
                    && (other["kind"].as_str().unwrap().starts_with("delete")
                        || other["wants"].as_str().is_some_and(|other| other != wanted))
            })
        };
        let is_connected = |directory: &str| self.family("d").contains_key(&vec![directory]);
        let target = match (&planned["customer"], &planned["organization"]) {
            _ if planned["linked"] == true => None,
            (Value::String(customer), _) => Some(customer.clone()),
            (_, Value::Number(number)) => Some(format!("{:010}", number.as_u64().unwrap())),
            _ => None,
        };
        let is_local = |id: &str| linked(&record(id)).is_none_or(|(of, _)| of != directory && !is_connected(&of));
        let target_is_gone = target.as_ref().is_some_and(|target| {
            let found = planned["found"].as_str().and_then(&holder);
            found.as_ref() != Some(target) || !is_local(target)
        });
        let is_taken = planned["wants"].as_str().is_some_and(|wanted| {
            let Some(holder) = holder(wanted).filter(|holder| Some(holder) != target.as_ref()) else { return false };
            match linked(&record(&holder)) {
                Some((of, resource)) if of == directory => resource != id && !frees(&resource, wanted),
                Some((of, _)) if is_connected(&of) => true,
                Some((of, _)) if self.of("w", &of).get(of.as_str()) == Some(&"\"removal\"") => false,
                _ => !plan.keys().any(|other| {
                    let other_plan = json(plan[other]);
                    let name = if is_user { "customer" } else { "organization" };
                    let of = match &other_plan[name] {
                        Value::Number(number) => format!("{:010}", number.as_u64().unwrap()),
                        id => id.as_str().unwrap_or_default().to_string(),
                    };
                    other_plan["linked"] != true && of == holder && frees(other, wanted)
                }),
            }
        });
        // Of two that want the same one, the first has it.
        let is_second = target.as_ref().is_some_and(|target| {
            let claims = self.of_key(if is_user { "wc" } else { "wo" }, target);
            let own = claims.as_array().into_iter().flatten().find(|claim| claim[0] == directory);
            own.is_some_and(|first| first[1] != id)
        });
        assert_eq!(!planned["blocked"].is_null(), target_is_gone || is_taken || is_second, "{planned} of {id}");
    }

    /// A member of a managed organization is a member of its group, or in the grace of an adoption, or on probation with an
    /// end; the end of the others is what upkeep has to find next.
    fn check_probation(&self, directories: &[&str]) {
        let customers = self.records("cu");
        for (id, record) in self.records("o") {
            let Some((directory, group)) = linked(&record) else { continue };
            if !directories.contains(&directory.as_str()) {
                continue;
            }
            assert!(record["retained"].is_null() || record["retained"]["until"].is_u64());
            let own = format!("o:{id}:{group}");
            let is_swept = self.of("w", "site").contains_key(own.as_str());
            for (customer, value) in self.of("m", &own) {
                let has_end = value.parse::<u64>().is_ok();
                let is_found = self.whole("t").into_keys().any(|due| due.ends_with(&format!("/restored/{customer}")));
                assert!(record["restored"] == true || is_swept, "{own} holds members although it is not open");
                assert!(!customers.contains_key(customer) || has_end || is_found || is_swept, "{own}: {customer}");
            }
        }
        let own = self.family("m").into_iter().filter(|(key, _)| !key[0].starts_with("o:"));
        let planned = self.family("ma");
        for (key, value) in own {
            let expected = if planned.contains_key(&key) { "+" } else { "" };
            assert_eq!(value, expected, "the membership {key:?} of a group has an end");
        }
        let edges = self.family("m");
        assert!(planned.keys().all(|key| edges.contains_key(key)), "{planned:?}");
    }

    /// Customers have one email address each and the links that they name; users know their customers.
    fn check_customers(&self, directories: &[&str], feed: &Feed) {
        let customers = self.records("cu");
        let (mut emails, mut links) = (Names::default(), BTreeMap::new());
        for (id, record) in &customers {
            let email = record["email"].as_str().unwrap();
            emails.add(email, id, &record["twin"]);
            assert!(!record["displayName"].as_str().unwrap().is_empty());
            let former = record["former"].as_array().into_iter().flatten();
            for link in record.get("link").into_iter().chain(former) {
                assert_eq!(links.insert(link["resource"].as_str().unwrap().to_string(), id.as_str()), None);
            }
            assert_eq!(feed.customers[id], linked(record).map(|(_, user)| user), "the link of customer {id}");
        }
        emails.check(self.whole("cm"), &self.of("cf", "site"));
        let kept = self.kept("rc");
        for (id, record) in &kept {
            assert!(!customers.contains_key(id) && record.get("link").is_none());
            for link in record["former"].as_array().into_iter().flatten() {
                assert_eq!(links.insert(link["resource"].as_str().unwrap().to_string(), id.as_str()), None);
            }
        }
        assert_eq!(feed.deleted_customers, kept.keys().cloned().collect());
        assert_eq!(self.whole("uc"), links);
        assert_eq!(feed.customers.keys().collect::<Vec<_>>(), customers.keys().collect::<Vec<_>>());
        self.check_links(directories, "u", "customer", &customers);
    }

    /// Organizations have one name each and the groups that they name; groups know their organizations.
    fn check_organizations(&self, directories: &[&str], feed: &Feed) {
        let organizations = self.records("o");
        let (mut names, mut groups) = (Names::default(), BTreeMap::new());
        for (id, record) in &organizations {
            let name = record["name"].as_str().unwrap();
            names.add(name, id, &record["twin"]);
            for group in holders(id, record).into_iter().filter(|holder| !holder.contains(':')) {
                assert_eq!(groups.insert(group, id.as_str()), None);
            }
            assert_eq!(feed.organizations[id], linked(record).map(|(_, group)| group), "the link of organization {id}");
        }
        names.check(self.whole("on"), &self.of("cf", "site"));
        let kept = self.kept("ro");
        for (id, record) in &kept {
            assert!(!organizations.contains_key(id) && record.get("link").is_none());
            for group in holders(id, record).into_iter().filter(|holder| !holder.contains(':')) {
                assert_eq!(groups.insert(group, id.as_str()), None);
            }
        }
        assert_eq!(feed.deleted_organizations, kept.keys().cloned().collect());
        assert_eq!(self.whole("og"), groups);
        assert_eq!(feed.organizations.keys().collect::<Vec<_>>(), organizations.keys().collect::<Vec<_>>());
        self.check_links(directories, "g", "organization", &organizations);
        self.check_number("organization", organizations.keys().last());
    }

    /// The indexes for searches hold what follows from the customers and organizations, and nothing else.
    fn check_found(&self, directories: &[&str]) {
        let whole = |family: &str| self.whole(family).into_keys().collect::<BTreeSet<_>>();
        let gone = whole("dg");
        let being_swept = |id: &String| self.of("w", id).get(id.as_str()) == Some(&"\"directory\"");
        assert!(gone.iter().all(being_swept), "{gone:?}");
        let (customers, organizations) = (self.records("cu"), self.records("o"));
        for (records, held, words, name) in
            [(&customers, "ch", "cw", "displayName"), (&organizations, "oh", "ow", "name")]
        {
            let found: BTreeSet<String> = records
                .iter()
                .flat_map(|(id, record)| {
                    let words = found_words(record[name].as_str().unwrap());
                    words.into_iter().map(move |word| format!("{}!{id}", encode(&word)))
                })
                .collect();
            assert_eq!(whole(words), found);
            let mut holders: BTreeMap<&str, &str> = BTreeMap::new();
            for key in self.family(held).keys() {
                assert_eq!(holders.insert(key[1], key[0]), None, "{held}/{key:?} is one of two");
            }
            for (id, record) in records {
                let directory = linked(record).map(|(directory, _)| directory);
                let holder = holders.remove(id.as_str());
                let is_leaving = |id: &String| self.of("w", id).get(id.as_str()) == Some(&"\"removal\"");
                match directory {
                    Some(id) if directories.contains(&id.as_str()) || is_leaving(&id) => {
                        assert_eq!(holder, Some(id.as_str()));
                    }
                    // Upkeep has moved it to the site, or still has to.
                    Some(id) if gone.contains(&id) => assert!(holder == Some("site") || holder == Some(&id)),
                    _ => assert_eq!(holder, Some("site"), "{held}/site/{id}"),
                }
            }
            assert!(holders.is_empty(), "{held}: {holders:?}");
        }
        let inactive = customers.iter().filter(|(_, record)| record["active"] == false);
        assert_eq!(whole("ci"), inactive.map(|(id, _)| id.clone()).collect());
        for directory in directories {
            let mut unlinked: BTreeMap<String, u64> = BTreeMap::new();
            for value in self.of("u", directory).into_values() {
                if let Some(customer) = resource(value).0["unlinked"].as_str() {
                    *unlinked.entry(customer.to_string()).or_default() += 1;
                }
            }
            let stored = self.of("cn", directory).into_iter();
            assert_eq!(
                stored.map(|(id, users)| (id.to_string(), users.parse().unwrap())).collect::<BTreeMap<_, _>>(),
                unlinked
            );
        }
    }

    /// What is counted is there, and all of it is counted.
    fn check_totals(&self, directories: &[&str]) {
        let of = |record: &Value| {
            let Some((directory, _)) = linked(record) else { return Some("site".to_string()) };
            if directories.contains(&directory.as_str()) {
                return Some(directory);
            }
            let is_leaving = self.of("w", &directory).get(directory.as_str()) == Some(&"\"removal\"");
            (!is_leaving).then(|| "site".to_string())
        };
        let mut counted: BTreeMap<String, [u64; 3]> = BTreeMap::new();
        for record in self.records("cu").values() {
            if let Some(holder) = of(record) {
                let counts = counted.entry(holder).or_default();
                counts[0] += 1;
                counts[1] += u64::from(record["active"] == false);
            }
        }
        for record in self.records("o").values() {
            if let Some(holder) = of(record) {
                counted.entry(holder).or_default()[2] += 1;
            }
        }
        for directory in directories {
            let (counts, held) = (json(self.family("dc")[&vec![*directory]]), self.of_key("sc", directory));
            let number = |of: &Value, name: &str| of[name].as_u64().unwrap_or(0);
            let managed = number(&counts, "users") - number(&counts, "unlinked") + number(&counts, "leaving");
            let stored = [managed, number(&held, "inactive"), number(&held, "organizations")];
            assert_eq!(stored, counted.get(*directory).copied().unwrap_or_default(), "the counts of {directory}");
        }
        let holders = self.whole("sc").into_keys().collect::<Vec<_>>();
        assert!(holders.iter().all(|holder| holder == "site" || directories.contains(&holder.as_str())), "{holders:?}");
        let counts = self.of_key("sc", "site");
        let stored =
            ["customers", "inactive", "organizations", "projects"].map(|name| counts[name].as_u64().unwrap_or(0));
        let [customers, inactive, organizations] = counted.get("site").copied().unwrap_or_default();
        assert_eq!(stored, [customers, inactive, organizations, self.records("p").len() as u64]);
    }

    /// What a resource of a connected directory says that it is linked to is linked to it, and the other way round.
    fn check_links(&self, directories: &[&str], family: &str, name: &str, records: &BTreeMap<String, Value>) {
        let mut of_resources = BTreeSet::new();
        for directory in directories {
            for (resource_id, value) in self.of(family, directory) {
                let (header, _) = resource(value);
                let linked = match &header[name] {
                    Value::Null => continue,
                    Value::Number(number) => format!("{:010}", number.as_u64().unwrap()),
                    id => id.as_str().unwrap().to_string(),
                };
                of_resources.insert((linked, directory.to_string(), resource_id.to_string()));
            }
        }
        let links = records.iter().filter_map(|(id, record)| linked(record).map(|(at, to)| (id.clone(), at, to)));
        for directory in directories {
            for (id, record) in self.of("pl", directory) {
                let record = json(record);
                let is_gone = record["kind"].as_str().unwrap().starts_with("delete") && record["linked"] == true;
                let linked = match &record[name] {
                    Value::Number(number) => format!("{:010}", number.as_u64().unwrap()),
                    id => id.as_str().unwrap_or_default().to_string(),
                };
                // A customer that is deleted already may wait for its memberships to be gone through.
                if is_gone && !record[name].is_null() && records.contains_key(&linked) {
                    of_resources.insert((linked, directory.to_string(), id.to_string()));
                }
            }
        }
        let of_records = links.filter(|(_, directory, _)| directories.contains(&directory.as_str())).collect();
        assert_eq!(of_resources, of_records);
    }

    /// The requests of a log are numbered without gaps up to the last, and bounded, and so is what is kept besides.
    fn check_logs(&self, directories: &[&str], feed: &Feed) {
        for (key, value) in self.family("ds") {
            assert!(directories.contains(&key[0]), "ds/{key:?} is of no directory");
            let (status, log) = (json(value), self.of("rl", key[0]));
            let last = status["lastLogged"].as_u64().unwrap();
            assert!(log.len() <= 1_000 && log.len() as u64 <= last);
            assert!(log.is_empty() || status["logDue"].is_u64());
            for ((key, value), number) in log.iter().zip(last + 1 - log.len() as u64..) {
                assert_eq!((*key, &json(value)["sequence"]), (format!("{number:020}").as_str(), &number.into()));
            }
            let length = |name: &str| status[name].as_array().map_or(0, Vec::len);
            assert!(length("hours") <= 24 && length("deletions") <= 60);
            self.check_bodies(key[0], &status, &log);
            self.check_forgotten(key[0], &log, feed);
            self.check_held(key[0], &status);
        }
    }

    /// Nobody who was erased has a name in a log, unless upkeep has still to see to it.
    fn check_forgotten(&self, directory: &str, log: &BTreeMap<&str, &str>, feed: &Feed) {
        let to_forget = self.of("fg", directory);
        for request in log.values().map(|text| json(text)) {
            let subject = &request["subject"];
            let Some(id) = subject["id"].as_str() else { continue };
            let (Some(erased), at) = (feed.erased.get(id), request["at"].as_u64().unwrap()) else { continue };
            // A request to another directory may have named it as well, which knows nobody of that id.
            let is_kept = feed.directory_of.get(id).is_some_and(|of| of == directory)
                && at <= *erased
                && erased - at < 14 * 86_400_000;
            assert!(!is_kept || to_forget.contains_key(id) || subject["name"].is_null(), "{request} is of nobody");
        }
    }

    /// A body is of a request that is in the log and says so, and all together are as long as is counted.
    fn check_bodies(&self, directory: &str, status: &Value, log: &BTreeMap<&str, &str>) {
        let bodies = self.of("rb", directory);
        let bytes: usize = bodies.values().map(|body| body.len()).sum();
        assert_eq!(status["bodies"]["bytes"].as_u64().unwrap_or(0), bytes as u64, "the bodies of {directory}");
        assert!(bytes <= 4 << 20);
        for (sequence, body) in bodies {
            assert_eq!(json(log[sequence])["hasBody"], true);
            assert!(sequence.parse::<u64>().unwrap() >= status["bodies"]["first"].as_u64().unwrap());
            assert!(json(body)["text"].as_str().unwrap().len() <= 64 << 10);
        }
    }

    /// Only what is there is listed as held, and only while deletions are.
    fn check_held(&self, directory: &str, status: &Value) {
        let held = self.of("hd", directory);
        assert_eq!(status["listedHeld"].as_u64().unwrap_or(0), held.len() as u64);
        assert!(held.is_empty() || status["held"] == true);
        let (users, groups) = (self.of("u", directory), self.of("g", directory));
        for (id, record) in held {
            let record = json(record);
            let (of, name) = if record["kind"] == "user" { (&users, "userName") } else { (&groups, "displayName") };
            assert!(resource(of[id]).1[name].is_string() && record["since"].is_u64());
        }
    }

    /// What is to do at some time is what something waits for, no more and no less.
    fn check_due(&self, directories: &[&str]) {
        let adoptions = self.records("o").into_iter().filter_map(|(id, record)| {
            let until = record["retained"]["until"].as_u64()?;
            Some(format!("{until:020}/adoption/{id}"))
        });
        let logs = self.family("ds").into_iter().filter_map(|(key, value)| {
            let due = json(value)["logDue"].as_u64()?;
            Some(format!("{due:020}/log/{}", key[0]))
        });
        let keys = self.family("k").into_iter().filter(|(key, _)| directories.contains(&key[0]));
        let notices = keys.filter_map(|(key, value)| {
            let notice = json(value)["notice"].as_u64()?;
            Some(format!("{notice:020}/key/{}", key.join("/")))
        });
        let links = self.family("sl").into_iter().map(|(key, value)| {
            let expires = json(value)["expires"].as_u64().unwrap();
            format!("{expires:020}/setup-link/{}", key.join("/"))
        });
        let erasures = [("rc", "customer"), ("ro", "organization")].into_iter().flat_map(|(family, what)| {
            let of = move |(id, kept): (String, Value)| format!("{:020}/{what}/{id}", kept["until"].as_u64().unwrap());
            self.records(family).into_iter().map(of)
        });
        // Users whom other domains have let in.
        let due = |what: &'static str| self.whole("t").into_keys().filter(move |key| key.contains(what));
        for key in due("/domains/") {
            assert!(
                directories.iter().any(|directory| key.ends_with(directory)) || !self.family("w").is_empty(),
                "{key}"
            );
        }
        let ends = self.family("m").into_iter().filter_map(|(key, value)| {
            let end: u64 = value.parse().ok()?;
            Some(format!("{end:020}/probation/{}", key.join("/")))
        });
        // Who was restored with too much for one transaction may be gone again by now.
        let due = self.whole("t").into_keys().filter(|key| {
            !["/restored/", "/domains/", "/parting/", "/arrivals/", "/turn/", "/apply/", "/plan-access/"]
                .iter()
                .any(|what| key.contains(what))
        });
        let expected = adoptions.chain(logs).chain(notices).chain(links).chain(erasures).chain(ends).collect();
        assert_eq!(due.collect::<BTreeSet<_>>(), expected);
    }

    /// Projects have one key each, and associations with what there is.
    fn check_projects(&self, feed: &Feed) {
        let projects = self.records("p");
        let keys =
            projects.iter().map(|(id, record)| (encode(&comparable(record["key"].as_str().unwrap())), id.as_str()));
        assert_eq!(self.whole("pk"), keys.collect());
        let open = projects.iter().filter(|(_, record)| record["audience"] == "open").map(|(id, _)| id.clone());
        assert_eq!(self.whole("pa").into_keys().collect::<BTreeSet<_>>(), open.collect());
        assert_eq!(feed.projects.iter().collect::<Vec<_>>(), projects.keys().collect::<Vec<_>>());
        self.check_number("project", projects.keys().last());
        let waiting: BTreeSet<&str> = self.family("w").into_keys().map(|key| key[1]).collect();
        for (forwards, backwards, other) in [("po", "op", "o"), ("pc", "cp", "cu")] {
            self.check_reverse(forwards, backwards);
            let others = self.whole(other);
            // The associations of a deleted organization are in its record.
            let kept = if other == "cu" { self.kept("rc") } else { BTreeMap::new() };
            for key in self.family(forwards).keys() {
                assert!(projects.contains_key(key[0]) || waiting.contains(key[0]), "{forwards}/{key:?}");
                assert!(
                    others.contains_key(key[1]) || kept.contains_key(key[1]) || waiting.contains(key[1]),
                    "{forwards}/{key:?}"
                );
            }
        }
    }

    /// Every change of the state of a customer or an organization that there is, be it deleted, is in its history.
    fn check_history(&self) {
        let has = |family: [&str; 2], id: &str| family.iter().any(|family| self.whole(family).contains_key(id));
        let (mut customers, mut organizations) = (BTreeSet::new(), BTreeSet::new());
        for (sequence, change) in self.records("c") {
            let (what, how) = change["kind"].as_str().unwrap().split_once('.').unwrap();
            if ["erased", "members-added", "members-removed"].contains(&how) {
                continue;
            }
            let detail = &change["detail"];
            if what == "customer" && has(["cu", "rc"], detail["customer"].as_str().unwrap()) {
                customers.insert(format!("{}/{sequence}", detail["customer"].as_str().unwrap()));
            } else if what == "organization" {
                let number = format!("{:010}", detail["organization"].as_u64().unwrap());
                if has(["o", "ro"], &number) {
                    organizations.insert(format!("{number}/{sequence}"));
                }
            }
        }
        let waiting = self.whole("w");
        for (family, expected, prefix) in [("hc", customers, ""), ("ho", organizations, "h:")] {
            let stored = self.whole(family).into_keys();
            let is_swept =
                |key: &String| waiting.contains_key(&format!("site/{prefix}{}", key.split_once('/').unwrap().0));
            assert_eq!(stored.filter(|key| !is_swept(key)).collect::<BTreeSet<_>>(), expected);
        }
    }

    /// The last number given is not below one in use.
    fn check_number(&self, kind: &str, last: Option<&String>) {
        let given = self.whole("n").get(kind).map_or(0, |number| number.parse().unwrap());
        assert!(last.map_or(0, |last| last.parse::<u64>().unwrap()) <= given);
    }
}

/// The kinds of what can be planned, in the order in which they are counted.
const KINDS: [&str; 12] = [
    "deleteCustomer",
    "deactivateCustomer",
    "unlinkCustomer",
    "linkCustomer",
    "makeCustomer",
    "activateCustomer",
    "changeCustomer",
    "adoptOrganization",
    "makeOrganization",
    "renameOrganization",
    "changeMembers",
    "deleteOrganization",
];

/// A kind as it stands in keys.
fn kebab(kind: &str) -> String {
    let letter = |letter: char| {
        if letter.is_ascii_uppercase() { format!("-{}", letter.to_ascii_lowercase()) } else { letter.to_string() }
    };
    kind.chars().map(letter).collect()
}

/// Whether it is the conflict of a group that is left apart.
fn is_apart(conflict: Option<&&str>) -> bool {
    conflict.is_some_and(|value| json(value)["apart"] != false)
}

/// Whether a stored user has an email address, or a name that is one.
fn has_address(user: &str) -> bool {
    let (_, attributes) = resource(user);
    let emails = attributes["emails"].as_array().into_iter().flatten().map(|email| &email["value"]);
    emails.chain([&attributes["userName"]]).filter_map(Value::as_str).any(|text| {
        let text = text.trim();
        text.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
            && !text.contains([' ', '<', '>'])
    })
}

/// What holds members of an organization: its group, those that held them before it was adopted, and its own.
fn holders(id: &str, record: &Value) -> Vec<String> {
    let former = || record["former"].as_str().map(ToString::to_string);
    let parted = record["parted"]["link"]["resource"].as_str().map(ToString::to_string);
    let mut group = linked(record).map(|(_, group)| group).or_else(former);
    let own = group.as_ref().or(parted.as_ref()).map_or(format!("o:{id}"), |group| format!("o:{id}:{group}"));
    // While its members are copied, those of the group that it was unlinked from count.
    group = group.or(parted.filter(|_| record["parted"]["after"].is_string()));
    let retained = record["retained"]["holders"].as_array().into_iter().flatten();
    let retained = retained.map(|holder| holder.as_str().unwrap().to_string());
    let staying = group.as_ref().filter(|_| record["staying"] == true).map(|group| format!("s:{group}"));
    group.into_iter().chain(staying).chain(retained).chain([own]).collect()
}

/// The directory and the resource that a record is linked to.
fn linked(record: &Value) -> Option<(String, String)> {
    let text = |name: &str| record["link"][name].as_str().map(ToString::to_string);
    Some((text("directory")?, text("resource")?))
}

/// What the change feed alone says that there is.
#[derive(Default)]
struct Feed {
    directories: BTreeSet<String>,
    /// Those that are or were connected.
    once: BTreeSet<String>,
    users: BTreeMap<String, BTreeSet<String>>,
    groups: BTreeMap<String, BTreeSet<String>>,
    members: BTreeMap<String, BTreeSet<String>>,
    /// The groups whose conflicts are open, also such as went with their directory.
    conflicts: BTreeSet<String>,
    /// Each with the user that it was linked to last.
    customers: BTreeMap<String, Option<String>>,
    /// Each with the group that it was linked to last.
    organizations: BTreeMap<String, Option<String>>,
    /// Those that are not erased yet.
    deleted_customers: BTreeSet<String>,
    /// The users that they were linked to when they were deleted.
    followed: BTreeMap<String, String>,
    /// The directory of every user that there ever was.
    directory_of: BTreeMap<String, String>,
    /// The users whose customers were erased, and when.
    erased: BTreeMap<String, u64>,
    /// Likewise.
    deleted_organizations: BTreeSet<String>,
    projects: BTreeSet<String>,
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

    #[expect(clippy::too_many_lines, reason = "one short arm for each kind of change")]
    fn apply(&mut self, change: &Value) {
        let detail = &change["detail"];
        let id = |name: &str| detail[name].as_str().unwrap().to_string();
        let members = || detail["members"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_string());
        let number = |name: &str| format!("{:010}", detail[name].as_u64().unwrap());
        let optional = |name: &str| detail[name].as_str().map(ToString::to_string);
        match change["kind"].as_str().unwrap() {
            "directory.connected" => {
                assert!(self.directories.insert(id("directory")));
                self.once.insert(id("directory"));
            }
            "directory.disconnected" | "directory.removed" => {
                assert!(self.directories.remove(&id("directory")));
                self.users.remove(&id("directory"));
                self.groups.remove(&id("directory"));
            }
            "user.created" => {
                self.directory_of.insert(id("user"), id("directory"));
                assert!(self.users.entry(id("directory")).or_default().insert(id("user")));
            }
            "user.deleted" => {
                assert!(self.users.entry(id("directory")).or_default().remove(&id("user")));
                for members in self.members.values_mut() {
                    members.remove(&id("user"));
                }
            }
            "group.created" => assert!(self.groups.entry(id("directory")).or_default().insert(id("group"))),
            "group.deleted" => {
                assert!(self.groups.entry(id("directory")).or_default().remove(&id("group")));
                self.conflicts.remove(&id("group"));
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
            "customer.created" => assert_eq!(self.customers.insert(id("customer"), optional("user")), None),
            "user.unlinked" => assert!(["noEmail", "outsideDomains", "addressTaken"].contains(&id("reason").as_str())),
            "customer.unlinked" => *self.customers.get_mut(&id("customer")).unwrap() = None,
            "customer.linked" => *self.customers.get_mut(&id("customer")).unwrap() = Some(id("user")),
            "customer.updated" => {
                assert!(self.customers.contains_key(&id("customer")) && detail["changed"].is_array());
            }
            "customer.activated" | "customer.deactivated" => assert!(self.customers.contains_key(&id("customer"))),
            "customer.deleted" => {
                let followed = self.customers.remove(&id("customer")).unwrap();
                followed.map(|user| self.followed.insert(id("customer"), user));
                assert!(self.deleted_customers.insert(id("customer")));
            }
            "customer.restored" => {
                assert!(self.deleted_customers.remove(&id("customer")));
                self.followed.remove(&id("customer"));
                assert_eq!(self.customers.insert(id("customer"), None), None);
            }
            "customer.erased" => {
                assert!(self.deleted_customers.remove(&id("customer")));
                if let Some(user) = self.followed.remove(&id("customer")) {
                    self.erased.insert(user, change["at"].as_u64().unwrap());
                }
            }
            "organization.created" => {
                assert_eq!(self.organizations.insert(number("organization"), optional("group")), None);
            }
            "organization.adopted" => *self.organizations.get_mut(&number("organization")).unwrap() = Some(id("group")),
            "organization.unlinked" => *self.organizations.get_mut(&number("organization")).unwrap() = None,
            "conflict.refused" => assert!(self.organizations.contains_key(&number("organization"))),
            "organization.conflict" => {
                // The organization that was to be adopted may have gone.
                assert!(detail["organization"].is_null() || self.organizations.contains_key(&number("organization")));
                assert!(self.conflicts.insert(id("group")));
            }
            "conflict.resolved" => {
                assert!(["adopt", "rename", "leave"].contains(&id("action").as_str()));
                // It may have been left before, or be that of a refused group.
                optional("group").map(|group| self.conflicts.remove(&group));
            }
            "conflict.found" => {
                let ids = ["user", "group", "customer", "organization"];
                assert!(ids.iter().any(|id| !detail[id].is_null()) || self.directories.contains(&id("directory")));
            }
            "group.repaired" => {
                assert!(self.groups[&id("directory")].contains(&id("group")));
                if detail["organization"].is_u64() {
                    self.conflicts.remove(&id("group"));
                }
            }
            "organization.settled" | "organization.renamed" => {
                assert!(self.organizations.contains_key(&number("organization")));
            }
            "organization.members-added" | "organization.members-removed" => {
                assert!(self.organizations.contains_key(&number("organization")));
                members().for_each(|customer| assert!(self.customers.contains_key(&customer)));
            }
            "organization.deleted" => {
                assert!(self.organizations.remove(&number("organization")).is_some());
                assert!(self.deleted_organizations.insert(number("organization")));
            }
            "organization.restored" => {
                assert!(self.deleted_organizations.remove(&number("organization")));
                assert_eq!(self.organizations.insert(number("organization"), None), None);
            }
            "organization.erased" => assert!(self.deleted_organizations.remove(&number("organization"))),
            "project.created" => assert!(self.projects.insert(number("project"))),
            "project.deleted" => assert!(self.projects.remove(&number("project"))),
            "project.updated" => assert!(self.projects.contains(&number("project"))),
            "project.organization-added" | "project.organization-removed" => {
                assert!(self.projects.contains(&number("project")));
                assert!(self.organizations.contains_key(&number("organization")));
            }
            "project.customer-added" | "project.customer-removed" => {
                assert!(self.projects.contains(&number("project")) && self.customers.contains_key(&id("customer")));
            }
            "settings.updated" => assert!(!detail["changed"].as_array().unwrap().is_empty()),
            "key.issued" | "key.revoked" => assert!(detail["key"].is_string()),
            "setup-link.made" | "setup-link.revoked" | "setup-link.expired" => assert!(detail["link"].is_string()),
            "setup-link.used" => assert!(detail["link"].is_string() && detail["key"].is_string()),
            "key.expiring" => assert!(detail["key"].is_string() && detail["days"].as_u64().is_some()),
            "plan.blocked" => assert!(detail["customer"].is_string() || detail["organization"].is_u64()),
            "plan.apply-started"
            | "plan.applied"
            | "directory.deletions-held"
            | "directory.released"
            | "directory.capture-started"
            | "directory.capture-stopped" => assert!(self.directories.contains(&id("directory"))),
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
    let usual = |character: char| match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap(),
        other => other,
    };
    name.trim()
        .chars()
        .map(usual)
        .flat_map(|character| if character == 'ς' { vec!['σ'] } else { character.to_lowercase().collect() })
        .nfc()
        .collect()
}

/// Names as an index has them.
#[derive(Default)]
struct Names {
    indexed: BTreeMap<String, String>,
    /// Those whose name the index has for another.
    others: Vec<(String, String)>,
    twins: BTreeSet<String>,
}

impl Names {
    fn add(&mut self, name: &str, id: &str, twin: &Value) {
        let name = encode(&comparable(name));
        if !twin.is_null() {
            self.twins.insert(id.to_string());
        }
        if *twin == "notIndexed" {
            self.others.push((name, id.to_string()));
            return;
        }
        assert_eq!(self.indexed.insert(name, id.to_string()), None, "two of one name");
    }

    /// The index has each name once, for the older of two, and both are among the conflicts.
    fn check(&self, index: BTreeMap<String, &str>, conflicts: &BTreeMap<&str, &str>) {
        assert_eq!(
            index.into_iter().map(|(name, id)| (name, id.to_string())).collect::<BTreeMap<_, _>>(),
            self.indexed
        );
        for (name, id) in &self.others {
            let older = &self.indexed[name];
            assert!(older < id);
            for (one, other) in [(older, id), (id, older)] {
                let same = json(conflicts[one.as_str()])["sameName"].as_object().unwrap().values().next().cloned();
                let same = same
                    .map(|same| same.as_u64().map_or_else(|| same.as_str().unwrap().into(), |n| format!("{n:010}")));
                assert_eq!(same.as_ref(), Some(other));
                assert!(self.twins.contains(one));
            }
        }
    }
}

/// The words of a name by which something is found.
pub fn found_words(name: &str) -> BTreeSet<String> {
    let is_address = name.trim().rsplit_once('@').is_some_and(|(front, domain)| {
        let refused = |character: char| character.is_whitespace() || character.is_control() || "<>".contains(character);
        !front.is_empty() && !name.trim().contains(refused) && domain.split('.').all(|label| !label.is_empty())
    });
    let name = if is_address { name.rsplit_once('@').unwrap().0 } else { name };
    let folded = comparable(name);
    let words = folded.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    let cut = |word: &str| {
        let end = (0..=64.min(word.len())).rev().find(|end| word.is_char_boundary(*end)).unwrap();
        word[..end].to_string()
    };
    let mut found = Vec::new();
    for word in words.map(cut) {
        if !found.contains(&word) {
            found.push(word);
        }
    }
    found.into_iter().take(16).collect()
}

fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        0x00..=0x23 => format!("#{byte:02x}"),
        0x24..=0x7d => char::from(byte).to_string(),
        _ => format!("~{byte:02x}"),
    };
    text.bytes().map(byte).collect()
}
