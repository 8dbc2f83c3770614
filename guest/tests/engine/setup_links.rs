//! Set-up links: one key to whoever has one, and nothing to anybody else.

use serde_json::{Value, json};
use usher_engine::directories::{Error, SetupLink};
use usher_engine::storage::Error as StorageError;

use super::integrity;
use super::site::{Directory, Site, settings};
use super::storage::{Fault, Plan};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

fn status_with(directory: &Directory<'_>, key: &str) -> u16 {
    let mut request = directory.request("GET", "/Users", None);
    request.headers = vec![("authorization".into(), format!("Bearer {key}"))];
    directory.site.handle(&request).status
}

/// The changes about set-up links and keys, each with its actor.
fn told(site: &Site) -> Vec<(String, String, Value)> {
    let changes = site.engine().changes(0, 1_000).unwrap().into_iter();
    let changes = changes.filter(|change| change.kind.starts_with("setup-link.") || change.kind == "key.issued");
    changes.map(|change| (change.kind, change.actor, serde_json::from_str(&change.detail).unwrap())).collect()
}

#[test]
fn a_link_issues_one_key_and_the_feed_tells_every_step() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let (engine, id) = (site.engine(), directory.id.as_str());
    let made = engine.make_setup_link("ann", id, 7, 0).unwrap();
    let link = made.link.id.as_str();
    assert_eq!((made.link.expires_at - made.link.created_at, made.link.made_by.as_str()), (7 * DAY, "admin:ann"));
    assert_eq!(engine.setup_links(id).unwrap(), std::slice::from_ref(&made.link));

    let setup = engine.open_setup_link(&made.token).unwrap();
    assert_eq!((setup.directory.as_str(), setup.scim_path.as_str()), ("idp", directory.path.as_str()));
    assert_eq!((setup.expires_at, setup.used_at, setup.heard_at), (made.link.expires_at, None, None));
    let changes = engine.changes(0, 1_000).unwrap().len();
    engine.open_setup_link(&made.token).unwrap();
    assert_eq!(engine.changes(0, 1_000).unwrap().len(), changes, "who looks changes nothing");

    let key = engine.claim_setup_link(&made.token).unwrap();
    // The key that was there before has stopped: nobody else has one.
    assert_eq!((status_with(&directory, &directory.key), status_with(&directory, &key.api_key)), (401, 200));
    for _ in 0..2 {
        assert!(matches!(engine.claim_setup_link(&made.token), Err(Error::Refused(_))));
    }
    assert_eq!(engine.keys(id).unwrap(), std::slice::from_ref(&key.key));
    let listed = engine.setup_links(id).unwrap();
    assert_eq!(listed[0].key.as_deref(), Some(key.key.id.as_str()));
    assert!(listed[0].used_at.is_some());

    engine.revoke_setup_link("bob", id, link).unwrap();
    assert!(matches!(engine.open_setup_link(&made.token), Err(Error::NotFound(_))));
    assert_eq!(status_with(&directory, &key.api_key), 200, "the key goes on");
    let claimed = json!({ "directory": id, "link": link, "key": key.key.id });
    let until = "2025-06-22T15:06:40";
    let steps = told(&site);
    assert!(steps[1].2["until"].as_str().unwrap().starts_with(until), "{:?}", steps[1]);
    let steps: Vec<_> = steps.iter().map(|(kind, actor, detail)| (kind.as_str(), actor.as_str(), detail)).collect();
    let by = format!("setup:{link}");
    assert_eq!(
        steps.iter().map(|(kind, actor, _)| (*kind, *actor)).collect::<Vec<_>>(),
        [
            ("key.issued", "admin:ann"),
            ("setup-link.made", "admin:ann"),
            ("key.issued", by.as_str()),
            ("setup-link.used", by.as_str()),
            ("setup-link.revoked", "admin:bob"),
        ]
    );
    assert_eq!(*steps[3].2, claimed);
    integrity::check(&site.storage);
}

#[test]
fn the_keys_before_go_on_for_the_overlap() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let made = site.engine().make_setup_link("ann", &directory.id, 1, 3_600).unwrap();
    site.surroundings.pass(HOUR);
    assert_eq!(status_with(&directory, &directory.key), 200, "it counts from the use of the link");
    let key = site.engine().claim_setup_link(&made.token).unwrap();
    assert_eq!((status_with(&directory, &directory.key), status_with(&directory, &key.api_key)), (200, 200));
    site.surroundings.pass(HOUR);
    assert_eq!((status_with(&directory, &directory.key), status_with(&directory, &key.api_key)), (401, 200));
    integrity::check(&site.storage);
}

