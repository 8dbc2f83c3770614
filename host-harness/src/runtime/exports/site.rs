//! Customers, organizations, projects, and who may use what.

use super::{Answer, Site};
use crate::runtime::site::{
    Access, Audience, Customer, CustomerPage, CustomerUpdate, Error, NewCustomer, OpenProject, Organization,
    OrganizationPage, Position, Project, ProjectPage, Settings, SettingsUpdate,
};

impl Site {
    /// The settings of the site.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn settings(&self) -> Answer<Settings, Error> {
        self.read(|component, store| component.site(store)?.call_get_settings(store)).await
    }

    /// Changes the settings of the site.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn update_settings(&self, actor: &str, update: SettingsUpdate) -> Answer<Settings, Error> {
        let actor = actor.to_owned();
        self.write(move |component, store| component.site(store)?.call_update_settings(store, &actor, &update)).await
    }

    /// Notes in the change feed that so many sign-ins of administrators were refused for a wrong key, the first and the
    /// last at these times.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn note_refused_keys(&self, count: u32, first: u64, last: u64) -> Answer<(), Error> {
        self.write(move |component, store| component.site(store)?.call_note_refused_keys(store, count, first, last))
            .await
    }
}

impl Site {
    /// Makes a local customer.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn create_customer(&self, actor: &str, customer: NewCustomer) -> Answer<Customer, Error> {
        let actor = actor.to_owned();
        self.write(move |component, store| component.site(store)?.call_create_customer(store, &actor, &customer)).await
    }

    /// The customers of the site, in the order in which they were made. `limit` is 1 to 1,000 here and everywhere.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn customers(&self, position: Position, limit: u32) -> Answer<CustomerPage, Error> {
        self.read(move |component, store| component.site(store)?.call_customers(store, &position, limit)).await
    }

    /// One customer.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn customer(&self, id: &str) -> Answer<Customer, Error> {
        let id = id.to_owned();
        self.read(move |component, store| component.site(store)?.call_get_customer(store, &id)).await
    }

    /// Changes a local customer.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn update_customer(&self, actor: &str, id: &str, update: CustomerUpdate) -> Answer<Customer, Error> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        self.write(move |component, store| component.site(store)?.call_update_customer(store, &actor, &id, &update))
            .await
    }

    /// Deletes a local customer; it leaves its organizations and projects.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn delete_customer(&self, actor: &str, id: &str) -> Answer<(), Error> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        self.write(move |component, store| component.site(store)?.call_delete_customer(store, &actor, &id)).await
    }

    /// Makes a managed customer local.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn unlink_customer(&self, actor: &str, id: &str) -> Answer<Customer, Error> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        self.write(move |component, store| component.site(store)?.call_unlink_customer(store, &actor, &id)).await
    }

    /// Links a local customer to the user that has its email address, in this directory or in any.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn relink_customer(&self, actor: &str, id: &str, directory: Option<&str>) -> Answer<Customer, Error> {
        let (actor, id, directory) = (actor.to_owned(), id.to_owned(), directory.map(str::to_owned));
        self.write(move |component, store| {
            component.site(store)?.call_relink_customer(store, &actor, &id, directory.as_deref())
        })
        .await
    }
}

impl Site {
    /// Makes a local organization.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn create_organization(&self, actor: &str, name: &str) -> Answer<Organization, Error> {
        let (actor, name) = (actor.to_owned(), name.to_owned());
        self.write(move |component, store| component.site(store)?.call_create_organization(store, &actor, &name)).await
    }

    /// The organizations of the site, in the order in which they were made.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn organizations(&self, position: Position, limit: u32) -> Answer<OrganizationPage, Error> {
        self.read(move |component, store| component.site(store)?.call_organizations(store, &position, limit)).await
    }

    /// One organization.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn organization(&self, id: u64) -> Answer<Organization, Error> {
        self.read(move |component, store| component.site(store)?.call_get_organization(store, id)).await
    }

    /// Renames a local organization.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn rename_organization(&self, actor: &str, id: u64, name: &str) -> Answer<Organization, Error> {
        let (actor, name) = (actor.to_owned(), name.to_owned());
        self.write(move |component, store| component.site(store)?.call_rename_organization(store, &actor, id, &name))
            .await
    }

    /// Deletes a local organization; its customers stay.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn delete_organization(&self, actor: &str, id: u64) -> Answer<(), Error> {
        let actor = actor.to_owned();
        self.write(move |component, store| component.site(store)?.call_delete_organization(store, &actor, id)).await
    }

    /// The members of an organization.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn organization_members(&self, id: u64, position: Position, limit: u32) -> Answer<CustomerPage, Error> {
        self.read(move |component, store| component.site(store)?.call_organization_members(store, id, &position, limit))
            .await
    }

    /// One member of an organization.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn organization_member(&self, id: u64, customer: &str) -> Answer<Customer, Error> {
        let customer = customer.to_owned();
        self.read(move |component, store| component.site(store)?.call_get_organization_member(store, id, &customer))
            .await
    }

    /// The organizations that a customer is a member of, in order of their numbers.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn organizations_of(&self, customer: &str) -> Answer<Vec<Organization>, Error> {
        let customer = customer.to_owned();
        self.read(move |component, store| component.site(store)?.call_organizations_of(store, &customer)).await
    }

    /// Adds customers, at most 1,000, to a local organization. Those who are members already stay so.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn add_members(&self, actor: &str, id: u64, customers: Vec<String>) -> Answer<(), Error> {
        let actor = actor.to_owned();
        self.write(move |component, store| component.site(store)?.call_add_members(store, &actor, id, &customers)).await
    }

    /// Removes customers, at most 1,000, from a local organization. Those who are no members stay so.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn remove_members(&self, actor: &str, id: u64, customers: Vec<String>) -> Answer<(), Error> {
        let actor = actor.to_owned();
        self.write(move |component, store| component.site(store)?.call_remove_members(store, &actor, id, &customers))
            .await
    }
}

