//! What a request asks of the storage is the same in a small directory and in a large one.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usher_engine::directories::Settings;
use usher_engine::site::find::{CustomerFilter, CustomerState, OrganizationFilter};
use usher_engine::site::projects::Audience;

use super::find::all;
use super::site::{Directory, Site, settings};
use super::storage::Work;

/// A directory with so many users, all of them in one group.
fn directory(site: &Site, size: usize) -> (Directory<'_>, Vec<String>, String) {
    let directory = site.connect(&Settings { membership_resources: true, ..settings("idp") });
    let user = |n: usize| json!({ "userName": format!("user{n:04}@x.test"), "externalId": format!("e{n:04}"), "emails": [{ "value": format!("user{n:04}@x.test") }] });
    let users = directory.many("/Users", (0..size).map(user));
    let group = directory.group("Everybody", &users);
    directory.group("Few", &[&users[..2], &users[size - 1..]].concat());
    (directory, users, group)
}

/// What each request costs, in order.
fn costs(size: usize) -> Vec<(&'static str, Work)> {
    let site = Site::new();
    let (directory, users, group) = directory(&site, size);
    let (first, second, group_id) = (format!("/Users/{}", users[0]), &users[1], group);
    let last = format!("/Users/{}", users[size - 1]);
    let (group, membership) = (format!("/Groups/{group_id}"), format!("/GroupMemberships/{group_id}-{second}"));
    let replace =
        |path: &str, value: Value| json!({ "Operations": [{ "op": "replace", "path": path, "value": value }] });
    let members =
        |op: &str, id: &str| json!({ "Operations": [{ "op": op, "path": "members", "value": [{ "value": id }] }] });
    let filter = |text: String| format!("filter={}", text.replace(' ', "%20").replace('"', "%22"));
    let everybody = filter("displayName eq \"everybody\"".into());
    let requests = [
        (
            "create a user",
            "POST",
            "/Users".to_string(),
            json!({ "userName": "new@x.test", "emails": [{ "value": "new@x.test" }] }),
        ),
        ("read a user", "GET", first.clone(), Value::Null),
        ("change a user", "PATCH", first.clone(), replace("title", "Chief".into())),
        (
            "a user by userName",
            "GET",
            format!("/Users?{}", filter("userName eq \"User0001@x.test\"".into())),
            Value::Null,
        ),
        ("a user by externalId", "GET", format!("/Users?{}", filter("externalId eq \"e0001\"".into())), Value::Null),
        (
            "a user by email",
            "GET",
            format!("/Users?{}", filter("emails.value eq \"user0001@x.test\"".into())),
            Value::Null,
        ),
        ("a group by name", "GET", format!("/Groups?{everybody}&excludedAttributes=members"), Value::Null),
        (
            "the groups of a user",
            "GET",
            format!("/Groups?{}&excludedAttributes=members", filter(format!("members.value eq \"{second}\""))),
            Value::Null,
        ),
        (
            "whether a user is a member",
            "GET",
            format!(
                "/Groups?{}&excludedAttributes=members",
                filter(format!("displayName eq \"everybody\" and members eq \"{second}\""))
            ),
            Value::Null,
        ),
        ("read a group", "GET", format!("{group}?excludedAttributes=members"), Value::Null),
        ("remove a member", "PATCH", format!("{group}?attributes=displayName"), members("remove", second)),
        ("add a member", "PATCH", format!("{group}?attributes=displayName"), members("add", second)),
        ("rename a group", "PATCH", format!("{group}?attributes=displayName"), replace("displayName", "All".into())),
        ("a page of users", "GET", "/Users?count=5&attributes=userName".to_string(), Value::Null),
        (
            "a page of a group's members",
            "GET",
            format!("/GroupMemberships?count=5&cursor=&{}", filter(format!("group.value eq \"{group_id}\""))),
            Value::Null,
        ),
        (
            "a user's memberships",
            "GET",
            format!("/GroupMemberships?count=5&cursor=&{}", filter(format!("member.value eq \"{second}\""))),
            Value::Null,
        ),
        (
            "a membership by its two ids",
            "GET",
            format!(
                "/GroupMemberships?{}",
                filter(format!("member.value eq \"{second}\" and group.value eq \"{group_id}\""))
            ),
            Value::Null,
        ),
        ("a page of all memberships", "GET", "/GroupMemberships?count=5&cursor=".to_string(), Value::Null),
        ("read a membership", "GET", membership.clone(), Value::Null),
        ("remove a membership", "DELETE", membership, Value::Null),
        (
            "add a membership",
            "POST",
            "/GroupMemberships".to_string(),
            json!({ "group": { "value": group_id }, "member": { "value": second } }),
        ),
        ("delete a user", "DELETE", last, Value::Null),
    ];
    let cost = |(name, method, path, body): (&'static str, &str, String, Value)| {
        site.storage.take_work();
        let answer = directory.send(method, &path, &body);
        assert!(answer.status < 300 && answer.body["totalResults"] != 0, "{name}: {}", answer.body);
        (name, site.storage.take_work())
    };
    requests.into_iter().map(cost).collect()
}

