//! What is done with the console over HTTP: every form does what it says, and nothing without its token.

use crate::console_site::{self, Answer, Idp, Served, Sheet, serve};
use futures_lite::future::block_on;
use serde_json::{Value, json};
use usher_host::changes::Filter;
use usher_host::directories::{ConflictPolicy, EmailChange, Mode, Settings, UnlinkedReason};
use usher_host::http::AdminKey;
use usher_host::site::{Audience, NewCustomer, Position};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

/// A served site, and a session of somebody who has signed in.
struct Desk {
    served: Served,
    session: String,
}

/// A call of the library that has to succeed.
macro_rules! ask {
    ($call:expr) => {
        block_on($call).expect("an answer").expect("no refusal")
    };
}

impl Desk {
    fn new() -> Self {
        let served = serve(|_| {});
        let session = served.sign_in();
        Self { served, session }
    }

    fn get(&self, path: &str) -> Answer {
        let answer = self.served.get(&format!("/console{path}"), &self.session);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer
    }

    /// The form of an action, on the page of its path.
    fn form(&self, path: &str) -> Sheet {
        self.get(path).form(&format!("/console{path}"))
    }

    fn send(&self, sheet: &Sheet) -> Answer {
        let answer = self.served.send(&self.session, sheet);
        let policy = answer.field("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{policy}");
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        answer
    }

    /// Sends a form that has to be taken; where the browser is sent to then, without what is told there.
    fn done(&self, sheet: &Sheet) -> String {
        let answer = self.send(sheet);
        assert_eq!(answer.status, 303, "{sheet:?}: {}", answer.body);
        let location = answer.field("location").expect("a place to go on to").to_owned();
        let page = self.served.get(&location, &self.session);
        assert!(page.status == 200 && page.body.contains("role=\"status\""), "{location}: {}", page.body);
        location.split(['?', '&']).next().unwrap_or_default().strip_prefix("/console").expect("inside").to_owned()
    }

    /// A form without fields that is on one page and sent to another path.
    fn press(&self, page: &str, action: &str) -> String {
        self.done(&self.get(page).form(&format!("/console{action}")))
    }

    fn customer(&self, email: &str, name: &str) -> String {
        let new = NewCustomer { email: email.into(), display_name: name.into(), time_zone: None, locale: None };
        ask!(self.served.site.create_customer("ann", new)).id
    }

    fn organization(&self, name: &str) -> u64 {
        ask!(self.served.site.create_organization("ann", name)).id
    }

    fn project(&self, key: &str, name: &str) -> u64 {
        ask!(self.served.site.create_project("ann", key, name, Audience::Restricted)).id
    }

    fn pushed(&self, idp: &Idp, path: &str, body: &Value) -> String {
        let (status, body) = self.served.push(idp, "POST", path, body);
        assert_eq!(status, 201, "{body}");
        serde_json::from_str::<Value>(&body).expect("JSON")["id"].as_str().expect("an id").to_owned()
    }

    /// How many changes were made so far.
    fn changes(&self) -> u64 {
        ask!(self.served.site.changes(0, Filter::everything(), 1_000)).changes.len() as u64
    }

    /// Who made the last change, and of what kind it was.
    fn last_change(&self) -> (String, String) {
        let changes = ask!(self.served.site.changes(0, Filter::everything(), 1_000)).changes;
        changes.last().map(|change| (change.actor.clone(), change.kind.clone())).expect("a change")
    }

    fn upkeep(&self) {
        for _ in 0..50 {
            ask!(self.served.site.upkeep(1_000));
        }
    }
}

/// The paths of the program's table of pages to which forms are sent, as they stand there.
fn posts() -> Vec<String> {
    let table = include_str!("../../src/console/mod.rs").lines().filter(|line| line.contains(" POST "));
    let paths = table.filter_map(|line| line.split('"').nth(1)).map(str::to_owned);
    paths.collect()
}

