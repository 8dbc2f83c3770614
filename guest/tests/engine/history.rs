//! What put a customer or an organization into its state.

use serde_json::{Value, json};
use usher_engine::site::customers::CustomerUpdate;
use usher_engine::site::history::{Causes, HistoryEntry};
use usher_engine::site::{Error, Page};

use super::integrity;
use super::site::{Site, settings};

/// Kind, actor and values of an entry, values as `attribute: old > new`.
fn told(entry: &HistoryEntry) -> (&str, &str, Vec<String>) {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_string());
    let values = entry.values.iter().map(|one| format!("{}: {} > {}", one.attribute, value(&one.old), value(&one.new)));
    (&entry.kind, &entry.actor, values.collect())
}

fn history(site: &Site, customer: &str) -> Vec<HistoryEntry> {
    let all = site.engine().customer_history(customer, None, 1_000).unwrap();
    assert_eq!(all.next, None);
    // In pages it is the same.
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let Page { values, next } = site.engine().customer_history(customer, cursor.as_deref(), 2).unwrap();
        pages.extend(values);
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, all.values);
    pages
}

fn kinds(causes: &Causes) -> [&str; 3] {
    [&causes.status, &causes.link, &causes.name].map(|cause| cause.as_ref().map_or("-", |entry| entry.kind.as_str()))
}

#[test]
fn a_customer_says_who_put_it_into_its_state() {
    let site = Site::new();
    let local = site.local_customer("ann@x.test");
    let idp = site.connect(&settings("idp"));
    let actor = format!("directory:{}", idp.id);
    let body = json!({ "userName": "ann@x.test", "displayName": "Ann" });
    let user = idp.send_with("POST", "/Users", &body, &[("x-request-id", "r-1")]).expect(201).id();
    let path = format!("/Users/{user}");
    let set = |name: &str, value: Value| json!([{ "op": "replace", "path": name, "value": value }]);
    idp.patch(&path, set("active", json!(false))).expect(200);
    idp.patch(&path, set("displayName", json!("Ann Lee"))).expect(200);
    let seen = history(&site, &local.id);
    let expected = [
        ("customer.updated", actor.as_str(), vec!["displayName: Ann > Ann Lee".to_string()]),
        ("customer.deactivated", &actor, vec!["active: true > false".to_string()]),
        ("customer.linked", &actor, vec!["displayName: Local > Ann".to_string()]),
        (
            "customer.created",
            "admin:ann",
            ["email: - > ann@x.test", "displayName: - > Local", "active: - > true"].map(String::from).to_vec(),
        ),
    ];
    assert_eq!(seen.iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!((seen[2].request.as_deref(), seen[2].resource.as_ref()), (Some("r-1"), Some(&user)));
    let causes = site.engine().customer_causes(&local.id).unwrap();
    assert_eq!(kinds(&causes), ["customer.deactivated", "customer.linked", "customer.updated"]);
    // What is seen in the feed is the same change.
    let change = &site.engine().changes(seen[0].sequence - 1, 1).unwrap()[0];
    assert_eq!((change.kind.as_str(), change.at), ("customer.updated", seen[0].at));
    integrity::check(&site.storage);
}

#[test]
fn it_is_kept_while_it_can_be_restored_and_erased_with_the_customer() {
    let site = Site::new();
    let customer = site.local_customer("secret.name@x.test").id;
    for n in 0..200 {
        let update = CustomerUpdate { display_name: Some(format!("Secret Name {n}")), ..CustomerUpdate::default() };
        site.engine().update_customer("ann", &customer, &update).unwrap();
    }
    site.engine().delete_customer("ann", &customer).unwrap();
    assert_eq!(history(&site, &customer).len(), 202);
    assert_eq!(kinds(&site.engine().customer_causes(&customer).unwrap())[0], "customer.deleted");
    site.engine().restore_customer("ann", &customer).unwrap();
    assert_eq!(kinds(&site.engine().customer_causes(&customer).unwrap())[0], "customer.restored");
    integrity::check(&site.storage);
    site.engine().erase_customer("ann", &customer).unwrap();
    integrity::check(&site.storage);
    site.sweep(30);
    integrity::check(&site.storage);
    assert!(matches!(site.engine().customer_history(&customer, None, 1), Err(Error::NotFound(_))));
    let left = site.storage.snapshot();
    assert!(!left.iter().any(|(key, value)| format!("{key}{value}").to_lowercase().contains("secret")));
    // Also where nothing is kept.
    site.retain(0);
    let idp = site.connect(&settings("idp"));
    let user = idp.user("secret@x.test");
    idp.delete(&format!("/Users/{user}")).expect(204);
    site.sweep(30);
    integrity::check(&site.storage);
    assert!(!site.storage.snapshot().keys().any(|key| key.starts_with("hc/")));
}

#[test]
fn an_organization_says_who_put_it_into_its_state() {
    let site = Site::new();
    let organization = site.engine().create_organization("ann", "Staff").unwrap().id;
    site.engine().rename_organization("bob", organization, "Crew").unwrap();
    let idp = site.connect(&settings("idp"));
    let group = idp.group("Crew", &[]);
    let rename = |n: usize| json!([{ "op": "replace", "path": "displayName", "value": format!("Crew {n}") }]);
    for n in 0..150 {
        idp.patch(&format!("/Groups/{group}"), rename(n)).expect(200);
    }
    site.engine().unlink_organization("cleo", organization).unwrap();
    let causes = site.engine().organization_causes(organization).unwrap();
    assert_eq!(kinds(&causes), ["organization.created", "organization.unlinked", "organization.renamed"]);
    assert_eq!(causes.link.unwrap().actor, "admin:cleo");
    let page = site.engine().organization_history(organization, None, 2).unwrap();
    assert_eq!(told(&page.values[1]).2, ["name: Crew 148 > Crew 149"]);
    integrity::check(&site.storage);
    site.retain(0);
    site.engine().delete_organization("ann", organization).unwrap();
    integrity::check(&site.storage);
    site.sweep(10);
    integrity::check(&site.storage);
    assert!(!site.storage.snapshot().keys().any(|key| key.starts_with("ho/")));
}

#[test]
fn what_is_no_cursor_is_refused() {
    let site = Site::new();
    let customer = site.local_customer("ann@x.test").id;
    for cursor in ["", "x", "-1", "+1", "99999999999999999999999"] {
        let refused = site.engine().customer_history(&customer, Some(cursor), 1);
        assert!(matches!(refused, Err(Error::Invalid(_))), "{cursor}");
    }
    for limit in [0, 1_001] {
        assert!(matches!(site.engine().customer_history(&customer, None, limit), Err(Error::Invalid(_))));
    }
    for id in ["", "nobody", "00000000000000000000"] {
        assert!(matches!(site.engine().customer_history(id, None, 1), Err(Error::NotFound(_))));
        assert!(matches!(site.engine().customer_causes(id), Err(Error::NotFound(_))));
    }
    assert!(matches!(site.engine().organization_history(9, None, 1), Err(Error::NotFound(_))));
}
