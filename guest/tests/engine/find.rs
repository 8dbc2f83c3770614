//! Finding customers and organizations, totals, and everyone who may use a project.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use usher_engine::directories::State;
use usher_engine::provisioning::conflicts::Resolution;
use usher_engine::provisioning::unlinked::UnlinkedReason;
use usher_engine::site::customers::{Customer, CustomerUpdate, NewCustomer};
use usher_engine::site::find::{CustomerFilter, CustomerState, OrganizationFilter, OrganizationState};
use usher_engine::site::organizations::Organization;
use usher_engine::site::projects::Audience;
use usher_engine::site::{Error, Page};

use super::integrity::{self, comparable, found_words};
use super::on_site::everything;
use super::site::{Directory, Site, settings};

const CUSTOMER_STATES: [CustomerState; 5] = [
    CustomerState::Local,
    CustomerState::Managed,
    CustomerState::Active,
    CustomerState::Inactive,
    CustomerState::Unlinked,
];

/// All of a list by cursor, the same in pages of any size.
pub fn all<T: PartialEq + std::fmt::Debug>(list: impl Fn(Option<&str>, u32) -> Page<T>) -> Vec<T> {
    let of = |limit: u32| {
        let (mut values, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = list(cursor.as_deref(), limit);
            assert!(page.values.len() <= limit as usize);
            values.extend(page.values);
            match page.next {
                Some(next) => cursor = Some(next),
                None => break values,
            }
        }
    };
    let values = of(1_000);
    assert_eq!(of(2), values);
    values
}

fn found(site: &Site, filter: &CustomerFilter) -> Vec<Customer> {
    all(|cursor, limit| site.engine().find_customers(filter, cursor, limit).unwrap())
}

fn found_organizations(site: &Site, filter: &OrganizationFilter) -> Vec<Organization> {
    all(|cursor, limit| site.engine().find_organizations(filter, cursor, limit).unwrap())
}

fn query(text: &str) -> CustomerFilter {
    CustomerFilter { query: Some(text.to_string()), ..CustomerFilter::default() }
}

/// The addresses of those who are found for a query.
fn addresses(site: &Site, text: &str) -> Vec<String> {
    found(site, &query(text)).into_iter().map(|customer| customer.email).collect()
}