#[test]
fn forged_forms_change_nothing() {
    let desk = Desk::new();
    let settings = Settings { conflict_policy: ConflictPolicy::Skip, ..Settings::named("Entra ID") };
    let idp = desk.served.directory(settings);
    let organization = desk.organization("Harbour");
    let group = desk.pushed(&idp, "/Groups", &json!({ "displayName": "Harbour" }));
    let customer = desk.customer("ada@example.com", "Ada");
    let project = desk.project("OPS", "Operations");
    let key = ask!(desk.served.site.keys(&idp.id)).remove(0).id;
    let link = ask!(desk.served.site.make_setup_link("ann", &idp.id, 1, 0)).link.id;
    let token = desk.get("").token().to_owned();
    let other = serve(|settings| settings.admin_key = AdminKey::new("another key"));
    let others = other.submit("/console/sign-in", "", &[("key", "another key")]);
    let others = other.get("/console", &format!("cookie: {}\r\n", others.cookie())).token().to_owned();
    assert_ne!(token, others);

    let before = desk.changes();
    let paths = posts();
    assert!(paths.len() > 35, "{paths:?}");
    for path in paths {
        let id = match path.split('/').nth(2) {
            Some("directories") => idp.id.clone(),
            Some("customers") => customer.clone(),
            Some("organizations") => organization.to_string(),
            _ => project.to_string(),
        };
        let path = path.replace("{id}", &id).replace("{group}", &group).replace("{key}", &key).replace("{link}", &link);
        assert!(!path.contains('{'), "{path}");
        let filled = |token| [("token", token), ("name", "Forged"), ("action", "adopt"), ("fate", "remove")];
        for forged in [&filled("")[1..], &filled("x"), &filled(&others)] {
            let answer = desk.served.submit(&path, &desk.session, forged);
            assert_eq!(answer.status, 403, "{path}: {}", answer.body);
        }
        for from in ["origin: https://evil.example\r\n", "sec-fetch-site: cross-site\r\n"] {
            let answer = desk.served.submit(&path, &format!("{}{from}", desk.session), &filled(&token));
            assert_eq!(answer.status, 403, "{path}, {from}");
        }
        let answer = desk.served.submit(&path, "", &filled(&token));
        assert_eq!(answer.status, 303, "{path}: whoever has not signed in is sent to do so");
        assert!(answer.field("location").is_some_and(|to| to.starts_with("/console/sign-in")), "{path}");
    }
    assert_eq!(desk.changes(), before);
    desk.get(&format!("/directories/{}", idp.id));
}

#[test]
fn a_refusal_stands_above_what_was_entered() {
    let desk = Desk::new();
    desk.organization(HOSTILE);
    let project = desk.project("OPS", "Operations");
    let customer = desk.customer("ada@example.com", "Ada");
    desk.customer("bob@example.com", "Bob");
    let idp = desk.served.directory(Settings::named("Entra ID"));
    let before = desk.changes();
    let refused = |path: &str, entered: &[(&str, &str)], status: u16, why: &str| {
        let form = entered.iter().fold(desk.form(path), |form, (field, value)| form.with(field, value));
        let answer = desk.send(&form);
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(answer.body.contains("role=\"alert\"") && answer.body.contains(why), "{path}: {}", answer.body);
        for never in ["<script>", "<img", " onerror=alert(1)>"] {
            assert!(!answer.body.contains(never), "{path}: {never}");
        }
        let kept = answer.form(&form.action);
        for (field, value) in entered {
            assert_eq!(kept.value(field), Some(*value), "{path}: {field}");
        }
    };
    refused("/organizations/new", &[("name", HOSTILE)], 409, "An organization has this name.");
    refused("/organizations/new", &[("name", "")], 400, "The name");
    let hostile = [("name", HOSTILE), ("email", HOSTILE), ("time-zone", HOSTILE)];
    refused("/customers/new", &hostile, 400, "address");
    refused(&format!("/customers/{customer}/edit"), &[("email", "bob@example.com")], 409, "Another customer");
    refused("/projects/new", &[("name", "Again"), ("key", "ops")], 409, "A project has this key.");
    refused(&format!("/projects/{project}/edit"), &[("name", &"x".repeat(201))], 400, "200");
    let settings = format!("/directories/{}/settings", idp.id);
    for (field, value, why) in [
        ("domains", HOSTILE, "is no email domain"),
        ("project-rules", HOSTILE, "There is no project “"),
        ("project-rules", "Harbour*", "is no rule"),
        ("project-rules", "Harbour* = NONE", "There is no project “NONE”"),
        ("project-rules", "Harbour* =", "1 to 100 projects"),
        ("deletion-limit", "many", "needs a whole number"),
        ("adoption-grace", "-1", "needs a whole number"),
        ("silent-after", HOSTILE, "needs a whole number"),
    ] {
        refused(&settings, &[("name", "New"), (field, value)], 400, why);
    }
    let capture = format!("/directories/{}/requests/capture", idp.id);
    refused(&capture, &[("length", "2"), ("length-unit", "days")], 400, "1 second to 1 day");
    refused("/settings", &[("locale", "xx"), ("retention", "7")], 400, "The default locale must be one");
    assert_eq!(desk.changes(), before, "nothing was changed by any of it");
}