#[test]
fn a_request_costs_the_same_in_every_directory() {
    let (small, large) = (costs(10), costs(2_000));
    assert_eq!(small, large);
    // Transactions, reads by key, keys, scans, entries, entries written: what more there is would be needless.
    let expected = [
        ("create a user", [2, 6, 13, 0, 0, 15]),
        ("read a user", [1, 3, 9, 1, 2, 0]),
        ("change a user", [2, 5, 13, 1, 2, 5]),
        ("a user by userName", [1, 4, 10, 1, 2, 0]),
        ("a user by externalId", [1, 3, 9, 2, 3, 0]),
        ("a user by email", [1, 3, 9, 2, 3, 0]),
        ("a group by name", [1, 3, 8, 0, 0, 0]),
        ("the groups of a user", [1, 3, 9, 1, 2, 0]),
        ("whether a user is a member", [1, 4, 9, 0, 0, 0]),
        ("read a group", [1, 2, 7, 0, 0, 0]),
        ("remove a member", [2, 6, 13, 0, 0, 10]),
        ("add a member", [2, 7, 14, 0, 0, 10]),
        ("rename a group", [2, 10, 17, 0, 0, 14]),
        ("a page of users", [1, 1, 6, 1, 6, 0]),
        ("a page of a group's members", [1, 2, 7, 1, 6, 0]),
        ("a user's memberships", [1, 3, 9, 1, 2, 0]),
        ("a membership by its two ids", [1, 3, 8, 0, 0, 0]),
        ("a page of all memberships", [1, 1, 6, 2, 8, 0]),
        ("read a membership", [1, 3, 8, 0, 0, 0]),
        ("remove a membership", [2, 7, 14, 0, 0, 10]),
        ("add a membership", [2, 9, 16, 0, 0, 10]),
        ("delete a user", [2, 12, 26, 1, 2, 35]),
    ];
    let seen: Vec<_> = large
        .iter()
        .map(|(name, work)| (*name, [work.transactions, work.gets, work.keys, work.scans, work.entries, work.written]))
        .collect();
    assert_eq!(seen, expected);
}

/// A deletion asks as often for somebody in many groups, all of them organizations, as for somebody in one.
#[test]
fn a_deletion_asks_as_often_whatever_the_number_of_organizations() {
    let deletion = |groups: usize| {
        let site = Site::new();
        let directory = site.connect(&settings("idp"));
        let user = directory.user("a@x.test");
        let bodies = (0..groups).map(|at| json!({ "displayName": format!("g{at}"), "members": [{ "value": user }] }));
        directory.many("/Groups", bodies);
        let customer = site.customer("a@x.test").unwrap().id;
        site.storage.take_work();
        directory.delete(&format!("/Users/{user}")).expect(204);
        let work = site.storage.take_work();
        site.engine().restore_customer("ann", &customer).unwrap();
        assert_eq!(site.engine().organizations_of(&customer).unwrap().len(), groups);
        super::integrity::check(&site.storage);
        [work.transactions, work.gets, work.scans]
    };
    assert_eq!(deletion(1), deletion(60));
}

/// Every page of a list by cursor costs the same, whatever is in front of it.
#[test]
fn every_page_by_cursor_costs_the_same() {
    let site = Site::new();
    let (directory, _, _) = directory(&site, 1_000);
    let (mut cursor, mut costs) = (String::new(), Vec::new());
    loop {
        site.storage.take_work();
        let answer = directory.get(&format!("/Users?count=100&attributes=userName&cursor={cursor}")).expect(200);
        costs.push(site.storage.take_work());
        match answer.body["nextCursor"].as_str() {
            Some(next) => cursor = next.to_string(),
            None => break,
        }
    }
    assert_eq!(costs.len(), 10);
    assert!(costs[..9].iter().all(|cost| *cost == costs[0]), "{costs:?}");
}