#[test]
fn what_opens_nothing_is_refused_alike() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let other = site.connect(&settings("other"));
    let gone = site.connect(&settings("gone"));
    let engine = site.engine();
    let make = |id: &str| engine.make_setup_link("ann", id, 1, 0).unwrap();
    let (good, revoked, of_gone) = (make(&directory.id), make(&directory.id), make(&gone.id));
    engine.revoke_setup_link("ann", &directory.id, &revoked.link.id).unwrap();
    engine.disconnect("ann", &gone.id, false).unwrap();
    let parts: Vec<&str> = good.token.split('.').collect();
    let (id, link, secret) = (parts[0], parts[1], parts[2]);
    let mut tokens = vec![
        revoked.token.clone(),
        of_gone.token,
        format!("{}.{link}.{secret}", other.id),
        format!("{id}.{}.{secret}", revoked.link.id),
        format!("{id}.{link}.{}", &secret[1..]),
        format!("{id}.{link}.{secret}x"),
        format!("{id}.{link}.{}", "x".repeat(10_000)),
        format!("{id}.{link}."),
        format!("{id}.{link}"),
        format!("{id}.{}.{secret}", link.to_uppercase()),
        format!(" {}", good.token),
        format!("../{}", good.token),
        directory.key.clone(),
        format!("{id}.{}", directory.key),
        "..".into(),
        String::new(),
        "\u{0}\u{feff}é.\n.".into(),
        "x".repeat(100_000),
    ];
    site.surroundings.pass(DAY - 1_000);
    engine.open_setup_link(&good.token).unwrap();
    site.surroundings.pass(1_000);
    tokens.push(good.token.clone());
    let before = site.storage.snapshot();
    let mut answers = std::collections::BTreeSet::new();
    for token in &tokens {
        for error in [engine.open_setup_link(token).unwrap_err(), engine.claim_setup_link(token).unwrap_err()] {
            assert!(matches!(error, Error::NotFound(_)), "{token}: {error}");
            answers.insert(error.to_string());
        }
    }
    assert_eq!(answers.len(), 1, "why is not told: {answers:?}");
    assert!(site.storage.snapshot() == before, "and nothing is written");
    // A secret is no key, and neither is a token.
    for key in [&good.token, &format!("{link}.{secret}")] {
        assert_eq!(status_with(&directory, key), 401);
    }
    assert!(engine.setup_links(&directory.id).unwrap().is_empty());
    assert!(matches!(engine.setup_links(&gone.id), Err(Error::NotFound(_))));
    integrity::check(&site.storage);
}

#[test]
fn what_is_asked_for_is_checked_and_secrets_are_not_stored() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let (engine, id) = (site.engine(), directory.id.as_str());
    for days in [0, 31, u32::MAX] {
        assert!(matches!(engine.make_setup_link("ann", id, days, 0), Err(Error::Invalid(_))), "{days}");
    }
    for actor in ["", &"x".repeat(201)] {
        assert!(matches!(engine.make_setup_link(actor, id, 1, 0), Err(Error::Invalid(_))));
    }
    for wrong in ["", "0123456789abcdefghij", "../d"] {
        assert!(matches!(engine.make_setup_link("ann", wrong, 1, 0), Err(Error::NotFound(_))), "{wrong}");
        assert!(matches!(engine.revoke_setup_link("ann", wrong, wrong), Err(Error::NotFound(_))), "{wrong}");
        assert!(matches!(engine.revoke_setup_link("ann", id, wrong), Err(Error::NotFound(_))), "{wrong}");
    }
    let tokens: Vec<String> = (0..20).map(|_| engine.make_setup_link("ann", id, 1, 0).unwrap().token).collect();
    assert!(matches!(engine.make_setup_link("ann", id, 1, 0), Err(Error::Refused(_))));
    for token in &tokens {
        let secret = token.rsplit('.').next().unwrap();
        assert_eq!(secret.len(), 43);
        assert!(site.storage.snapshot().iter().all(|(key, value)| !key.contains(secret) && !value.contains(secret)));
    }
    // Those that have expired make room, also before upkeep has removed them.
    site.surroundings.pass(DAY);
    engine.make_setup_link("ann", id, 30, u32::MAX).unwrap();
    let left: Vec<SetupLink> = engine.setup_links(id).unwrap();
    assert_eq!(left.len(), 1);
    integrity::check(&site.storage);
}