#[test]
fn the_second_of_two_admins_overwrites_nothing_unseen() {
    let desk = Desk::new();
    let idp = desk.served.directory(Settings::named("Entra ID"));
    let organization = desk.organization("Harbour");
    let customer = desk.customer("ada@example.com", "Ada");
    let project = desk.project("OPS", "Operations");
    for path in [
        format!("/directories/{}/settings", idp.id),
        format!("/organizations/{organization}/edit"),
        format!("/customers/{customer}/edit"),
        format!("/projects/{project}/edit"),
    ] {
        let (first, second) = (desk.form(&path), desk.form(&path));
        desk.done(&first.with("name", "The first"));
        let answer = desk.send(&second.with("name", "The second"));
        assert_eq!(answer.status, 409, "{path}");
        assert!(answer.body.contains("Somebody else has changed this"), "{path}");
        assert_eq!(desk.form(&path).value("name"), Some("The first"), "{path}");
        let again = answer.form(&format!("/console{path}"));
        assert_eq!(again.value("name"), Some("The second"), "{path}");
        desk.done(&again);
        assert_eq!(desk.form(&path).value("name"), Some("The second"), "{path}");
    }
    // What one has taken away, the other is told of, with a way on.
    let path = format!("/organizations/{organization}/delete");
    let (first, second) = (desk.form(&path), desk.form(&path));
    desk.done(&first);
    let answer = desk.send(&second);
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("href=\"/console/organizations/"), "{}", answer.body);
}

#[test]
fn a_key_is_shown_once_and_issued_once() {
    let desk = Desk::new();
    let idp = desk.served.directory(Settings::named("Entra ID"));
    let path = format!("/directories/{}/keys", idp.id);
    let form = desk.form(&path).with("overlap", "2").with("overlap-unit", "hours");
    let answer = desk.send(&form);
    assert_eq!(answer.status, 200);
    let key = answer.body.split("<code>").map(|rest| rest.split('<').next().unwrap_or_default());
    let keys = ask!(desk.served.site.keys(&idp.id));
    let key = key.filter(|text| text.starts_with(&format!("{}.", keys[1].id))).collect::<Vec<_>>();
    assert_eq!((keys.len(), key.len()), (2, 1), "{}", answer.body);
    assert_eq!(keys[0].expires_at.saturating_sub(keys[1].created_at), 7_200_000, "the overlap");
    assert!(!desk.get(&path).body.contains(key[0]), "it is shown once");
    // Loading the answer again sends the form again.
    let again = desk.send(&form);
    assert!(again.status == 409 && again.body.contains("no key was issued"), "{}", again.body);
    assert_eq!(ask!(desk.served.site.keys(&idp.id)).len(), 2);

    let revoke = format!("{path}/{}/revoke", keys[0].id);
    assert!(desk.get(&revoke).body.contains("1 other key goes on working"));
    let form = desk.form(&revoke);
    assert_eq!(desk.done(&form), path);
    assert_eq!(desk.send(&form).status, 404, "somebody else was faster");
    let last = desk.get(&format!("{path}/{}/revoke", keys[1].id));
    assert!(last.body.contains("No other key works."), "{}", last.body);
    desk.done(&last.form(&format!("/console{path}/{}/revoke", keys[1].id)));
    assert!(desk.get(&path).body.contains("No key works"));
}

