//! The storage in a PostgreSQL database: it keeps the contract, and bad days end by themselves.

use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use usher_host::storage::{
    Access, Change, Error, PostgresAddress, PostgresError, PostgresOptions, PostgresStorage, Range, Storage,
    Transaction, Trouble, contract,
};
use usher_test_postgres::{Server, shared, unique};

/// How long something that happens by itself may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Settings with which a test need not wait for long.
fn options(site: &str) -> PostgresOptions {
    PostgresOptions {
        site: site.into(),
        connections: 4,
        lease: Duration::from_secs(2),
        timeout: Duration::from_secs(2),
        ..PostgresOptions::default()
    }
}

fn address(url: &str) -> PostgresAddress {
    PostgresAddress::parse(url).expect("the address is one")
}

fn open(server: &Server, site: &str) -> PostgresStorage {
    PostgresStorage::open(&address(&server.url("usher")), &options(site)).expect("the storage opens")
}

fn put(storage: &dyn Storage, key: &str, value: &str) -> Result<(), Error> {
    let mut transaction = storage.begin(Access::ReadWrite)?;
    transaction.write(vec![Change { key: key.into(), value: Some(value.into()) }])?;
    transaction.commit()?.wait()
}

fn read(transaction: &mut dyn Transaction, key: &str) -> Result<Option<String>, Error> {
    Ok(transaction.get_many(&[key.into()])?.remove(0))
}

fn get(storage: &dyn Storage, key: &str) -> Result<Option<String>, Error> {
    read(&mut *storage.begin(Access::ReadOnly)?, key)
}

fn all(storage: &dyn Storage) -> Vec<(String, String)> {
    let range =
        Range { start: String::new(), end: "~".into(), reverse: false, skip: 0, limit: u32::MAX, keys_only: false };
    let found = storage.begin(Access::ReadOnly).and_then(|mut transaction| transaction.scan(&range)).expect("a scan");
    found.into_iter().map(|entry| (entry.key, entry.value)).collect()
}

/// Waits for something that happens by itself.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn until_trouble(storage: &dyn Storage, trouble: Trouble) {
    until(&format!("{trouble:?}"), || storage.health().trouble == Some(trouble));
}

fn until_well(storage: &dyn Storage) {
    until("all is well", || storage.health().trouble.is_none());
}

#[test]
fn postgres_keeps_the_contract() {
    let Some(server) = shared("postgres_keeps_the_contract") else { return };
    contract::check(|| Arc::new(open(server, &unique("contract"))));
}

#[test]
fn postgres_is_found_again_as_it_was_left() {
    let Some(server) = shared("postgres_is_found_again_as_it_was_left") else { return };
    let site = unique("reopened");
    contract::check_reopening(move || Arc::new(open(server, &site)));
}

#[test]
fn sites_in_one_database_do_not_see_each_other() {
    let Some(server) = shared("sites_in_one_database_do_not_see_each_other") else { return };
    let [one, two] = ["one", "two"].map(|name| open(server, &unique(name)));
    put(&one, "a", "1").expect("it is written");
    put(&two, "a", "2").expect("it is written");
    assert_eq!((all(&one), all(&two)), (vec![("a".into(), "1".into())], vec![("a".into(), "2".into())]));
}

#[test]
fn the_first_admin_key_stays_the_sites() {
    let Some(server) = shared("the_first_admin_key_stays_the_sites") else { return };
    let storage = open(server, &unique("key"));
    assert_eq!(storage.admin_key_hash([1; 32]).expect("it is kept"), [1; 32]);
    assert_eq!(storage.admin_key_hash([2; 32]).expect("it is found"), [1; 32]);
}