/// So does every page of the members of a group, of the groups of a user once they are counted, and of all memberships;
/// what follows the last page does not count.
#[test]
fn every_page_of_memberships_costs_the_same() {
    let site = Site::new();
    let (directory, users, group) = directory(&site, 1_000);
    let members = json!([{ "value": users[0] }]);
    directory.many("/Groups", (0..1_000).map(|n| json!({ "displayName": format!("g{n}"), "members": members })));
    let costs = |query: String| {
        let (mut cursor, mut costs) = (String::new(), Vec::new());
        loop {
            site.storage.take_work();
            let answer = directory.get(&format!("/GroupMemberships?count=20&cursor={cursor}&{query}")).expect(200);
            costs.push(site.storage.take_work());
            match answer.body["nextCursor"].as_str() {
                Some(next) => cursor = next.to_string(),
                None => return costs,
            }
        }
    };
    let of_group = costs(format!("filter=group.value%20eq%20%22{group}%22"));
    assert_eq!(of_group.len(), 50);
    assert!(of_group[..49].iter().all(|cost| *cost == of_group[0]), "{of_group:?}");
    let of_user = costs(format!("filter=member.value%20eq%20%22{}%22", users[0]));
    assert_eq!(of_user.len(), 51);
    assert!(of_user[1..50].iter().all(|cost| *cost == of_user[1]), "{of_user:?}");
    assert!(of_user[0].gets + of_user[0].scans < 12, "{of_user:?}");
    let all = costs(String::new());
    assert!(all[..49].iter().all(|cost| *cost == all[0]), "{all:?}");
    let (first, last) = (&all[60], &all[all.len() - 10]);
    assert_eq!(first, last);
    assert!(first.scans <= 23, "{first:?}");
}

/// A page by number goes past a bounded number of entries, wherever it is.
#[test]
fn every_page_by_number_costs_a_bounded_number_of_entries() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users = directory.many("/Users", (0..8_000).map(|n| json!({ "userName": format!("u{n}") })));
    let groups = directory.many("/Groups", (0..2_000).map(|n| json!({ "displayName": format!("g{n}") })));
    for (path, ids, count) in [("/Users", users, 100), ("/Groups", groups, 20)] {
        for start in (1..=ids.len()).step_by(97).chain([ids.len()]) {
            site.storage.take_work();
            let found = directory.ids(&format!("{path}?startIndex={start}&count={count}&attributes=id"));
            let work = site.storage.take_work();
            assert_eq!(found, ids[start - 1..(start - 1 + count).min(ids.len())]);
            // One scan finds the block, and the other reads the page; a user's groups are not asked for.
            assert!(work.gets == 1 && work.scans <= 2, "{start}: {work:?}");
            assert!(work.entries <= count + 1 + 30 && work.skipped < 640, "{start}: {work:?}");
        }
    }
}

/// Making and deleting a user costs the same in directories of all sizes: nearly always as if there were no blocks, which
/// only the one that fills a block writes. Deleting somebody made long ago takes one scan and one entry more.
#[test]
fn counting_by_blocks_costs_nearly_nothing() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let cost = |method: &str, path: &str, body: &Value| {
        site.storage.take_work();
        let answer = directory.send(method, path, body);
        assert!(answer.status < 300, "{}", answer.body);
        let Work { gets, keys, scans, entries, skipped, written, .. } = site.storage.take_work();
        (answer, [gets, keys, scans, entries, skipped, written])
    };
    let (mut made, mut deleted) = (BTreeMap::<_, usize>::new(), Vec::new());
    for size in [10, 900, 2_000] {
        let users = directory.many("/Users", (0..size).map(|n| json!({ "userName": format!("{size}-{n}") })));
        let mut newest = String::new();
        for n in 0..200 {
            let (answer, work) = cost("POST", "/Users", &json!({ "userName": format!("new{size:04}{n:04}") }));
            *made.entry(work).or_default() += 1;
            newest = answer.id();
        }
        deleted.push([&newest, &users[0]].map(|id| cost("DELETE", &format!("/Users/{id}"), &Value::Null).1));
    }
    let made: Vec<_> = made.into_iter().collect();
    assert_eq!((made.len(), made[1].1), (2, 1), "{made:?}");
    let [gets, keys, scans, entries, skipped, written] = made[0].0;
    assert_eq!(made[1].0, [gets, keys, scans + 1, entries + 513, skipped, written + 1]);
    let usual = deleted[0][0];
    let [gets, keys, scans, entries, skipped, written] = usual;
    let with_block = |read: usize| [gets, keys, scans + 1, entries + read, skipped, written + 1];
    // Of two blocks, the one before is looked at as well.
    assert_eq!(deleted, [[usual, usual], [usual, with_block(1)], [usual, with_block(2)]]);
}