#[test]
fn links_go_when_they_expire_and_with_their_directory() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let (engine, id) = (site.engine(), directory.id.as_str());
    let links = |site: &Site| site.storage.snapshot().keys().filter(|key| key.contains("sl/")).count();
    let used = engine.make_setup_link("ann", id, 1, 0).unwrap();
    engine.claim_setup_link(&used.token).unwrap();
    engine.make_setup_link("ann", id, 1, 0).unwrap();
    engine.make_setup_link("ann", id, 2, 0).unwrap();
    site.surroundings.pass(DAY);
    site.sweep(20);
    assert_eq!(links(&site), 1);
    let expired = told(&site).into_iter().filter(|(kind, actor, _)| kind == "setup-link.expired" && actor == "usher");
    assert_eq!(expired.count(), 1, "one that was used has done its work");
    integrity::check(&site.storage);
    engine.disconnect("ann", id, true).unwrap();
    assert_eq!(links(&site), 0);
    site.sweep(20);
    integrity::check(&site.storage);
}

#[test]
fn whoever_has_a_link_sees_whether_its_key_is_heard() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let engine = site.engine();
    // What went wrong before is not theirs.
    engine.note_refused_requests(&directory.id, false, 1, 1_750_000_000_500).unwrap();
    directory.post("/Users", &json!({ "userName": "" })).refused(400, "invalidValue");
    site.surroundings.pass(HOUR);
    let made = engine.make_setup_link("ann", &directory.id, 1, 0).unwrap();
    let look = || engine.open_setup_link(&made.token).unwrap();
    let key = engine.claim_setup_link(&made.token).unwrap().api_key;
    let setup = look();
    assert_eq!((setup.heard_at, setup.wrong_key_at, setup.failure), (None, None, None));
    let refused_at = setup.used_at.unwrap() + 1;
    engine.note_refused_requests(&directory.id, false, 1, refused_at).unwrap();
    assert_eq!(look().wrong_key_at, Some(refused_at));
    let directory = Directory { key, ..directory };
    directory.post("/Users", &json!({ "userName": "" })).refused(400, "invalidValue");
    let setup = look();
    assert!(setup.heard_at.is_some() && setup.failure.is_some_and(|detail| detail.contains("userName")));
    directory.user("ann@x.test");
    let setup = look();
    assert_eq!((setup.failure, setup.users, setup.groups), (None, 1, 0));
    integrity::check(&site.storage);
}

/// Two who use a link at once: one of them has the key.
#[test]
fn a_link_that_is_used_twice_at_once_is_used_once() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let made = site.engine().make_setup_link("ann", &directory.id, 1, 0).unwrap();
    let before = site.storage.snapshot();
    for error in [StorageError::Unavailable(String::new()), StorageError::Conflict] {
        for from in 0.. {
            site.storage.restore(&before);
            site.storage.break_down(Plan { fault: Fault::Error(error.clone()), from, lasting: false });
            let done = site.engine().claim_setup_link(&made.token);
            if !site.storage.repair() {
                break;
            }
            // Whoever got no key can try again; whoever got one has the only one.
            let again = site.engine().claim_setup_link(&made.token);
            assert_eq!(done.is_ok(), matches!(again, Err(Error::Refused(_))), "{from}");
            assert_ne!(done.is_ok(), again.is_ok());
            assert_eq!(site.engine().keys(&directory.id).unwrap().len(), 1);
            integrity::check(&site.storage);
        }
    }
}

#[test]
fn a_damaged_link_is_an_error_and_no_crash() {
    let site = Site::new();
    let directory = site.connect(&settings("idp"));
    let made = site.engine().make_setup_link("ann", &directory.id, 1, 0).unwrap();
    let before = site.storage.snapshot();
    for value in ["", "1", "{}", "\u{0}", "{\"hash\":7}"] {
        for from in 0..10 {
            site.storage.restore(&before);
            let engine = site.engine();
            let calls: [&dyn Fn(); 5] = [
                &|| drop(engine.open_setup_link(&made.token)),
                &|| drop(engine.claim_setup_link(&made.token)),
                &|| drop(engine.setup_links(&directory.id)),
                &|| drop(engine.revoke_setup_link("ann", &directory.id, &made.link.id)),
                &|| drop(engine.make_setup_link("ann", &directory.id, 1, 0)),
            ];
            for call in calls {
                site.storage.break_down(Plan { fault: Fault::Value(value), from, lasting: false });
                call();
                site.storage.repair();
            }
        }
    }
}
