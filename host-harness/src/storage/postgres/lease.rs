//! Which host a site is served by: one at a time.
//!
//! The head row of a site counts its batches, and says whose it is until when. Whoever takes it over raises its epoch, and a batch of
//! an earlier epoch is not written any more: also one that is still on its way to the database.

use super::connection::Connection;
use super::failure::Failure;
use std::time::Duration;
use tokio_postgres::types::Type;

/// The head of a site, as it was taken.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// How many batches were committed.
    pub(super) seq: i64,
    /// The name of the last one.
    pub(super) batch: Vec<u8>,
    pub(super) epoch: i64,
}

/// Whose lease it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Holder {
    pub(super) name: String,
    /// How many seconds it has left.
    pub(super) seconds: f64,
}

const MAKE: &str = "\
    INSERT INTO usher_head (site, seq, batch, epoch, holder, until) VALUES ($1, 0, '', 0, '', now()) \
    ON CONFLICT (site) DO NOTHING";

const TAKE: &str = "\
    UPDATE usher_head SET epoch = epoch + 1, holder = $2, until = now() + $3 * interval '1 second' \
    WHERE site = $1 AND (until <= now() OR holder = $2) RETURNING seq, batch, epoch";

const HOLDER: &str = "\
    SELECT holder, extract(epoch FROM until - now())::float8 FROM usher_head WHERE site = $1";

const RENEW: &str = "\
    UPDATE usher_head SET until = now() + $3 * interval '1 second' WHERE site = $1 AND epoch = $2 RETURNING seq";

const GIVE_BACK: &str = "UPDATE usher_head SET until = now() WHERE site = $1 AND epoch = $2";

/// Takes the site's head, unless another host has it. A batch that is on its way is waited for, or comes too late.
pub(super) async fn take(
    connection: &Connection,
    site: &str,
    holder: &str,
    lease: Duration,
) -> Result<Result<Head, Holder>, Failure> {
    let site = (&site as _, Type::TEXT);
    let (holder, lease) = ((&holder as _, Type::TEXT), (&lease.as_secs_f64() as _, Type::FLOAT8));
    let taken = connection.query(TAKE, &[site.clone(), holder.clone(), lease.clone()]).await?;
    let taken = match taken.first() {
        Some(_) => taken,
        None => {
            connection.query(MAKE, std::slice::from_ref(&site)).await?;
            connection.query(TAKE, &[site.clone(), holder, lease]).await?
        }
    };
    if let Some(row) = taken.first() {
        return Ok(Ok(Head { seq: row.try_get(0)?, batch: row.try_get(1)?, epoch: row.try_get(2)? }));
    }
    let rows = connection.query(HOLDER, &[site]).await?;
    let row = rows.first().ok_or_else(|| Failure::unknown("the site's head is gone"))?;
    Ok(Err(Holder { name: row.try_get(0)?, seconds: row.try_get(1)? }))
}

/// Renews the lease. False where it is another host's.
pub(super) async fn renew(connection: &Connection, site: &str, epoch: i64, lease: Duration) -> Result<bool, Failure> {
    let parameters = [(&site as _, Type::TEXT), (&epoch as _, Type::INT8), (&lease.as_secs_f64() as _, Type::FLOAT8)];
    Ok(!connection.query(RENEW, &parameters).await?.is_empty())
}

/// Leaves the site to others at once.
pub(super) async fn give_back(connection: &Connection, site: &str, epoch: i64) -> Result<(), Failure> {
    connection.query(GIVE_BACK, &[(&site as _, Type::TEXT), (&epoch as _, Type::INT8)]).await.map(drop)
}