#[test]
fn settings_of_a_directory_are_changed_one_by_one() {
    let desk = Desk::new();
    let idp = desk.served.directory(Settings::named("Entra ID"));
    let projects = [desk.project("OPS", "Operations"), desk.project("PAY", "Payroll")];
    let path = format!("/directories/{}/settings", idp.id);
    desk.done(&desk.form(&path).with("email-change", "follow"));
    let settings = ask!(desk.served.site.directory(&idp.id)).settings;
    assert_eq!(settings, Settings { email_change: EmailChange::Follow, ..Settings::named("Entra ID") });
    let form = [
        ("domains", "Harbour.example, meadow.example\r\n"),
        ("outside-domains", "refuse"),
        ("conflict-policy", "reject"),
        ("adoption-grace", "3"),
        ("adoption-grace-unit", "hours"),
        ("deletion-limit", "1,500"),
        ("project-rules", "Harbour* = ops, PAY\r\na = b = #2\r\n"),
        ("silent-after", "0"),
        ("membership-resources", "on"),
    ];
    let form = form.iter().fold(desk.form(&path), |form, (field, value)| form.with(field, value));
    desk.done(&form);
    let settings = ask!(desk.served.site.directory(&idp.id)).settings;
    assert_eq!(settings.domains, ["harbour.example", "meadow.example"]);
    assert_eq!((settings.adoption_grace_seconds, settings.deletion_limit), (10_800, Some(1_500)));
    assert_eq!(
        settings.project_rules.iter().map(|rule| rule.pattern.as_str()).collect::<Vec<_>>(),
        ["Harbour*", "a = b"]
    );
    assert_eq!(settings.project_rules[0].projects, projects);
    assert!(settings.membership_resources && settings.silent_after == 0);
    let (actor, kind) = desk.last_change();
    assert_eq!((actor.as_str(), kind.as_str()), ("admin:key", "directory.updated"));
    // Sent as it came, it changes nothing.
    let before = desk.changes();
    desk.done(&desk.form(&path));
    assert_eq!(desk.changes(), before);
    desk.done(&desk.form(&path).with("deletion-limit", ""));
    assert_eq!(ask!(desk.served.site.directory(&idp.id)).settings.deletion_limit, None);
}

#[test]
fn a_directory_is_staged_and_its_plan_applied() {
    let desk = Desk::new();
    let idp = desk.served.directory(Settings { deletion_limit: Some(0), ..Settings::named("Entra ID") });
    let ada = desk.pushed(&idp, "/Users", &json!({ "userName": "ada@example.com", "displayName": "Ada" }));
    let path = format!("/directories/{}", idp.id);
    assert!(desk.get(&format!("{path}/stage")).body.contains("1 user and 0 groups"));
    assert_eq!(desk.done(&desk.form(&format!("{path}/stage"))), format!("{path}/plan"));
    assert_eq!(desk.served.push(&idp, "DELETE", &format!("/Users/{ada}"), &Value::Null).0, 204);
    desk.pushed(&idp, "/Users", &json!({ "userName": "bob@example.com", "displayName": "Bob" }));

    let apply = format!("{path}/plan/apply");
    let page = desk.get(&apply);
    assert!(page.body.contains("Customers to delete: <b>1</b>") && page.body.contains("Customers to make: <b>1</b>"));
    let form = page.form(&format!("/console{apply}"));
    let answer = desk.send(&form);
    assert!(answer.status == 409 && answer.body.contains("role=\"alert\""), "unless so many are accepted");
    assert!(answer.body.contains("value=\"1\""), "the box to tick: {}", answer.body);
    assert_eq!(desk.done(&form.with("accept", "1")), format!("{path}/plan"));
    desk.upkeep();
    assert_eq!(ask!(desk.served.site.directory(&idp.id)).settings.mode, Mode::Live);
    let page = ask!(desk.served.site.customers(Position::START, 10));
    assert_eq!(page.values.iter().map(|customer| customer.display_name.as_str()).collect::<Vec<_>>(), ["Bob"]);
    assert!(desk.get(&apply).body.contains("The directory is live"), "and there is no button any more");
    assert!(desk.get(&apply).forms(&format!("/console{apply}")).is_empty());
}

