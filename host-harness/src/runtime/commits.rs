//! Who wants to know that something was committed.

use tokio::sync::watch;

/// Tells all listeners of a site of its commits.
#[derive(Clone)]
pub(super) struct Announcer(watch::Sender<()>);

impl Announcer {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    pub(super) fn announce(&self) {
        self.0.send_replace(());
    }

    pub(super) fn listen(&self) -> Commits {
        Commits(self.0.subscribe())
    }
}

/// Says when something was committed through a [`Site`](crate::Site) or one of its clones.
///
/// It is a hint to look, not a count: several commits may be told of as one, and neither those of other processes nor
/// those whose caller went away before they were durable are told of. Whoever must not miss anything looks now and then
/// without being told.
///
/// ```
/// use std::sync::Arc;
/// use usher_host::{Usher, changes::Filter, storage::MemoryStorage};
///
/// # futures_lite::future::block_on(async {
/// let site = Usher::load()?.site(Arc::new(MemoryStorage::new()));
/// let mut commits = site.commits();
/// site.create_organization("ada", "Hydrology").await??;
/// commits.next().await;
/// for change in site.changes(0, Filter::everything(), 100).await??.changes {
///     println!("{} {} {}", change.sequence, change.actor, change.kind);
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct Commits(watch::Receiver<()>);

impl Commits {
    /// Waits for a commit that came since the last time, or since listening began. What was committed can be read then.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody is left who could commit.
            std::future::pending::<()>().await;
        }
    }
}
