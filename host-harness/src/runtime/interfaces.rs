//! The interfaces that the component exports.
//!
//! The generated bindings would look up every function of every interface in each new instance and check its type, which
//! takes longer than many a call. Here an instance is asked for the interface that is called, and no other.

use super::bindings::exports::usher::provisioning::{changes, directories, scim, site, upkeep};
use super::host::Host;
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Result, Store};

/// Where the functions of each interface are in the component.
pub(super) struct Interfaces {
    changes: changes::GuestIndices,
    directories: directories::GuestIndices,
    scim: scim::GuestIndices,
    site: site::GuestIndices,
    upkeep: upkeep::GuestIndices,
}

impl Interfaces {
    /// Those of a component.
    ///
    /// # Errors
    /// Where one of them or one of its functions is missing.
    pub(super) fn of(component: &InstancePre<Host>) -> Result<Self> {
        Ok(Self {
            changes: changes::GuestIndices::new(component)?,
            directories: directories::GuestIndices::new(component)?,
            scim: scim::GuestIndices::new(component)?,
            site: site::GuestIndices::new(component)?,
            upkeep: upkeep::GuestIndices::new(component)?,
        })
    }

    /// The interfaces in an instance.
    pub(super) fn within(&self, instance: Instance) -> Exports<'_> {
        Exports { interfaces: self, instance }
    }
}

/// The interfaces in one instance. Each fails where a function is of another type than `wit/` says.
pub(super) struct Exports<'i> {
    interfaces: &'i Interfaces,
    instance: Instance,
}

impl Exports<'_> {
    pub(super) fn changes(&self, store: &mut Store<Host>) -> Result<changes::Guest> {
        self.interfaces.changes.load(store, &self.instance)
    }

    pub(super) fn directories(&self, store: &mut Store<Host>) -> Result<directories::Guest> {
        self.interfaces.directories.load(store, &self.instance)
    }

    pub(super) fn scim(&self, store: &mut Store<Host>) -> Result<scim::Guest> {
        self.interfaces.scim.load(store, &self.instance)
    }

    pub(super) fn site(&self, store: &mut Store<Host>) -> Result<site::Guest> {
        self.interfaces.site.load(store, &self.instance)
    }

    pub(super) fn upkeep(&self, store: &mut Store<Host>) -> Result<upkeep::Guest> {
        self.interfaces.upkeep.load(store, &self.instance)
    }
}
