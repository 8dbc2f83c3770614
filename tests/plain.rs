//! A plain wasmtime: wasmtime's own WASI, a storage to lend, and nothing of Usher's host library around the calls.
//!
//! It knows version 0.2.1 of the contract, which exists only here (`later-host/`): that of `wit/` and a function more that
//! a storage has. The components under test know nothing of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use usher_host::storage::{Access, Change, Error, MemoryStorage, Range, Storage, Transaction};
use wasmtime::component::{Component, HasSelf, InstancePre, Linker, Resource, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, Result as HttpResult, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
    WasiHttpView,
};

use crate::server::{Directory, Http};

mod bindings {
    #![allow(missing_docs, unused_qualifications, clippy::all)]

    wasmtime::component::bindgen!({
        path: "later-host",
        world: "provisioner",
        imports: { default: trappable },
        exports: { default: async },
        with: { "usher:provisioning/storage.transaction": super::Open },
    });
}

pub use bindings::ProvisionerPre;
pub use bindings::exports::usher::provisioning::{directories, scim};
use bindings::usher::provisioning::storage as wit;

/// The component for hosts of `wasi:http`.
pub const HTTP_COMPONENT: &[u8] = include_bytes!(env!("USHER_HTTP_COMPONENT"));

/// A transaction that a component has open.
pub struct Open(Box<dyn Transaction>);

/// What one instance works with.
pub struct Host {
    storage: Arc<dyn Storage>,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    requests: NoRequests,
}

impl Host {
    fn new(storage: Arc<dyn Storage>) -> Self {
        // The context grants nothing: no files, environment, arguments or sockets.
        let (wasi, http) = (WasiCtx::builder().build(), WasiHttpCtx::new());
        Self { storage, table: ResourceTable::new(), wasi, http, requests: NoRequests }
    }
}

/// A component with all that it can import here, on an engine of wasmtime's own settings.
///
/// # Errors
/// Where it is no component, or imports what is not there.
pub fn link(component: &[u8]) -> wasmtime::Result<InstancePre<Host>> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi_http::p2::add_to_linker_async(&mut linker)?;
    wit::add_to_linker::<Host, HasSelf<Host>>(&mut linker, |host| host)?;
    linker.instantiate_pre(&Component::new(&engine, component)?)
}

/// What one call runs in.
pub fn store(engine: &Engine, storage: &Arc<dyn Storage>) -> Store<Host> {
    Store::new(engine, Host::new(storage.clone()))
}

/// Runs something to its end that waits.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("the runtime starts"));

/// A directory of the component for `wasi:http`, over a storage of its own, served on a port of this machine until the
/// program ends.
///
/// # Panics
/// Where it cannot be served.
pub fn served() -> Directory {
    static LINKED: LazyLock<InstancePre<Host>> =
        LazyLock::new(|| link(HTTP_COMPONENT).expect("it imports what is there"));
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let connected = block_on(connect(&LINKED, &storage)).expect("the directory is connected");
    let address = block_on(serve(&LINKED, storage)).expect("it can be served");
    let origin = format!("http://{address}");
    let base = format!("{origin}{}", connected.directory.scim_path);
    Directory::new(Arc::new(Http::new(origin)), base, connected.key.api_key)
}

/// Connects a directory.
///
/// # Errors
/// Where the call fails, or the component refuses.
pub async fn connect(
    linked: &InstancePre<Host>,
    storage: &Arc<dyn Storage>,
) -> wasmtime::Result<directories::Connected> {
    let mut store = store(linked.engine(), storage);
    let component = ProvisionerPre::new(linked.clone())?.instantiate_async(&mut store).await?;
    let settings = directories::Settings {
        name: "test".to_owned(),
        email_change: directories::EmailChange::Refuse,
        email: directories::EmailPresence::Optional,
        unknown_members: directories::UnknownMembers::Refuse,
        conflict_policy: directories::ConflictPolicy::Sync,
        adoption_grace_seconds: 3_600,
        deletion_limit: None,
        mode: directories::Mode::Live,
        domains: Vec::new(),
        outside_domains: directories::OutsideDomains::Unlinked,
        project_rules: Vec::new(),
        membership_resources: false,
        silent_after: 3,
    };
    let directories = component.usher_provisioning_directories();
    let connected = directories.call_connect(&mut store, "admin:test", &settings).await?;
    connected.map_err(|error| wasmtime::Error::msg(format!("{error:?}")))
}

