//! A restored customer is a member of a managed organization on probation only: until the identity provider says anything
//! about it, an administrator repairs the group, or the time is over.

use serde_json::{Value, json};
use usher_engine::directories::SettingsUpdate;
use usher_engine::site::projects::Audience;

use super::integrity;
use super::on_site::everything;
use super::site::{Directory, Site, settings};

/// The grace of adoptions in the directories here, in milliseconds.
const GRACE: u64 = 3_600_000;

/// A customer that was deleted by its directory and restored.
struct Restored<'s> {
    site: &'s Site,
    directory: Directory<'s>,
    /// The other user of the group.
    stays: String,
    group: String,
    organization: u64,
    customer: String,
    project: u64,
}

fn restored(site: &Site) -> Restored<'_> {
    restored_in(site, site.connect(&settings("idp")))
}

fn restored_in<'s>(site: &'s Site, directory: Directory<'s>) -> Restored<'s> {
    let users = [directory.user("gone@x.test"), directory.user("stays@x.test")];
    let group = directory.group("Staff", &users);
    let organization = site.organization("Staff").unwrap();
    let project = site.engine().create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    site.engine().associate_organization("ann", project, organization, true).unwrap();
    let customer = site.customer("gone@x.test").unwrap().id;
    directory.delete(&format!("/Users/{}", users[0])).expect(204);
    site.engine().restore_customer("ann", &customer).unwrap();
    integrity::check(&site.storage);
    let [_, stays] = users;
    Restored { site, directory, stays, group, organization, customer, project }
}

impl Restored<'_> {
    /// Whether the customer is a member: in lists from both ends, on its own, and by what that opens.
    #[track_caller]
    fn is_member(&self) -> bool {
        let engine = self.site.engine();
        let member = self.site.members(self.organization).contains(&"gone@x.test".to_string());
        let of = engine.organizations_of(&self.customer).unwrap();
        assert_eq!(of.iter().any(|organization| organization.id == self.organization), member);
        assert_eq!(engine.organization_member(self.organization, &self.customer).is_ok(), member);
        assert_eq!(engine.access(&self.customer, self.project).unwrap().allowed, member);
        assert_eq!(!engine.projects_of(&self.customer).unwrap().is_empty(), member);
        integrity::check(&self.site.storage);
        member
    }

    /// Who the check of the group says is on probation.
    fn listed(&self) -> Vec<(String, u64)> {
        let check = self.site.engine().check_group(&self.directory.id, &self.group).unwrap();
        assert!(check.differences.is_empty());
        assert_eq!(check.probation.count as usize, check.probation.first.len());
        check.probation.first
    }

    fn edit(&self, op: &str, users: &[&String]) {
        let members: Vec<Value> = users.iter().map(|id| json!({ "value": id })).collect();
        let edit = json!([{ "op": op, "path": "members", "value": members }]);
        self.directory.patch(&format!("/Groups/{}", self.group), edit).expect(200);
    }

    /// Whether the feed names the customer as one that has left the organization, since position `after`; by whom.
    fn named_gone(&self, after: u64) -> Vec<String> {
        let changes = self.site.engine().changes(after, 1_000).unwrap();
        let named = changes.into_iter().filter(|change| change.kind == "organization.members-removed");
        let named = named.filter(|change| change.detail.contains(&self.customer));
        named.map(|change| change.actor).collect()
    }

    fn position(&self) -> u64 {
        self.site.engine().changes(0, 1_000).unwrap().last().unwrap().sequence
    }
}

#[test]
fn probation_ends_by_itself_at_its_time_although_upkeep_is_late() {
    let site = Site::new();
    let restored = restored(&site);
    assert!(restored.is_member());
    let [(customer, until)] = <[_; 1]>::try_from(restored.listed()).unwrap();
    assert_eq!(customer, restored.customer);
    let before = restored.position();
    site.surroundings.pass(GRACE - 60_000);
    site.sweep(10);
    assert!(restored.is_member());
    site.surroundings.pass(60_000);
    assert!(!restored.is_member() && restored.listed().is_empty());
    assert!(restored.named_gone(before).is_empty());
    site.sweep(10);
    assert!(!restored.is_member());
    assert_eq!(restored.named_gone(before), ["usher"]);
    assert!(until > 0 && !site.storage.snapshot().keys().any(|key| key.contains("/probation/")));
}