#[test]
fn one_host_at_a_time_serves_a_site_and_the_next_one_takes_over() {
    let Some(server) = shared("one_host_at_a_time_serves_a_site_and_the_next_one_takes_over") else { return };
    let site = unique("shared");
    let first = open(server, &site);
    put(&first, "a", "1").expect("it is written");
    let second = PostgresStorage::open(&address(&server.url("usher")), &options(&site));
    assert!(matches!(second.err(), Some(PostgresError::InUse { .. })), "the first one is alive");
    // As if it had slept through its lease.
    let took = format!(
        "UPDATE usher_head SET epoch = epoch + 1, holder = 'another', until = now() + interval '3 s' WHERE site = '{site}'"
    );
    server.sql("usher", &took);
    let late = put(&first, "a", "2");
    assert!(matches!(late, Err(Error::Unavailable(_))), "{late:?}");
    until_trouble(&first, Trouble::InUse);
    // That one does not renew it, and the first one has it again.
    until_well(&first);
    assert_eq!(get(&first, "a").expect("it reads"), Some("1".into()), "what came too late is not there");
    put(&first, "a", "3").expect("it is written");
    drop(first);
    let began = Instant::now();
    let next = open(server, &site);
    assert!(began.elapsed() < Duration::from_secs(2), "an orderly end leaves the site to others at once");
    assert_eq!(get(&next, "a").expect("it reads"), Some("3".into()));
}

#[test]
fn a_lease_that_cannot_be_renewed_ends_reading_too() {
    if !usher_test_postgres::is_there("a_lease_that_cannot_be_renewed_ends_reading_too") {
        return;
    }
    let server = Server::start(&["fsync=off"]);
    let storage = open(&server, "default");
    put(&storage, "a", "1").expect("it is written");
    assert_eq!(get(&storage, "a").expect("it reads"), Some("1".into()));
    server.stop();
    until_trouble(&storage, Trouble::Unreachable);
    until("what is in memory is not told either", || matches!(get(&storage, "a"), Err(Error::Unavailable(_))));
    server.start_again();
    until_well(&storage);
    assert_eq!(get(&storage, "a").expect("it reads"), Some("1".into()));
    put(&storage, "a", "2").expect("it is written");
}

#[test]
fn connections_that_are_cut_are_made_again_and_nothing_is_lost_or_there_twice() {
    let Some(server) = shared("connections_that_are_cut_are_made_again_and_nothing_is_lost_or_there_twice") else {
        return;
    };
    let database = unique("cut");
    server.sql("postgres", &format!("CREATE DATABASE {database}"));
    let storage = PostgresStorage::open(&address(&server.url(&database)), &options("default")).expect("it opens");
    let cut = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    );
    let stop = std::sync::atomic::AtomicBool::new(false);
    let acknowledged: u64 = thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (storage, stop) = (&storage, &stop);
                scope.spawn(move || {
                    let mut acknowledged = 0;
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        let counted = storage.begin(Access::ReadWrite).and_then(|mut transaction| {
                            let before = read(&mut *transaction, "count")?
                                .map_or(0, |text| text.parse::<u64>().expect("a number"));
                            let own = Change { key: format!("{writer}/{before}"), value: Some("1".into()) };
                            let count = Change { key: "count".into(), value: Some((before + 1).to_string()) };
                            transaction.write(vec![own, count])?;
                            transaction.commit()?.wait()
                        });
                        match counted {
                            Ok(()) => acknowledged += 1,
                            Err(Error::Unavailable(_)) => thread::sleep(Duration::from_millis(5)),
                            Err(error) => panic!("{error}"),
                        }
                    }
                    acknowledged
                })
            })
            .collect();
        for _ in 0..20 {
            thread::sleep(Duration::from_millis(100));
            server.sql("postgres", &cut);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().expect("no panic")).sum()
    });
    until_well(&storage);
    let count: u64 = get(&storage, "count").expect("it reads").map_or(0, |text| text.parse().expect("a number"));
    let entries = all(&storage).len() as u64 - 1;
    assert_eq!(entries, count, "each commit is there once");
    assert!(count >= acknowledged, "{count} of {acknowledged}");
    assert!(acknowledged > 20, "{acknowledged} commits are no load");
}