/// The ids of all customers.
fn everybody(site: &Site) -> Vec<String> {
    let filter = CustomerFilter::default();
    let list = all(|cursor, limit| site.engine().find_customers(&filter, cursor, limit).unwrap());
    list.into_iter().map(|customer| customer.id).collect()
}

/// The first page of a search costs the same however large the site is, and no page looks at more than a bounded number of
/// entries, whatever it finds.
#[test]
fn a_page_of_a_search_costs_the_same_on_every_site() {
    let costs = |size: usize| {
        let site = Site::new();
        let (_, _, _) = directory(&site, size);
        let engine = site.engine();
        let [open, own, of_all] =
            [("OPEN", Audience::Open), ("OWN", Audience::Restricted), ("ALL", Audience::Restricted)]
                .map(|(key, audience)| engine.create_project("ann", key, key, audience).unwrap().id);
        let ids = everybody(&site);
        ids.chunks(1_000).for_each(|ids| engine.associate_customers("ann", own, ids, true).unwrap());
        let organization = site.organization("Everybody").unwrap();
        engine.associate_organization("ann", of_all, organization, true).unwrap();
        let of = |query: Option<&str>, state: Option<CustomerState>| {
            let filter = CustomerFilter { query: query.map(ToString::to_string), state, ..CustomerFilter::default() };
            site.storage.take_work();
            let page = engine.find_customers(&filter, None, 5).unwrap();
            (page.values.len(), site.storage.take_work())
        };
        let mut costs = vec![
            of(Some("user"), None),
            of(Some("user0001"), None),
            of(Some("nobody"), None),
            of(None, Some(CustomerState::Managed)),
            of(None, Some(CustomerState::Local)),
            of(None, Some(CustomerState::Inactive)),
            of(None, Some(CustomerState::Unlinked)),
        ];
        let filter = OrganizationFilter { query: Some("every".to_string()), ..OrganizationFilter::default() };
        assert_eq!(engine.find_organizations(&filter, None, 5).unwrap().values.len(), 1);
        costs.push((1, site.storage.take_work()));
        for project in [open, own, of_all] {
            let page = engine.customers_of(project, None, 5).unwrap();
            costs.push((page.values.len(), site.storage.take_work()));
        }
        engine.totals().unwrap();
        costs.push((1, site.storage.take_work()));
        costs
    };
    let (small, large) = (costs(20), costs(2_500));
    assert_eq!(small, large);
    assert!(
        large.iter().all(|(found, work)| work.entries <= 20 && work.gets + work.scans <= 10 + found * 12),
        "{large:?}"
    );
}

