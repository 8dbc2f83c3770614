//! What serving and demonstrating share: the settings that both have, the site, its address, and the end.

use super::handles;
use super::logging::LogArgs;
use super::outcome::Outcome;
use clap::Args;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use usher_host::http::{AdminKey, Server, Settings};
use usher_host::{Limits, Usher};

/// What serving and demonstrating have in common. The comments are the text of `--help`.
#[derive(Debug, Args)]
pub(super) struct SiteArgs {
    /// The address or host name and the port to listen on; port 0 lets the system choose one
    #[arg(long, value_name = "ADDRESS", env = "USHER_LISTEN", default_value = "127.0.0.1:8080")]
    pub(super) listen: String,

    /// How many seconds one request may wait and compute before it is stopped and answered 503
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600), help_heading = "Limits")]
    pub(super) deadline: u64,

    /// How much memory one request may use, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(4..=4_095), help_heading = "Limits")]
    pub(super) request_memory: u32,

    /// The longest request body that is read, in MiB; a longer one is answered 413
    #[arg(long, value_name = "MIB", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=16), help_heading = "Limits")]
    pub(super) body: u32,

    /// How many long requests may compute at once, each on a thread of its own [default: four for each processor]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1_024), help_heading = "Limits")]
    pub(super) workers: Option<u16>,

    /// How many connections may be open; past it, one that waits for its client is closed, those without a key first
    #[arg(long, value_name = "COUNT", default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub(super) connections: u32,

    #[command(flatten)]
    pub(super) logs: LogArgs,
}

/// The settings that `serve` and `demo` share.
pub(super) fn settings(args: &SiteArgs, key: AdminKey) -> Settings {
    let mut settings = Settings::new(key);
    settings.body = (args.body as usize) << 20;
    settings.connections = handles::connections(args.connections as usize);
    settings
}

/// Loads the component with the limits asked for; its compiled code is kept in `cache`, or else where the user's caches are.
pub(super) fn load(args: &SiteArgs, cache: Option<PathBuf>, short_calls_inline: bool) -> Result<Usher, String> {
    let mut limits = Limits::default();
    limits.deadline = Duration::from_secs(args.deadline);
    limits.memory = (args.request_memory as usize) << 20;
    let mut builder = Usher::builder().limits(limits).short_calls_inline(short_calls_inline);
    if let Some(workers) = args.workers {
        builder = builder.threads(workers.into());
    }
    if let Some(cache) = cache {
        builder = builder.cache(cache);
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