#[test]
fn a_database_that_takes_no_writes_is_read_and_written_again_when_it_does() {
    let Some(server) = shared("a_database_that_takes_no_writes_is_read_and_written_again_when_it_does") else { return };
    let database = unique("read_only");
    server.sql("postgres", &format!("CREATE DATABASE {database}"));
    let options = PostgresOptions { lease: Duration::from_mins(1), ..options("default") };
    let storage = PostgresStorage::open(&address(&server.url(&database)), &options).expect("it opens");
    put(&storage, "a", "1").expect("it is written");
    let cut = format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}'");
    server.sql("postgres", &format!("ALTER DATABASE {database} SET default_transaction_read_only = on"));
    server.sql("postgres", &cut);
    assert!(matches!(put(&storage, "a", "2"), Err(Error::Unavailable(_))));
    until_trouble(&storage, Trouble::DatabaseReadOnly);
    assert_eq!(get(&storage, "a").expect("it reads"), Some("1".into()));
    assert_eq!(all(&storage).len(), 1);
    server.sql("postgres", &format!("ALTER DATABASE {database} RESET default_transaction_read_only"));
    server.sql("postgres", &cut);
    until_well(&storage);
    put(&storage, "a", "2").expect("it is written");
    assert_eq!(get(&storage, "a").expect("it reads"), Some("2".into()));
}

#[test]
fn a_database_that_hangs_is_given_up_in_time() {
    let Some(server) = shared("a_database_that_hangs_is_given_up_in_time") else { return };
    let site = unique("hangs");
    let storage = open(server, &site);
    put(&storage, "a", "1").expect("it is written");
    // Somebody holds the site's head, and with it every batch.
    let lock =
        format!("BEGIN; UPDATE usher_head SET holder = holder WHERE site = '{site}'; SELECT pg_sleep(8); COMMIT");
    thread::scope(|scope| {
        scope.spawn(|| server.sql("usher", &lock));
        thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        assert!(matches!(put(&storage, "a", "2"), Err(Error::Unavailable(_))));
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        until_trouble(&storage, Trouble::Unreachable);
    });
    until_well(&storage);
    put(&storage, "a", "3").expect("it is written");
    assert_eq!(get(&storage, "a").expect("it reads"), Some("3".into()));
}

#[test]
fn a_password_that_changes_is_read_from_its_file() {
    if !usher_test_postgres::is_there("a_password_that_changes_is_read_from_its_file") {
        return;
    }
    let server = Server::start(&["fsync=off", "listen_addresses=127.0.0.1"]);
    server.sql("postgres", "CREATE ROLE app LOGIN PASSWORD 'first'");
    server.sql("postgres", "ALTER DATABASE usher OWNER TO app");
    server.sql("usher", "GRANT ALL ON SCHEMA public TO app");
    let rules = "host all app 127.0.0.1/32 scram-sha-256\nlocal all all trust\n";
    std::fs::write(server.folder().join("data/pg_hba.conf"), rules).expect("it is written");
    server.sql("postgres", "SELECT pg_reload_conf()");
    let file = server.folder().join("password");
    std::fs::write(&file, "first\n").expect("it is written");
    let url = format!("postgres://app@127.0.0.1:{}/usher?sslmode=disable", server.port());
    let wrong = PostgresStorage::open(&address(&url.replace("app@", "app:wrong@")), &options("default"));
    let Some(PostgresError::Failed { trouble: Trouble::Refused, reason }) = wrong.err() else {
        panic!("it is refused")
    };
    assert!(reason.contains("password"), "{reason}");
    let storage = PostgresStorage::open(&address(&url).password_file(&file), &options("default")).expect("it opens");
    put(&storage, "a", "1").expect("it is written");
    server.sql("postgres", "ALTER ROLE app PASSWORD 'second'");
    server.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
    until_trouble(&storage, Trouble::Refused);
    std::fs::write(&file, "second\n").expect("it is written");
    until_well(&storage);
    put(&storage, "a", "2").expect("it is written");
}