/// What matches nothing for long has a page that ends early, with a cursor to go on.
#[test]
fn a_page_looks_at_a_bounded_number_of_entries() {
    let site = Site::new();
    let (_, users, _) = directory(&site, 2_500);
    let engine = site.engine();
    let filter = CustomerFilter {
        query: Some("user".to_string()),
        state: Some(CustomerState::Inactive),
        ..CustomerFilter::default()
    };
    let (mut cursor, mut pages) = (None::<String>, 0);
    loop {
        site.storage.take_work();
        let page = engine.find_customers(&filter, cursor.as_deref(), 10).unwrap();
        let work = site.storage.take_work();
        // Of the index; each entry leads to a customer.
        assert!(page.values.is_empty() && work.entries <= 1_010 && work.keys <= 1_010, "{work:?}");
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    // By the address, and by the name, which is the address.
    assert_eq!(pages, 2 * users.len() / 1_000 + 1);
    let project = engine.create_project("ann", "OWN", "Own", Audience::Restricted).unwrap().id;
    let ids = everybody(&site);
    ids.chunks(1_000).for_each(|ids| engine.associate_customers("ann", project, ids, true).unwrap());
    let few = engine.create_project("ann", "FEW", "Few", Audience::Restricted).unwrap().id;
    engine.associate_customers("ann", few, &ids[2_400..2_405], true).unwrap();
    for (project, text, found) in [(project, "user", 10), (project, "user2499", 1), (few, "user", 5), (few, "user1", 0)]
    {
        site.storage.take_work();
        let page = engine.find_project_customers(project, text, None, 10).unwrap();
        let work = site.storage.take_work();
        assert_eq!((page.values.len(), page.next.is_some()), (found, found == 10), "{text}");
        assert!(work.entries <= 1_020, "{work:?}");
    }
}

/// What a bulk request has made itself is not gone through again and again.
#[test]
fn a_large_group_is_filled_and_emptied_in_one_request() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users = directory.many("/Users", (0..4_000).map(|n| json!({ "userName": format!("u{n}") })));
    let members: Value = users.iter().map(|id| json!({ "value": id })).collect();
    let fill = json!({ "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "displayName": "g", "members": members } });
    let trim = |id: &String| json!({ "method": "PATCH", "path": "/Groups/bulkId:g", "data": { "Operations": [{ "op": "remove", "path": format!("members[value eq \"{id}\" and type eq \"User\"]") }] } });
    let operations: Vec<Value> = std::iter::once(fill).chain(users[..20].iter().map(trim)).collect();
    let answer = directory.post("/Bulk", &json!({ "Operations": operations })).expect(200);
    assert!(answer.body["Operations"].as_array().unwrap()[1..].iter().all(|done| done["status"] == "200"));
    assert_eq!(site.engine().directory(&directory.id).unwrap().memberships, 3_980);
    super::integrity::check(&site.storage);
}

/// Members that are removed by what else there is of them are gone through once, by however many filters, and only as many
/// as can be borne. Thousands that are removed by their ids cost as little as one for each.
#[test]
fn removals_by_filters_share_their_work_and_have_a_bound() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let users = directory.many("/Users", (0..2_500).map(|n| json!({ "userName": format!("u{n}") })));
    let group = format!("/Groups/{}", directory.group("g", &users));
    let nobody = json!({ "op": "remove", "path": "members[type eq \"nobody\"]" });
    let work = |operations: Vec<Value>, status: u16| {
        site.storage.take_work();
        let answer = directory.patch(&group, json!(operations)).expect(status);
        (site.storage.take_work(), answer)
    };
    let (one, _) = work(vec![nobody.clone()], 204);
    let (many, _) = work(vec![nobody.clone(); 100], 204);
    assert_eq!(one, many);
    let added = json!({ "op": "add", "path": "members", "value": [{ "value": users[0] }] });
    let (mixed, _) = work([nobody.clone(), added].iter().cycle().take(100).cloned().collect(), 204);
    assert_eq!(one, mixed);
    let before = site.content();
    let (refused, answer) = work(vec![nobody.clone(); 10_000], 400);
    assert!(answer.refused(400, "tooMany").body["detail"].as_str().unwrap().contains("too many values"));
    assert_eq!((refused.scans, site.content()), (0, before.clone()));
    // Neither in many operations of one request. Others of it are carried out.
    let patch = json!({ "method": "PATCH", "path": group, "data": { "Operations": vec![&nobody; 1_000] } });
    let rename = json!({ "method": "PATCH", "path": group, "data": { "Operations": [{ "op": "add", "path": "externalId", "value": "g" }] } });
    let operations: Vec<&Value> = std::iter::repeat_n(&patch, 20).chain([&rename]).collect();
    let answer = directory.post("/Bulk", &json!({ "Operations": operations })).expect(200);
    let statuses: Vec<&str> =
        answer.body["Operations"].as_array().unwrap().iter().map(|done| done["status"].as_str().unwrap()).collect();
    assert_eq!((statuses[0], statuses[18], statuses[20]), ("200", "400", "200"));
    let by_id = users[500..].iter().map(|id| json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") }));
    let (removed, _) = work(by_id.collect(), 204);
    assert!(removed.gets < 10 && removed.scans == 0, "{removed:?}");
    assert_eq!(site.engine().directory(&directory.id).unwrap().memberships, 500);
    super::integrity::check(&site.storage);
}