#[test]
fn held_deletions_are_let_through_by_name() {
    let desk = Desk::new();
    let idp = desk.served.directory(Settings { deletion_limit: Some(0), ..Settings::named("Entra ID") });
    let ada = desk.pushed(&idp, "/Users", &json!({ "userName": "ada@example.com", "displayName": HOSTILE }));
    assert_eq!(desk.served.push(&idp, "DELETE", &format!("/Users/{ada}"), &Value::Null).0, 503);
    let path = format!("/directories/{}/held/release", idp.id);
    let page = desk.get(&path);
    assert!(page.body.contains("1 deletion or deactivation goes") && page.body.contains("ada@example.com"));
    desk.done(&page.form(&format!("/console{path}")));
    assert_eq!(desk.served.push(&idp, "DELETE", &format!("/Users/{ada}"), &Value::Null).0, 204);
}

#[test]
fn a_conflict_is_decided_beside_its_preview() {
    let desk = Desk::new();
    let settings = Settings { conflict_policy: ConflictPolicy::Skip, ..Settings::named("Entra ID") };
    let idp = desk.served.directory(settings);
    let ada = desk.pushed(&idp, "/Users", &json!({ "userName": "ada@example.com", "displayName": "Ada" }));
    let bob = desk.customer("bob@example.org", "Bob");
    let conflict = |name: &str| {
        let organization = desk.organization(name);
        ask!(desk.served.site.add_members("ann", organization, vec![bob.clone()]));
        let members = json!([{ "value": ada }]);
        let group = desk.pushed(&idp, "/Groups", &json!({ "displayName": name, "members": members }));
        (organization, format!("/directories/{}/conflicts/{group}", idp.id))
    };
    let decide = |path: &str, action: &str| {
        let forms = desk.get(path).forms(&format!("/console{path}"));
        forms.into_iter().find(|form| form.value("action") == Some(action)).expect("the decision")
    };
    let list = format!("/directories/{}/conflicts", idp.id);

    let (adopted, path) = conflict("Adopted");
    let page = desk.get(&path).body;
    assert!(page.contains("Who comes: 1") && page.contains("Who goes: 1") && page.contains(">Bob</a>"), "{page}");
    let (second, other) = (decide(&path, "adopt"), decide(&path, "leave"));
    assert_eq!(desk.done(&decide(&path, "adopt")), list);
    assert_eq!(ask!(desk.served.site.organization(adopted)).managed_by.as_deref(), Some(idp.id.as_str()));
    assert!(matches!(desk.send(&second).status, 404 | 409) && matches!(desk.send(&other).status, 404 | 409));

    let (renamed, path) = conflict("Renamed");
    let form = decide(&path, "rename");
    let answer = desk.send(&form.clone().with("name", "Adopted"));
    assert!(answer.status == 409 && answer.body.matches("role=\"alert\"").count() == 1, "{}", answer.body);
    assert_eq!(desk.done(&form.with("name", HOSTILE)), list);
    assert_eq!(ask!(desk.served.site.organization(renamed)).name, HOSTILE);

    let (left, path) = conflict("Left");
    assert_eq!(desk.done(&decide(&path, "leave")), format!("{list}/left"));
    assert_eq!(ask!(desk.served.site.organization(left)).managed_by, None);
    assert!(desk.get(&path).forms(&format!("/console{path}")).iter().all(|form| form.value("action") != Some("leave")));
    desk.done(&decide(&path, "adopt"));
}