#[test]
fn tables_of_another_version_are_left_alone() {
    let Some(server) = shared("tables_of_another_version_are_left_alone") else { return };
    let database = unique("version");
    server.sql("postgres", &format!("CREATE DATABASE {database}"));
    let address = address(&server.url(&database));
    assert!(PostgresStorage::migrate(&address).expect("they are made"));
    assert!(!PostgresStorage::migrate(&address).expect("there is nothing to do"));
    let storage = PostgresStorage::open(&address, &options("default")).expect("it opens");
    server.sql(&database, "UPDATE usher_schema SET version = 2");
    let other = PostgresStorage::open(&address, &options("other"));
    assert!(matches!(other.err(), Some(PostgresError::Version { found: 2 })));
    // One that is at work notices as soon as it has to look again.
    let cut = format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}'");
    server.sql(&database, "ALTER TABLE usher_kv RENAME TO elsewhere");
    assert!(matches!(put(&storage, "a", "1"), Err(Error::Unavailable(_))));
    until_trouble(&storage, Trouble::Tables);
    server.sql(&database, "ALTER TABLE elsewhere RENAME TO usher_kv");
    server.sql(&database, "UPDATE usher_schema SET version = 1");
    server.sql("postgres", &cut);
    until_well(&storage);
    put(&storage, "a", "1").expect("it is written");
}

#[test]
fn who_may_make_no_tables_is_told_what_to_do_and_needs_no_more_than_is_said() {
    let name = "who_may_make_no_tables_is_told_what_to_do_and_needs_no_more_than_is_said";
    let Some(server) = shared(name) else { return };
    let (database, user) = (unique("rights"), unique("app"));
    server.sql("postgres", &format!("CREATE DATABASE {database}"));
    server.sql("postgres", &format!("CREATE ROLE {user} LOGIN"));
    let as_user = address(&server.url(&database).replace("user=usher", &format!("user={user}")));
    let refused = PostgresStorage::open(&as_user, &options("default"));
    assert!(matches!(refused.err(), Some(PostgresError::NoTables(_))));
    PostgresStorage::migrate(&address(&server.url(&database))).expect("they are made");
    // As the page about the storage says.
    let grant = "GRANT SELECT ON usher_schema TO app; GRANT SELECT, INSERT, UPDATE ON usher_head TO app; \
                 GRANT SELECT, INSERT, UPDATE, DELETE ON usher_kv TO app; GRANT SELECT, INSERT ON usher_admin_key TO app";
    server.sql(&database, &grant.replace("TO app", &format!("TO {user}")));
    let storage = PostgresStorage::open(&as_user, &options("default")).expect("it opens");
    storage.admin_key_hash([1; 32]).expect("it is kept");
    for value in ["1", "2"] {
        put(&storage, "a", value).expect("it is written");
    }
    let mut transaction = storage.begin(Access::ReadWrite).expect("it begins");
    transaction.write(vec![Change { key: "a".into(), value: None }]).expect("it takes writes");
    transaction.commit().and_then(usher_host::storage::Durability::wait).expect("it commits");
    assert_eq!(all(&storage), []);
}

