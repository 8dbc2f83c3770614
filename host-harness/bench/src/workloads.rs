//! The workloads by their names.

use super::context::Bench;
use super::report::Section;
use super::{
    breakdown, bulk, cold, empty, fairness, footprint, full_directory, groups, growth, initial_sync, mixed, plan,
    postgres, restart, sandbox, users,
};
use clap::ValueEnum;

/// What can be measured. The comments are the text of `--list` and `--help`; the order is that in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Workload {
    /// From loading the component to the first answer
    ColdStart,
    /// The component against the same engine compiled natively
    Sandbox,
    /// Resident memory with nothing stored
    Empty,
    /// Resident memory and disk with 10 to 150,000 users
    Footprint,
    /// One user by id, in directories of 10 to 150,000 users; reads a second at 1, 8, 32 connections
    Get,
    /// userName, externalId, displayName and members.value eq, in directories of 10 to 150,000 users
    Filter,
    /// First, middle and last page of a list, by startIndex and by cursor
    Page,
    /// A user created, read, changed, renamed, deactivated, activated, deleted, in directories of 10 to 150,000 users
    Lifecycle,
    /// PATCH adds and removes one member, in groups of 10 to 150,000
    Member,
    /// A group of 10 to 150,000 members read, with and without them, renamed, deleted
    Group,
    /// PATCH adds and removes 1,000 members at once, in groups of 10 to 150,000
    #[value(name = "member-1000")]
    Member1000,
    /// A user in 1 to 1,000 groups read, found, renamed, deactivated, deleted
    UserGroups,
    /// Users created a second at 1, 8, 32 connections
    Create,
    /// Users created a second by bulk requests of 100 and 1,000
    Bulk,
    /// The first sync of 500 groups of 100 members by single requests at 8 connections
    Sync,
    /// A mix of calls at 1, 8, 32 connections, and its writes against the bare storage engine
    Mixed,
    /// Where the time of a call goes: HTTP, instance, engine, storage, disk
    Breakdown,
    /// A directory's calls beside attackers of several kinds, against the same calls alone; the server's memory
    Fairness,
    /// 150,000 users, 20,000 groups, 1,000,000 memberships by single requests: not unless named, or by --all
    FullDirectory,
    /// The same into a staged directory, against a live one; its plan read and applied: not unless named, or by --all
    Plan,
    /// 3,000,000 users by bulk requests: not unless named, or by --all
    Growth,
    /// 1,000,000 users, 20,000 groups, 5,000,000 memberships, started again and read: not unless named, or by --all
    Restart,
    /// Users created, read and synced over PostgreSQL, against pgbench and the embedded storage: not unless named, or by --all
    Postgres,
}

impl Workload {
    /// All of them.
    pub(super) fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    /// Those that run where none is named: some minutes together.
    pub(super) fn usual() -> Vec<Self> {
        let mut all = Self::all();
        let large = [Self::FullDirectory, Self::Plan, Self::Growth, Self::Restart, Self::Postgres];
        all.retain(|workload| !large.contains(workload));
        all
    }

    /// Its name, and what it measures.
    pub(super) fn described(self) -> Option<(String, String)> {
        let value = self.to_possible_value()?;
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        Some((value.get_name().to_owned(), help))
    }

    /// Whether it takes the directories of several sizes.
    pub(super) fn takes_sizes(self) -> bool {
        (Self::Footprint..=Self::Member1000).contains(&self)
    }

    /// Whether it needs a server: the others call the component in this process.
    pub(super) fn takes_servers(self) -> bool {
        !matches!(self, Self::ColdStart | Self::Sandbox)
    }

    pub(super) async fn run(self, bench: &mut Bench) -> Result<Section, String> {
        match self {
            Self::ColdStart => cold::run(bench).await,
            Self::Sandbox => sandbox::run(bench).await,
            Self::Empty => empty::run(bench).await,
            Self::Footprint => footprint::run(bench).await,
            Self::Get => users::get(bench).await,
            Self::Filter => users::filter(bench).await,
            Self::Page => users::page(bench).await,
            Self::Lifecycle => users::lifecycle(bench).await,
            Self::Member => groups::member(bench).await,
            Self::Group => groups::group(bench).await,
            Self::Member1000 => groups::member_1000(bench).await,
            Self::UserGroups => groups::user_groups(bench).await,
            Self::Create => users::create(bench).await,
            Self::Bulk => bulk::run(bench).await,
            Self::Sync => initial_sync::run(bench).await,
            Self::Mixed => mixed::run(bench).await,
            Self::Breakdown => breakdown::run(bench).await,
            Self::Fairness => fairness::run(bench).await,
            Self::FullDirectory => full_directory::run(bench).await,
            Self::Plan => plan::run(bench).await,
            Self::Growth => growth::run(bench).await,
            Self::Restart => restart::run(bench).await,
            Self::Postgres => postgres::run(bench).await,
        }
    }
}