#[test]
fn a_customer_is_made_edited_deleted_restored_and_erased() {
    let desk = Desk::new();
    let form = desk.form("/customers/new").with("name", HOSTILE).with("email", "ada@example.com");
    let path = desk.done(&form);
    let id = path.rsplit('/').next().expect("an id").to_owned();
    let edit = desk.form(&format!("{path}/edit"));
    desk.done(&edit.with("name", "Ada").with("status", "deactivated").with("time-zone", "Europe/Berlin"));
    let customer = ask!(desk.served.site.customer(&id));
    assert_eq!((customer.display_name.as_str(), customer.active), ("Ada", false));
    assert_eq!(customer.time_zone.as_deref(), Some("Europe/Berlin"));
    assert!(desk.get(&format!("{path}/delete")).body.contains("For 14 days it can be restored"));
    assert_eq!(desk.done(&desk.form(&format!("{path}/delete"))), path);
    assert_eq!(desk.press(&path, &format!("{path}/restore")), path, "it is undone where one comes to");
    desk.done(&desk.form(&format!("{path}/delete")));
    assert_eq!(desk.done(&desk.form(&format!("{path}/erase"))), "/customers/deleted");
    assert_eq!(desk.served.get(&format!("/console{path}"), &desk.session).status, 404);
}

#[test]
fn a_managed_customer_says_where_it_is_edited() {
    let desk = Desk::new();
    let idp = desk.served.directory(Settings::named("Entra ID"));
    desk.pushed(&idp, "/Users", &json!({ "userName": "ada@example.com", "displayName": "Ada" }));
    let id = ask!(desk.served.site.customers(Position::START, 1)).values.remove(0).id;
    let path = format!("/customers/{id}");
    let edit = format!("/console{path}/edit");
    let page = desk.get(&format!("{path}/edit"));
    assert!(page.body.contains("edited at the identity provider") && page.forms(&edit).is_empty());
    let token = page.token().to_owned();
    let forced = [("token", token.as_str()), ("name", "Eve"), ("email", "ada@example.com"), ("status", "active")];
    assert_eq!(desk.served.submit(&edit, &desk.session, &forced).status, 409);

    assert_eq!(desk.done(&desk.form(&format!("{path}/unlink"))), path);
    let unlinked = ask!(desk.served.site.unlinked(&idp.id, None, 10)).values;
    assert_eq!(unlinked[0].reason, UnlinkedReason::Unlinked);
    desk.done(&desk.form(&format!("{path}/relink")).with("directory", &idp.id));
    assert_eq!(ask!(desk.served.site.customer(&id)).managed_by.as_deref(), Some(idp.id.as_str()));
}

#[test]
fn an_organization_is_made_filled_renamed_deleted_and_restored() {
    let desk = Desk::new();
    let path = desk.done(&desk.form("/organizations/new").with("name", "Harbour"));
    let id: u64 = path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a number");
    let ada = desk.customer("ada@example.com", HOSTILE);
    let find = format!("{path}/add?query=ada");
    let row = desk.get(&find).form(&format!("/console{find}")).with("customer", &ada);
    assert_eq!(desk.done(&row), format!("{path}/add"));
    assert_eq!(ask!(desk.served.site.organization_member(id, &ada)).id, ada);
    let remove = desk.get(&path).form(&format!("/console{path}/remove")).with("customer", &ada);
    assert_eq!(desk.done(&remove), path);
    assert!(ask!(desk.served.site.organization_members(id, Position::START, 10)).values.is_empty());
    desk.done(&desk.form(&format!("{path}/edit")).with("name", "Port"));
    ask!(desk.served.site.add_members("ann", id, vec![ada]));
    assert!(desk.get(&format!("{path}/delete")).body.contains("<b>1 member</b>"));
    assert_eq!(desk.done(&desk.form(&format!("{path}/delete"))), path);
    assert_eq!(desk.press(&path, &format!("{path}/restore")), path);
    assert_eq!(ask!(desk.served.site.organization(id)).name, "Port");
}

