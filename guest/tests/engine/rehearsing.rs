//! Any traffic into a staged directory, applied, comes to the same as the same traffic into a live one.

use proptest::prelude::*;
use serde_json::{Value, json};
use usher_engine::directories::{ConflictPolicy, EmailChange, ProjectRule, Settings};

use super::integrity;
use super::site::{Answer, Directory, settings};
use super::staging::{HOUR, address, apply, group_name, seen, site_with, stage};

/// A step of an identity provider.
#[derive(Debug, Clone)]
enum Step {
    MakeUser { name: usize, address: usize, active: bool },
    ChangeUser { at: usize, what: UserChange },
    DeleteUser(usize),
    MakeGroup { name: usize, members: Vec<usize> },
    RenameGroup { at: usize, name: usize },
    Members { at: usize, add: bool, users: Vec<usize> },
    AllMembers { at: usize, users: Vec<usize> },
    DeleteGroup(usize),
}

#[derive(Debug, Clone)]
enum UserChange {
    Address(usize),
    NoAddress,
    Name(usize),
    Active(bool),
    Shown(usize),
}

fn steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    let few = || prop::collection::vec(0..12_usize, 0..4);
    let change = prop_oneof![
        4 => (0..8_usize).prop_map(UserChange::Address),
        1 => Just(UserChange::NoAddress),
        1 => (0..10_usize).prop_map(UserChange::Name),
        3 => any::<bool>().prop_map(UserChange::Active),
        2 => (0..4_usize).prop_map(UserChange::Shown),
    ];
    let step = prop_oneof![
        6 => (0..10_usize, 0..9_usize, prop::bool::weighted(0.8))
            .prop_map(|(name, address, active)| Step::MakeUser { name, address, active }),
        6 => (0..12_usize, change).prop_map(|(at, what)| Step::ChangeUser { at, what }),
        2 => (0..12_usize).prop_map(Step::DeleteUser),
        4 => (0..7_usize, few()).prop_map(|(name, members)| Step::MakeGroup { name, members }),
        3 => (0..8_usize, 0..7_usize).prop_map(|(at, name)| Step::RenameGroup { at, name }),
        4 => (0..8_usize, any::<bool>(), few()).prop_map(|(at, add, users)| Step::Members { at, add, users }),
        2 => (0..8_usize, few()).prop_map(|(at, users)| Step::AllMembers { at, users }),
        2 => (0..8_usize).prop_map(Step::DeleteGroup),
    ];
    prop::collection::vec(step, 1..max)
}

/// What an identity provider has made, in order.
#[derive(Default)]
struct Made {
    users: Vec<String>,
    groups: Vec<String>,
}

impl Made {
    fn user(&self, at: usize) -> Option<&String> {
        self.users.get(at % self.users.len().max(1))
    }

    fn values(&self, users: &[usize]) -> Vec<Value> {
        let mut ids: Vec<&String> = users.iter().filter_map(|at| self.user(*at)).collect();
        ids.sort();
        ids.dedup();
        ids.into_iter().map(|id| json!({ "value": id })).collect()
    }

    fn send(&mut self, directory: &Directory<'_>, step: &Step) -> Option<Answer> {
        let user = |at: usize| Some(format!("/Users/{}", self.user(at)?));
        let group = |at: usize| Some(format!("/Groups/{}", self.groups.get(at % self.groups.len().max(1))?));
        let replace = |path: &str, value: Value| json!([{ "op": "replace", "path": path, "value": value }]);
        Some(match step {
            Step::MakeUser { name, address: at, active } => {
                let body = json!({
                    "userName": format!("user{name}"), "emails": [{ "value": address(*at) }], "active": active,
                    "displayName": format!("User {name}"),
                });
                let answer = directory.post("/Users", &body);
                if answer.status == 201 {
                    self.users.push(answer.id());
                }
                answer
            }
            Step::ChangeUser { at, what } => {
                let operations = match what {
                    UserChange::Address(to) => replace("emails", json!([{ "value": address(*to) }])),
                    UserChange::NoAddress => json!([{ "op": "remove", "path": "emails" }]),
                    UserChange::Name(to) => replace("userName", json!(format!("user{to}"))),
                    UserChange::Active(active) => replace("active", json!(active)),
                    UserChange::Shown(to) => replace("displayName", json!(format!("Shown {to}"))),
                };
                directory.patch(&user(*at)?, operations)
            }
            Step::DeleteUser(at) => directory.delete(&user(*at)?),
            Step::MakeGroup { name, members } => {
                let body = json!({ "displayName": group_name(*name), "members": self.values(members) });
                let answer = directory.post("/Groups", &body);
                if answer.status == 201 {
                    self.groups.push(answer.id());
                }
                answer
            }
            Step::RenameGroup { at, name } => {
                directory.patch(&group(*at)?, replace("displayName", json!(group_name(*name))))
            }
            Step::Members { at, add, users } => {
                let op = if *add { "add" } else { "remove" };
                directory.patch(&group(*at)?, json!([{ "op": op, "path": "members", "value": self.values(users) }]))
            }
            Step::AllMembers { at, users } => {
                directory.patch(&group(*at)?, replace("members", json!(self.values(users))))
            }
            Step::DeleteGroup(at) => directory.delete(&group(*at)?),
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn staged_and_applied_is_the_same_as_live(
        locals in prop::collection::vec(0..8_usize, 0..5),
        organizations in prop::collection::vec((0..7_usize, prop::collection::vec(0..8_usize, 0..4)), 0..4),
        policy in prop::sample::select(vec![ConflictPolicy::Sync, ConflictPolicy::Skip, ConflictPolicy::Reject]),
        follow in any::<bool>(),
        before in steps(12),
        planned in steps(25),
    ) {
        let email_change = if follow { EmailChange::Follow } else { EmailChange::Refuse };
        let rules = vec![ProjectRule { pattern: "group*".to_string(), projects: vec![1, 3] }];
        let settings = Settings { conflict_policy: policy, email_change, project_rules: rules, ..settings("idp") };
        let sites = [site_with(&locals, &organizations), site_with(&locals, &organizations)];
        let directories = [sites[0].connect(&settings), sites[1].connect(&settings)];
        let mut made = [Made::default(), Made::default()];
        for (at, step) in before.iter().chain(&planned).enumerate() {
            if at == before.len() {
                // Graces and probations end by themselves.
                for site in &sites {
                    site.surroundings.pass(2 * HOUR);
                    site.sweep(1_000);
                }
                stage(&directories[1]);
            }
            let untouched = (at >= before.len()).then(|| seen(&sites[1]));
            let answers = [0, 1].map(|on| made[on].send(&directories[on], step));
            let of = |answer: &Option<Answer>| answer.as_ref().map(|answer| (answer.status, answer.body["scimType"].clone()));
            prop_assert_eq!(of(&answers[0]), of(&answers[1]), "{:?}: {:?}", step, answers);
            if let Some(untouched) = untouched {
                prop_assert_eq!(&untouched, &seen(&sites[1]), "{:?}", step);
                integrity::check(&sites[1].storage);
            }
        }
        apply(&directories[1]);
        for site in &sites {
            site.surroundings.pass(2 * HOUR);
            site.sweep(1_000);
            integrity::check(&site.storage);
        }
        prop_assert_eq!(seen(&sites[0]), seen(&sites[1]));
    }
}
