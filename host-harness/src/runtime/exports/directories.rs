//! The directories of a site, their keys and settings.

use super::{Answer, Argument, Site};
use crate::runtime::directories::{
    ConflictPolicy, Connected, Directory, DirectoryStatus, EmailChange, EmailPresence, Error, HeldPage, IssuedKey, Key,
    LogFilter, LogPage, Measures, Mode, NewSetupLink, OutsideDomains, Page, Settings, SettingsUpdate, Setup, SetupLink,
    UnknownMembers, WholeRequest,
};

exports! {
    directories(Error) {
        /// Connects a directory and issues its first key, valid for one year.
        write connect_directory(actor: &str, settings: Settings) -> Connected = call_connect;

        /// The connected directories: those after `cursor`, at most `limit` (1 to 1,000) of them.
        read directories(cursor: Option<&str>, limit: u32) -> Page = call_list;

        /// One directory.
        read directory(id: &str) -> Directory = call_get;

        /// Changes the settings of a directory.
        write update_directory(actor: &str, id: &str, settings: SettingsUpdate) -> Directory = call_update;

        /// Disconnects a directory: its keys stop at once and its SCIM resources are gone. The customers and organizations
        /// that it managed become local; with `remove`, upkeep deletes them then.
        write disconnect_directory(actor: &str, id: &str, remove: bool) -> () = call_disconnect;

        /// The keys of a directory that work, oldest first.
        read keys(id: &str) -> Vec<Key> = call_keys;

        /// Issues a new key, valid for one year. Those that worked until now stop after `overlap_seconds`, or when they
        /// would have expired if that is sooner.
        write rotate_key(actor: &str, id: &str, overlap_seconds: u32) -> IssuedKey = call_rotate_key;

        /// Revokes a key at once.
        write revoke_key(actor: &str, id: &str, key: &str) -> () = call_revoke_key;

        /// Makes a set-up link for whoever runs the identity provider, good for so many days (1 to 30) and for one key. The
        /// keys that work until it is used stop `overlap_seconds` after that.
        write make_setup_link(actor: &str, id: &str, days: u32, overlap_seconds: u32) -> NewSetupLink = call_make_setup_link;

        /// The set-up links of a directory that have not expired, oldest first.
        read setup_links(id: &str) -> Vec<SetupLink> = call_setup_links;

        /// Takes a set-up link back: it opens nothing any more.
        write revoke_setup_link(actor: &str, id: &str, link: &str) -> () = call_revoke_setup_link;

        /// What whoever has a set-up link may know of its directory. Whoever calls it for somebody outside slows down
        /// those who guess.
        read open_setup_link(token: &str) -> Setup = call_open_setup_link;

        /// Issues the key of a set-up link, once, to whoever has the link.
        write claim_setup_link(token: &str) -> IssuedKey = call_claim_setup_link;

        /// How a directory is doing.
        read directory_status(id: &str) -> DirectoryStatus = call_status;

        /// What an alert needs to know of the directories.
        read directory_measures() -> Measures = call_measures_of_all;

        /// The requests in the log of a directory that a filter asks for, newest first: what follows `cursor`, at most
        /// `limit` (1 to 1,000) of them.
        read requests(id: &str, filter: LogFilter, cursor: Option<&str>, limit: u32) -> LogPage = call_requests;

        /// One request in the log of a directory, with its body if that was captured.
        read request(id: &str, sequence: u64) -> WholeRequest = call_request;

        /// Has the bodies of a directory's requests captured for so many seconds, at most a day. Without `values`, only the
        /// names of attributes are in them. Returns when it ends.
        write start_capture(actor: &str, id: &str, seconds: u32, values: bool) -> u64 = call_start_capture;

        /// Has no more bodies captured.
        write stop_capture(actor: &str, id: &str) -> () = call_stop_capture;

        /// Counts requests to a directory that were refused for their key, as a response told with `refused_key`: so many
        /// since the last time, the last one at this time.
        write note_refused_requests(id: &str, expired: bool, count: u32, last: u64) -> () = call_note_refused_requests;

        /// The users and groups whose deletion or deactivation a directory's limit holds.
        read held(id: &str, cursor: Option<&str>, limit: u32) -> HeldPage = call_held;

        /// Lets deletions and deactivations through that a directory's limit holds: all of them for an hour.
        write release_deletions(actor: &str, id: &str) -> () = call_release_deletions;
    }
}

impl Settings {
    /// The settings that a directory has unless it is told otherwise, under this name: changes of email are refused,
    /// users need no email address, unknown members are refused, and local organizations are adopted, with an hour in
    /// which their former members stay. Deletions have no limit, it is live, and it is silent after three times
    /// its usual interval. It may have users of any email domain, has no project rules, and its memberships are no
    /// resources of their own.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            email_change: EmailChange::default(),
            email: EmailPresence::default(),
            unknown_members: UnknownMembers::default(),
            conflict_policy: ConflictPolicy::default(),
            adoption_grace_seconds: 3_600,
            deletion_limit: None,
            mode: Mode::default(),
            domains: Vec::new(),
            outside_domains: OutsideDomains::default(),
            project_rules: Vec::new(),
            membership_resources: false,
            silent_after: 3,
        }
    }
}

/// Changes nothing.
impl Default for SettingsUpdate {
    fn default() -> Self {
        Self {
            name: None,
            email_change: None,
            email: None,
            unknown_members: None,
            conflict_policy: None,
            adoption_grace_seconds: None,
            deletion_limit: None,
            mode: None,
            domains: None,
            outside_domains: None,
            project_rules: None,
            membership_resources: None,
            silent_after: None,
        }
    }
}

impl Default for EmailChange {
    fn default() -> Self {
        Self::Refuse
    }
}

impl Default for Mode {
    fn default() -> Self {
        Self::Live
    }
}

impl Default for EmailPresence {
    fn default() -> Self {
        Self::Optional
    }
}

impl Default for UnknownMembers {
    fn default() -> Self {
        Self::Refuse
    }
}

impl Default for OutsideDomains {
    fn default() -> Self {
        Self::Unlinked
    }
}

impl Default for ConflictPolicy {
    fn default() -> Self {
        Self::Sync
    }
}