/// Whether a customer is to be found for a query, told from the words of the product page alone.
fn is_for(text: &str, address: &str, name: &str) -> bool {
    let (address, words) = (comparable(address), found_words(name));
    comparable(text).split_whitespace().all(|term| {
        let parts: Vec<&str> = term.split(|one: char| !one.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
        let named = !parts.is_empty() && parts.iter().all(|part| words.iter().any(|word| word.starts_with(part)));
        address.starts_with(term) || named
    })
}

/// Every filter finds those for whom it holds, once, and the totals are how many there are; whatever happened before.
fn compare(site: &Site) {
    compare_some(site, true);
}

/// The same, but with a query only if nothing else is asked for, unless it is to be `thorough`.
pub fn compare_some(site: &Site, thorough: bool) {
    let engine = site.engine();
    let customers = site.customers();
    let organizations = everything(|position, limit| engine.organizations(position, limit).unwrap());
    let directories = engine.directories(None, 1_000).unwrap().values;
    let mut unlinked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for directory in &directories {
        for user in engine.unlinked(&directory.id, None, 1_000).unwrap().values {
            if let Some(customer) = user.customer.filter(|_| user.reason == UnlinkedReason::Unlinked) {
                unlinked.entry(customer).or_default().insert(directory.id.clone());
            }
        }
    }
    let has = |customer: &Customer, directory: Option<&String>, state: Option<CustomerState>| {
        let of = |of: &BTreeSet<String>| directory.is_none_or(|directory| of.contains(directory));
        let managed_by = directory.is_none_or(|directory| customer.managed_by.as_ref() == Some(directory));
        match state {
            None => managed_by,
            Some(CustomerState::Local) => managed_by && customer.managed_by.is_none(),
            Some(CustomerState::Managed) => managed_by && customer.managed_by.is_some(),
            Some(CustomerState::Active) => managed_by && customer.active,
            Some(CustomerState::Inactive) => managed_by && !customer.active,
            Some(CustomerState::Unlinked) => {
                customer.managed_by.is_none() && unlinked.get(&customer.id).is_some_and(of)
            }
        }
    };
    let texts = customers.iter().flat_map(|customer| {
        let front = |text: &str| text.chars().take(4).collect::<String>();
        [front(&customer.email), front(&customer.display_name)]
    });
    let queries: BTreeSet<Option<String>> = texts.map(Some).chain([None]).collect();
    let of_directories: Vec<Option<String>> =
        directories.iter().map(|directory| Some(directory.id.clone())).chain([None]).collect();
    for directory in &of_directories {
        for state in CUSTOMER_STATES.map(Some).into_iter().chain([None]) {
            for text in &queries {
                if !thorough && text.is_some() && (directory.is_some() || state.is_some()) {
                    continue;
                }
                let filter = CustomerFilter { query: text.clone(), directory: directory.clone(), state };
                let mut seen = found(site, &filter);
                // By id, as they were made; with a query there is another order.
                seen.sort_by(|one, other| one.id.cmp(&other.id));
                let fits = |customer: &&Customer| {
                    has(customer, directory.as_ref(), state)
                        && text.as_ref().is_none_or(|text| is_for(text, &customer.email, &customer.display_name))
                };
                assert_eq!(seen, customers.iter().filter(fits).cloned().collect::<Vec<_>>(), "{filter:?}");
            }
        }
        for state in [None, Some(OrganizationState::Local), Some(OrganizationState::Managed)] {
            for text in organizations.iter().map(|one| Some(one.name.clone())).chain([None]) {
                let filter = OrganizationFilter { query: text.clone(), directory: directory.clone(), state };
                let mut seen = found_organizations(site, &filter);
                seen.sort_by_key(|one| one.id);
                let fits = |one: &&Organization| {
                    let wanted =
                        state.is_none_or(|state| (state == OrganizationState::Managed) == one.managed_by.is_some());
                    wanted
                        && directory.as_ref().is_none_or(|directory| one.managed_by.as_ref() == Some(directory))
                        && text.as_ref().is_none_or(|text| is_for(text, "", &one.name))
                };
                assert_eq!(seen, organizations.iter().filter(fits).cloned().collect::<Vec<_>>(), "{filter:?}");
            }
        }
    }
    compare_totals(site, &customers, &organizations);
    compare_admitted(site, &customers);
}

fn compare_totals(site: &Site, customers: &[Customer], organizations: &[Organization]) {
    let totals = site.engine().totals().unwrap();
    let number = |of: &dyn Fn(&Customer) -> bool| customers.iter().filter(|one| of(one)).count() as u64;
    let local = number(&|one| one.managed_by.is_none());
    let seen = [totals.customers.all, totals.customers.local, totals.customers.managed, totals.customers.inactive];
    let all = customers.len() as u64;
    assert_eq!(seen, [all, local, all - local, number(&|one| !one.active)]);
    let local = organizations.iter().filter(|one| one.managed_by.is_none()).count() as u64;
    let all = organizations.len() as u64;
    let seen = [totals.organizations.all, totals.organizations.local, totals.organizations.managed];
    assert_eq!(seen, [all, local, all - local]);
    for directory in totals.directories {
        let of = |one: &Customer| one.managed_by.as_ref() == Some(&directory.id);
        assert_eq!([directory.customers, directory.inactive], [number(&of), number(&|one| of(one) && !one.active)]);
        let managed = organizations.iter().filter(|one| one.managed_by.as_ref() == Some(&directory.id));
        assert_eq!(directory.organizations, managed.count() as u64);
    }
}

/// Those are named who may use a project, once, with the reasons for which they may.
fn compare_admitted(site: &Site, customers: &[Customer]) {
    let engine = site.engine();
    for project in everything(|position, limit| engine.projects(position, limit).unwrap()) {
        let mut seen = all(|cursor, limit| engine.customers_of(project.id, cursor, limit).unwrap());
        seen.sort_by(|one, other| one.customer.id.cmp(&other.customer.id));
        let seen: Vec<_> = seen.into_iter().map(|admitted| (admitted.customer, admitted.reasons)).collect();
        let allowed = customers.iter().filter_map(|customer| {
            let access = engine.access(&customer.id, project.id).unwrap();
            access.allowed.then(|| (customer.clone(), access.reasons))
        });
        assert_eq!(seen, allowed.collect::<Vec<_>>());
    }
}

/// A site of two directories and the site's own, with names to look for.
fn town(site: &Site) -> (Directory<'_>, Directory<'_>) {
    let (entra, okta) = (site.connect(&settings("Entra")), site.connect(&settings("Okta")));
    let user = |address: &str, name: &str, active: bool| json!({ "userName": address, "displayName": name, "active": active, "emails": [{ "value": address }] });
    for (address, name, active) in [
        ("grace.hopper@navy.test", "Grace Brewster Hopper", true),
        ("zoe@x.test", "ZOE\u{308} Hopkins", true),
        ("gone@x.test", "Gone Hopper", false),
    ] {
        entra.post("/Users", &user(address, name, active)).expect(201);
    }
    okta.post("/Users", &user("ada@x.test", "Ada King-Noel", true)).expect(201);
    for (address, name) in [("hopscotch@x.test", "Local"), ("h@x.test", "Hop Sing")] {
        let new =
            NewCustomer { email: address.to_string(), display_name: name.to_string(), time_zone: None, locale: None };
        site.engine().create_customer("ann", &new).unwrap();
    }
    (entra, okta)
}

#[test]
fn customers_are_found_by_the_beginning_of_the_address_and_of_any_word_of_the_name() {
    let site = Site::new();
    town(&site);
    for (text, expected) in [
        // By address first, then by word, in the order of the alphabet.
        ("hop", &["hopscotch@x.test", "h@x.test", "zoe@x.test", "grace.hopper@navy.test", "gone@x.test"][..]),
        ("HOPPER", &["grace.hopper@navy.test", "gone@x.test"]),
        ("hopper gr", &["grace.hopper@navy.test"]),
        ("gra", &["grace.hopper@navy.test"]),
        ("Zoë", &["zoe@x.test"]),
        ("zoe\u{308}", &["zoe@x.test"]),
        ("ada@X", &["ada@x.test"]),
        ("king-n", &["ada@x.test"]),
        ("noel", &["ada@x.test"]),
        ("oel", &[]),
        ("x.test", &[]),
        ("@", &[]),
        ("hopper nobody", &[]),
    ] {
        assert_eq!(addresses(&site, text), expected, "{text}");
    }
    assert_eq!(addresses(&site, "  ").len(), 6);
    compare(&site);
    // A picker offers nobody who is deactivated.
    let project = site.engine().create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    let everybody: Vec<String> = site.customers().into_iter().map(|customer| customer.id).collect();
    site.engine().associate_customers("ann", project, &everybody, true).unwrap();
    let offered = |text: &str| {
        let found = all(|cursor, limit| site.engine().find_project_customers(project, text, cursor, limit).unwrap());
        found.into_iter().map(|customer| customer.email).collect::<Vec<_>>()
    };
    assert_eq!(offered("hop"), ["hopscotch@x.test", "h@x.test", "zoe@x.test", "grace.hopper@navy.test"]);
    assert_eq!(offered("").len(), 5);
    // Whoever is renamed is found by the new name only.
    let h = site.customer("h@x.test").unwrap().id;
    let update = CustomerUpdate { display_name: Some("Sing Sing".to_string()), ..CustomerUpdate::default() };
    site.engine().update_customer("ann", &h, &update).unwrap();
    assert_eq!(addresses(&site, "hop sing"), [""; 0]);
    assert_eq!(addresses(&site, "sing"), ["h@x.test"]);
    integrity::check(&site.storage);
}

#[test]
fn organizations_are_found_by_the_beginning_of_any_word_of_the_name() {
    let site = Site::new();
    let (entra, okta) = town(&site);
    for name in ["R&D Berlin", "Berlin Office", "C++ guild"] {
        site.engine().create_organization("ann", name).unwrap();
    }
    entra.group("Sales (Berlin)", &[]);
    let names = |filter: OrganizationFilter| {
        found_organizations(&site, &filter).into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    let of = |text: &str| names(OrganizationFilter { query: Some(text.to_string()), ..Default::default() });
    assert_eq!(of("ber"), ["R&D Berlin", "Berlin Office", "Sales (Berlin)"]);
    assert_eq!(of("r&d b"), ["R&D Berlin"]);
    assert_eq!(of("off BERLIN"), ["Berlin Office"]);
    assert_eq!(of("c++"), ["C++ guild"]);
    assert_eq!(of("&"), [""; 0]);
    let with = |state: OrganizationState, query: Option<&str>| {
        let query = query.map(ToString::to_string);
        names(OrganizationFilter { state: Some(state), query, directory: None })
    };
    assert_eq!(with(OrganizationState::Managed, None), ["Sales (Berlin)"]);
    compare(&site);
    // Unlinked, it is found as such while the directory has its group, and nothing else has become of it.
    let sales = site.organization("Sales (Berlin)").unwrap();
    let group = site.engine().organization(sales).unwrap().group.unwrap();
    site.engine().unlink_organization("ann", sales).unwrap();
    assert_eq!(with(OrganizationState::Unlinked, None), ["Sales (Berlin)"]);
    assert_eq!(with(OrganizationState::Unlinked, Some("ber")), ["Sales (Berlin)"]);
    let of = |directory: &Directory<'_>| {
        let directory = Some(directory.id.clone());
        names(OrganizationFilter { state: Some(OrganizationState::Unlinked), query: None, directory })
    };
    assert_eq!((of(&entra).len(), of(&okta).len()), (1, 0));
    compare(&site);
    site.engine().resolve_conflict("ann", &entra.id, &group, &Resolution::Adopt).unwrap();
    assert_eq!(with(OrganizationState::Unlinked, None), [""; 0]);
    site.engine().unlink_organization("ann", sales).unwrap();
    entra.delete(&format!("/Groups/{group}")).expect(204);
    assert_eq!(with(OrganizationState::Unlinked, None), [""; 0]);
    compare(&site);
    integrity::check(&site.storage);
}

#[test]
fn customers_are_filtered_by_directory_and_state_whatever_becomes_of_it() {
    let site = Site::new();
    let (entra, okta) = town(&site);
    let grace = site.customer("grace.hopper@navy.test").unwrap().id;
    site.engine().unlink_customer("ann", &grace).unwrap();
    entra.group("Navy", &[]);
    compare(&site);
    let unlinked = CustomerFilter { state: Some(CustomerState::Unlinked), ..Default::default() };
    assert_eq!(found(&site, &unlinked).len(), 1);
    // Deleted and restored, it is still one that a user was unlinked from.
    site.engine().delete_customer("ann", &grace).unwrap();
    assert_eq!(found(&site, &unlinked), []);
    compare(&site);
    site.engine().restore_customer("ann", &grace).unwrap();
    assert_eq!(found(&site, &unlinked).len(), 1);
    site.engine().disconnect("ann", &entra.id, false).unwrap();
    compare(&site);
    integrity::check(&site.storage);
    // While upkeep moves what is local by now, everything is there all the time.
    while site.engine().upkeep_step(1).unwrap().more {
        compare(&site);
        integrity::check(&site.storage);
    }
    assert_eq!(found(&site, &unlinked), []);
    let local = CustomerFilter { state: Some(CustomerState::Local), ..Default::default() };
    assert_eq!(found(&site, &local).len(), 5);
    // What leaves is not found and does not count.
    site.engine().disconnect("ann", &okta.id, true).unwrap();
    compare(&site);
    site.sweep(3);
    compare(&site);
    integrity::check(&site.storage);
}

#[test]
fn what_cannot_be_looked_for_is_refused() {
    let site = Site::new();
    let (entra, _) = town(&site);
    let engine = site.engine();
    let with = |filter: &CustomerFilter, cursor: Option<&str>, limit: u32| engine.find_customers(filter, cursor, limit);
    let nobody = CustomerFilter::default();
    for (filter, cursor, limit) in [
        (query(&"x".repeat(257)), None, 1),
        (query(&"x ".repeat(17)), None, 1),
        (query("x"), Some("x"), 1),
        (query("x"), Some("w*"), 1),
        (query("x"), Some(""), 1),
        (nobody.clone(), Some("cu/x"), 1),
        (nobody.clone(), None, 0),
        (nobody.clone(), None, 1_001),
    ] {
        assert!(matches!(with(&filter, cursor, limit), Err(Error::Invalid(_))), "{filter:?} {cursor:?} {limit}");
    }
    for directory in ["", "x", "00000000000000000000", "cu/"] {
        let filter = CustomerFilter { directory: Some(directory.to_string()), ..CustomerFilter::default() };
        assert!(matches!(with(&filter, None, 1), Err(Error::NotFound(_))), "{directory}");
    }
    let project = engine.create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    for cursor in ["", "x", "o.1.0", "o.1.0.x", "o.x.0.", "c.x", "e.x", "o.1.99999999999."] {
        assert!(matches!(engine.customers_of(project, Some(cursor), 1), Err(Error::Invalid(_))), "{cursor}");
    }
    assert!(matches!(engine.customers_of(9, None, 1), Err(Error::NotFound(_))));
    assert!(matches!(engine.find_project_customers(9, "x", None, 1), Err(Error::NotFound(_))));
    assert_eq!(engine.directory_status(&entra.id).unwrap().state, State::FirstSync);
}

/// Searches of a storage of the layout before wait for its entries, and then find all.
#[test]
fn what_is_indexed_later_is_what_would_have_been_indexed_at_once() {
    let site = Site::new();
    let (entra, okta) = town(&site);
    let engine = site.engine();
    entra.group("Navy", &[]);
    okta.group("Sales", &[]);
    engine.create_project("ann", "HELP", "Help", Audience::Open).unwrap();
    engine.create_organization("ann", "Own").unwrap();
    engine.unlink_customer("ann", &site.customer("zoe@x.test").unwrap().id).unwrap();
    engine.delete_customer("ann", &site.customer("h@x.test").unwrap().id).unwrap();
    let (gone, leaving) = (site.connect(&settings("Gone")), site.connect(&settings("Leaving")));
    for (directory, name) in [(&gone, "a"), (&leaving, "b")] {
        directory.post("/Users", &json!({ "userName": format!("{name}@y.test"), "active": false })).expect(201);
        directory.group(name, &[]);
    }
    engine.disconnect("ann", &gone.id, false).unwrap();
    engine.disconnect("ann", &leaving.id, true).unwrap();
    let whole = site.content();
    let is_new =
        |key: &str| ["ch/", "ci/", "cw/", "cn/", "oh/", "ow/", "dg/", "sc/"].iter().any(|new| key.starts_with(new));
    let mut before = (*site.storage.snapshot()).clone();
    before.retain(|key, _| !is_new(key));
    before.insert("schema".to_string(), "2".to_string());
    for budget in [1, 2, 1_000] {
        site.storage.restore(&before.clone().into());
        let refused = [
            engine.find_customers(&CustomerFilter::default(), None, 10).unwrap_err(),
            engine.find_organizations(&OrganizationFilter::default(), None, 10).unwrap_err(),
            engine.totals().unwrap_err(),
        ];
        let is_upgrading = |error: &Error| matches!(error, Error::Store(usher_engine::StoreError::Upgrading));
        assert!(refused.iter().all(is_upgrading), "{refused:?}");
        while matches!(engine.readiness().unwrap(), usher_engine::upkeep::Readiness::Upgrading(_)) {
            engine.upkeep_step(budget).unwrap();
        }
        integrity::check(&site.storage);
        compare(&site);
        let mut expected = whole.clone();
        // The entries of the directory that is gone are the site's at once.
        expected.retain(|key, _| !key.starts_with("dg/"));
        let moved = |key: String| match key.split('/').collect::<Vec<_>>()[..] {
            [held @ ("ch" | "oh"), directory, id] if directory == gone.id => format!("{held}/site/{id}"),
            _ => key,
        };
        let expected: BTreeMap<String, String> = expected.into_iter().map(|(key, value)| (moved(key), value)).collect();
        assert_eq!(site.content(), expected);
    }
}

/// Whoever was there all the time with the same name is found once, whatever is written between two pages.
#[test]
fn writes_between_pages_hide_and_repeat_nobody() {
    let site = Site::new();
    let engine = site.engine();
    let directory = site.connect(&settings("idp"));
    let gone = site.connect(&settings("gone"));
    let body = |address: String, name: String| json!({ "userName": address, "displayName": name });
    directory.many("/Users", (0..60).map(|n| body(format!("hop{n:02}@x.test"), format!("Hop{n:02} Hopper Hops"))));
    let others = gone.many("/Users", (0..40).map(|n| body(format!("s{n:02}@x.test"), format!("Stay{n} Hopper"))));
    gone.group("Everybody", &others);
    let ids: Vec<String> = site.customers().into_iter().map(|customer| customer.id).collect();
    let project = engine.create_project("ann", "HELP", "Help", Audience::Restricted).unwrap().id;
    engine.associate_customers("ann", project, &ids[..30], true).unwrap();
    let everybody = site.organization("Everybody").unwrap();
    engine.associate_organization("ann", project, everybody, true).unwrap();
    engine.disconnect("ann", &gone.id, false).unwrap();
    let of_state = |state: CustomerState| CustomerFilter { state: Some(state), ..CustomerFilter::default() };
    let filters = [
        (query("hop"), 100),
        (of_state(CustomerState::Local), 40),
        (of_state(CustomerState::Managed), 60),
        (of_state(CustomerState::Active), 100),
    ];
    for (filter, number) in &filters {
        undisturbed(&site, &directory, *number, |cursor| engine.find_customers(filter, cursor, 7).unwrap());
    }
    undisturbed(&site, &directory, 30, |cursor| engine.find_project_customers(project, "hop", cursor, 7).unwrap());
    undisturbed(&site, &directory, 70, |cursor| {
        let page = engine.customers_of(project, cursor, 7).unwrap();
        Page { values: page.values.into_iter().map(|one| one.customer).collect(), next: page.next }
    });
}

/// The ids of a list, page by page; between two pages, something is done.
fn pages(list: impl Fn(Option<&str>) -> Page<Customer>, mut between: impl FnMut()) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = list(cursor.as_deref());
        ids.extend(page.values.into_iter().map(|customer| customer.id));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return ids,
        }
        between();
    }
}