#[test]
fn an_addition_to_the_group_ends_probation_and_the_customer_stays() {
    let site = Site::new();
    let restored = restored(&site);
    let before = restored.position();
    let again = restored.directory.user("gone@x.test");
    restored.edit("add", &[&again]);
    assert!(restored.is_member() && restored.listed().is_empty());
    site.surroundings.pass(GRACE);
    site.sweep(10);
    assert!(restored.is_member() && restored.named_gone(before).is_empty());
    // What it was restored to is over: without the group it is no member.
    restored.edit("remove", &[&again]);
    assert!(!restored.is_member());
}

#[test]
fn a_customer_that_is_linked_to_a_member_of_the_group_stays_when_its_probation_ends() {
    let site = Site::new();
    let restored = restored(&site);
    let before = restored.position();
    let again = restored.directory.post("/Users", &json!({ "userName": "gone" })).expect(201).id();
    restored.edit("add", &[&again]);
    let email = json!([{ "op": "add", "path": "emails", "value": [{ "value": "gone@x.test" }] }]);
    restored.directory.patch(&format!("/Users/{again}"), email).expect(200);
    assert!(restored.is_member() && restored.listed().is_empty());
    site.surroundings.pass(GRACE);
    assert!(restored.is_member());
    site.sweep(10);
    assert!(restored.is_member() && restored.named_gone(before).is_empty());
}

#[test]
fn a_removal_from_the_group_or_its_full_list_ends_probation() {
    for is_complete in [false, true] {
        let site = Site::new();
        let restored = restored(&site);
        let before = restored.position();
        let again = restored.directory.user("gone@x.test");
        if is_complete {
            restored.edit("replace", &[&restored.stays]);
        } else {
            restored.edit("remove", &[&again]);
        }
        assert!(!restored.is_member() && restored.listed().is_empty());
        assert_eq!(restored.named_gone(before), [format!("directory:{}", restored.directory.id)]);
        site.surroundings.pass(GRACE);
        site.sweep(10);
        assert_eq!(restored.named_gone(before).len(), 1);
    }
}

#[test]
fn a_full_list_that_has_the_customer_names_nobody_as_gone() {
    let site = Site::new();
    let restored = restored(&site);
    let before = restored.position();
    let again = restored.directory.user("gone@x.test");
    restored.edit("replace", &[&restored.stays, &again]);
    assert!(restored.is_member() && restored.listed().is_empty() && restored.named_gone(before).is_empty());
}

#[test]
fn a_check_lists_who_is_on_probation_and_a_repair_ends_it() {
    let site = Site::new();
    let restored = restored(&site);
    let before = restored.position();
    let repair = site.engine().repair_group("bob", &restored.directory.id, &restored.group).unwrap();
    assert_eq!((repair.found.probation.count, repair.left.len()), (1, 0));
    assert!(!restored.is_member() && restored.listed().is_empty());
    assert_eq!(restored.named_gone(before), ["admin:bob"]);
    let again = site.engine().repair_group("bob", &restored.directory.id, &restored.group).unwrap();
    assert_eq!(again.found.probation.count, 0);
    assert_eq!(restored.named_gone(before).len(), 1);
}

#[test]
fn a_second_restoration_prolongs_nothing() {
    let site = Site::new();
    let restored = restored(&site);
    let listed = restored.listed();
    site.surroundings.pass(GRACE / 2);
    let engine = site.engine();
    let again = || {
        engine.delete_customer("ann", &restored.customer).unwrap();
        integrity::check(&site.storage);
        engine.restore_customer("ann", &restored.customer).unwrap();
    };
    again();
    assert!(restored.is_member());
    assert_eq!(restored.listed(), listed);
    engine.delete_customer("ann", &restored.customer).unwrap();
    site.surroundings.pass(GRACE / 2);
    engine.restore_customer("ann", &restored.customer).unwrap();
    assert!(!restored.is_member());
    again();
    site.sweep(10);
    assert!(!restored.is_member());
}

