//! Every back end keeps the storage contract.

use std::sync::Arc;
use usher_engine::storage::Storage as _;
use usher_host::storage::{Access, Change, Lent, MemoryStorage, contract};

#[test]
fn memory_keeps_the_contract() {
    contract::check(|| Arc::new(MemoryStorage::new()));
}

#[test]
fn what_the_engine_commits_to_a_lent_storage_is_there() {
    let lent = Lent::new(Arc::new(MemoryStorage::new()));
    let mut transaction = lent.begin(Access::ReadWrite).expect("a transaction");
    let (key, value) = ("a".to_string(), "1".to_string());
    let change = Change { key: key.clone(), value: Some(value.clone()) };
    transaction.write(vec![change]).expect("a write");
    transaction.commit().expect("a commit");
    let mut transaction = lent.begin(Access::ReadOnly).expect("a transaction");
    assert_eq!(transaction.get_many(&[key]), Ok(vec![Some(value)]));
}
