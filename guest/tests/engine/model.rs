//! Random sequences of requests against a small model of what the product says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use usher_engine::directories::{ConflictPolicy, EmailChange, OutsideDomains, UnknownMembers};

use super::integrity::{self, comparable};
use super::on_site::{OnSite, Sites, site_step};
use super::site::{Answer, Directory, Site, settings};
use super::staging::{apply, seen, stage};
use super::storage;

pub const NAMES: [&str; 6] = ["ann@x.test", " ANN@X.test", "bob", "Bob ", "ÅSA", "åsa"];
pub const EMAILS: [&str; 5] = ["ann@x.test", "Ann@X.Test ", "b@x.test", "c@x.test", "d@y.test"];

/// The domain that a directory is bound to, if it is bound to one.
pub const DOMAIN: &str = "x.test";
pub const GROUPS: [&str; 4] = ["Staff", " staff ", "Größe", "Desk"];

/// A user as a client writes it. Numbers choose from the lists above.
#[derive(Debug, Clone)]
struct UserBody {
    name: usize,
    email: Option<usize>,
    external: Option<u8>,
    active: Option<bool>,
}

#[derive(Debug, Clone)]
enum UserPatch {
    Active(bool),
    /// The status is taken away, in one of the ways to do that.
    NoStatus(usize),
    Name(usize),
    Email(Option<usize>),
    External(Option<u8>),
}

/// Members are chosen among all users that there ever were; one more is none.
#[derive(Debug, Clone)]
enum GroupPatch {
    Name(usize),
    Add(Vec<usize>),
    Remove(Vec<usize>),
    RemoveOne(usize),
    Replace(Vec<usize>),
    RemoveAll,
}

#[derive(Debug, Clone)]
enum Step {
    MakeUser(UserBody),
    PutUser(usize, UserBody),
    PatchUser(usize, Vec<UserPatch>),
    DeleteUser(usize),
    MakeGroup(usize, Vec<usize>),
    PutGroup(usize, usize, Vec<usize>),
    PatchGroup(usize, Vec<GroupPatch>),
    DeleteGroup(usize),
    /// A user is added to a group, or removed from it, as a membership of its own.
    Join(usize, usize),
    Leave(usize, usize),
}

#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub name: String,
    pub email: Option<String>,
    external: Option<String>,
    pub active: bool,
    version: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub name: String,
    pub members: BTreeSet<String>,
    version: u64,
}

/// What there is. Of what is gone the ids remain.
#[derive(Debug, Clone, Default)]
pub struct Model {
    follows: bool,
    skips: bool,
    /// Whether it refuses users with an address outside of its domain.
    refuses_others: bool,
    pub users: BTreeMap<String, User>,
    pub groups: BTreeMap<String, Group>,
    user_ids: Vec<String>,
    group_ids: Vec<String>,
    pub site: Sites,
}

