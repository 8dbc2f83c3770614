//! `usher demo`: a server with a sample site, two identity providers that do their first sync over HTTP, one of them into a
//! directory that is staged, whose plan is shown and applied, and what became of it.

mod admin;
mod bar;
mod client;
mod going_live;
mod idp;
mod on_site;
mod people;
mod plan;
mod report;
mod sample;
mod sync;

use super::data::DataFolder;
use super::outcome::Outcome;
use super::site::{self, SiteArgs};
use super::{logging, upkeep};
use admin::Admin;
use clap::Args;
use client::Trouble;
use idp::{Connected, Kind};
use plan::Plan;
use report::{Further, InBrowser, Pushed};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use usher_host::Site;
use usher_host::http::{AdminKey, Server};

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
    let site = site::load(&args.site, Some(data.cache()), true)?.site(storage);
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
    let way_in = way_in(&server, &origin);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async move {
        // Told to stop, or the one who would tell is gone.
        let _ = stopped.await;
    }));
    let keeping = tokio::spawn(upkeep::run(site.clone()));
    let outcome = play(args, &site, &origin, admin_key, &way_in, terminated).await;
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

/// Makes an address that signs a browser in to the console, once. There is none where the program has no console.
type WayIn = Box<dyn Fn() -> Result<Option<String>, String>>;

#[cfg(feature = "console")]
fn way_in(server: &Server, origin: &str) -> WayIn {
    let (links, origin) = (server.sign_in_links(), origin.to_owned());
    Box::new(move || {
        let path = links.make().map_err(|error| format!("cannot make a link to the console: {error}"))?;
        Ok(Some(format!("{origin}{path}")))
    })
}

#[cfg(not(feature = "console"))]
fn way_in(_: &Server, _: &str) -> WayIn {
    Box::new(|| Ok(None))
}

async fn play(
    args: &DemoArgs,
    site: &Site,
    origin: &str,
    admin_key: &str,
    way_in: &WayIn,
    mut terminated: impl Future<Output = ()> + Unpin,
) -> Outcome {
    if sample::clear(site).await? {
        println!("What an earlier demonstration left in {FOLDER} was removed.");
    }
    let sample = sample::make(site).await?;
    let halt = Arc::new(AtomicBool::new(false));
    let performing = tokio::task::spawn_blocking({
        let (halt, origin, admin_key) = (halt.clone(), origin.to_owned(), admin_key.to_owned());
        let (users, groups, by_rule) = (args.users, args.groups, sample.by_rule);
        move || perform(&mut Admin::new(&origin, &admin_key, &halt), (users, groups), by_rule, &halt)
    });
    let mut performing = std::pin::pin!(performing);
    let performed = tokio::select! {
        performed = &mut performing => performed,
        () = &mut terminated => {
            halt.store(true, Ordering::Relaxed);
            // Its connections are closed before the server is.
            let _ = performing.await;
            return Ok(());
        }
    };
    let (providers, failures) = match performed.map_err(|_| "the demonstration broke down".to_owned())? {
        Ok(performed) => performed,
        Err(Trouble::Stopped) => return Ok(()),
        Err(Trouble::Failed(text)) => return Err(text),
    };
    print!("{}", on_site::look(site, &sample).await?);
    if !args.exit {
        println!("{}", Further { providers: &providers, origin, admin_key });
    }
    if failures > 0 {
        return Err("not everything was pushed: see the failures above".into());
    }
    if !args.exit {
        println!("Serving until Ctrl-C. The data is in {FOLDER}; remove the folder when you have seen enough.");
        // Last, so that it is what one sees.
        if let Some(address) = way_in()? {
            print!("{}", InBrowser { address: &address, origin, admin_key });
        }
        terminated.await;
    }
    Ok(())
}

/// Connects the identity providers, lets them push, and takes live what is staged, telling what happens. Returns the
/// identity providers, and how many pushes failed.
fn perform(
    admin: &mut Admin<'_>,
    (users, groups): (usize, usize),
    by_rule: u64,
    halt: &AtomicBool,
) -> Result<(Vec<Connected>, usize), Trouble> {
    let mut providers = Vec::new();
    for kind in Kind::ALL {
        providers.push(admin.connect(kind, (&kind.organization("Engineering *"), by_rule))?);
    }
    let synced = sync::run(&sync::Plan::new(providers.clone(), users, groups), halt);
    admin.go_on()?;
    let mut directories = Vec::new();
    for provider in &providers {
        directories.push(admin.get(&format!("/directories/{}", provider.directory))?);
    }
    print!("{}", Pushed { synced: &synced, directories: &directories });
    for provider in providers.iter().filter(|provider| provider.kind.is_staged()) {
        print!("{}", Plan::read(admin, provider)?);
        print!("{}", going_live::run(admin, provider)?);
    }
    Ok((providers, synced.failures.len()))
}
