//! `usher serve`

use super::args::{ServeArgs, SiteArgs};
use super::data::DataFolder;
use super::{Outcome, handles, logging, upkeep};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use usher_host::http::{AdminKey, Server, Settings};
use usher_host::storage::{MemoryStorage, Storage};
use usher_host::{Limits, Usher};

pub(super) fn run(args: &ServeArgs) -> Outcome {
    logging::start(&args.site)?;
    let public_url = args.public_url.as_deref().map(public_url).transpose()?;
    let data = (!args.memory).then(|| DataFolder::open(&args.data)).transpose()?;
    let storage: Arc<dyn Storage> = match &data {
        Some(data) => Arc::new(data.storage()?),
        None => Arc::new(MemoryStorage::new()),
    };
    let usher = load(&args.site, data.as_ref())?;
    // Last, so that nothing can come between making a key and showing it.
    let (key, shown) = admin_key(args, data.as_ref())?;
    if let Some(text) = shown {
        eprintln!("The admin key, shown this once: {text}");
    }
    let mut settings = settings(&args.site, key);
    settings.trust_proxy = args.trust_proxy;
    settings.public_url = public_url;
    runtime()?.block_on(serve(usher, storage, settings, &args.site.listen))
}

async fn serve(usher: Usher, storage: Arc<dyn Storage>, settings: Settings, listen: &str) -> Outcome {
    let site = usher.site(storage);
    let server = bind(site.clone(), settings, listen).await?;
    let upkeep = tokio::spawn(upkeep::run(site));
    // Whoever reads that it is ready may ask it to end at once.
    let terminated = terminated()?;
    ready(server.address())?;
    let drained = server.serve(terminated).await;
    upkeep.abort();
    if !drained {
        tracing::warn!("requests were still in flight when the time for a shutdown was over");
    }
    Ok(())
}

/// The admin key, and its text where it was made just now.
fn admin_key(args: &ServeArgs, data: Option<&DataFolder>) -> Result<(AdminKey, Option<String>), String> {
    if let Some(text) = &args.admin_key {
        if text.trim().is_empty() {
            return Err("the admin key is empty".into());
        }
        if text.len() < 16 {
            tracing::warn!("the admin key is short enough to be guessed");
        }
        return Ok((AdminKey::new(text), None));
    }
    match data {
        Some(data) => data.admin_key(),
        None => {
            let made = AdminKey::generate();
            let (key, text) = made.map_err(|error| format!("cannot make an admin key: {error}"))?;
            Ok((key, Some(text)))
        }
    }
}

/// Checks the URL at which clients reach the server.
fn public_url(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    let parsed: Option<hyper::Uri> = url.parse().ok();
    let usable = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some() && uri.query().is_none()
    });
    if !usable {
        return Err(format!(
            "--public-url {text} is no URL like https://usher.example.com or https://example.com/usher"
        ));
    }
    Ok(url.to_owned())
}

/// The settings that `serve` and `demo` share.
pub(super) fn settings(args: &SiteArgs, key: AdminKey) -> Settings {
    let mut settings = Settings::new(key);
    settings.body = (args.body as usize) << 20;
    settings.connections = handles::connections(args.connections as usize);
    settings
}

/// Loads the component with the limits asked for.
pub(super) fn load(args: &SiteArgs, data: Option<&DataFolder>) -> Result<Usher, String> {
    let mut limits = Limits::default();
    limits.deadline = Duration::from_secs(args.deadline);
    limits.memory = (args.request_memory as usize) << 20;
    let mut builder = Usher::builder().limits(limits).short_calls_inline(true);
    if let Some(workers) = args.workers {
        builder = builder.threads(workers.into());
    }
    if let Some(data) = data {
        builder = builder.cache(data.cache());
    }
    builder.load().map_err(|error| error.to_string())
}

/// Binds to the address, or says what is in the way. Of a name's addresses, to the first that can be had.
pub(super) async fn bind(site: usher_host::Site, settings: Settings, listen: &str) -> Result<Server, String> {
    let resolved = tokio::net::lookup_host(listen).await;
    let addresses = resolved.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => format!("--listen {listen} is no address and port like 127.0.0.1:8080: {error}"),
        _ => format!("--listen {listen}: the name has no address: {error}"),
    })?;
    let mut refused = format!("--listen {listen}: the name has no address");
    for address in addresses {
        match Server::bind(site.clone(), settings.clone(), address).await {
            Ok(server) => return Ok(server),
            Err(error) => refused = why(address, &error),
        }
    }
    Err(refused)
}

/// Why an address cannot be listened on.
fn why(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("{address} is taken by another program. Stop it, or choose another port with --listen.")
        }
        io::ErrorKind::PermissionDenied => {
            format!("{address} may not be listened on by this user. Ports from 1024 on are open to everyone.")
        }
        _ => format!("cannot listen on {address}: {error}"),
    }
}

/// Prints the one line that says that the server answers.
pub(super) fn ready(address: SocketAddr) -> Outcome {
    let line = format!("usher is ready on http://{address}\n");
    let mut out = io::stdout().lock();
    let written = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| format!("cannot write to standard output: {error}"))
}

/// Comes when the process is asked to end.
pub(super) fn terminated() -> Result<impl Future<Output = ()>, String> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
        let mut terminate = listen(SignalKind::terminate())?;
        let mut interrupt = listen(SignalKind::interrupt())?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("shutting down");
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot listen for Ctrl-C");
            std::future::pending::<()>().await;
        }
        tracing::info!("shutting down");
    })
}

/// The threads that do the network's part.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start threads: {error}"))
}
