//! The directories of a site, their keys and settings.

use super::{Answer, Site};
use crate::runtime::directories;

impl Site {
    /// Connects a directory and issues its first key, valid for one year.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`directories::Error`].
    pub async fn connect_directory(
        &self,
        actor: &str,
        settings: directories::Settings,
    ) -> Answer<directories::Connected, directories::Error> {
        let actor = actor.to_owned();
        let call = self.write(move |component, store| {
            let directories = component.directories(store)?;
            directories.call_connect(store, &actor, &settings)
        });
        call.await
    }

    /// The connected directories: those behind `cursor`, at most `limit` (1 to 1,000) of them.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`directories::Error`].
    pub async fn directories(&self, cursor: Option<&str>, limit: u32) -> Answer<directories::Page, directories::Error> {
        let cursor = cursor.map(str::to_owned);
        let call = self.read(move |component, store| {
            let directories = component.directories(store)?;
            directories.call_list(store, cursor.as_deref(), limit)
        });
        call.await
    }

    /// One directory.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`directories::Error`].
    pub async fn directory(&self, id: &str) -> Answer<directories::Directory, directories::Error> {
        let id = id.to_owned();
        let call = self.read(move |component, store| {
            let directories = component.directories(store)?;
            directories.call_get(store, &id)
        });
        call.await
    }

    /// Changes the settings of a directory.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`directories::Error`].
    pub async fn update_directory(
        &self,
        actor: &str,
        id: &str,
        settings: directories::SettingsUpdate,
    ) -> Answer<directories::Directory, directories::Error> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        let call = self.write(move |component, store| {
            let directories = component.directories(store)?;
            directories.call_update(store, &actor, &id, &settings)
        });
        call.await
    }

    /// Disconnects a directory: its keys stop at once and its SCIM resources are gone. The customers and organizations
    /// that it managed become local; with `remove`, upkeep deletes them then.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`directories::Error`].
    pub async fn disconnect_directory(&self, actor: &str, id: &str, remove: bool) -> Answer<(), directories::Error> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        let call = self.write(move |component, store| {
            let directories = component.directories(store)?;
            directories.call_disconnect(store, &actor, &id, remove)
        });
        call.await
    }

    /// The keys of a directory that work, oldest first.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`directories::Error`].
    pub async fn keys(&self, id: &str) -> Answer<Vec<directories::Key>, directories::Error> {
        let id = id.to_owned();
        let call = self.read(move |component, store| {
            let directories = component.directories(store)?;
            directories.call_keys(store, &id)
        });
        call.await
    }

    /// Issues a new key, valid for one year. Those that worked until now stop after `overlap_seconds`, or when they
    /// would have expired if that is sooner.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`directories::Error`].
    pub async fn rotate_key(
        &self,
        actor: &str,
        id: &str,
        overlap_seconds: u32,
    ) -> Answer<directories::IssuedKey, directories::Error> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        let call = self.write(move |component, store| {
            let directories = component.directories(store)?;
            directories.call_rotate_key(store, &actor, &id, overlap_seconds)
        });
        call.await
    }

    /// Revokes a key at once.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`directories::Error`].
    pub async fn revoke_key(&self, actor: &str, id: &str, key: &str) -> Answer<(), directories::Error> {
        let (actor, id, key) = (actor.to_owned(), id.to_owned(), key.to_owned());
        let call = self.write(move |component, store| {
            let directories = component.directories(store)?;
            directories.call_revoke_key(store, &actor, &id, &key)
        });
        call.await
    }

    /// How a directory is doing.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`directories::Error`].
    pub async fn directory_status(&self, id: &str) -> Answer<directories::DirectoryStatus, directories::Error> {
        let id = id.to_owned();
        let call = self.read(move |component, store| {
            let directories = component.directories(store)?;
            directories.call_status(store, &id)
        });
        call.await
    }

    /// The request log of a directory, newest first: what comes behind `cursor`, at most `limit` (1 to 1,000) requests.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`directories::Error`].
    pub async fn requests(
        &self,
        id: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Answer<directories::LogPage, directories::Error> {
        let (id, cursor) = (id.to_owned(), cursor.map(str::to_owned));
        let call = self.read(move |component, store| {
            let directories = component.directories(store)?;
            directories.call_requests(store, &id, cursor.as_deref(), limit)
        });
        call.await
    }

    /// Lets deletions and deactivations through that a directory's limit holds: all of them for an hour.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`directories::Error`].
    pub async fn release_deletions(&self, actor: &str, id: &str) -> Answer<(), directories::Error> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        let call = self.write(move |component, store| {
            let directories = component.directories(store)?;
            directories.call_release(store, &actor, &id)
        });
        call.await
    }
}

impl directories::Settings {
    /// The settings that a directory has unless it is told otherwise, under this name: changes of email are refused,
    /// users need no email address, unknown members are refused, and local organizations are adopted, with an hour in
    /// which their former members stay. Deletions have no limit, and writes are applied.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            email_change: directories::EmailChange::Refuse,
            email: directories::EmailPresence::Optional,
            unknown_members: directories::UnknownMembers::Refuse,
            conflict_policy: directories::ConflictPolicy::Sync,
            adoption_grace_seconds: 3_600,
            deletion_limit: None,
            dry_run: false,
        }
    }
}
