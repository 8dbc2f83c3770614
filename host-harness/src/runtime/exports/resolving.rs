//! Conflicts of groups, users that are linked to no customer, and groups compared with their organizations.

use super::{Answer, Site};
use crate::runtime::directories::{
    ConflictPage, ConflictPreview, Error, GroupCheck, GroupRepair, Resolution, UnlinkedPage,
};
use crate::runtime::site;

impl Site {
    /// The open conflicts of a directory: those behind `cursor`, at most `limit` (1 to 1,000) of them.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn conflicts(&self, id: &str, cursor: Option<&str>, limit: u32) -> Answer<ConflictPage, Error> {
        let (id, cursor) = (id.to_owned(), cursor.map(str::to_owned));
        self.read(move |component, store| {
            component.directories(store)?.call_conflicts(store, &id, cursor.as_deref(), limit)
        })
        .await
    }

    /// The customers, organizations and directories that have the name or address of another: those from `position` on, at
    /// most `limit` (1 to 1,000) of them.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`site::Error`].
    pub async fn same_names(&self, position: site::Position, limit: u32) -> Answer<site::SameNamePage, site::Error> {
        self.read(move |component, store| component.site(store)?.call_same_names(store, &position, limit)).await
    }

    /// What adopting the organization of a conflict would do.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn preview_conflict(&self, id: &str, group: &str) -> Answer<ConflictPreview, Error> {
        let (id, group) = (id.to_owned(), group.to_owned());
        self.read(move |component, store| component.directories(store)?.call_preview_conflict(store, &id, &group)).await
    }

    /// Resolves a conflict, with nothing to push again.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn resolve_conflict(
        &self,
        actor: &str,
        id: &str,
        group: &str,
        resolution: Resolution,
    ) -> Answer<(), Error> {
        let (actor, id, group) = (actor.to_owned(), id.to_owned(), group.to_owned());
        self.write(move |component, store| {
            let directories = component.directories(store)?;
            directories.call_resolve_conflict(store, &actor, &id, &group, &resolution)
        })
        .await
    }

    /// The users of a directory that are linked to no customer: those behind `cursor`, at most `limit` (1 to 1,000) of
    /// them.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn unlinked(&self, id: &str, cursor: Option<&str>, limit: u32) -> Answer<UnlinkedPage, Error> {
        let (id, cursor) = (id.to_owned(), cursor.map(str::to_owned));
        self.read(move |component, store| {
            component.directories(store)?.call_unlinked(store, &id, cursor.as_deref(), limit)
        })
        .await
    }

    /// Compares a group with its organization.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn check_group(&self, id: &str, group: &str) -> Answer<GroupCheck, Error> {
        let (id, group) = (id.to_owned(), group.to_owned());
        self.read(move |component, store| component.directories(store)?.call_check_group(store, &id, &group)).await
    }

    /// Puts right what does not fit between a group and its organization.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn repair_group(&self, actor: &str, id: &str, group: &str) -> Answer<GroupRepair, Error> {
        let (actor, id, group) = (actor.to_owned(), id.to_owned(), group.to_owned());
        self.write(move |component, store| component.directories(store)?.call_repair_group(store, &actor, &id, &group))
            .await
    }
}
