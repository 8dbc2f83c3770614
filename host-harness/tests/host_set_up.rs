//! Set-up links and one-time sign-in links over HTTP: who is let in by them, how often, and what is told to whom.
#![cfg(feature = "console")]

#[allow(dead_code, reason = "the pages behind the sign-in are looked at in another file")]
mod console_site;

use console_site::{Answer, KEY, Served, serve};
use futures_lite::future::block_on;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use usher_host::directories::Settings;
use usher_host::storage::{Access, Change};

/// A directory with a link for somebody else.
struct Invited {
    id: String,
    path: String,
    first_key: String,
    token: String,
    link: String,
}

fn invite(served: &Served, name: &str) -> Invited {
    let connected = block_on(served.site.connect_directory("ann", Settings::named(name)));
    let connected = connected.expect("an answer").expect("connected");
    let id = connected.directory.id;
    let made = block_on(served.site.make_setup_link("ann", &id, 7, 0)).expect("an answer").expect("made");
    Invited {
        id,
        path: connected.directory.scim_path,
        first_key: connected.key.api_key,
        link: made.link.id,
        token: made.token,
    }
}

impl Invited {
    fn page(&self) -> String {
        format!("/console/set-up/{}", self.token)
    }
}

/// What a page about a link keeps to itself.
fn assert_secretive(answer: &Answer) {
    assert_eq!(answer.field("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert_eq!(answer.field("x-frame-options"), Some("DENY"));
    assert!(answer.field("set-cookie").is_none() && answer.field("location").is_none());
}

/// The key that a page shows.
fn key_of(answer: &Answer, invited: &Invited) -> Option<String> {
    let mut texts = answer.body.split("<code>").skip(1).filter_map(|rest| rest.split("</code>").next());
    texts.find(|text| text.len() > 60 && !text.contains('/') && !text.contains(&invited.id)).map(str::to_owned)
}

fn scim(served: &Served, invited: &Invited, key: &str) -> u16 {
    let fields = format!("authorization: Bearer {key}\r\ncontent-type: application/scim+json\r\n");
    let user = json!({ "userName": format!("u{}@example.com", &key[..20]) }).to_string();
    served.ask("POST", &format!("{}/Users", invited.path), &fields, &user).status
}

#[test]
fn whoever_has_a_link_gets_one_key_and_nobody_another() {
    let served = serve(|_| {});
    let invited = invite(&served, "Entra <b>ID</b>");
    let page = invited.page();
    // Whoever looks uses nothing up: mail programs, previews, and people.
    for _ in 0..3 {
        let looked = served.get(&page, "");
        assert_eq!(looked.status, 200);
        assert_secretive(&looked);
        assert!(looked.body.contains("Connect Entra &lt;b&gt;ID&lt;/b&gt;") && looked.body.contains(&invited.path));
        assert_eq!(key_of(&looked, &invited), None);
    }
    // It opens nothing else.
    for path in ["/console", "/console/directories", "/console/live"] {
        assert_eq!(served.get(path, "").status, 303, "{path}");
    }
    assert_eq!(scim(&served, &invited, &invited.token), 401);
    assert_eq!(scim(&served, &invited, &invited.first_key), 201);

    let form = served.get(&page, "").token().to_owned();
    // As browsers send a form of a page that tells nobody its address.
    let own = "origin: null\r\nsec-fetch-site: same-origin\r\n";
    let claimed = served.submit(&page, own, &[("token", &form)]);
    assert_eq!(claimed.status, 200, "{}", claimed.body);
    assert_secretive(&claimed);
    let key = key_of(&claimed, &invited).expect("a key");
    assert_eq!((scim(&served, &invited, &key), scim(&served, &invited, &invited.first_key)), (201, 401));

    // The second time, the page says what happened, and shows no key.
    let again = served.submit(&page, own, &[("token", &form)]);
    assert_eq!((again.status, key_of(&again, &invited)), (409, None));
    assert!(again.body.contains("was issued") && again.body.contains("tell whoever sent you the link"));
    let looked = served.get(&page, "");
    assert_eq!((looked.status, key_of(&looked, &invited)), (200, None));
    assert!(looked.body.contains("Connected.") && !looked.body.contains("name=\"token\""), "{}", looked.body);
    for answer in [&again, &looked] {
        assert!(!answer.body.contains(&key));
        assert_secretive(answer);
    }
    let keys = block_on(served.site.keys(&invited.id)).expect("an answer").expect("keys");
    assert_eq!(keys.len(), 1);
}

#[test]
fn a_form_from_elsewhere_issues_no_key() {
    let served = serve(|_| {});
    let (invited, other) = (invite(&served, "One"), invite(&served, "Other"));
    let form = served.get(&invited.page(), "").token().to_owned();
    let session = served.sign_in();
    let of_session = served.get("/console", &session).token().to_owned();
    for (fields, token) in [
        ("", "x"),
        ("", ""),
        ("", of_session.as_str()),
        ("sec-fetch-site: cross-site\r\n", form.as_str()),
        ("sec-fetch-site: same-site\r\n", form.as_str()),
    ] {
        let answer = served.submit(&invited.page(), fields, &[("token", token)]);
        assert_eq!(answer.status, 403, "{fields}{token}");
        assert_secretive(&answer);
    }
    assert_eq!(served.submit(&other.page(), "", &[("token", &form)]).status, 403, "it is of another link");
    assert_eq!(served.ask("DELETE", &invited.page(), "", "").status, 405);
    let setup = block_on(served.site.open_setup_link(&invited.token)).expect("an answer").expect("it opens");
    assert_eq!(setup.used_at, None);
    // Who has followed the link from a mail program on the web sees it, like anybody.
    let fields = "sec-fetch-site: cross-site\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n";
    assert!(served.get(&invited.page(), fields).body.contains("Issue the key"));
}

/// Puts the end of a link into the past, which otherwise only time does.
fn expire(served: &Served, invited: &Invited) {
    let mut transaction = served.site.storage().begin(Access::ReadWrite).expect("a transaction");
    let key = format!("sl/{}/{}", invited.id, invited.link);
    let stored = transaction.get_many(std::slice::from_ref(&key)).expect("an answer").pop().flatten();
    let mut record: Value = serde_json::from_str(&stored.expect("the link")).expect("JSON");
    record["expires"] = json!(1);
    transaction.write(vec![Change { key, value: Some(record.to_string()) }]).expect("it is taken");
    transaction.commit().expect("it is committed").wait().expect("it is durable");
}

#[test]
fn links_that_open_nothing_are_answered_alike() {
    let served = serve(|_| {});
    let (good, revoked, gone) = (invite(&served, "Good"), invite(&served, "Revoked"), invite(&served, "Gone"));
    let expired = invite(&served, "Expired");
    assert_eq!(served.get(&expired.page(), "").status, 200);
    expire(&served, &expired);
    block_on(served.site.revoke_setup_link("ann", &revoked.id, &revoked.link)).expect("an answer").expect("revoked");
    block_on(served.site.disconnect_directory("ann", &gone.id, false)).expect("an answer").expect("disconnected");
    let cut = &good.token[..good.token.len() - 1];
    let tokens = [
        revoked.token.as_str(),
        &gone.token,
        &expired.token,
        cut,
        "x",
        "",
        "a/b",
        "%00",
        "%ff",
        "..%2f..",
        &"x".repeat(4_000),
    ];
    let mut bodies = std::collections::BTreeSet::new();
    for token in tokens {
        for answer in [
            served.get(&format!("/console/set-up/{token}"), ""),
            served.submit(&format!("/console/set-up/{token}"), "", &[("token", "x")]),
        ] {
            assert_eq!(answer.status, 404, "{token}");
            assert_secretive(&answer);
            bodies.insert(answer.body);
        }
    }
    assert_eq!(bodies.len(), 1, "why is not told");
    assert!(bodies.iter().all(|body| body.contains("Ask whoever sent it to you for a new one")));
    assert_eq!(served.get(&good.page(), "").status, 200);
}

#[test]
fn whoever_guesses_links_is_slowed_like_whoever_guesses_keys() {
    let served = serve(|_| {});
    let invited = invite(&served, "Okta");
    let began = Instant::now();
    for _ in 0..12 {
        assert_eq!(served.get("/console/set-up/guessed", "").status, 404);
        assert_eq!(served.get("/console/sign-in/guessed", "").status, 403);
    }
    // Twenty are answered at once, and then four in a second, however fast the machine is.
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
    assert_eq!(served.get(&invited.page(), "").status, 200, "one that is good is not");
    let began = Instant::now();
    served.submit("/console/sign-in", "", &[("key", "wrong")]);
    assert!(began.elapsed() >= Duration::from_millis(100), "whatever is guessed counts: {:?}", began.elapsed());
}

#[test]
fn a_sign_in_link_signs_in_once_and_only_by_its_button() {
    let served = serve(|_| {});
    let path = served.sign_in_links.make().expect("random numbers");
    for _ in 0..3 {
        let page = served.get(&path, "");
        assert!(page.status == 200 && page.field("set-cookie").is_none() && page.body.contains("Open the console"));
    }
    for fields in ["sec-fetch-site: cross-site\r\n", "origin: https://evil.example\r\n"] {
        assert_eq!(served.submit(&path, fields, &[]).status, 403, "{fields}");
    }
    let entered = served.submit(&path, "", &[]);
    assert_eq!((entered.status, entered.field("location")), (303, Some("/console")));
    let set = entered.field("set-cookie").expect("a cookie");
    assert!(set.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{set}");
    assert_eq!(served.get("/console", &format!("cookie: {}\r\n", entered.cookie())).status, 200);
    for again in [served.submit(&path, "", &[]), served.get(&path, "")] {
        assert!(again.status == 403 && again.field("set-cookie").is_none());
        assert!(again.body.contains("Sign in with the admin key"));
    }
    for wrong in ["/console/sign-in/", "/console/sign-in/x", &format!("{path}x")] {
        assert_eq!(served.submit(wrong, "", &[("key", KEY)]).status, 403, "{wrong}");
    }
    let other = serve(|_| {});
    let path = served.sign_in_links.make().expect("random numbers");
    assert_eq!(other.submit(&path, "", &[]).status, 403, "it is of the server that made it");
    assert_eq!(served.ask("PUT", &path, "", "").status, 405);
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody has panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_opens_something_stands_in_no_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(move || writer.clone());
    // For the threads of the server as well. No other test of this file looks at what is logged.
    tracing::subscriber::set_global_default(subscriber.finish()).expect("there is no other");
    let served = serve(|_| {});
    let invited = invite(&served, "Ping");
    let page = invited.page();
    let form = served.get(&format!("{page}?provider=ping"), "").token().to_owned();
    let claimed = served.submit(&page, "", &[("token", &form)]);
    let key = key_of(&claimed, &invited).expect("a key");
    let path = served.sign_in_links.make().expect("random numbers");
    served.get(&path, "");
    served.submit(&path, "", &[]);
    served.get("/console/customers", "");
    let log = String::from_utf8(log.0.lock().expect("nobody has panicked").clone()).expect("text");
    assert!(
        log.contains("/console/set-up/") && log.contains("/console/sign-in/") && log.contains("/console/customers")
    );
    let secret = |token: &str| token.rsplit(['.', '/']).next().unwrap_or_default().to_owned();
    for secret in [secret(&invited.token), secret(&key), secret(&path), form] {
        assert!(!secret.is_empty() && !log.contains(&secret), "{secret}");
    }
}
