//! The component's exports as methods of one site.

/// Methods of [`Site`] that call functions of one of the component's interfaces. Each line says whether the call may write,
/// and which function it calls with its arguments, in their order.
macro_rules! exports {
    ($interface:ident($error:ty) {
        $($(#[$doc:meta])* $access:ident $method:ident($($argument:ident: $kind:ty),* $(,)?) -> $answer:ty = $function:ident;)*
    }) => {
        impl Site {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// See [`Failure`](crate::Failure) and [`Error`].
                pub async fn $method(&self, $($argument: $kind),*) -> Answer<$answer, $error> {
                    $(let $argument = Argument::keep($argument);)*
                    let call = self.$access(move |component, store| {
                        let interface = component.$interface(store)?;
                        interface.$function(store, $(<$kind as Argument>::pass(&$argument)),*)
                    });
                    call.await
                }
            )*
        }
    };
}

mod argument;
mod bin;
mod changes;
mod directories;
mod plans;
mod resolving;
mod scim;
mod site;
mod upkeep;

use super::call::Body;
use super::commits::{Announcer, Commits};
use super::failure::Failure;
use super::party::{Caller, Party};
use super::usher::Usher;
use crate::storage::{Access, Storage};
use argument::Argument;
use std::sync::Arc;

/// One site: a loaded component, and the storage that it works on. Cheap to clone.
///
/// Every method is one call of the component in an instance of its own, and returns when what it wrote is durable. Any
/// number may run at once. No async runtime in particular is needed. A future that is dropped does not undo its call: one
/// that waits is not made any more and one that reads is stopped, but one that writes may have been made, or be made yet.
///
/// The outer error says that the call yielded no answer; the inner one is the component's answer. Times are milliseconds
/// since the Unix epoch, and `actor` names the administrator on whose behalf a change is made, for the change feed.
///
/// The methods are all called alike, so that this example stands for those that have none of their own:
///
/// ```
/// use std::sync::Arc;
/// use usher_host::{Usher, site, storage::MemoryStorage};
///
/// # futures_lite::future::block_on(async {
/// let site = Usher::load()?.site(Arc::new(MemoryStorage::new()));
/// let customer = site::NewCustomer {
///     email: "grace@example.com".into(),
///     display_name: "Grace".into(),
///     time_zone: None,
///     locale: None,
/// };
/// let customer = site.create_customer("ada", customer).await??;
/// let organization = site.create_organization("ada", "Hydrology").await??;
/// site.add_members("ada", organization.id, vec![customer.id.clone()]).await??;
/// let page = site.organization_members(organization.id, site::Position::START, 100).await??;
/// assert_eq!(page.values, [customer]);
///
/// // What the component refuses is the inner error.
/// let refused = site.create_organization("ada", "Hydrology").await?;
/// assert!(matches!(refused, Err(site::Error::Taken(_))));
///
/// // To be called every minute or so, by whoever keeps the site.
/// while site.upkeep(1_000).await??.more {}
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Site {
    usher: Usher,
    storage: Arc<dyn Storage>,
    announcer: Announcer,
}

/// What a typed call yields.
type Answer<T, E> = Result<Result<T, E>, Failure>;

impl Usher {
    /// The site that is kept in this storage, which the component is provided with.
    pub fn site(&self, storage: Arc<dyn Storage>) -> Site {
        Site::new(self.clone(), storage)
    }
}

impl Site {
    pub(super) fn new(usher: Usher, storage: Arc<dyn Storage>) -> Self {
        Self { usher, storage, announcer: Announcer::new() }
    }

    /// The component that is called.
    pub fn usher(&self) -> &Usher {
        &self.usher
    }

    /// The storage that it works on.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// Listens for commits from now on.
    pub fn commits(&self) -> Commits {
        self.announcer.listen()
    }

    /// Makes a call that writes nothing.
    async fn read<R: Send + 'static>(&self, body: impl Body<R> + Send + Sync + 'static) -> Result<R, Failure> {
        self.call(Access::ReadOnly, Caller::Of(Party::Host), body).await
    }

    /// Makes a call that may write.
    async fn write<R: Send + 'static>(&self, body: impl Body<R> + Send + Sync + 'static) -> Result<R, Failure> {
        self.call(Access::ReadWrite, Caller::Of(Party::Host), body).await
    }

    async fn call<R: Send + 'static>(
        &self,
        access: Access,
        caller: Caller,
        body: impl Body<R> + Send + Sync + 'static,
    ) -> Result<R, Failure> {
        self.usher.call(&self.storage, &self.announcer, access, caller, body).await
    }
}