#[test]
fn a_directory_that_takes_the_customer_up_and_deletes_it_again_begins_another_probation() {
    let site = Site::new();
    let restored = restored(&site);
    site.surroundings.pass(GRACE / 2);
    let again = restored.directory.post("/Users", &json!({ "userName": "gone" })).expect(201).id();
    restored.edit("add", &[&again]);
    let email = json!([{ "op": "add", "path": "emails", "value": [{ "value": "gone@x.test" }] }]);
    restored.directory.patch(&format!("/Users/{again}"), email).expect(200);
    restored.directory.delete(&format!("/Users/{again}")).expect(204);
    integrity::check(&site.storage);
    site.surroundings.pass(GRACE);
    site.sweep(10);
    site.engine().restore_customer("ann", &restored.customer).unwrap();
    assert!(restored.is_member());
    site.surroundings.pass(GRACE);
    assert!(!restored.is_member());
}

#[test]
fn without_a_grace_there_is_no_probation() {
    let site = Site::new();
    let mut wanted = settings("idp");
    wanted.adoption_grace_seconds = 0;
    let directory = site.connect(&wanted);
    let restored = restored_in(&site, directory);
    assert!(!restored.is_member() && restored.listed().is_empty());
    // A longer grace is for those who are restored from then on.
    let update = SettingsUpdate { adoption_grace_seconds: Some(60), ..SettingsUpdate::default() };
    site.engine().update_directory("ann", &restored.directory.id, &update).unwrap();
    assert!(!restored.is_member());
    site.sweep(10);
    assert!(!restored.is_member());
}

#[test]
fn another_grace_moves_no_end_that_is_set() {
    let site = Site::new();
    let restored = restored(&site);
    let listed = restored.listed();
    let update = SettingsUpdate { adoption_grace_seconds: Some(86_400), ..SettingsUpdate::default() };
    site.engine().update_directory("ann", &restored.directory.id, &update).unwrap();
    assert_eq!(restored.listed(), listed);
}

#[test]
fn a_directory_that_is_disconnected_during_probation_leaves_its_members() {
    // Before or after its end, be it that upkeep has not come round to it.
    for is_over in [false, true] {
        let site = Site::new();
        let restored = restored(&site);
        site.surroundings.pass(if is_over { GRACE } else { GRACE / 2 });
        site.engine().disconnect("ann", &restored.directory.id, false).unwrap();
        assert_eq!(restored.is_member(), !is_over);
        site.surroundings.pass(2 * GRACE);
        assert_eq!(restored.is_member(), !is_over);
        site.sweep(10);
        assert_eq!(restored.is_member(), !is_over);
        assert!(!site.storage.snapshot().keys().any(|key| key.contains("/probation/")));
        // Another directory that adopts the organization has its own grace for all who are in it.
        let other = site.connect(&settings("other"));
        other.group("Staff", &[]);
        assert_eq!(restored.is_member(), !is_over);
        site.surroundings.pass(GRACE);
        assert!(!restored.is_member());
        site.sweep(10);
        assert!(!restored.is_member());
    }
}

#[test]
fn an_organization_that_is_adopted_before_upkeep_has_seen_the_end_of_a_probation_keeps_the_member_for_its_grace() {
    let site = Site::new();
    let restored = restored(&site);
    site.surroundings.pass(GRACE / 2);
    site.engine().disconnect("ann", &restored.directory.id, false).unwrap();
    let other = site.connect(&settings("other"));
    other.group("Staff", &[]);
    site.surroundings.pass(GRACE / 2 + 60_000);
    site.sweep(10);
    assert!(restored.is_member());
    site.surroundings.pass(GRACE / 2);
    assert!(!restored.is_member());
}

#[test]
fn an_organization_whose_group_is_deleted_is_restored_with_who_was_on_probation_then() {
    for is_over in [false, true] {
        let site = Site::new();
        let restored = restored(&site);
        site.surroundings.pass(if is_over { GRACE } else { GRACE / 2 });
        restored.directory.delete(&format!("/Groups/{}", restored.group)).expect(204);
        integrity::check(&site.storage);
        site.surroundings.pass(GRACE);
        site.sweep(10);
        integrity::check(&site.storage);
        site.engine().restore_organization("ann", restored.organization).unwrap();
        site.engine().associate_organization("ann", restored.project, restored.organization, true).unwrap();
        assert_eq!(restored.is_member(), !is_over);
        site.surroundings.pass(2 * GRACE);
        site.sweep(10);
        assert_eq!(restored.is_member(), !is_over);
    }
}

