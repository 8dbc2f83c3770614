//! What becomes of calls that go past a limit, and of storages that break.

use futures_lite::future::block_on;
use std::sync::Arc;
use std::time::Duration;
use usher_host::storage::{
    Access, Change, Durability, Entry, Error, Flush, MemoryStorage, Range, Storage, Transaction,
};
use usher_host::{Failure, Limits, Site, Usher, changes, directories, scim};

/// A directory of a site over this storage.
fn connect(usher: &Usher, storage: Arc<dyn Storage>) -> (Site, directories::Connected) {
    let site = usher.site(storage);
    let settings = directories::Settings::named("test");
    let connected = block_on(site.connect_directory("test", settings)).expect("an answer").expect("connected");
    (site, connected)
}

fn post(connected: &directories::Connected, path: &str, body: String) -> scim::Request {
    scim::Request {
        method: "POST".into(),
        origin: "http://localhost".into(),
        path: format!("{}{path}", connected.directory.scim_path),
        query: None,
        headers: vec![("authorization".into(), format!("Bearer {}", connected.key.api_key))],
        body: Some(body),
    }
}

fn user(name: &str) -> String {
    format!(r#"{{"userName":"{name}@example.com"}}"#)
}

/// A request that takes some tens of milliseconds and megabytes.
fn large() -> String {
    let operation = |number: usize| {
        format!(r#"{{"method":"POST","path":"/Users","bulkId":"{number}","data":{{"userName":"u{number}"}}}}"#)
    };
    let operations: Vec<String> = (0..1_000).map(operation).collect();
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"padding":"{}","Operations":[{}]}}"#,
        "x".repeat(3 << 20),
        operations.join(",")
    )
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// The answer to a small call. Under the shortest of deadlines it may take several tries on a machine that has much else
/// to do; a call that is stopped leaves no trace.
fn answered<T>(call: impl Fn() -> Result<T, Failure>) -> T {
    let tries = (0..100).find_map(|_| match call() {
        Err(Failure::Deadline(_)) => None,
        outcome => Some(outcome),
    });
    tries.expect("one of many tries is in time").expect("an answer")
}

/// What a large request comes to under these limits; small ones go on being answered after it, and nothing of it is left.
fn large_under(limits: Limits) -> Failure {
    let storage = Arc::new(MemoryStorage::new());
    let (_, connected) = connect(&Usher::load().expect("the component loads"), storage.clone());
    let usher = Usher::builder().limits(limits).threads(1).load().expect("the component loads");
    let site = usher.site(storage);
    let failure = block_on(site.handle(post(&connected, "/Bulk", large()))).map(|response| response.status);
    let failure = failure.expect_err("too much");
    assert_eq!(usher.usage().failures, 1);
    let directory = answered(|| block_on(site.directory(&connected.directory.id)));
    assert_eq!(directory.expect("there").users, 0);
    let made = answered(|| block_on(site.handle(post(&connected, "/Users", user("a")))));
    assert_eq!(made.status, 201);
    failure
}

#[test]
fn a_call_past_its_deadline_is_stopped() {
    let failure = large_under(limits(|limits| limits.deadline = Duration::from_micros(1)));
    assert!(matches!(failure, Failure::Deadline(_)), "{failure:?}");
}

#[test]
fn a_call_that_needs_too_much_memory_is_stopped() {
    let failure = large_under(limits(|limits| limits.memory = 2 << 20));
    assert!(matches!(failure, Failure::OutOfMemory { limit: 0x20_0000 }), "{failure:?}");
}

#[test]
fn a_call_that_makes_the_host_hold_too_much_is_stopped() {
    let failure = large_under(limits(|limits| limits.held = 100_000));
    assert!(matches!(failure, Failure::Held(_) | Failure::Trap(_)), "{failure:?}");
}

/// How a storage misbehaves.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    PanicAtBegin,
    NeverDurable,
}

struct Faulty(MemoryStorage, Fault);