#[test]
fn readers_of_many_states_do_not_keep_writers_waiting() {
    let Some(server) = shared("readers_of_many_states_do_not_keep_writers_waiting") else { return };
    let storage = open(server, &unique("states"));
    let mut readers = Vec::new();
    for number in 0..20 {
        put(&storage, "a", &number.to_string()).expect("it is written");
        let mut reader = storage.begin(Access::ReadOnly).expect("it begins");
        assert_eq!(read(&mut *reader, "a"), Ok(Some(number.to_string())));
        assert_eq!(read(&mut *reader, &format!("not in memory {number}")), Ok(None));
        readers.push((number, reader));
    }
    // Each sees its own state, or that it is gone; never another one.
    let all = Range { start: "a".into(), end: "b".into(), reverse: false, skip: 0, limit: 9, keys_only: false };
    let found = readers.iter_mut().map(|(number, reader)| (*number, reader.scan(&all)));
    let mut seen = 0;
    for (number, found) in found {
        match found {
            Ok(entries) => {
                assert_eq!(entries[0].value, number.to_string());
                seen += 1;
            }
            Err(Error::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!((1..=3).contains(&seen), "{seen} states are held by 3 connections");
}

/// PgBouncer in front of a server, until this is dropped.
struct Pooler {
    process: std::process::Child,
    url: String,
}

impl Pooler {
    fn start(server: &Server, database: &str) -> Self {
        let (folder, port) = (server.folder().display(), server.port());
        let settings = format!(
            "[databases]\n{database} = host={folder} port={port} user=usher\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n\
             unix_socket_dir = {folder}\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 8\n\
             logfile = {folder}/pooler.log\n"
        );
        let file = server.folder().join("pooler.ini");
        std::fs::write(&file, settings).expect("it is written");
        // Should this program be killed, it ends all the same.
        let mut command = server.command(std::path::Path::new("timeout"));
        command.args(["300", "/usr/sbin/pgbouncer", "-q"]).arg(&file);
        let process = command.spawn().expect("it starts");
        until("the pooler is there", || server.folder().join(".s.PGSQL.6432").exists());
        Self { process, url: server.url(database).replace(&format!("port={port}"), "port=6432") }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let id = rustix::process::Pid::from_child(&self.process);
        // It may have ended by itself, which the test has noticed.
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        let _ = self.process.wait();
    }
}

#[test]
fn a_pooler_that_gives_each_transaction_another_connection_may_stand_between() {
    let name = "a_pooler_that_gives_each_transaction_another_connection_may_stand_between";
    let Some(server) = shared(name) else { return };
    if !std::path::Path::new("/usr/sbin/pgbouncer").exists() {
        assert!(std::env::var_os("USHER_NEEDS_POSTGRES").is_none(), "{name} needs PgBouncer, and there is none");
        eprintln!("skipped: {name} needs PgBouncer");
        return;
    }
    let database = unique("pooled");
    server.sql("postgres", &format!("CREATE DATABASE {database}"));
    let pooler = Pooler::start(server, &database);
    let pooled = address(&pooler.url);
    contract::check(|| Arc::new(PostgresStorage::open(&pooled, &options(&unique("site"))).expect("it opens")));
    let storage = PostgresStorage::open(&pooled, &options("default")).expect("it opens");
    thread::scope(|scope| {
        for writer in 0..4 {
            let storage = &storage;
            scope.spawn(move || {
                for number in 0..50 {
                    put(storage, &format!("{writer}/{number}"), "1").expect("it is written");
                    assert_eq!(get(storage, &format!("{writer}/{number}")), Ok(Some("1".into())));
                }
            });
        }
    });
    assert_eq!(all(&storage).len(), 200);
}

/// A key and a certificate for this name, by `openssl`.
fn certificate(server: &Server, name: &str) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=usher test", "-addext", &format!("subjectAltName={name}")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "server.key", "-out", "server.crt"])
        .current_dir(server.folder())
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let owner = std::fs::metadata(server.folder()).expect("a folder");
    for file in ["server.key", "server.crt"] {
        std::os::unix::fs::chown(server.folder().join(file), Some(owner.uid()), Some(owner.gid()))
            .expect("it is its own");
    }
}

#[test]
fn a_connection_over_the_network_is_encrypted_and_verified() {
    if !usher_test_postgres::is_there("a_connection_over_the_network_is_encrypted_and_verified") {
        return;
    }
    let server = Server::start(&["fsync=off", "listen_addresses=127.0.0.1"]);
    let url = |query: &str| format!("postgres://usher@localhost:{}/usher{query}", server.port());
    let open = |query: &str| PostgresStorage::open(&address(&url(query)), &options("default"));
    assert!(open("").is_err(), "a server without TLS is not talked to");
    certificate(&server, "DNS:localhost");
    for setting in ["ssl = on", "ssl_cert_file = '../server.crt'", "ssl_key_file = '../server.key'"] {
        server.sql("postgres", &format!("ALTER SYSTEM SET {setting}"));
    }
    server.stop();
    server.start_again();
    let file = server.folder().join("server.crt");
    let trusted = format!("?sslrootcert={}", file.display());
    assert!(open("").is_err(), "nobody vouches for it");
    for query in [&*trusted, "?sslmode=require"] {
        let storage = open(query).expect("it opens");
        put(&storage, "a", "1").expect("it is written");
        let plain = server.sql("postgres", "SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'usher' AND NOT s.ssl");
        assert_eq!(plain, "0");
    }
    let wrong_name = url(&trusted).replace("localhost", "127.0.0.1");
    let other = PostgresStorage::open(&address(&wrong_name), &options("default"));
    assert!(other.is_err(), "it is the certificate of another name");
}
