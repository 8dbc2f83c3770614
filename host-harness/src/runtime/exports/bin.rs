//! What is deleted and can be restored.

use super::{Answer, Site};
use crate::runtime::site::{Customer, DeletedCustomerPage, DeletedOrganizationPage, Error, Organization, Position};

impl Site {
    /// The deleted customers that are not erased yet, in the order in which they were made.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn deleted_customers(&self, position: Position, limit: u32) -> Answer<DeletedCustomerPage, Error> {
        self.read(move |component, store| component.site(store)?.call_deleted_customers(store, &position, limit)).await
    }

    /// Restores a deleted customer: local, with its id, its memberships and its projects.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn restore_customer(&self, actor: &str, id: &str) -> Answer<Customer, Error> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        self.write(move |component, store| component.site(store)?.call_restore_customer(store, &actor, &id)).await
    }

    /// Erases a customer for good: one that is deleted, or one that is local, which is deleted with it.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn erase_customer(&self, actor: &str, id: &str) -> Answer<(), Error> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        self.write(move |component, store| component.site(store)?.call_erase_customer(store, &actor, &id)).await
    }

    /// The deleted organizations that are not erased yet, in the order in which they were made.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn deleted_organizations(
        &self,
        position: Position,
        limit: u32,
    ) -> Answer<DeletedOrganizationPage, Error> {
        self.read(move |component, store| component.site(store)?.call_deleted_organizations(store, &position, limit))
            .await
    }

    /// Restores a deleted organization: local, with its number, its members and the projects that there are still.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn restore_organization(&self, actor: &str, id: u64) -> Answer<Organization, Error> {
        let actor = actor.to_owned();
        self.write(move |component, store| component.site(store)?.call_restore_organization(store, &actor, id)).await
    }
}
