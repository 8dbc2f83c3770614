//! The component's exports on one site.

use super::usher::Usher;
use super::{Failure, changes, directories, scim, upkeep};
use crate::storage::{Access, Storage};
use std::sync::Arc;

/// One site: a loaded component and the storage that it is lent. Cheap to clone.
///
/// Every method is one call of the component in an instance of its own, and returns when what it wrote is durable. Any
/// number may run at once. No async runtime in particular is needed. A future that is dropped does not undo its call,
/// which may have been made, or be made later.
///
/// The outer error says that the call yielded no answer; the inner one is the component's answer. Times are milliseconds
/// since the Unix epoch, and `actor` names the administrator on whose behalf a change is made, for the change feed.
#[derive(Clone)]
pub struct Site {
    usher: Usher,
    storage: Arc<dyn Storage>,
}

/// What a typed call yields.
type Answer<T, E> = Result<Result<T, E>, Failure>;

impl Site {
    pub(super) fn new(usher: Usher, storage: Arc<dyn Storage>) -> Self {
        Self { usher, storage }
    }

    /// The component that is called.
    pub fn usher(&self) -> &Usher {
        &self.usher
    }

    /// The storage that it is lent.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// Answers a SCIM request.
    ///
    /// # Errors
    /// See [`Failure`]; whatever else fails is a response.
    pub async fn handle(&self, request: scim::Request) -> Result<scim::Response, Failure> {
        let call = self.usher.call(&self.storage, access(&request), move |component, store| {
            let scim = component.usher_provisioning_scim();
            scim.call_handle(store, &request)
        });
        call.await
    }

    /// As [`handle`](Site::handle), on the calling thread: for programs that have threads of their own to spend, and for
    /// measuring what a call costs without any handing over. As many can be made at a time as there are processors.
    ///
    /// # Errors
    /// See [`Failure`]; whatever else fails is a response.
    pub fn handle_blocking(&self, request: &scim::Request) -> Result<scim::Response, Failure> {
        self.usher.call_blocking(&self.storage, access(request), |component, store| {
            component.usher_provisioning_scim().call_handle(store, request)
        })
    }

    /// Connects a directory and issues its first key, valid for one year.
    ///
    /// # Errors
    /// See [`Failure`] and [`directories::Error`].
    pub async fn connect_directory(
        &self,
        actor: &str,
        settings: directories::Settings,
    ) -> Answer<directories::Connected, directories::Error> {
        let actor = actor.to_owned();
        let call = self.usher.call(&self.storage, Access::ReadWrite, move |component, store| {
            let directories = component.usher_provisioning_directories();
            directories.call_connect(store, &actor, &settings)
        });
        call.await
    }

    /// The connected directories: those behind `cursor`, at most `limit` (1 to 1,000) of them.
    ///
    /// # Errors
    /// See [`Failure`] and [`directories::Error`].
    pub async fn directories(&self, cursor: Option<&str>, limit: u32) -> Answer<directories::Page, directories::Error> {
        let cursor = cursor.map(str::to_owned);
        let call = self.usher.call(&self.storage, Access::ReadOnly, move |component, store| {
            let directories = component.usher_provisioning_directories();
            directories.call_list(store, cursor.as_deref(), limit)
        });
        call.await
    }

    /// One directory.
    ///
    /// # Errors
    /// See [`Failure`] and [`directories::Error`].
    pub async fn directory(&self, id: &str) -> Answer<directories::Directory, directories::Error> {
        let id = id.to_owned();
        let call = self.usher.call(&self.storage, Access::ReadOnly, move |component, store| {
            let directories = component.usher_provisioning_directories();
            directories.call_get(store, &id)
        });
        call.await
    }