/// A refusal: status and keyword.
pub type Refusal = (u16, &'static str);

pub const TAKEN: Refusal = (409, "uniqueness");
const NOT_FOUND: Refusal = (404, "");

impl Model {
    fn apply(&mut self, step: &Step, new_id: &str) -> Result<u16, Refusal> {
        match step {
            Step::MakeUser(body) => {
                let user = body.user(body.active.unwrap_or(true));
                self.check_domain(&user)?;
                self.check_name(new_id, &user)?;
                self.site.follow_user(new_id, &user, true)?;
                self.users.insert(new_id.to_string(), user);
                return Ok(201);
            }
            Step::PutUser(at, body) => {
                let (id, old) = self.user(*at)?;
                let new = body.user(body.active.unwrap_or(old.active));
                let leaves = body.active == Some(false);
                self.update(&id, &old, &new, leaves)?;
            }
            Step::PatchUser(at, patches) => {
                let (id, old) = self.user(*at)?;
                let mut new = old.clone();
                for patch in patches {
                    match patch {
                        UserPatch::Active(active) => new.active = *active,
                        UserPatch::NoStatus(_) => {}
                        UserPatch::Name(name) => new.name = NAMES[*name].to_string(),
                        UserPatch::Email(email) => new.email = email.map(|at| EMAILS[at].to_string()),
                        UserPatch::External(external) => new.external = external.map(|number| number.to_string()),
                    }
                }
                let leaves = !new.active && patches.iter().any(|patch| matches!(patch, UserPatch::Active(_)));
                self.update(&id, &old, &new, leaves)?;
            }
            Step::DeleteUser(at) => {
                let (id, _) = self.user(*at)?;
                self.users.remove(&id);
                self.site.forget_user(&id, &self.groups);
                for group in self.groups.values_mut() {
                    group.version += u64::from(group.members.remove(&id));
                }
                return Ok(204);
            }
            Step::MakeGroup(name, members) => {
                let group = Group { name: GROUPS[*name].to_string(), members: BTreeSet::new(), version: 1 };
                self.check_group_name(new_id, &group.name)?;
                self.site.check_group(&group.name)?;
                let is_complete = !members.is_empty();
                let members = self.known(members, &BTreeSet::new())?;
                self.site.make_group(new_id, &group.name, is_complete);
                self.groups.insert(new_id.to_string(), Group { members, ..group });
                return Ok(201);
            }
            Step::PutGroup(at, name, members) => {
                let patches = [GroupPatch::Name(*name), GroupPatch::Replace(members.clone())];
                self.patch_group(*at, &patches)?;
            }
            Step::PatchGroup(at, patches) => self.patch_group(*at, patches)?,
            Step::DeleteGroup(at) => {
                let (id, group) = self.group(*at)?;
                self.groups.remove(&id);
                self.site.forget_group(&id, &group);
                return Ok(204);
            }
            Step::Join(at, user) => {
                let strange = (400, "invalidValue");
                let (_, group) = self.group(*at).map_err(|_| strange)?;
                let (user_id, _) = self.user(*user).map_err(|_| strange)?;
                if group.members.contains(&user_id) {
                    return Err(TAKEN);
                }
                self.patch_group(*at, &[GroupPatch::Add(vec![*user])])?;
                return Ok(201);
            }
            Step::Leave(at, user) => {
                let (_, group) = self.group(*at)?;
                if !group.members.contains(&self.user_id(*user)) {
                    return Err(NOT_FOUND);
                }
                self.patch_group(*at, &[GroupPatch::RemoveOne(*user)])?;
                return Ok(204);
            }
        }
        Ok(200)
    }

    /// A user or group has a new version.
    fn touch(&mut self, id: &str) {
        self.users.get_mut(id).into_iter().for_each(|user| user.version += 1);
        self.groups.get_mut(id).into_iter().for_each(|group| group.version += 1);
    }

    fn user(&self, at: usize) -> Result<(String, User), Refusal> {
        let id = self.user_id(at);
        let user = self.users.get(&id).ok_or(NOT_FOUND)?.clone();
        Ok((id, user))
    }

    fn user_id(&self, at: usize) -> String {
        self.user_ids.get(at).map_or("nobody", String::as_str).to_string()
    }

    fn group(&self, at: usize) -> Result<(String, Group), Refusal> {
        let id = self.group_id(at);
        let group = self.groups.get(&id).ok_or(NOT_FOUND)?.clone();
        Ok((id, group))
    }

    fn group_id(&self, at: usize) -> String {
        self.group_ids.get(at).map_or("nothing", String::as_str).to_string()
    }

    fn check_name(&self, id: &str, user: &User) -> Result<(), Refusal> {
        let same = |other: &User| comparable(&other.name) == comparable(&user.name);
        if self.users.iter().any(|(other, user)| other != id && same(user)) { Err(TAKEN) } else { Ok(()) }
    }

    fn check_domain(&self, user: &User) -> Result<(), Refusal> {
        let outside = user.address().is_some_and(|address| !self.site.is_inside(&address));
        if self.refuses_others && outside { Err((400, "invalidValue")) } else { Ok(()) }
    }

    fn check_group_name(&self, id: &str, name: &str) -> Result<(), Refusal> {
        let same = |other: &Group| comparable(&other.name) == comparable(name);
        if self.groups.iter().any(|(other, group)| other != id && same(group)) { Err(TAKEN) } else { Ok(()) }
    }

    /// Of the request of somebody who leaves, so much is left out that the rest can be done.
    fn update(&mut self, id: &str, old: &User, new: &User, leaves: bool) -> Result<(), Refusal> {
        let mut outcome = self.change(id, old, new.clone());
        for (keeps_name, keeps_email) in [(true, false), (false, true), (true, true)] {
            if outcome.is_ok() || !leaves {
                break;
            }
            let name = if keeps_name { old } else { new }.name.clone();
            let email = if keeps_email { old } else { new }.email.clone();
            outcome = self.change(id, old, User { name, email, ..new.clone() });
        }
        outcome
    }

    fn change(&mut self, id: &str, old: &User, mut new: User) -> Result<(), Refusal> {
        let renames_email =
            Some(comparable(&old.name)) == old.address() && comparable(&old.name) != comparable(&new.name);
        let changes_email = old.address().is_some() && (renames_email || old.address() != new.address());
        if changes_email && !self.follows {
            return Err((400, "mutability"));
        }
        let moves = old.address() != new.address();
        if moves {
            self.check_domain(&new)?;
        }
        self.check_name(id, &new)?;
        let changes = User { version: old.version, ..new.clone() } != *old;
        if changes {
            self.site.follow_user(id, &new, moves)?;
        }
        new.version = old.version + u64::from(changes);
        self.users.insert(id.to_string(), new);
        Ok(())
    }

    fn patch_group(&mut self, at: usize, patches: &[GroupPatch]) -> Result<(), Refusal> {
        let (id, old) = self.group(at)?;
        let (mut new, mut strangers) = (old.clone(), BTreeSet::new());
        for patch in patches {
            match patch {
                GroupPatch::Name(name) => new.name = GROUPS[*name].to_string(),
                GroupPatch::Add(users) => self.join(&mut new, users, &mut strangers),
                GroupPatch::Remove(users) => users.iter().for_each(|at| {
                    new.members.remove(&self.user_id(*at));
                }),
                GroupPatch::RemoveOne(at) => {
                    new.members.remove(&self.user_id(*at));
                }
                GroupPatch::Replace(users) => {
                    new.members.clear();
                    self.join(&mut new, users, &mut strangers);
                }
                GroupPatch::RemoveAll => new.members.clear(),
            }
        }
        self.check_group_name(&id, &new.name)?;
        self.site.check_rename(&id, &old.name, &new.name)?;
        // Somebody who is unknown and leaves again within the request never came.
        strangers.retain(|id| id == "nobody" || new.members.contains(id));
        if !strangers.is_empty() && !self.skips {
            return Err((400, "invalidValue"));
        }
        new.members.retain(|id| !strangers.contains(id));
        new.version += u64::from(new != old);
        let is_complete = patches.iter().any(|patch| matches!(patch, GroupPatch::Replace(_) | GroupPatch::RemoveAll));
        self.site.follow_group(&id, &old.name, &new.name, is_complete);
        // Whoever is named is decided about, be it that the group does not have them.
        let named = patches.iter().flat_map(|patch| match patch {
            GroupPatch::Remove(users) => users.as_slice(),
            GroupPatch::RemoveOne(at) => std::slice::from_ref(at),
            _ => &[],
        });
        let named: Vec<String> = named.map(|at| self.user_id(*at)).collect();
        new.members.difference(&old.members).for_each(|user| self.site.confirm(&id, user));
        for user in named.iter().chain(old.members.difference(&new.members)) {
            self.site.release(&id, user);
        }
        self.groups.insert(id, new);
        Ok(())
    }

    fn join(&self, group: &mut Group, users: &[usize], strangers: &mut BTreeSet<String>) {
        for id in users.iter().map(|at| self.user_id(*at)) {
            if !self.users.contains_key(&id) {
                strangers.insert(id.clone());
            }
            group.members.insert(id);
        }
    }

    fn known(&self, users: &[usize], members: &BTreeSet<String>) -> Result<BTreeSet<String>, Refusal> {
        let mut group = Group { name: String::new(), members: members.clone(), version: 1 };
        let mut strangers = BTreeSet::new();
        self.join(&mut group, users, &mut strangers);
        if !strangers.is_empty() && !self.skips {
            return Err((400, "invalidValue"));
        }
        group.members.retain(|id| !strangers.contains(id));
        Ok(group.members)
    }
}

impl User {
    pub fn address(&self) -> Option<String> {
        let email = self.email.as_deref().filter(|email| !email.trim().is_empty());
        email.or_else(|| Some(self.name.as_str()).filter(|name| name.contains('@'))).map(comparable)
    }
}

impl UserBody {
    fn user(&self, active: bool) -> User {
        let email = self.email.map(|at| EMAILS[at].to_string());
        let external = self.external.map(|number| number.to_string());
        User { name: NAMES[self.name].to_string(), email, external, active, version: 1 }
    }

    fn json(&self) -> Value {
        let emails: Vec<Value> = self.email.iter().map(|at| json!({ "value": EMAILS[*at] })).collect();
        let external = self.external.map(|number| number.to_string());
        let mut body = json!({ "userName": NAMES[self.name], "emails": emails, "externalId": external });
        if let Some(active) = self.active {
            body["active"] = active.into();
        }
        body
    }
}

/// Method, path and body of a step.
fn request(model: &Model, step: &Step) -> (&'static str, String, Value) {
    let members =
        |users: &[usize]| -> Value { users.iter().map(|at| json!({ "value": model.user_id(*at) })).collect() };
    let user = |at: &usize| format!("/Users/{}", model.user_id(*at));
    let group = |at: &usize| format!("/Groups/{}", model.group_id(*at));
    let group_body = |name: &usize, users: &[usize]| json!({ "displayName": GROUPS[*name], "members": members(users) });
    match step {
        Step::MakeUser(body) => ("POST", "/Users".into(), body.json()),
        Step::PutUser(at, body) => ("PUT", user(at), body.json()),
        Step::DeleteUser(at) => ("DELETE", user(at), Value::Null),
        Step::MakeGroup(name, users) => ("POST", "/Groups".into(), group_body(name, users)),
        Step::PutGroup(at, name, users) => ("PUT", group(at), group_body(name, users)),
        Step::DeleteGroup(at) => ("DELETE", group(at), Value::Null),
        Step::Join(at, user) => {
            let body =
                json!({ "group": { "value": model.group_id(*at) }, "member": { "value": model.user_id(*user) } });
            ("POST", "/GroupMemberships".into(), body)
        }
        Step::Leave(at, user) => {
            let path = format!("/GroupMemberships/{}-{}", model.group_id(*at), model.user_id(*user));
            ("DELETE", path, Value::Null)
        }
        Step::PatchUser(at, patches) => {
            let operation = |patch: &UserPatch| match patch {
                UserPatch::Active(active) => json!({ "op": "Replace", "path": "active", "value": active }),
                UserPatch::NoStatus(0) => json!({ "op": "remove", "path": "active" }),
                UserPatch::NoStatus(1) => json!({ "op": "replace", "path": "active", "value": null }),
                UserPatch::NoStatus(_) => json!({ "op": "add", "value": { "active": null } }),
                UserPatch::Name(name) => json!({ "op": "replace", "value": { "userName": NAMES[*name] } }),
                UserPatch::Email(None) => json!({ "op": "remove", "path": "emails" }),
                UserPatch::Email(Some(at)) => {
                    json!({ "op": "replace", "path": "emails", "value": [{ "value": EMAILS[*at] }] })
                }
                UserPatch::External(None) => json!({ "op": "remove", "path": "externalId" }),
                UserPatch::External(Some(number)) => {
                    json!({ "op": "add", "path": "externalId", "value": number.to_string() })
                }
            };
            ("PATCH", user(at), json!({ "Operations": patches.iter().map(operation).collect::<Value>() }))
        }
        Step::PatchGroup(at, patches) => {
            let operation = |patch: &GroupPatch| match patch {
                GroupPatch::Name(name) => json!({ "op": "replace", "path": "displayName", "value": GROUPS[*name] }),
                GroupPatch::Add(users) => json!({ "op": "add", "path": "members", "value": members(users) }),
                GroupPatch::Remove(users) => json!({ "op": "remove", "path": "members", "value": members(users) }),
                GroupPatch::RemoveOne(at) => {
                    json!({ "op": "remove", "path": format!("members[value eq \"{}\"]", model.user_id(*at)) })
                }
                GroupPatch::Replace(users) => json!({ "op": "replace", "path": "members", "value": members(users) }),
                GroupPatch::RemoveAll => json!({ "op": "remove", "path": "members" }),
            };
            ("PATCH", group(at), json!({ "Operations": patches.iter().map(operation).collect::<Value>() }))
        }
    }
}

/// Everything over SCIM is as the model has it.
fn compare(directory: &Directory<'_>, model: &Model) {
    let users = directory.get("/Users?count=1000").expect(200);
    assert_eq!(users.body["totalResults"], model.users.len());
    let seen: BTreeMap<String, User> =
        users.resources().iter().map(|user| (text(&user["id"]), read_user(user))).collect();
    assert_eq!(seen, model.users);
    for user in users.resources() {
        let listed = user["groups"].as_array().into_iter().flatten();
        let seen: BTreeSet<(String, String)> =
            listed.map(|group| (text(&group["value"]), text(&group["display"]))).collect();
        let of = model.groups.iter().filter(|(_, group)| group.members.contains(user["id"].as_str().unwrap()));
        assert_eq!(seen, of.map(|(id, group)| (id.clone(), group.name.clone())).collect());
    }
    let groups = directory.get("/Groups?count=1000").expect(200);
    assert_eq!(groups.body["totalResults"], model.groups.len());
    let seen: BTreeMap<String, Group> =
        groups.resources().iter().map(|group| (text(&group["id"]), read_group(group))).collect();
    assert_eq!(seen, model.groups);
    let memberships = directory.get("/GroupMemberships?count=1000").expect(200);
    let expected: Vec<String> = (model.groups.iter())
        .flat_map(|(id, group)| group.members.iter().map(move |user| format!("{id}-{user}")))
        .collect();
    assert_eq!((memberships.ids(), &memberships.body["totalResults"]), (expected.clone(), &json!(expected.len())));
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_string()
}

fn version(resource: &Value) -> u64 {
    text(&resource["meta"]["version"]).trim_start_matches("W/").trim_matches('"').parse().unwrap()
}

fn read_user(user: &Value) -> User {
    User {
        name: text(&user["userName"]),
        email: user["emails"][0]["value"].as_str().map(ToString::to_string),
        external: user["externalId"].as_str().map(ToString::to_string),
        active: user["active"].as_bool().unwrap(),
        version: version(user),
    }
}

fn read_group(group: &Value) -> Group {
    let members = group["members"].as_array().unwrap().iter().map(|member| text(&member["value"])).collect();
    Group { name: text(&group["displayName"]), members, version: version(group) }
}

fn compare_answer(answer: &Answer, expected: Result<u16, Refusal>) {
    match expected {
        Ok(status) => assert_eq!(answer.status, status, "{}", answer.body),
        Err((status, scim_type)) => {
            assert_eq!((answer.status, answer.body["scimType"].as_str().unwrap_or_default()), (status, scim_type));
        }
    }
}

/// Carries out a step alone.
fn alone(directory: &Directory<'_>, model: &mut Model, step: &Step) {
    let (method, path, body) = request(model, step);
    let answer = directory.send(method, &path, &body);
    let new_id = answer.body["id"].as_str().unwrap_or_default().to_string();
    let expected = model.apply(step, &new_id);
    compare_answer(&answer, expected);
    if expected == Ok(201) {
        remember(model, step, new_id);
    }
}

fn remember(model: &mut Model, step: &Step, id: String) {
    match step {
        Step::MakeUser(_) => model.user_ids.push(id),
        Step::MakeGroup(..) => model.group_ids.push(id),
        _ => {}
    }
}

/// Carries out steps as one bulk request.
fn together(directory: &Directory<'_>, model: &mut Model, steps: &[Step], fail_on_errors: Option<usize>) {
    let operations = steps.iter().enumerate().map(|(at, step)| {
        let (method, path, data) = request(model, step);
        json!({ "method": method, "path": path, "bulkId": at.to_string(), "data": data })
    });
    let mut body = json!({ "Operations": operations.collect::<Value>() });
    if let Some(limit) = fail_on_errors {
        body["failOnErrors"] = limit.into();
    }
    let answer = directory.post("/Bulk", &body).expect(200);
    let done = answer.body["Operations"].as_array().unwrap();
    let (mut errors, mut made) = (0, Vec::new());
    for (at, step) in steps.iter().enumerate() {
        if fail_on_errors.is_some_and(|limit| errors >= limit) {
            assert_eq!(done.len(), at);
            break;
        }
        let new_id = done[at]["location"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let expected = model.apply(step, new_id);
        match expected {
            Ok(status) => assert_eq!(done[at]["status"], status.to_string(), "{}", done[at]),
            Err((status, scim_type)) => {
                errors += 1;
                assert_eq!(done[at]["status"], status.to_string(), "{}", done[at]);
                assert_eq!(done[at]["response"]["scimType"].as_str().unwrap_or_default(), scim_type);
            }
        }
        if expected == Ok(201) {
            made.push((step, new_id.to_string()));
        }
    }
    for (step, id) in made {
        remember(model, step, id);
    }
}

fn user_body() -> impl Strategy<Value = UserBody> {
    (0..NAMES.len(), prop::option::of(0..EMAILS.len()), prop::option::of(0..3_u8), prop::option::of(any::<bool>()))
        .prop_map(|(name, email, external, active)| UserBody { name, email, external, active })
}

fn step() -> impl Strategy<Value = Step> {
    let users = || prop::collection::vec(0..6_usize, 0..4);
    let user_patch = prop_oneof![
        3 => any::<bool>().prop_map(UserPatch::Active),
        1 => (0..3_usize).prop_map(UserPatch::NoStatus),
        1 => (0..NAMES.len()).prop_map(UserPatch::Name),
        1 => prop::option::of(0..EMAILS.len()).prop_map(UserPatch::Email),
        1 => prop::option::of(0..3_u8).prop_map(UserPatch::External),
    ];
    let group_patch = prop_oneof![
        1 => (0..GROUPS.len()).prop_map(GroupPatch::Name),
        3 => users().prop_map(GroupPatch::Add),
        2 => users().prop_map(GroupPatch::Remove),
        2 => (0..6_usize).prop_map(GroupPatch::RemoveOne),
        1 => users().prop_map(GroupPatch::Replace),
        1 => Just(GroupPatch::RemoveAll),
    ];
    prop_oneof![
        4 => user_body().prop_map(Step::MakeUser),
        2 => (0..6_usize, user_body()).prop_map(|(at, body)| Step::PutUser(at, body)),
        3 => (0..6_usize, prop::collection::vec(user_patch, 1..4)).prop_map(|(at, patches)| Step::PatchUser(at, patches)),
        1 => (0..6_usize).prop_map(Step::DeleteUser),
        2 => (0..GROUPS.len(), users()).prop_map(|(name, users)| Step::MakeGroup(name, users)),
        1 => (0..4_usize, 0..GROUPS.len(), users()).prop_map(|(at, name, users)| Step::PutGroup(at, name, users)),
        4 => (0..4_usize, prop::collection::vec(group_patch, 1..4)).prop_map(|(at, patches)| Step::PatchGroup(at, patches)),
        1 => (0..4_usize).prop_map(Step::DeleteGroup),
        2 => (0..4_usize, 0..6_usize).prop_map(|(at, user)| Step::Join(at, user)),
        1 => (0..4_usize, 0..6_usize).prop_map(|(at, user)| Step::Leave(at, user)),
    ]
}

/// What is done at once: steps that go into one request, and after how many errors that ends; or something on the site.
#[derive(Debug, Clone)]
enum Action {
    Requests(Vec<Step>, Option<usize>),
    OnSite(OnSite),
    /// The directory is disconnected, with all that it managed or without, and another one connected, before or after
    /// upkeep has done its work.
    Reconnect {
        removes: bool,
        sweeps: bool,
    },
    /// The steps are done while the directory is staged, and its plan is applied.
    Rehearse(Vec<Step>),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let bulk = (prop::collection::vec(step(), 2..8), prop::option::of(1..3_usize));
    let action = prop_oneof![
        24 => step().prop_map(|step| Action::Requests(vec![step], None)),
        6 => bulk.prop_map(|(steps, limit)| Action::Requests(steps, limit)),
        12 => site_step().prop_map(Action::OnSite),
        1 => any::<(bool, bool)>().prop_map(|(removes, sweeps)| Action::Reconnect { removes, sweeps }),
        2 => prop::collection::vec(step(), 1..8).prop_map(Action::Rehearse),
    ];
    prop::collection::vec(action, 1..40)
}

/// Disconnects the directory and connects another one with the same settings.
fn reconnect<'s>(
    site: &'s Site,
    directory: &Directory<'s>,
    model: &mut Model,
    removes: bool,
    sweeps: bool,
) -> Directory<'s> {
    let settings = site.engine().directory(&directory.id).unwrap().settings;
    site.engine().disconnect("ann", &directory.id, removes).unwrap();
    model.site.disconnect(&model.users, &model.groups, removes);
    (model.users, model.groups) = Default::default();
    if sweeps {
        site.sweep(3);
        model.site.swept();
    }
    site.connect(&settings)
}