/// A list has so many customers, and all of them, once, while others are written.
fn undisturbed(site: &Site, directory: &Directory<'_>, number: usize, list: impl Fn(Option<&str>) -> Page<Customer>) {
    let before = site.storage.snapshot();
    let expected: BTreeSet<String> = pages(&list, || {}).into_iter().collect();
    assert_eq!(expected.len(), number);
    let (mut touched, mut round) = (BTreeSet::new(), 0);
    let seen = pages(&list, || {
        // One comes, one is renamed, one goes; and upkeep moves what is local by now.
        round += 1;
        let body = json!({ "userName": format!("new{round}@x.test"), "displayName": "Hop New" });
        touched.insert(directory.post("/Users", &body).expect(201).id());
        let managed = CustomerFilter { directory: Some(directory.id.clone()), ..CustomerFilter::default() };
        let managed = site.engine().find_customers(&managed, None, 1_000).unwrap().values;
        let [renamed, deleted] = [13, 29].map(|step| managed[round * step % managed.len()].id.clone());
        let name = json!([{ "op": "replace", "path": "displayName", "value": "Abe Hop" }]);
        directory.patch(&format!("/Users/{renamed}"), name).expect(200);
        directory.delete(&format!("/Users/{deleted}")).expect(204);
        touched.extend([renamed, deleted]);
        site.engine().upkeep_step(3).unwrap();
    });
    let seen: Vec<&String> = seen.iter().filter(|id| !touched.contains(*id)).collect();
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "somebody is named twice");
    let missed: Vec<&String> = expected.iter().filter(|id| !touched.contains(*id) && !seen.contains(id)).collect();
    assert_eq!(missed, [""; 0], "somebody is missed");
    site.storage.restore(&before);
}
