//! The console over HTTP: who is let in, what keeps its pages to themselves, and what a page costs.
#![cfg(feature = "console")]

mod console_actions;
#[allow(dead_code, reason = "signing in by a link is looked at in another file")]
mod console_site;

use console_site::{Answer, Idp, KEY, Served, serve};
use futures_lite::future::block_on;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::time::{Duration, Instant};
use usher_host::directories::{ConflictPolicy, Mode, Settings};
use usher_host::http::AdminKey;
use usher_host::site::Audience;

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

/// The longest page.
const MAX_BYTES: usize = 100 << 10;

/// A user, which becomes a customer.
fn user(number: usize, name: &str) -> Value {
    json!({ "userName": format!("u{number}@example.com"), "displayName": name })
}

/// Makes so many users, a thousand in a request, and groups with ten of them each.
fn fill(served: &Served, idp: &Idp, users: usize, groups: usize, name: &str) {
    let bulk = |operations: Vec<Value>| {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
        let (status, body) =
            served.push(idp, "POST", "/Bulk", &json!({ "schemas": schemas, "Operations": operations }));
        assert_eq!(status, 200, "{body}");
        let results: Value = serde_json::from_str(&body).expect("JSON");
        let ids = results["Operations"].as_array().expect("results").iter().map(|result| {
            assert_eq!(result["status"], "201", "{result}");
            let location = result["location"].as_str().expect("a location");
            location.rsplit('/').next().expect("an id").to_owned()
        });
        ids.collect::<Vec<_>>()
    };
    let mut ids = Vec::new();
    for first in (0..users).step_by(1_000) {
        let operation =
            |n: usize| json!({ "method": "POST", "path": "/Users", "bulkId": n.to_string(), "data": user(n, name) });
        ids.extend(bulk((first..users.min(first + 1_000)).map(operation).collect()));
    }
    for first in (0..groups).step_by(1_000) {
        let operation = |n: usize| {
            let members: Vec<_> = (0..10).map(|m| json!({ "value": ids[(n * 7 + m) % ids.len()] })).collect();
            let data = json!({ "displayName": format!("{name} {n}"), "members": members });
            json!({ "method": "POST", "path": "/Groups", "bulkId": n.to_string(), "data": data })
        };
        bulk((first..groups.min(first + 1_000)).map(operation).collect());
    }
}

/// A site with something on every page: a live directory, and one that is staged.
fn furnished(served: &Served, users: usize, groups: usize, name: &str) {
    let live = served.directory(Settings {
        conflict_policy: ConflictPolicy::Skip,
        deletion_limit: Some(0),
        ..Settings::named(format!("Live {name}"))
    });
    let organization = block_on(served.site.create_organization("ann", &format!("{name} local")));
    let organization = organization.expect("an answer").expect("made").id;
    let project = block_on(served.site.create_project("ann", "HELP", &format!("{name} desk"), Audience::Restricted));
    let project = project.expect("an answer").expect("made").id;
    block_on(served.site.associate_organization("ann", project, organization, true)).expect("an answer").expect("made");
    fill(served, &live, users, groups, name);
    let (status, body) = served.push(&live, "POST", "/Users", &json!({ "userName": format!("no address {name}") }));
    assert_eq!(status, 201, "{body}");
    let id = serde_json::from_str::<Value>(&body).expect("JSON")["id"].as_str().expect("an id").to_owned();
    assert_eq!(served.push(&live, "DELETE", &format!("/Users/{id}"), &Value::Null).0, 503, "it is held");
    let local = json!({ "displayName": format!("{name} local") });
    assert_eq!(served.push(&live, "POST", "/Groups", &local).0, 201);
    let settings = Settings { mode: Mode::Staged, ..Settings::named(format!("Staged {name}")) };
    let staged = served.directory(settings);
    let data = json!({ "userName": "staged@example.org", "displayName": name });
    assert_eq!(served.push(&staged, "POST", "/Users", &data).0, 201);
}