impl Site {
    /// Makes a project.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn create_project(
        &self,
        actor: &str,
        key: &str,
        name: &str,
        audience: Audience,
    ) -> Answer<Project, Error> {
        let (actor, key, name) = (actor.to_owned(), key.to_owned(), name.to_owned());
        self.write(move |component, store| {
            component.site(store)?.call_create_project(store, &actor, &key, &name, audience)
        })
        .await
    }

    /// The projects of the site, in the order in which they were made.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn projects(&self, position: Position, limit: u32) -> Answer<ProjectPage, Error> {
        self.read(move |component, store| component.site(store)?.call_projects(store, &position, limit)).await
    }

    /// One project.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn project(&self, id: u64) -> Answer<Project, Error> {
        self.read(move |component, store| component.site(store)?.call_get_project(store, id)).await
    }

    /// The project of this key, in any letter case.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn project_by_key(&self, key: &str) -> Answer<Project, Error> {
        let key = key.to_owned();
        self.read(move |component, store| component.site(store)?.call_get_project_by_key(store, &key)).await
    }

    /// Changes the name or the audience of a project; what is none stays as it is.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn update_project(
        &self,
        actor: &str,
        id: u64,
        name: Option<&str>,
        audience: Option<Audience>,
    ) -> Answer<Project, Error> {
        let (actor, name) = (actor.to_owned(), name.map(str::to_owned));
        self.write(move |component, store| {
            component.site(store)?.call_update_project(store, &actor, id, name.as_deref(), audience)
        })
        .await
    }

    /// Deletes a project.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn delete_project(&self, actor: &str, id: u64) -> Answer<(), Error> {
        let actor = actor.to_owned();
        self.write(move |component, store| component.site(store)?.call_delete_project(store, &actor, id)).await
    }

    /// Opens a project to the members of an organization, or closes it to them. Doing so again changes nothing.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn associate_organization(
        &self,
        actor: &str,
        project: u64,
        organization: u64,
        associated: bool,
    ) -> Answer<(), Error> {
        let actor = actor.to_owned();
        self.write(move |component, store| {
            component.site(store)?.call_associate_organization(store, &actor, project, organization, associated)
        })
        .await
    }

    /// Makes customers, at most 1,000, a project's own, or no longer. Those who are already stay so.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn associate_customers(
        &self,
        actor: &str,
        project: u64,
        customers: Vec<String>,
        associated: bool,
    ) -> Answer<(), Error> {
        let actor = actor.to_owned();
        self.write(move |component, store| {
            component.site(store)?.call_associate_customers(store, &actor, project, &customers, associated)
        })
        .await
    }

    /// The organizations that a project is associated with, in order of their numbers; where a `member` is named, those
    /// that this customer is a member of.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn project_organizations(
        &self,
        id: u64,
        member: Option<&str>,
        position: Position,
        limit: u32,
    ) -> Answer<OrganizationPage, Error> {
        let member = member.map(str::to_owned);
        self.read(move |component, store| {
            component.site(store)?.call_project_organizations(store, id, member.as_deref(), &position, limit)
        })
        .await
    }

    /// A project's own customers. Where there is a `query`, those whom a picker offers for it: who are active, and whose
    /// name or email address contains it.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn project_customers(
        &self,
        id: u64,
        query: Option<&str>,
        position: Position,
        limit: u32,
    ) -> Answer<CustomerPage, Error> {
        let query = query.map(str::to_owned);
        self.read(move |component, store| {
            component.site(store)?.call_project_customers(store, id, query.as_deref(), &position, limit)
        })
        .await
    }
}

impl Site {
    /// Whether a customer may use a project, and why.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn access_to(&self, customer: &str, project: u64) -> Answer<Access, Error> {
        let customer = customer.to_owned();
        self.read(move |component, store| component.site(store)?.call_access_to(store, &customer, project)).await
    }

    /// Every project that is open to a customer, and why; none for a deactivated one.
    ///
    /// # Errors
    /// See [`Failure`](crate::Failure) and [`Error`].
    pub async fn projects_of(&self, customer: &str) -> Answer<Vec<OpenProject>, Error> {
        let customer = customer.to_owned();
        self.read(move |component, store| component.site(store)?.call_projects_of(store, &customer)).await
    }
}

impl Position {
    /// Where a list begins.
    pub const START: Self = Self::Offset(0);
}