    /// Changes the settings of a directory.
    ///
    /// # Errors
    /// See [`Failure`] and [`directories::Error`].
    pub async fn update_directory(
        &self,
        actor: &str,
        id: &str,
        settings: directories::SettingsUpdate,
    ) -> Answer<directories::Directory, directories::Error> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        let call = self.usher.call(&self.storage, Access::ReadWrite, move |component, store| {
            let directories = component.usher_provisioning_directories();
            directories.call_update(store, &actor, &id, &settings)
        });
        call.await
    }

    /// Disconnects a directory: its keys stop at once and its SCIM resources are gone.
    ///
    /// # Errors
    /// See [`Failure`] and [`directories::Error`].
    pub async fn disconnect_directory(&self, actor: &str, id: &str) -> Answer<(), directories::Error> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        let call = self.usher.call(&self.storage, Access::ReadWrite, move |component, store| {
            let directories = component.usher_provisioning_directories();
            directories.call_disconnect(store, &actor, &id)
        });
        call.await
    }

    /// The keys of a directory that work, oldest first.
    ///
    /// # Errors
    /// See [`Failure`] and [`directories::Error`].
    pub async fn keys(&self, id: &str) -> Answer<Vec<directories::Key>, directories::Error> {
        let id = id.to_owned();
        let call = self.usher.call(&self.storage, Access::ReadOnly, move |component, store| {
            let directories = component.usher_provisioning_directories();
            directories.call_keys(store, &id)
        });
        call.await
    }

    /// Issues a new key, valid for one year. Those that worked until now stop after `overlap_seconds`, or when they
    /// would have expired if that is sooner.
    ///
    /// # Errors
    /// See [`Failure`] and [`directories::Error`].
    pub async fn rotate_key(
        &self,
        actor: &str,
        id: &str,
        overlap_seconds: u32,
    ) -> Answer<directories::IssuedKey, directories::Error> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        let call = self.usher.call(&self.storage, Access::ReadWrite, move |component, store| {
            let directories = component.usher_provisioning_directories();
            directories.call_rotate_key(store, &actor, &id, overlap_seconds)
        });
        call.await
    }

    /// Revokes a key at once.
    ///
    /// # Errors
    /// See [`Failure`] and [`directories::Error`].
    pub async fn revoke_key(&self, actor: &str, id: &str, key: &str) -> Answer<(), directories::Error> {
        let (actor, id, key) = (actor.to_owned(), id.to_owned(), key.to_owned());
        let call = self.usher.call(&self.storage, Access::ReadWrite, move |component, store| {
            let directories = component.usher_provisioning_directories();
            directories.call_revoke_key(store, &actor, &id, &key)
        });
        call.await
    }

    /// The changes behind position `after` (0 for all) in the feed, at most `limit` (1 to 1,000) of them.
    ///
    /// # Errors
    /// See [`Failure`] and [`changes::Error`].
    pub async fn changes(&self, after: u64, limit: u32) -> Answer<Vec<changes::Change>, changes::Error> {
        let call = self.usher.call(&self.storage, Access::ReadOnly, move |component, store| {
            let changes = component.usher_provisioning_changes();
            changes.call_read(store, after, limit)
        });
        call.await
    }

    /// One step of housekeeping that removes at most about `budget` (1 to 10,000) entries. To be called after start-up,
    /// every minute or so, and again at once while there is more to do.
    ///
    /// # Errors
    /// See [`Failure`] and [`upkeep::Error`].
    pub async fn upkeep(&self, budget: u32) -> Answer<upkeep::Progress, upkeep::Error> {
        let call = self.usher.call(&self.storage, Access::ReadWrite, move |component, store| {
            let upkeep = component.usher_provisioning_upkeep();
            upkeep.call_step(store, budget)
        });
        call.await
    }
}

/// Whether a request may write. Only how it is scheduled depends on it.
fn access(request: &scim::Request) -> Access {
    match request.method.as_str() {
        "GET" | "HEAD" => Access::ReadOnly,
        _ => Access::ReadWrite,
    }
}

impl directories::Settings {
    /// The settings that a directory has unless it is told otherwise, under this name: changes of email are refused,
    /// users need no email address, and unknown members are refused.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            email_change: directories::EmailChange::Refuse,
            email: directories::EmailPresence::Optional,
            unknown_members: directories::UnknownMembers::Refuse,
        }
    }
}
