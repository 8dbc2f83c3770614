//! `usher serve`: a site, its storage and its administrators' key, served over HTTP until the process is asked to end.

use super::database::DatabaseArgs;
use super::kept::Kept;
use super::outcome::Outcome;
use super::site::{self, SiteArgs};
use super::{logging, upkeep};
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use usher_host::Usher;
use usher_host::http::{AdminKey, Settings};
use usher_host::storage::Storage;

pub(super) const EXAMPLES: &str = "\
Examples:
  usher serve
      Serve on 127.0.0.1:8080 with durable data in ./usher-data. The first start makes an admin key and prints it once.

  usher serve --memory --admin-key try-it-out-1234
      Keep nothing: for trials and tests.

  usher serve --listen 0.0.0.0:8080 --data /var/lib/usher --public-url https://usher.example.com
      Behind a proxy that terminates TLS.

  usher serve --storage 'postgres://usher@db.example.com/usher' --storage-password-file /run/secrets/usher
      Keep everything in a PostgreSQL database.

  curl -H 'Authorization: Bearer ADMIN_KEY' --json '{\"name\":\"Entra ID\"}' http://127.0.0.1:8080/admin/v1/directories
      Connect an identity provider: the answer has the SCIM base URL and the API key to enter there.

Without credentials: /healthz, /readyz, /openapi.json. With the admin key: /console in a browser, /admin/v1 and /metrics.
SIGTERM or Ctrl-C: no more connections, the requests in flight are answered, and everything acknowledged is on disk.";

/// Not as a comment: those have URLs in angle brackets.
const PUBLIC_URL_HELP: &str = "\
The URL at which clients reach this server, where that is not what they send as Host

Such as https://usher.example.com, or https://example.com/usher behind a gateway that takes /usher away. SCIM base URLs and \
the locations of resources start with it. Without this option: http:// and the Host header.";

/// How to serve. The comments are the text of `--help`.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    site: SiteArgs,

    /// Keep all data in memory, and lose it at the end: for trials and tests
    #[arg(long, conflicts_with_all = ["data", "storage"])]
    memory: bool,

    /// The folder for all data; made where it is missing, and used by one process at a time
    #[arg(long, value_name = "DIR", env = "USHER_DATA", default_value = "./usher-data", conflicts_with = "storage")]
    data: PathBuf,

    #[command(flatten)]
    database: DatabaseArgs,

    /// The key that the console, the admin API and /metrics want
    ///
    /// As a bearer token, or as the password of Basic credentials, whose user name then is the administrator's in the
    /// change feed. Choose one that is as hard to guess as 32 random characters. Without this option a key is made at
    /// the first start and printed once; only its hash is kept, with the data.
    #[arg(long, value_name = "KEY", env = "USHER_ADMIN_KEY", hide_env_values = true)]
    admin_key: Option<String>,

    /// The URL at which clients reach this server, where that is not what they send as Host
    #[arg(long, value_name = "URL", env = "USHER_PUBLIC_URL", long_help = PUBLIC_URL_HELP)]
    public_url: Option<String>,

    /// Believe X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix
    ///
    /// Only where nobody can reach this server but through a proxy that sets or removes all four. Of X-Forwarded-For, the
    /// last address counts: wrong admin keys are slowed by it, and without this option by the address of the connection.
    /// The others say where clients reach this server, unless --public-url does.
    #[arg(long)]
    trust_proxy: bool,
}

pub(super) fn run(args: &ServeArgs) -> Outcome {
    logging::start(&args.site.logs)?;
    let public_url = args.public_url.as_deref().map(public_url).transpose()?;
    let kept = match (&args.database.storage, args.memory) {
        (Some(_), _) => Kept::in_database(&args.database)?,
        (None, true) => Kept::in_memory(),
        (None, false) => Kept::in_folder(&args.data)?,
    };
    let usher = site::load(&args.site, kept.cache(), kept.short_calls_inline())?;
    // Last, so that nothing can come between making a key and showing it.
    let (key, shown) = admin_key(args, &kept)?;
    if let Some(text) = shown {
        eprintln!("The admin key, shown this once: {text}");
    }
    let mut settings = site::settings(&args.site, key);
    settings.trust_proxy = args.trust_proxy;
    settings.public_url = public_url;
    site::runtime()?.block_on(serve(usher, kept.storage(), settings, &args.site.listen))
}

async fn serve(usher: Usher, storage: Arc<dyn Storage>, settings: Settings, listen: &str) -> Outcome {
    let site = usher.site(storage);
    let server = site::bind(site.clone(), settings, listen).await?;
    let upkeep = tokio::spawn(upkeep::run(site));
    // Whoever reads that it is ready may ask it to end at once.
    let terminated = site::terminated()?;
    site::ready(server.address())?;
    let drained = server.serve(terminated).await;
    upkeep.abort();
    if !drained {
        tracing::warn!("requests were still in flight when the time for a shutdown was over");
    }
    Ok(())
}

/// The admin key, and its text where it was made just now.
fn admin_key(args: &ServeArgs, kept: &Kept) -> Result<(AdminKey, Option<String>), String> {
    let Some(text) = &args.admin_key else { return kept.admin_key() };
    if text.trim().is_empty() {
        return Err("the admin key is empty".into());
    }
    if text.len() < 16 {
        tracing::warn!("the admin key is short enough to be guessed");
    }
    Ok((AdminKey::new(text), None))
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
