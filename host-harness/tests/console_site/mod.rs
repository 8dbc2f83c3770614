//! A served site to look at through the console, and a browser's part: cookies, forms, links.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use usher_host::http::{AdminKey, Server, Settings, SignInLinks};
use usher_host::storage::{Access, Change, Durability, Entry, Error, MemoryStorage, Range, Storage, Transaction};
use usher_host::{Site, Usher, directories, scim};

pub const KEY: &str = "the admin key of this test";

/// How many pages of one kind are looked at.
const OF_A_KIND: usize = 3;

/// A storage that counts how often it is asked for something.
#[derive(Default)]
pub struct Counting {
    storage: MemoryStorage,
    calls: Arc<AtomicU64>,
}

struct CountingTransaction {
    transaction: Box<dyn Transaction>,
    calls: Arc<AtomicU64>,
}

impl Counting {
    /// How often it was asked since the last time.
    pub fn take(&self) -> u64 {
        self.calls.swap(0, Ordering::Relaxed)
    }
}

impl Storage for Counting {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let transaction = self.storage.begin(access)?;
        Ok(Box::new(CountingTransaction { transaction, calls: self.calls.clone() }))
    }
}

impl Transaction for CountingTransaction {
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.transaction.get_many(keys)
    }

    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.transaction.scan(range)
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        self.transaction.write(changes)
    }

    fn commit(self: Box<Self>) -> Result<Durability, Error> {
        self.transaction.commit()
    }
}

/// A server in this process, that ends with this.
pub struct Served {
    pub address: SocketAddr,
    pub site: Site,
    pub sign_in_links: SignInLinks,
    pub storage: Arc<Counting>,
    _stop: oneshot::Sender<()>,
    _runtime: Runtime,
}

/// An answer, in the parts that matter here.
pub struct Answer {
    pub status: u16,
    /// With names in lower case, a line each.
    pub head: String,
    pub body: String,
}

/// A connected directory, as its identity provider uses it.
pub struct Idp {
    pub id: String,
    path: String,
    key: String,
}

pub fn serve(change: impl FnOnce(&mut Settings)) -> Served {
    static USHER: LazyLock<Usher> = LazyLock::new(|| Usher::load().expect("the component loads"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let mut settings = Settings::new(AdminKey::new(KEY));
    change(&mut settings);
    let storage = Arc::new(Counting::default());
    let site = USHER.site(storage.clone());
    let bound = Server::bind(site.clone(), settings, SocketAddr::from(([127, 0, 0, 1], 0)));
    let server = runtime.block_on(bound).expect("an address");
    let (address, sign_in_links) = (server.address(), server.sign_in_links());
    let (stop, stopped) = oneshot::channel::<()>();
    runtime.spawn(server.serve(async {
        let _ = stopped.await;
    }));
    Served { address, site, sign_in_links, storage, _stop: stop, _runtime: runtime }
}

impl Served {
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        stream
    }

    /// Sends a request with these header fields, each ended by a line break, and returns all of the answer.
    pub fn ask(&self, method: &str, path: &str, fields: &str, body: &str) -> Answer {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {length}\r\n{fields}\r\n{body}",
            self.address
        );
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("sent");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("read");
        let text = String::from_utf8(bytes).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Sends a form without a session.
    pub fn submit(&self, path: &str, fields: &str, form: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.ask("POST", path, &format!("content-type: application/x-www-form-urlencoded\r\n{fields}"), &body)
    }

    /// The header field of a session.
    pub fn sign_in(&self) -> String {
        let answer = self.submit("/console/sign-in", "", &[("key", KEY)]);
        assert_eq!(answer.status, 303, "{}", answer.body);
        format!("cookie: {}\r\n", answer.cookie())
    }

    /// Sends a form as a browser does that shows this server's page.
    pub fn send(&self, session: &str, sheet: &Sheet) -> Answer {
        let fields: Vec<_> = sheet.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.submit(&sheet.action, session, &fields)
    }

    pub fn get(&self, path: &str, session: &str) -> Answer {
        self.ask("GET", path, session, "")
    }

    /// Connects a directory.
    pub fn directory(&self, settings: directories::Settings) -> Idp {
        let connected = futures_lite::future::block_on(self.site.connect_directory("ann", settings));
        let connected = connected.expect("an answer").expect("connected");
        let directories::Connected { directory, key } = connected;
        Idp { id: directory.id, path: directory.scim_path, key: key.api_key }
    }

    /// Sends something as an identity provider does.
    pub fn push(&self, idp: &Idp, method: &str, path: &str, body: &serde_json::Value) -> (u16, String) {
        let request = scim::Request {
            method: method.into(),
            origin: "http://localhost".into(),
            path: format!("{}{path}", idp.path),
            query: None,
            headers: vec![("authorization".into(), format!("Bearer {}", idp.key))],
            body: Some(body.to_string()),
        };
        let response = futures_lite::future::block_on(self.site.handle(request)).expect("an answer");
        (response.status, response.body.unwrap_or_default())
    }

    /// Follows the links from the overview. The kinds of pages that there are, by their paths without ids and the names in
    /// their queries; a few of each were looked at, and `look` was told of the answer with the kind and the path.
    pub fn crawl(&self, session: &str, mut look: impl FnMut(&str, &str, &Answer)) -> BTreeSet<String> {
        let (mut seen, mut kinds) = (BTreeSet::new(), BTreeMap::new());
        let mut waiting = vec!["/console".to_owned()];
        while let Some(path) = waiting.pop() {
            let kind = kind(&path);
            let of_a_kind = kinds.entry(kind.clone()).or_insert(0);
            if *of_a_kind == OF_A_KIND || !seen.insert(path.clone()) {
                continue;
            }
            *of_a_kind += 1;
            let answer = self.get(&path, session);
            look(&kind, &path, &answer);
            waiting.extend(answer.pages().into_iter().filter(|link| link.starts_with("/console")));
        }
        kinds.into_keys().collect()
    }
}

/// A form: where it is sent, and what is in its fields.
#[derive(Debug, Clone)]
pub struct Sheet {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Sheet {
    /// With something else in a field.
    pub fn with(mut self, field: &str, value: &str) -> Self {
        self.fields.retain(|(name, _)| name != field);
        self.fields.push((field.to_owned(), value.to_owned()));
        self
    }

    /// What is in a field.
    pub fn value(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }
}

/// What a browser would send of a form whose submit button has no name.
fn fields(form: &str) -> Vec<(String, String)> {
    let (mut fields, mut select) = (Vec::new(), String::new());
    for part in form.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        let name = attribute(tag, "name").unwrap_or_default();
        let value = || attribute(tag, "value").unwrap_or_default();
        match tag.split([' ', '/']).next().unwrap_or_default() {
            "input" => {
                let is_box = matches!(attribute(tag, "type").as_deref(), Some("radio" | "checkbox"));
                if !is_box || tag.ends_with(" checked") || tag.contains(" checked ") {
                    fields.push((name, value()));
                }
            }
            "textarea" => fields.push((name, plain(text))),
            "select" => select = name,
            "option" if tag.ends_with(" selected") => fields.push((select.clone(), value())),
            _ => {}
        }
    }
    fields
}

/// The value of an attribute in a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split_once(&format!(" {name}=\""))?.1;
    rest.split('"').next().map(plain)
}