fn assert_guarded(path: &str, answer: &Answer) {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                  form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    assert_eq!(answer.field("content-security-policy"), Some(policy), "{path}");
    for (name, value) in
        [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("cache-control", "no-store")]
    {
        assert_eq!(answer.field(name), Some(value), "{path}");
    }
}

#[test]
fn the_key_opens_the_console_and_nothing_else_does() {
    let served = serve(|_| {});
    let turned_away = served.get("/console/customers?query=a%20b", "");
    assert_eq!(turned_away.status, 303);
    let to = "/console/sign-in?next=%2Fconsole%2Fcustomers%3Fquery%3Da%2520b";
    assert_eq!(turned_away.field("location"), Some(to));
    let page = served.get(to, "");
    assert_eq!(page.status, 200);
    assert!(page.links().contains(&to.to_owned()), "the form comes back to where one was: {:?}", page.links());
    for wrong in ["", "x", &KEY[1..]] {
        let answer = served.submit(to, "", &[("key", wrong)]);
        assert!(matches!(answer.status, 400 | 403) && answer.field("set-cookie").is_none(), "{wrong}");
        assert_guarded(to, &answer);
    }
    let answer = served.submit(to, "", &[("key", &format!(" {KEY}\n"))]);
    assert_eq!((answer.status, answer.field("location")), (303, Some("/console/customers?query=a%20b")));
    let set = answer.field("set-cookie").expect("a cookie");
    assert!(set.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{set}");
    assert_eq!(served.get("/console", &format!("cookie: {}\r\n", answer.cookie())).status, 200);
    let elsewhere = served.submit("/console/sign-in?next=%2F%2Fevil.example", "", &[("key", KEY)]);
    assert_eq!(elsewhere.field("location"), Some("/console"));
}

#[test]
fn a_cookie_is_of_its_key_on_every_host_and_of_nothing_else() {
    let (one, same) = (serve(|_| {}), serve(|_| {}));
    let other = serve(|settings| settings.admin_key = AdminKey::new("another key"));
    let session = one.sign_in();
    assert_eq!((one.get("/console", &session).status, same.get("/console", &session).status), (200, 200));
    assert_eq!(other.get("/console", &session).status, 303, "the key has changed");
    let cookie = session.trim().to_owned();
    for forged in [
        cookie.replace("admin.", "owner."),
        cookie.replacen('.', ".0", 2),
        format!("{cookie}A"),
        cookie.replace('=', "=x"),
    ] {
        assert_eq!(one.get("/console", &format!("{forged}\r\n")).status, 303, "{forged}");
    }
    for path in ["/admin/v1/settings", "/rest/servicedeskapi/organization", "/metrics"] {
        assert_eq!(one.get(path, &session).status, 401, "{path}");
    }
}

#[test]
fn one_signs_out_by_a_form_of_the_session() {
    let served = serve(|_| {});
    let session = served.sign_in();
    let token = served.get("/console", &session).token().to_owned();
    let refused = served.submit("/console/sign-out", &session, &[("token", "x")]);
    assert_eq!((refused.status, refused.field("set-cookie")), (403, None));
    assert_eq!(served.get("/console/sign-out", &session).status, 405);
    let out = served.submit("/console/sign-out", &session, &[("token", &token)]);
    assert_eq!((out.status, out.field("location")), (303, Some("/console/sign-in")));
    assert_eq!(out.cookie(), "usher_console=");
}

#[test]
fn wrong_keys_are_slowed_like_those_of_the_admin_api() {
    let served = serve(|_| {});
    let began = Instant::now();
    for _ in 0..24 {
        assert_eq!(served.submit("/console/sign-in", "", &[("key", "wrong")]).status, 403);
    }
    // Twenty are answered at once, and then four in a second, however fast the machine is.
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
    served.sign_in();
}

#[test]
fn pages_of_other_sites_get_nothing() {
    let served = serve(|_| {});
    let session = served.sign_in();
    for fields in ["origin: https://evil.example\r\n", "origin: null\r\n", "sec-fetch-site: cross-site\r\n"] {
        let fields = format!("{session}{fields}");
        for answer in [served.get("/console", &fields), served.submit("/console/sign-in", &fields, &[("key", KEY)])] {
            assert_eq!((answer.status, answer.field("set-cookie")), (403, None), "{fields}");
            assert_guarded(&fields, &answer);
        }
    }
    // Who follows a link from elsewhere gets to where it leads, by loading it once more from here.
    let fields = "sec-fetch-site: cross-site\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n";
    let answer = served.get("/console", &format!("{session}{fields}"));
    assert!(
        answer.status == 200 && answer.body.contains("http-equiv=\"refresh\"") && !answer.body.contains("Overview")
    );
    let own = format!("{session}origin: http://{}\r\nsec-fetch-site: same-origin\r\n", served.address);
    assert_eq!(served.get("/console", &own).status, 200);
}

#[test]
fn every_page_is_guarded_short_and_without_markup_of_others() {
    let served = serve(|_| {});
    furnished(&served, 60, 60, HOSTILE);
    let session = served.sign_in();
    let kinds = served.crawl(&session, |_, path, answer| {
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        if path.starts_with("/console/assets/") {
            return;
        }
        assert_guarded(path, answer);
        assert!(answer.body.len() <= MAX_BYTES, "{path}: {} bytes", answer.body.len());
        for never in ["<script>", "<img", "style=\"", " onerror=alert(1)>"] {
            assert!(!answer.body.contains(never), "{path}: {never}");
        }
        let scripts = answer.body.matches("<script").count();
        assert_eq!(scripts, answer.body.matches("<script src=\"/console/assets/console-").count(), "{path}");
    });
    for kind in [
        "/console ",
        "/console/customers ",
        "/console/customers/* ",
        "/console/customers/deleted ",
        "/console/organizations ",
        "/console/organizations/* ",
        "/console/organizations/deleted ",
        "/console/projects ",
        "/console/projects/* ",
        "/console/access ",
        "/console/activity ",
        "/console/settings ",
        "/console/connect ",
        "/console/directories ",
        "/console/directories/* ",
        "/console/directories/*/plan ",
        "/console/directories/*/plan/make-customer ",
        "/console/directories/*/conflicts ",
        "/console/directories/*/conflicts/* ",
        "/console/directories/*/conflicts/left ",
        "/console/directories/*/conflicts/adopted ",
        "/console/directories/*/held ",
        "/console/directories/*/unlinked ",
        "/console/directories/*/groups ",
        "/console/directories/*/groups/* ",
        "/console/directories/*/requests ",
        "/console/directories/*/requests/* ",
        "/console/directories/*/keys ",
        "/console/directories/*/set-up ",
        "/console/directories/*/settings ",
        "/console/directories/*/stage ",
        "/console/directories/*/rules ",
        "/console/directories/*/disconnect ",
        "/console/directories/*/plan/apply ",
        "/console/directories/*/held/release ",
        "/console/directories/*/requests/capture ",
        "/console/directories/*/keys/*/revoke ",
        "/console/customers/new ",
        "/console/customers/*/unlink ",
        "/console/organizations/new ",
        "/console/organizations/*/edit ",
        "/console/organizations/*/add ",
        "/console/organizations/*/delete ",
        "/console/organizations/*/unlink ",
        "/console/projects/new ",
        "/console/projects/*/edit ",
        "/console/projects/*/delete ",
        "/console/projects/*/organizations/add ",
        "/console/projects/*/customers/add ",
    ] {
        assert!(kinds.contains(kind), "no link leads to {kind}: {kinds:#?}");
    }
    let hostile = served.get("/console/directories", &session).body;
    assert!(hostile.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{hostile}");
}

/// What there is more of on a site costs no page more.
#[test]
fn a_large_site_costs_a_page_no_more_storage_calls_than_a_small_one() {
    let costs = |users, groups| {
        let served = serve(|_| {});
        furnished(&served, users, groups, "Harbour");
        let session = served.sign_in();
        // Where the feed ends is found once, and known from then on.
        served.get("/console", &session);
        let mut costs = BTreeMap::new();
        served.storage.take();
        served.crawl(&session, |kind, _, _| {
            let cost = costs.entry(kind.to_owned()).or_insert(0);
            *cost = served.storage.take().max(*cost);
        });
        costs
    };
    let (small, large) = (costs(120, 110), costs(3_000, 1_100));
    for (kind, cost) in &large {
        let Some(before) = small.get(kind) else { continue };
        // What is looked for in the feed is looked for in so many stretches of it, and a small site has no more than one.
        let stretches = if kind.starts_with("/console/activity") { 60 } else { 0 };
        let most = before + before / 4 + 4 + stretches;
        assert!(*cost <= most, "{kind}: {before} calls at a small site, {cost} at a large one");
        assert!(*cost <= 250, "{kind}: {cost} calls");
    }
    assert!(large.len() > 25, "{large:#?}");
}

#[test]
fn everything_starts_with_the_path_of_the_public_url() {
    let served = serve(|settings| settings.public_url = Some("https://example.com/usher".into()));
    furnished(&served, 3, 2, "Harbour");
    let answer = served.submit("/console/sign-in", "origin: https://example.com\r\n", &[("key", KEY)]);
    assert_eq!(answer.field("location"), Some("/usher/console"));
    let set = answer.field("set-cookie").expect("a cookie");
    assert!(set.ends_with("; Path=/usher; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"), "{set}");
    let session = format!("cookie: {}\r\n", answer.cookie());
    let (mut waiting, mut seen) = (vec!["/usher/console".to_owned()], 0);
    let mut known = waiting.clone();
    while let Some(link) = waiting.pop() {
        let path = link.strip_prefix("/usher").unwrap_or_else(|| panic!("{link}"));
        for link in served.get(path, &session).links() {
            let outside = link.starts_with("https://example.com/usher/");
            assert!(outside || link.starts_with("/usher/console"), "{path}: {link}");
            if !outside && !known.contains(&link) {
                known.push(link.clone());
                waiting.push(link);
            }
        }
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn what_is_missing_is_told_in_the_frame() {
    let served = serve(|_| {});
    let session = served.sign_in();
    for path in ["/console/nothing", "/console/directories/none", "/console/customers/"] {
        let answer = served.get(path, &session);
        assert_eq!(answer.status, 404, "{path}");
        assert_guarded(path, &answer);
        assert!(
            answer.body.contains("<nav aria-label=\"Main\">") && answer.body.contains("<h1>Not found</h1>"),
            "{path}"
        );
    }
    assert_eq!(served.get("/consoles", &session).status, 404);
    assert_eq!(served.get("/console/assets/none", "").status, 404);
}

#[test]
fn the_style_sheet_and_the_script_are_kept_for_good() {
    let served = serve(|_| {});
    let links = served.get("/console/sign-in", "").links();
    let assets: Vec<_> = links.iter().filter(|link| link.starts_with("/console/assets/")).collect();
    assert_eq!(assets.len(), 2, "{links:?}");
    for path in assets {
        let answer = served.get(path, "");
        assert_eq!(answer.field("cache-control"), Some("public, max-age=31536000, immutable"), "{path}");
        let tag = answer.field("etag").expect("a tag");
        let again = served.get(path, &format!("if-none-match: {tag}\r\n"));
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{path}");
    }
}

#[test]
fn an_open_page_is_told_of_a_commit() {
    let served = serve(|_| {});
    let session = served.sign_in();
    let mut stream = served.connect();
    let request = format!("GET /console/live HTTP/1.1\r\nhost: {}\r\n{session}\r\n", served.address);
    stream.write_all(request.as_bytes()).expect("sent");
    let mut told = String::new();
    let mut wait_for = |wanted: &str| {
        let mut bytes = [0; 1_024];
        while !told.contains(wanted) {
            let read = stream.read(&mut bytes).expect("in time");
            assert!(read > 0, "{told}");
            told.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    };
    wait_for("retry: 2000");
    served.directory(Settings::named("Entra ID"));
    wait_for("event: change");
    assert!(told.contains("content-type: text/event-stream"), "{told}");
    assert_eq!(served.get("/console/live", "").status, 303, "who has not signed in is told nothing");
}
