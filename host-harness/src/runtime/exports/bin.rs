//! What is deleted and can be restored.

use super::{Answer, Argument, Site};
use crate::runtime::site::{Customer, DeletedCustomerPage, DeletedOrganizationPage, Error, Organization, Position};

exports! {
    site(Error) {
        /// The deleted customers that are not erased yet, in the order in which they were made.
        read deleted_customers(position: Position, limit: u32) -> DeletedCustomerPage = call_deleted_customers;

        /// Restores a deleted customer: local, with its id, its memberships and its projects.
        write restore_customer(actor: &str, id: &str) -> Customer = call_restore_customer;

        /// Erases a customer for good: one that is deleted, or one that is local, which is deleted with it.
        write erase_customer(actor: &str, id: &str) -> () = call_erase_customer;

        /// The deleted organizations that are not erased yet, in the order in which they were made.
        read deleted_organizations(
            position: Position,
            limit: u32,
        ) -> DeletedOrganizationPage = call_deleted_organizations;

        /// Restores a deleted organization: local, with its number, its members and the projects that there are still.
        write restore_organization(actor: &str, id: u64) -> Organization = call_restore_organization;
    }
}