impl Storage for Faulty {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        assert!(self.1 != Fault::PanicAtBegin, "a bug in the storage");
        Ok(Box::new(FaultyTransaction(self.0.begin(access)?)))
    }
}

struct FaultyTransaction(Box<dyn Transaction>);

impl Transaction for FaultyTransaction {
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        self.0.get_many(keys)
    }

    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error> {
        self.0.scan(range)
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        self.0.write(changes)
    }

    fn commit(self: Box<Self>) -> Result<Durability, Error> {
        self.0.commit()?.wait()?;
        let flush = Flush::new();
        let durability = flush.durability();
        flush.finish(Err(Error::Unavailable("the disk is full".into())));
        Ok(durability)
    }
}

#[test]
fn a_storage_that_panics_costs_its_calls_and_nothing_else() {
    for inline in [false, true] {
        let usher = Usher::builder().threads(1).short_calls_inline(inline).load().expect("the component loads");
        let site = usher.site(Arc::new(Faulty(MemoryStorage::new(), Fault::PanicAtBegin)));
        for _ in 0..3 {
            let failure = block_on(site.changes(0, changes::Filter::everything(), 1)).expect_err("no answer");
            assert!(matches!(failure, Failure::Panicked), "{failure:?}");
        }
        connect(&usher, Arc::new(MemoryStorage::new()));
    }
}

#[test]
fn writes_that_are_not_durable_are_not_acknowledged() {
    let usher = Usher::load().expect("the component loads");
    let site = usher.site(Arc::new(Faulty(MemoryStorage::new(), Fault::NeverDurable)));
    let failure =
        block_on(site.connect_directory("test", directories::Settings::named("test"))).expect_err("no answer");
    assert!(matches!(failure, Failure::NotDurable(Error::Unavailable(_))), "{failure:?}");
}

#[test]
fn a_call_that_is_not_short_is_made_in_full_wherever_it_came_in() {
    for inline in [false, true] {
        let usher = Usher::builder().threads(2).short_calls_inline(inline).load().expect("the component loads");
        let (site, connected) = connect(&usher, Arc::new(MemoryStorage::new()));
        std::thread::scope(|scope| {
            let (site, connected) = (&site, &connected);
            let small = (0..4).map(|client| {
                scope.spawn(move || {
                    for number in 0..50 {
                        let request = post(connected, "/Users", user(&format!("c{client}n{number}")));
                        assert_eq!(block_on(site.handle(request)).expect("an answer").status, 201);
                    }
                })
            });
            let small: Vec<_> = small.collect();
            let response = block_on(site.handle(post(connected, "/Bulk", large()))).expect("an answer");
            assert_eq!(response.status, 200);
            for client in small {
                client.join().expect("all are answered");
            }
        });
        let directory = block_on(site.directory(&connected.directory.id)).expect("an answer").expect("there");
        assert_eq!(directory.users, 1_200);
    }
}

#[test]
fn the_compiled_component_is_kept_and_used_again_unless_others_could_have_written_it() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let cache = folder.path().join("cache");
    let load = || connect(&Usher::builder().cache(&cache).load().expect("it loads"), Arc::new(MemoryStorage::new()));
    let file = || {
        let mut files = std::fs::read_dir(&cache).expect("the cache is there");
        let file = files.next().expect("a file").expect("a file").path();
        assert!(files.next().is_none(), "one component, one file");
        file
    };
    let written = |file: &std::path::Path| std::fs::metadata(file).expect("it is there").modified().expect("a time");
    load();
    let (path, first) = (file(), written(&file()));
    load();
    assert_eq!(written(&path), first, "the second start does not compile");
    std::fs::write(&path, "damaged").expect("written");
    load();
    assert!(std::fs::metadata(&path).expect("it is there").len() > 1_000, "what is damaged is made anew");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let second = written(&path);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).expect("it is ours");
        load();
        assert!(written(&path) > second, "what others can write to is not run");
    }
}
