//! What can be said on the command line. The comments are the text of `--help`.

use super::bench::Workload;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

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

const SERVE_EXAMPLES: &str = "\
Examples:
  usher serve
      Serve on 127.0.0.1:8080 with durable data in ./usher-data. The first start makes an admin key and prints it once.

  usher serve --memory --admin-key try-it-out-1234
      Keep nothing: for trials and tests.

  usher serve --listen 0.0.0.0:8080 --data /var/lib/usher --public-url https://usher.example.com
      Behind a proxy that terminates TLS.

  curl -H 'Authorization: Bearer ADMIN_KEY' --json '{\"name\":\"Entra ID\"}' http://127.0.0.1:8080/admin/v1/directories
      Connect an identity provider: the answer has the SCIM base URL and the API key to enter there.

Without credentials: /healthz, /readyz, /openapi.json. With the admin key: /admin/v1 and /metrics.
SIGTERM or Ctrl-C: no more connections, the requests in flight are answered, and everything acknowledged is on disk.";

const BENCH_EXAMPLES: &str = "\
Examples:
  usher bench                         everything but the full directory: some minutes
  usher bench member group            members and groups, with up to 150,000 members
  usher bench full-directory --json   150,000 users, 20,000 groups, 1,000,000 memberships, as JSON
  usher bench --quick                 does all of it work? Small directories, no figures to compare

Progress goes to standard error, results to standard output.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve a site over HTTP
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),

    /// See it work: two identity providers do their first sync
    ///
    /// Serves with durable data in ./usher-demo, connects two directories, and plays the requests that Entra ID and Okta
    /// send when they sync for the first time. Then it prints what became of it and where to look further, and goes on
    /// serving. Run again, it begins afresh.
    Demo(DemoArgs),

    /// Measure how fast it is on this machine
    ///
    /// Runs the named workloads against servers of its own with durable storage, and prints medians, spread and counts as
    /// tables (Markdown) or JSON. Ratios are of one run, taken turn by turn, because machines differ and are noisy.
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(BenchArgs),
}

/// How to serve.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    pub(super) site: SiteArgs,

    /// Keep all data in memory, and lose it at the end: for trials and tests
    #[arg(long, conflicts_with = "data")]
    pub(super) memory: bool,

    /// The folder for all data; made where it is missing, and used by one process at a time
    #[arg(long, value_name = "DIR", env = "USHER_DATA", default_value = "./usher-data")]
    pub(super) data: PathBuf,

    /// The key that the admin API and /metrics want
    ///
    /// As a bearer token, or as the password of Basic credentials, whose user name then is the administrator's in the
    /// change feed. Choose one that is as hard to guess as 32 random characters. Without this option a key is made at
    /// the first start and printed once; only its hash is kept, in the data folder.
    #[arg(long, value_name = "KEY", env = "USHER_ADMIN_KEY", hide_env_values = true)]
    pub(super) admin_key: Option<String>,

    /// The URL at which clients reach this server, where that is not what they send as Host
    ///
    /// Such as https://usher.example.com, or https://example.com/usher behind a gateway that takes /usher away. SCIM
    /// base URLs and the locations of resources start with it. Without this option: http:// and the Host header.
    #[arg(long, value_name = "URL", env = "USHER_PUBLIC_URL")]
    pub(super) public_url: Option<String>,

    /// Believe X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix
    ///
    /// Only where nobody can reach this server but through a proxy that sets or removes all four. Of X-Forwarded-For, the
    /// last address counts: wrong admin keys are slowed by it, and without this option by the address of the connection.
    /// The others say where clients reach this server, unless --public-url does.
    #[arg(long)]
    pub(super) trust_proxy: bool,
}

/// What serving and demonstrating have in common.
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

    /// What to log, on standard error: a level (error, warn, info, debug, trace), or levels by part
    ///
    /// `debug` adds one line for each request, `off` is silence. `info,usher_host::http=debug` is a level by part; parts
    /// are the modules of `usher` and `usher_host`.
    #[arg(long, value_name = "FILTER", env = "USHER_LOG", default_value = "info", help_heading = "Logs")]
    pub(super) log: String,

    /// How log lines look
    #[arg(long, value_name = "FORMAT", env = "USHER_LOG_FORMAT", default_value = "text", help_heading = "Logs")]
    pub(super) log_format: LogFormat,
}

/// What to demonstrate.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    #[command(flatten)]
    pub(super) site: SiteArgs,

    /// End after the summary instead of serving on
    #[arg(long)]
    pub(super) exit: bool,

    /// How many users the identity providers push, together
    #[arg(long, value_name = "COUNT", default_value_t = 2_000)]
    pub(super) users: usize,

    /// How many groups they push, together
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    pub(super) groups: usize,
}

/// How to measure.
#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// What to measure [default: all but full-directory]
    #[arg(value_name = "WORKLOAD", value_enum, conflicts_with_all = ["all", "list"])]
    pub(super) workloads: Vec<Workload>,

    /// Measure everything, the full directory too
    #[arg(long, conflicts_with = "list")]
    pub(super) all: bool,

    /// Name the workloads and say what they measure
    #[arg(long)]
    pub(super) list: bool,

    /// How long each measurement takes, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(super) seconds: u64,

    /// Small directories and a tenth of the time, to see whether all works: no figures to compare
    #[arg(long)]
    pub(super) quick: bool,

    /// A folder on the disk to measure; what is made there is removed at the end
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) data: PathBuf,

    /// Print JSON instead of tables
    #[arg(long)]
    pub(super) json: bool,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people
    Text,
    /// One JSON object on each line
    Json,
}
