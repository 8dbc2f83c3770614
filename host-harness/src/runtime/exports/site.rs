//! Customers, organizations, projects, and who may use what.

use super::{Answer, Argument, Site};
use crate::runtime::site::{
    Access, AdmittedPage, Audience, Causes, Customer, CustomerFilter, CustomerPage, CustomerUpdate, Error, HistoryPage,
    NewCustomer, OpenProject, Organization, OrganizationFilter, OrganizationPage, Position, Project, ProjectPage,
    SameNamePage, Settings, SettingsUpdate, Totals,
};

exports! {
    site(Error) {
        /// The settings of the site.
        read settings() -> Settings = call_get_settings;

        /// Changes the settings of the site.
        write update_settings(actor: &str, update: SettingsUpdate) -> Settings = call_update_settings;

        /// The customers, organizations and directories that have the name or address of another: those from `position`
        /// on, at most `limit` (1 to 1,000) of them.
        read same_names(position: Position, limit: u32) -> SameNamePage = call_same_names;

        /// Notes in the change feed that so many sign-ins of administrators were refused for a wrong key, the first and the
        /// last at these times.
        write note_refused_keys(count: u32, first: u64, last: u64) -> () = call_note_refused_keys;

        /// Makes a local customer.
        write create_customer(actor: &str, customer: NewCustomer) -> Customer = call_create_customer;

        /// The customers of the site, in the order in which they were made. `limit` is 1 to 1,000 here and everywhere.
        read customers(position: Position, limit: u32) -> CustomerPage = call_customers;

        /// The customers for which all of the filter holds: those after a cursor. A page looks at a bounded number of
        /// entries, so it may be shorter than `limit` (1 to 1,000) although others follow.
        read find_customers(filter: CustomerFilter, cursor: Option<&str>, limit: u32) -> CustomerPage = call_find_customers;

        /// How much there is on the site.
        read totals() -> Totals = call_get_totals;

        /// One customer.
        read customer(id: &str) -> Customer = call_get_customer;

        /// Changes a local customer.
        write update_customer(actor: &str, id: &str, update: CustomerUpdate) -> Customer = call_update_customer;

        /// Deletes a local customer; it leaves its organizations and projects.
        write delete_customer(actor: &str, id: &str) -> () = call_delete_customer;

        /// Makes a managed customer local.
        write unlink_customer(actor: &str, id: &str) -> Customer = call_unlink_customer;

        /// Links a local customer to the user that has its email address, in this directory or in any.
        write relink_customer(actor: &str, id: &str, directory: Option<&str>) -> Customer = call_relink_customer;

        /// Makes a managed organization local; it keeps its members.
        write unlink_organization(actor: &str, id: u64) -> Organization = call_unlink_organization;

        /// What happened to a customer, newest first: what is before `cursor`, at most `limit` (1 to 1,000) entries.
        read customer_history(id: &str, cursor: Option<&str>, limit: u32) -> HistoryPage = call_customer_history;

        /// What put a customer into its state.
        read customer_causes(id: &str) -> Causes = call_customer_causes;

        /// What happened to an organization, likewise.
        read organization_history(
            id: u64,
            cursor: Option<&str>,
            limit: u32,
        ) -> HistoryPage = call_organization_history;

        /// What put an organization into its state.
        read organization_causes(id: u64) -> Causes = call_organization_causes;

        /// Makes a local organization.
        write create_organization(actor: &str, name: &str) -> Organization = call_create_organization;

        /// The organizations of the site, in the order in which they were made.
        read organizations(position: Position, limit: u32) -> OrganizationPage = call_organizations;

        /// The organizations for which all of the filter holds, in pages like those of customers.
        read find_organizations(
            filter: OrganizationFilter,
            cursor: Option<&str>,
            limit: u32,
        ) -> OrganizationPage = call_find_organizations;

        /// One organization.
        read organization(id: u64) -> Organization = call_get_organization;

        /// Renames a local organization.
        write rename_organization(actor: &str, id: u64, name: &str) -> Organization = call_rename_organization;

        /// Deletes a local organization; its customers stay.
        write delete_organization(actor: &str, id: u64) -> () = call_delete_organization;

        /// The members of an organization.
        read organization_members(id: u64, position: Position, limit: u32) -> CustomerPage = call_organization_members;

        /// One member of an organization.
        read organization_member(id: u64, customer: &str) -> Customer = call_get_organization_member;

        /// The organizations that a customer is a member of, in order of their numbers.
        read organizations_of(customer: &str) -> Vec<Organization> = call_organizations_of;

        /// Adds customers, at most 1,000, to a local organization. Those who are members already stay so.
        write add_members(actor: &str, id: u64, customers: Vec<String>) -> () = call_add_members;

        /// Removes customers, at most 1,000, from a local organization. Those who are no members stay so.
        write remove_members(actor: &str, id: u64, customers: Vec<String>) -> () = call_remove_members;

        /// Makes a project.
        write create_project(actor: &str, key: &str, name: &str, audience: Audience) -> Project = call_create_project;

        /// The projects of the site, in the order in which they were made.
        read projects(position: Position, limit: u32) -> ProjectPage = call_projects;

        /// One project.
        read project(id: u64) -> Project = call_get_project;

        /// The project of this key, in any letter case.
        read project_by_key(key: &str) -> Project = call_get_project_by_key;

        /// Changes the name or the audience of a project; what is `None` stays as it is.
        write update_project(
            actor: &str,
            id: u64,
            name: Option<&str>,
            audience: Option<Audience>,
        ) -> Project = call_update_project;

        /// Deletes a project.
        write delete_project(actor: &str, id: u64) -> () = call_delete_project;

        /// Opens a project to the members of an organization, or closes it to them. Doing so again changes nothing.
        write associate_organization(
            actor: &str,
            project: u64,
            organization: u64,
            associated: bool,
        ) -> () = call_associate_organization;

        /// Makes customers, at most 1,000, a project's own, or no longer. Those who are already stay so.
        write associate_customers(
            actor: &str,
            project: u64,
            customers: Vec<String>,
            associated: bool,
        ) -> () = call_associate_customers;

        /// The organizations that a project is associated with, in order of their numbers; where a `member` is named, those
        /// that this customer is a member of.
        read project_organizations(
            id: u64,
            member: Option<&str>,
            position: Position,
            limit: u32,
        ) -> OrganizationPage = call_project_organizations;

        /// The projects that an organization is associated with, in order of their numbers.
        read organization_projects(id: u64, position: Position, limit: u32) -> ProjectPage = call_organization_projects;

        /// A project's own customers.
        read project_customers(id: u64, position: Position, limit: u32) -> CustomerPage = call_project_customers;

        /// Those of a project's own customers whom a picker offers for a query: the active ones. In pages like those of
        /// `find_customers`.
        read find_project_customers(
            id: u64,
            query: &str,
            cursor: Option<&str>,
            limit: u32,
        ) -> CustomerPage = call_find_project_customers;

        /// Whether a customer may use a project, and why.
        read access_to(customer: &str, project: u64) -> Access = call_access_to;

        /// Every project that is open to a customer, and why. To a deactivated customer no project is open.
        read projects_of(customer: &str) -> Vec<OpenProject> = call_projects_of;

        /// Everyone who may use a project, and why, in pages like those of `find_customers`.
        read customers_of(project: u64, cursor: Option<&str>, limit: u32) -> AdmittedPage = call_customers_of;
    }
}

impl Position {
    /// Where a list begins.
    pub const START: Self = Self::Offset(0);
}