#[test]
fn a_managed_organization_is_unlinked_and_its_group_repaired() {
    let desk = Desk::new();
    let idp = desk.served.directory(Settings::named("Entra ID"));
    let group = desk.pushed(&idp, "/Groups", &json!({ "displayName": "Harbour" }));
    let id = ask!(desk.served.site.organizations(Position::START, 1)).values.remove(0).id;
    let path = format!("/organizations/{id}");
    assert!(desk.get(&format!("{path}/edit")).forms(&format!("/console{path}/edit")).is_empty());
    assert_eq!(desk.done(&desk.form(&format!("{path}/unlink"))), path);
    assert_eq!(ask!(desk.served.site.organization(id)).managed_by, None);
    desk.done(&desk.form(&format!("{path}/edit")).with("name", "Port"));
    let group = format!("/directories/{}/groups/{group}", idp.id);
    let checked = desk.send(&desk.form(&group));
    assert!(checked.status == 200 && checked.body.contains("The group has no organization"), "{}", checked.body);
    desk.done(&checked.form(&format!("/console{group}/repair")));
    let checked = desk.send(&desk.form(&group));
    assert!(checked.body.contains("The group and its organization match."), "{}", checked.body);
}

#[test]
fn a_project_is_made_opened_closed_and_deleted() {
    let desk = Desk::new();
    let path = desk.done(&desk.form("/projects/new").with("name", "Operations").with("key", "OPS"));
    let id: u64 = path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a number");
    let (organization, ada) = (desk.organization("Harbour"), desk.customer("ada@example.com", "Ada"));
    for (list, field, value) in
        [("organizations", "organization", organization.to_string()), ("customers", "customer", ada.clone())]
    {
        let list = format!("{path}/{list}");
        desk.done(&desk.form(&format!("{list}/add")).with(field, &value));
        let row = format!("value=\"{value}\"");
        assert!(desk.get(&list).body.contains(&row), "{list}");
        let remove = desk.get(&list).form(&format!("/console{list}/remove")).with(field, &value);
        assert_eq!(desk.done(&remove), list);
        assert!(!desk.get(&list).body.contains(&row), "{list}");
    }
    desk.done(&desk.form(&format!("{path}/edit")).with("name", HOSTILE).with("audience", "open"));
    assert!(ask!(desk.served.site.access_to(&ada, id)).allowed);
    assert_eq!(desk.done(&desk.form(&format!("{path}/delete"))), "/projects");
    assert_eq!(desk.served.get(&format!("/console{path}"), &desk.session).status, 404);
}

#[test]
fn rules_are_applied_to_what_exists() {
    let desk = Desk::new();
    let idp = desk.served.directory(Settings::named("Entra ID"));
    desk.pushed(&idp, "/Groups", &json!({ "displayName": "Harbour" }));
    let project = desk.project("OPS", "Operations");
    let path = format!("/directories/{}", idp.id);
    assert!(desk.get(&format!("{path}/rules")).body.contains("Nothing to do"));
    desk.done(&desk.form(&format!("{path}/settings")).with("project-rules", "harbour* = OPS"));
    assert_eq!(desk.done(&desk.form(&format!("{path}/rules"))), format!("{path}/rules"));
    let organizations = ask!(desk.served.site.project_organizations(project, None, Position::START, 10));
    assert_eq!(organizations.values.len(), 1);
}

