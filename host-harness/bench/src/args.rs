//! What can be said on the command line. The comments are the text of `--help`.

use super::workloads::Workload;
use clap::Parser;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  usher-bench                         all but those that take long: some minutes
  usher-bench member group            members and groups, with up to 150,000 members
  usher-bench full-directory --json   150,000 users, 20,000 groups, 1,000,000 memberships, as JSON
  usher-bench --quick                 does all of it work? Small directories, no figures to compare

Progress goes to standard error, results to standard output. Only release builds have figures that are worth reading:
  cargo build --release --package usher-host --package usher-bench";

/// Measures how fast Usher is on this machine
///
/// Runs the named workloads against servers of its own with durable storage, and prints medians, spread and counts as
/// tables (Markdown) or JSON. Ratios are of one run, taken turn by turn, because machines differ and are noisy.
#[derive(Debug, Parser)]
#[command(name = "usher-bench", version, after_help = EXAMPLES)]
pub(super) struct Args {
    /// What to measure [default: all but full-directory and plan]
    #[arg(value_name = "WORKLOAD", value_enum, conflicts_with_all = ["all", "list"])]
    pub(super) workloads: Vec<Workload>,

    /// Measure everything, full-directory and plan too
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

    /// The server to measure [default: the program `usher` in the folder of this one]
    #[arg(long, value_name = "PROGRAM")]
    pub(super) usher: Option<PathBuf>,

    /// Print JSON instead of tables
    #[arg(long)]
    pub(super) json: bool,
}
