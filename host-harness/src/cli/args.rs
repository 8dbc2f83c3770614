//! The commands of `usher`; the arguments of each stand with it. The comments are the text of `--help`.

use super::database::StorageCommand;
use super::demo::DemoArgs;
use super::serve::{self, ServeArgs};
use clap::{Parser, Subcommand};

/// Customer provisioning for service desks over SCIM 2.0
///
/// Identity providers (Entra ID, Okta and others) push users and groups to Usher; Usher keeps them for one service-desk
/// site, each identity provider in a directory of its own.
#[derive(Debug, Parser)]
#[command(name = "usher", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  usher demo                  see it work: a whole first sync from two identity providers
  usher serve                 serve on 127.0.0.1:8080, with durable data in ./usher-data
  usher serve --help          every setting, its meaning and its default";

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve a site over HTTP
    #[command(after_help = serve::EXAMPLES)]
    Serve(ServeArgs),

    /// See it work: two identity providers do their first sync
    ///
    /// Serves with durable data in ./usher-demo, connects two directories, and plays the requests that Entra ID and Okta
    /// send when they sync for the first time. One of the directories is staged: its plan is printed, and then applied.
    /// Then it prints what became of it and where to look further, and goes on serving. Run again, it begins afresh.
    Demo(DemoArgs),

    /// Prepare a database for `usher serve --storage`
    Storage {
        #[command(subcommand)]
        command: StorageCommand,
    },
}