/// Carries out steps while the directory is staged: the answers are those of a live one, and nothing moves on the site until
/// the plan is applied. Then all is as if it had been live.
fn rehearse(site: &Site, directory: &Directory<'_>, model: &mut Model, steps: &[Step]) {
    // Graces and probations count from the apply, so none is to be open before or after.
    wait(site, directory, model);
    stage(directory);
    let (before, last) = (seen(site), model.site.last_organization());
    for step in steps {
        alone(directory, model, step);
        assert_eq!(seen(site), before, "{step:?}");
        compare(directory, model);
        integrity::check(&site.storage);
    }
    apply(directory);
    wait(site, directory, model);
    model.site.applied(site, last);
}

fn wait(site: &Site, directory: &Directory<'_>, model: &mut Model) {
    model.site.perform(site, &directory.id, &model.users, &model.groups, &OnSite::Wait);
    site.sweep(1_000);
    model.site.swept();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: storage::cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_requests_comes_to_what_the_product_says(
        actions in actions(),
        follows in any::<bool>(),
        skips in any::<bool>(),
        policy in prop_oneof![
            3 => Just(ConflictPolicy::Sync),
            1 => Just(ConflictPolicy::Skip),
            1 => Just(ConflictPolicy::Reject),
        ],
        outside in prop::option::of(prop_oneof![Just(OutsideDomains::Unlinked), Just(OutsideDomains::Refuse)]),
        rule in prop::option::of(prop_oneof![Just("S*"), Just("*")]),
    ) {
        let site = Site::new();
        let mut settings = settings("idp");
        settings.membership_resources = true;
        if follows {
            settings.email_change = EmailChange::Follow;
        }
        if skips {
            settings.unknown_members = UnknownMembers::Skip;
        }
        settings.conflict_policy = policy;
        if let Some(outside) = outside {
            settings.domains = vec![DOMAIN.to_string()];
            settings.outside_domains = outside;
        }
        let on_site = Sites::new(&site, policy, outside.is_some(), rule);
        settings.project_rules = on_site.project_rules();
        let mut directory = site.connect(&settings);
        let refuses_others = outside == Some(OutsideDomains::Refuse);
        let mut model = Model { follows, skips, refuses_others, site: on_site, ..Model::default() };
        for action in &actions {
            match action {
                Action::Requests(steps, fail_on_errors) => match steps.as_slice() {
                    [step] => alone(&directory, &mut model, step),
                    steps => together(&directory, &mut model, steps, *fail_on_errors),
                },
                Action::OnSite(step) => {
                    let touched = model.site.perform(&site, &directory.id, &model.users, &model.groups, step);
                    model.touch(touched.as_deref().unwrap_or_default());
                }
                Action::Reconnect { removes, sweeps } => {
                    directory = reconnect(&site, &directory, &mut model, *removes, *sweeps);
                }
                // Who moves out of the domains before there is a customer never leaves one behind.
                Action::Rehearse(_) if outside.is_some() && follows => {}
                Action::Rehearse(steps) => rehearse(&site, &directory, &mut model, steps),
            }
            model.site.learn_ids(&site);
            compare(&directory, &model);
            model.site.compare(&site, &directory.id, &model.users, &model.groups);
            integrity::check(&site.storage);
        }
    }
}