#[test]
fn bodies_are_captured_until_somebody_stops_it() {
    let desk = Desk::new();
    let idp = desk.served.directory(Settings::named("Entra ID"));
    let path = format!("/directories/{}/requests", idp.id);
    desk.done(&desk.form(&format!("{path}/capture")).with("length", "10").with("length-unit", "minutes"));
    let status = ask!(desk.served.site.directory_status(&idp.id));
    assert!(status.captured_until.is_some() && !status.captured_values);
    assert_eq!(desk.press(&path, &format!("{path}/capture/stop")), path);
    assert!(ask!(desk.served.site.directory_status(&idp.id)).captured_until.is_none());
}

#[test]
fn disconnecting_says_what_will_happen_and_does_it() {
    for (fate, left) in [("keep", 1), ("remove", 0)] {
        let desk = Desk::new();
        let idp = desk.served.directory(Settings::named("Entra ID"));
        desk.pushed(&idp, "/Users", &json!({ "userName": "ada@example.com", "displayName": "Ada" }));
        desk.pushed(&idp, "/Groups", &json!({ "displayName": "Harbour" }));
        let path = format!("/directories/{}/disconnect", idp.id);
        let page = desk.get(&path);
        assert!(page.body.contains("1 customer and 1 organization") && page.body.contains("1 key stops"), "{fate}");
        let form = page.form(&format!("/console{path}"));
        assert_eq!(form.value("fate"), Some("keep"), "nothing is removed unless somebody chooses so");
        assert_eq!(desk.done(&form.with("fate", fate)), "/directories");
        let customers = ask!(desk.served.site.customers(Position::START, 10)).values;
        assert_eq!(customers.len(), left, "{fate}");
        assert!(customers.iter().all(|customer| customer.managed_by.is_none()), "{fate}");
    }
}

#[test]
fn the_settings_of_the_site_are_changed() {
    let desk = Desk::new();
    let form = desk.form("/settings").with("retention", "30").with("locales", "de\r\nfr, en").with("locale", "fr");
    assert_eq!(desk.done(&form.with("members", "150,000")), "/settings");
    let settings = ask!(desk.served.site.settings());
    assert_eq!((settings.retention_days, settings.max_members), (30, 150_000));
    assert_eq!((settings.locales.len(), settings.default_locale.as_str()), (3, "fr"));
}

#[test]
fn changes_are_made_in_the_name_that_one_gives() {
    let served = serve(|_| {});
    let sign_in = |name: &str| served.submit("/console/sign-in", "", &[("key", console_site::KEY), ("name", name)]);
    for (name, actor) in [("", "admin:key"), (" Ada, of \u{dc}sher ", "admin:Ada, of \u{dc}sher"), (HOSTILE, "")] {
        let answer = sign_in(name);
        if actor.is_empty() {
            assert_eq!((answer.status, answer.field("set-cookie")), (400, None), "it is too long");
            assert!(!answer.body.contains("<img"), "{}", answer.body);
            continue;
        }
        let session = format!("cookie: {}\r\n", answer.cookie());
        let form = served.get("/console/organizations/new", &session).form("/console/organizations/new");
        assert_eq!(served.send(&session, &form.with("name", actor)).status, 303);
        let changes = ask!(served.site.changes(0, Filter::everything(), 10)).changes;
        assert_eq!(changes.last().map(|change| change.actor.as_str()), Some(actor));
    }
}

#[test]
fn what_was_done_is_told_from_a_list_alone() {
    let desk = Desk::new();
    assert!(desk.get("/customers?done=customer-erased").body.contains("The customer is erased for good."));
    for other in ["", "x", "%3Cscript%3Ealert(1)%3C%2Fscript%3E"] {
        let page = desk.get(&format!("/customers?done={other}"));
        assert!(!page.body.contains("role=\"status\"") && !page.body.contains("alert(1)"), "{other}");
    }
    for number in 0..60 {
        desk.customer(&format!("u{number}@example.com"), "Somebody");
    }
    let page = desk.get("/customers?done=customer-erased");
    assert!(
        page.links().iter().any(|link| link.contains("cursor="))
            && !page.links().iter().any(|link| link.contains("done="))
    );
}
