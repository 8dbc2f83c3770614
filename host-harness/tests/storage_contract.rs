//! Every back end keeps the storage contract.

use std::sync::Arc;
use tempfile::TempDir;
use usher_engine::storage::Storage as _;
use usher_host::storage::{
    Access, Change, EmbeddedOptions, EmbeddedStorage, MemoryStorage, NativeStorage, Storage, Transaction, contract,
};

/// An embedded storage in a folder of its own, which goes with it.
struct Temporary(EmbeddedStorage, #[expect(dead_code, reason = "kept")] TempDir);

impl Storage for Temporary {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, usher_host::storage::Error> {
        self.0.begin(access)
    }
}

#[test]
fn memory_keeps_the_contract() {
    contract::check(|| Arc::new(MemoryStorage::new()));
}

#[test]
fn embedded_keeps_the_contract() {
    contract::check(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = EmbeddedStorage::open(folder.path()).expect("a storage");
        Arc::new(Temporary(storage, folder))
    });
}

#[test]
fn embedded_keeps_the_contract_while_it_writes_tables_all_the_time() {
    let options = EmbeddedOptions { cache_bytes: 1 << 20, write_buffer_bytes: 4 << 10, ..EmbeddedOptions::default() };
    contract::check(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = EmbeddedStorage::open_with(folder.path(), &options).expect("a storage");
        Arc::new(Temporary(storage, folder))
    });
}

#[test]
fn embedded_is_found_again_as_it_was_left() {
    let folder = tempfile::tempdir().expect("a folder");
    contract::check_reopening(move || Arc::new(EmbeddedStorage::open(folder.path()).expect("a storage")));
}

#[test]
fn what_the_engine_commits_to_a_lent_storage_is_there() {
    let lent = NativeStorage::new(Arc::new(MemoryStorage::new()));
    let mut transaction = lent.begin(Access::ReadWrite).expect("a transaction");
    let (key, value) = ("a".to_string(), "1".to_string());
    let change = Change { key: key.clone(), value: Some(value.clone()) };
    transaction.write(vec![change]).expect("a write");
    transaction.commit().expect("a commit");
    let mut transaction = lent.begin(Access::ReadOnly).expect("a transaction");
    assert_eq!(transaction.get_many(&[key]), Ok(vec![Some(value)]));
}
