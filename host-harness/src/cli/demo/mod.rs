//! `usher demo`: a server with a sample site, two identity providers that do their first sync over HTTP, and what became
//! of it.

mod admin;
mod client;
mod idp;
mod on_site;
mod people;
mod report;
mod sample;
mod sync;

use super::data::DataFolder;
use super::outcome::Outcome;
use super::site::{self, SiteArgs};
use super::{logging, upkeep};
use admin::{ADMIN, answered};
use clap::Args;
use idp::{Connected, Kind};
use report::Report;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use usher_host::http::AdminKey;
use usher_host::{Site, directories};

/// Where the demonstration keeps its data, apart from what `usher serve` keeps.
const FOLDER: &str = "./usher-demo";

/// What to demonstrate. The comments are the text of `--help`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    #[command(flatten)]
    site: SiteArgs,

    /// End after the summary instead of serving on
    #[arg(long)]
    exit: bool,

    /// How many users the identity providers push, together
    #[arg(long, value_name = "COUNT", default_value_t = 2_000)]
    users: usize,

    /// How many groups they push, together
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    groups: usize,
}

pub(super) fn run(args: &DemoArgs) -> Outcome {
    logging::start(&args.site.logs)?;
    let data = DataFolder::open(Path::new(FOLDER))?;
    let storage = Arc::new(data.storage()?);
    let site = site::load(&args.site, Some(&data))?.site(storage);
    let made = AdminKey::generate();
    let (key, admin_key) = made.map_err(|error| format!("cannot make an admin key: {error}"))?;
    site::runtime()?.block_on(demonstrate(args, site, key, &admin_key))
}

async fn demonstrate(args: &DemoArgs, site: Site, key: AdminKey, admin_key: &str) -> Outcome {
    let server = site::bind(site.clone(), site::settings(&args.site, key), &args.site.listen).await?;
    let origin = format!("http://{}", server.address());
    // Whoever reads that it is ready may ask it to end at once.
    let terminated = std::pin::pin!(site::terminated()?);
    site::ready(server.address())?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async move {
        // Told to stop, or the one who would tell is gone.
        let _ = stopped.await;
    }));
    let keeping = tokio::spawn(upkeep::run(site.clone()));
    let outcome = play(args, &site, &origin, admin_key, terminated).await;
    // The server may have ended on its own account, which its outcome tells.
    let _ = stop.send(());
    let drained = serving.await;
    keeping.abort();
    outcome?;
    match drained {
        Ok(true) => Ok(()),
        _ => Err("requests were still in flight when the time for a shutdown was over".into()),
    }
}

async fn play(
    args: &DemoArgs,
    site: &Site,
    origin: &str,
    admin_key: &str,
    mut terminated: impl Future<Output = ()> + Unpin,
) -> Outcome {
    if sample::clear(site).await? {
        println!("What an earlier demonstration left in {FOLDER} was removed; this one begins afresh.");
    }
    let sample = sample::make(site).await?;
    let mut providers = Vec::new();
    for kind in Kind::ALL {
        providers.push(connect(site, kind, origin).await?);
    }
    let halt = Arc::new(AtomicBool::new(false));
    let plan = sync::Plan::new(providers.clone(), args.users, args.groups);
    let syncing = tokio::task::spawn_blocking({
        let halt = halt.clone();
        move || sync::run(&plan, &halt)
    });
    let mut syncing = std::pin::pin!(syncing);
    let synced = tokio::select! {
        synced = &mut syncing => synced,
        () = &mut terminated => {
            halt.store(true, Ordering::Relaxed);
            // Its connections are closed before the server is.
            let _ = syncing.await;
            return Ok(());
        }
    };
    let synced = synced.map_err(|_| "the demonstration broke down".to_owned())?;
    let mut found = Vec::new();
    for provider in &providers {
        found.push(answered(site.directory(&provider.directory).await)?);
    }
    let report = Report {
        synced: &synced,
        providers: &providers,
        found: &found,
        on_site: &on_site::look(site, &sample).await?,
        serving: !args.exit,
        origin,
        admin_key,
    };
    println!("{report}");
    if !synced.failures.is_empty() {
        return Err("not everything was pushed: see the failures above".into());
    }
    if !args.exit {
        println!("Serving until Ctrl-C. The data is in {FOLDER}; remove the folder when you have seen enough.");
        terminated.await;
    }
    Ok(())
}

async fn connect(site: &Site, kind: Kind, origin: &str) -> Result<Connected, String> {
    let conflict_policy = kind.conflict_policy();
    let settings = directories::Settings { conflict_policy, ..directories::Settings::named(name(kind)) };
    let connected = answered(site.connect_directory(ADMIN, settings).await)?;
    Ok(Connected {
        kind,
        base: format!("{origin}{}", connected.directory.scim_path),
        directory: connected.directory.id,
        api_key: connected.key.api_key,
    })
}

fn name(kind: Kind) -> String {
    format!("{} (demo)", kind.name())
}