/// Serves a component that exports `wasi:http/incoming-handler`, and returns where.
async fn serve(linked: &InstancePre<Host>, storage: Arc<dyn Storage>) -> wasmtime::Result<SocketAddr> {
    let proxy = ProxyPre::new(linked.clone())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(serve_connection(connection, proxy.clone(), storage.clone()));
        }
    });
    Ok(address)
}

async fn serve_connection(connection: TcpStream, proxy: ProxyPre<Host>, storage: Arc<dyn Storage>) {
    let service = service_fn(|request| answer(request, proxy.clone(), storage.clone()));
    // That the client is gone is no news, and an answer that fails fails the test.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}

/// Has a request answered in an instance of its own.
async fn answer(
    request: hyper::Request<Incoming>,
    proxy: ProxyPre<Host>,
    storage: Arc<dyn Storage>,
) -> wasmtime::Result<hyper::Response<HyperOutgoingBody>> {
    let (sender, response) = oneshot::channel();
    let mut store = store(proxy.engine(), &storage);
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let out = store.data_mut().http().new_response_outparam(sender)?;
    // The body is written after the response has begun.
    let call = tokio::spawn(async move {
        let proxy = proxy.instantiate_async(&mut store).await?;
        proxy.wasi_http_incoming_handler().call_handle(&mut store, request, out).await
    });
    match response.await {
        Ok(response) => Ok(response?),
        Err(_) => {
            call.await??;
            Err(wasmtime::Error::msg("there was no response"))
        }
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.requests }
    }
}

/// Sends none of the requests that a component might want to make of others.
struct NoRequests;

impl WasiHttpHooks for NoRequests {
    fn send_request(
        &mut self,
        _request: hyper::http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = HttpResult<()>> + Send>,
    ) -> Box<dyn Future<Output = HttpResult<Received>> + Send> {
        Box::new(async { Err(HttpError::HttpRequestDenied) })
    }
}

/// A response to a request, and what tells that it has come whole.
type Received = (hyper::http::Response<WasiBody>, Box<dyn Future<Output = HttpResult<()>> + Send>);

impl wit::Host for Host {
    fn begin(&mut self, access: wit::Access) -> wasmtime::Result<Result<Resource<Open>, wit::Error>> {
        let access = match access {
            wit::Access::ReadOnly => Access::ReadOnly,
            wit::Access::ReadWrite => Access::ReadWrite,
        };
        match self.storage.begin(access) {
            Ok(transaction) => Ok(Ok(self.table.push(Open(transaction))?)),
            Err(error) => Ok(Err(error.into())),
        }
    }
}

impl wit::HostTransaction for Host {
    fn get_many(
        &mut self,
        this: Resource<Open>,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Option<String>>, wit::Error>> {
        Ok(self.table.get_mut(&this)?.0.get_many(&keys).map_err(Into::into))
    }

    fn scan(
        &mut self,
        this: Resource<Open>,
        range: wit::Range,
    ) -> wasmtime::Result<Result<Vec<wit::Entry>, wit::Error>> {
        let entries = self.table.get_mut(&this)?.0.scan(&range.into());
        let entry = |entry: usher_host::storage::Entry| wit::Entry { key: entry.key, value: entry.value };
        Ok(entries.map(|entries| entries.into_iter().map(entry).collect()).map_err(Into::into))
    }

    fn count(&mut self, this: Resource<Open>, range: wit::Range) -> wasmtime::Result<Result<u32, wit::Error>> {
        Ok(self.scan(this, range)?.map(|entries| u32::try_from(entries.len()).unwrap_or(u32::MAX)))
    }

    fn write(&mut self, this: Resource<Open>, changes: Vec<wit::Change>) -> wasmtime::Result<Result<(), wit::Error>> {
        let changes = changes.into_iter().map(|change| Change { key: change.key, value: change.value }).collect();
        Ok(self.table.get_mut(&this)?.0.write(changes).map_err(Into::into))
    }

    fn commit(&mut self, this: Resource<Open>) -> wasmtime::Result<Result<(), wit::Error>> {
        let committed = self.table.delete(this)?.0.commit().and_then(usher_host::storage::Durability::wait);
        Ok(committed.map_err(Into::into))
    }

    fn drop(&mut self, this: Resource<Open>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl From<wit::Range> for Range {
    fn from(range: wit::Range) -> Self {
        Self {
            start: range.start,
            end: range.end,
            reverse: range.reverse,
            skip: range.skip,
            limit: range.limit,
            keys_only: range.keys_only,
        }
    }
}

impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Conflict => Self::Conflict,
            Error::TooLarge(text) => Self::TooLarge(text),
            Error::Unavailable(text) => Self::Unavailable(text),
            Error::Other(text) => Self::Other(text),
        }
    }
}