/// A text as it was before it was written into a page.
fn plain(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// What kind of page a path names: without ids, the query with names alone.
fn kind(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let is_id = |step: &str| step.len() == 20 || step.bytes().any(|byte| byte.is_ascii_digit());
    let steps = path.split('/').map(|step| if is_id(step) { "*" } else { step });
    let names: BTreeSet<_> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    format!("{} {}", steps.collect::<Vec<_>>().join("/"), names.into_iter().collect::<Vec<_>>().join("&"))
}

impl Answer {
    /// The value of a header field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The cookie that is set, as it is sent back.
    pub fn cookie(&self) -> &str {
        self.field("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie")
    }

    /// What links, forms and loaded files of a page name.
    pub fn links(&self) -> Vec<String> {
        if !self.field("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            return Vec::new();
        }
        self.named(&["href=\"", "action=\"", "src=\""])
    }

    /// The same without what its forms change something by.
    pub fn pages(&self) -> Vec<String> {
        if !self.field("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            return Vec::new();
        }
        self.named(&["href=\"", "method=\"get\" action=\"", "src=\""])
    }

    fn named(&self, before: &[&str]) -> Vec<String> {
        let named = before.iter().flat_map(|name| self.body.split(name).skip(1));
        let links = named.filter_map(|rest| rest.split('"').next()).map(plain);
        links.filter(|link| !link.starts_with('#') && !link.starts_with("data:")).collect()
    }

    /// The forms of the page that are sent there to change something, as they are before anything is entered.
    pub fn forms(&self, action: &str) -> Vec<Sheet> {
        let forms = self.body.split("<form ").skip(1).filter_map(|rest| rest.split("</form>").next());
        let changing = forms.filter(|form| {
            let tag = form.split('>').next().unwrap_or_default();
            tag.contains("method=\"post\"") && attribute(tag, "action").as_deref() == Some(action)
        });
        changing.map(|form| Sheet { action: action.to_owned(), fields: fields(form) }).collect()
    }

    /// The only one of them.
    pub fn form(&self, action: &str) -> Sheet {
        let mut forms = self.forms(action);
        assert_eq!(forms.len(), 1, "{action}: {}", self.body);
        forms.remove(0)
    }

    /// What the forms of the page carry.
    pub fn token(&self) -> &str {
        let rest = self.body.split("name=\"token\" value=\"").nth(1).expect("a form");
        rest.split('"').next().unwrap_or_default()
    }
}
