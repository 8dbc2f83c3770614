//! One batch: all that was committed together, in one statement.

use super::connection::Connection;
use super::failure::Failure;
use super::lease::Head;
use crate::storage::group::Changes;
use std::time::Duration;
use tokio_postgres::types::Type;

/// Moves the head from the state that the batch was made for to the next, and writes. Where the head is no longer there, no row comes
/// back and nothing is written: another batch, or another host, came first.
const WRITE: &str = "\
    WITH head AS (\
        UPDATE usher_head SET seq = seq + 1, batch = $4, until = now() + $5 * interval '1 second' \
        WHERE site = $1 AND seq = $2 AND epoch = $3 RETURNING seq\
    ), removed AS (\
        DELETE FROM usher_kv USING head WHERE usher_kv.site = $1 AND usher_kv.key = ANY($6)\
    ), written AS (\
        INSERT INTO usher_kv (site, key, value) \
        SELECT $1, entry.key, entry.value FROM head, unnest($7::bytea[], $8::bytea[]) AS entry (key, value) \
        ON CONFLICT (site, key) DO UPDATE SET value = excluded.value\
    ) \
    SELECT seq FROM head";

/// How much even a slow database writes in a second.
const BYTES_A_SECOND: usize = 1 << 20;

/// What is to be written, with the name by which it is found again.
pub(super) struct Batch {
    pub(super) name: [u8; 16],
    removed: Vec<Vec<u8>>,
    keys: Vec<Vec<u8>>,
    values: Vec<Vec<u8>>,
}

impl Batch {
    pub(super) fn of(changes: &Changes) -> Result<Self, getrandom::Error> {
        let mut batch = Self { name: [0; 16], removed: Vec::new(), keys: Vec::new(), values: Vec::new() };
        getrandom::fill(&mut batch.name)?;
        for (key, value) in changes {
            let key = key.clone().into_bytes();
            match value {
                Some(value) => {
                    batch.keys.push(key);
                    batch.values.push(value.clone().into_bytes());
                }
                None => batch.removed.push(key),
            }
        }
        Ok(batch)
    }

    /// How long it may take to write it, where an answer may take so long.
    pub(super) fn limit(&self, answer: Duration) -> Duration {
        let bytes: usize = self.keys.iter().chain(&self.values).chain(&self.removed).map(Vec::len).sum();
        answer + Duration::from_secs((bytes / BYTES_A_SECOND) as u64)
    }

    /// Writes it as what follows this head. False where something else has.
    pub(super) async fn write(
        &self,
        connection: &Connection,
        site: &str,
        head: &Head,
        lease: Duration,
    ) -> Result<bool, Failure> {
        let (name, lease) = (self.name.as_slice(), lease.as_secs_f64());
        let parameters = [
            (&site as _, Type::TEXT),
            (&head.seq as _, Type::INT8),
            (&head.epoch as _, Type::INT8),
            (&name as _, Type::BYTEA),
            (&lease as _, Type::FLOAT8),
            (&self.removed as _, Type::BYTEA_ARRAY),
            (&self.keys as _, Type::BYTEA_ARRAY),
            (&self.values as _, Type::BYTEA_ARRAY),
        ];
        Ok(!connection.query(WRITE, &parameters).await?.is_empty())
    }

    /// Whether it is what the head was moved by.
    pub(super) fn is_at(&self, head: &Head) -> bool {
        head.batch == self.name
    }
}
