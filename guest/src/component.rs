//! The engine as a WebAssembly component: binds what `wit/` says to this crate, and holds no behaviour of its own.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::alloc::Layout;

use self::bindings::exports::usher::provisioning::{changes, directories, scim, upkeep};
use self::bindings::usher::provisioning::storage as imported;
use self::bindings::wasi::clocks::wall_clock;
use self::bindings::wasi::random::random;
use crate::storage::{Access, Change, Entry, Error, Range, Storage, Transaction};

mod bindings {
    #![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]

    // The types of `crate::storage` are field by field what would be generated from `wit/storage.wit`, so that they
    // stand in its place: what goes through the imports is neither converted nor copied.
    wit_bindgen::generate!({
        path: "../wit",
        world: "provisioner",
        generate_all,
        disable_run_ctors_once_workaround: true,
        with: {
            "usher:provisioning/storage@0.1.0/access": crate::storage::Access,
            "usher:provisioning/storage@0.1.0/error": crate::storage::Error,
            "usher:provisioning/storage@0.1.0/range": crate::storage::Range,
            "usher:provisioning/storage@0.1.0/entry": crate::storage::Entry,
            "usher:provisioning/storage@0.1.0/change": crate::storage::Change,
        },
    });
}

bindings::export!(Component with_types_in bindings);

/// What implements the world's exports.
struct Component;

impl scim::Guest for Component {
    fn handle(_request: scim::Request) -> scim::Response {
        let mut secret = [0; 8];
        fill_random(&mut secret);
        let everything = Range {
            start: String::from("!"),
            end: String::from("~"),
            reverse: false,
            skip: 0,
            limit: 1_000,
            keys_only: true,
        };
        let entries = ImportedStorage
            .begin(Access::ReadOnly)
            .and_then(|mut transaction| transaction.scan(&everything));
        let body = match entries {
            Ok(entries) => format!(
                r#"{{"now":{},"random":{},"entries":{}}}"#,
                now(),
                u64::from_le_bytes(secret),
                entries.len()
            ),
            Err(error) => error.to_string(),
        };
        scim::Response {
            status: 501,
            headers: Vec::new(),
            body: Some(body),
        }
    }
}

impl directories::Guest for Component {
    fn connect(
        _actor: String,
        _settings: directories::Settings,
    ) -> Result<directories::Connected, directories::Error> {
        Err(not_implemented())
    }

    fn list(_cursor: Option<String>, _limit: u32) -> Result<directories::Page, directories::Error> {
        Err(not_implemented())
    }

    fn get(_id: String) -> Result<directories::Directory, directories::Error> {
        Err(not_implemented())
    }

    fn update(
        _actor: String,
        _id: String,
        _settings: directories::SettingsUpdate,
    ) -> Result<directories::Directory, directories::Error> {
        Err(not_implemented())
    }

    fn disconnect(_actor: String, _id: String) -> Result<(), directories::Error> {
        Err(not_implemented())
    }

    fn keys(_id: String) -> Result<Vec<directories::Key>, directories::Error> {
        Err(not_implemented())
    }

    fn rotate_key(
        _actor: String,
        _id: String,
        _overlap_seconds: u32,
    ) -> Result<directories::IssuedKey, directories::Error> {
        Err(not_implemented())
    }

    fn revoke_key(_actor: String, _id: String, _key_id: String) -> Result<(), directories::Error> {
        Err(not_implemented())
    }
}

impl changes::Guest for Component {
    fn read(_after: u64, _limit: u32) -> Result<Vec<changes::Change>, changes::Error> {
        Err(changes::Error::Other(String::from("not implemented")))
    }
}

impl upkeep::Guest for Component {
    fn step(_budget: u32) -> Result<upkeep::Progress, upkeep::Error> {
        Err(upkeep::Error::Other(String::from("not implemented")))
    }
}

fn not_implemented() -> directories::Error {
    directories::Error::Other(String::from("not implemented"))
}

/// The storage that the host lends.
struct ImportedStorage;

impl Storage for ImportedStorage {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        Ok(Box::new(imported::begin(access)?))
    }
}

impl Transaction for imported::Transaction {
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        Self::get_many(self, keys)
    }

    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error> {
        Self::scan(self, range)
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        Self::write(self, &changes)
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        Self::commit(*self)
    }
}

/// What time it is, in milliseconds since the Unix epoch.
fn now() -> u64 {
    let now = wall_clock::now();
    now.seconds * 1_000 + u64::from(now.nanoseconds / 1_000_000)
}

/// Fills `bytes` with random data fit for keys.
fn fill_random(bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&random::get_random_u64().to_le_bytes()[..chunk.len()]);
    }
}

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Makes room for what the host passes in. The target's C library would bring this function together with an allocator
/// of its own; nothing else of that library is needed here, so that it is not linked at all.
///
/// # Safety
/// As the canonical ABI demands: `old` is null with `old_len` 0, or what an earlier call returned for `old_len` and the
/// same `align`.
#[unsafe(export_name = "cabi_realloc")]
unsafe extern "C" fn canonical_realloc(
    old: *mut u8,
    old_len: usize,
    align: usize,
    new_len: usize,
) -> *mut u8 {
    if new_len == 0 {
        return core::ptr::without_provenance_mut(align);
    }
    // SAFETY: `align` is a power of two and `new_len` is not zero; the rest is what the caller promises.
    let new = unsafe {
        if old_len == 0 {
            alloc::alloc::alloc(Layout::from_size_align_unchecked(new_len, align))
        } else {
            alloc::alloc::realloc(
                old,
                Layout::from_size_align_unchecked(old_len, align),
                new_len,
            )
        }
    };
    if new.is_null() {
        core::arch::wasm32::unreachable()
    }
    new
}

// A panic ends the instance with a trap, which the host sees and logs. There is nowhere to print a message to, and
// formatting one would only make the component larger.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