#[test]
fn unlinking_and_linking_again_neither_ends_probation_nor_prolongs_it() {
    let site = Site::new();
    let restored = restored(&site);
    let listed = restored.listed();
    restored.directory.user("gone@x.test");
    let engine = site.engine();
    engine.unlink_customer("ann", &restored.customer).unwrap();
    assert!(restored.is_member());
    assert_eq!(restored.listed(), listed);
    engine.relink_customer("ann", &restored.customer, None).unwrap();
    assert_eq!(restored.listed(), listed);
    engine.unlink_customer("ann", &restored.customer).unwrap();
    site.surroundings.pass(GRACE);
    assert!(!restored.is_member());
    engine.relink_customer("ann", &restored.customer, None).unwrap();
    site.sweep(10);
    assert!(!restored.is_member());
}

#[test]
fn who_is_erased_on_probation_leaves_nothing_behind() {
    let site = Site::new();
    let restored = restored(&site);
    site.engine().erase_customer("ann", &restored.customer).unwrap();
    integrity::check(&site.storage);
    let left = |key: &String| !key.starts_with("c/") && key.contains(&restored.customer);
    assert!(!site.storage.snapshot().keys().any(left));
    // Where nothing is kept there is nobody to restore.
    site.retain(0);
    let again = restored.directory.user("gone@x.test");
    restored.edit("add", &[&again]);
    restored.directory.delete(&format!("/Users/{again}")).expect(204);
    assert!(site.engine().restore_customer("ann", &again).is_err());
    assert_eq!(site.members(restored.organization), ["stays@x.test"]);
    integrity::check(&site.storage);
}

#[test]
fn many_probations_begin_and_end_in_bounded_steps() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let user = directory.user("gone@x.test");
    let bodies = (0..1_100).map(|at| json!({ "displayName": format!("g{at}"), "members": [{ "value": user }] }));
    directory.many("/Groups", bodies);
    let customer = site.customer("gone@x.test").unwrap().id;
    directory.delete(&format!("/Users/{user}")).expect(204);
    site.sweep(10_000);
    site.storage.take_work();
    site.engine().restore_customer("ann", &customer).unwrap();
    assert!(site.storage.take_work().written < 5_000);
    assert_eq!(site.engine().organizations_of(&customer).unwrap().len(), 1_000);
    site.sweep(100);
    assert_eq!(site.engine().organizations_of(&customer).unwrap().len(), 1_100);
    integrity::check(&site.storage);
    site.surroundings.pass(GRACE);
    assert!(site.engine().organizations_of(&customer).unwrap().is_empty());
    site.sweep(100);
    assert!(
        !site
            .storage
            .snapshot()
            .keys()
            .any(|key| key.starts_with("m/") || key.starts_with("t/") && key.contains("/probation/"))
    );
    integrity::check(&site.storage);
}

/// A store from before probation had an end: what restored customers have in managed organizations has none.
#[test]
fn who_was_restored_before_there_was_probation_gets_an_end() {
    let site = Site::new();
    let restored = restored(&site);
    let never = restored.directory.user("never@x.test");
    restored.edit("add", &[&never]);
    restored.directory.delete(&format!("/Users/{never}")).expect(204);
    let mut map = (*site.storage.snapshot()).clone();
    map.retain(|key, _| !key.contains("/probation/"));
    map.insert("schema".to_string(), "1".to_string());
    map.iter_mut()
        .filter(|(key, _)| key.starts_with("m/") || key.starts_with("mo/"))
        .for_each(|(_, value)| value.clear());
    site.storage.restore(&map.into());
    while site.engine().upkeep_step(1).unwrap().more {}
    assert!(restored.is_member());
    let listed = restored.listed();
    assert_eq!(listed.len(), 1);
    site.sweep(10);
    assert_eq!(restored.listed(), listed);
    site.surroundings.pass(GRACE);
    assert!(!restored.is_member());
    site.sweep(10);
    assert!(!restored.is_member());
    // Who is deleted still gets it when it is restored.
    let deleted = everything(|position, limit| site.engine().deleted_customers(position, limit).unwrap());
    site.engine().restore_customer("ann", &deleted[0].customer.id).unwrap();
    assert_eq!(restored.listed().len(), 1);
    integrity::check(&site.storage);
}
