//! The indexes by which customers and organizations are found: by the words of their names, by who manages them, and
//! deactivated ones. The addresses and whole names have an index of their own, which keeps them unique.
//!
//! What the indexes have follows from the record alone, but for one thing: when a directory is disconnected, what it
//! managed is local at once, and upkeep moves its entries to those of the site later (see [`hand_over`]).

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::address;
use crate::storage::Range;
use crate::store::records::{CustomerRecord, Link, OrganizationRecord};
use crate::store::{self, Transaction, keys, pages, prefix_range};
use crate::text::fold;

/// How many words of a name can be found. Names of people have two or three.
pub const MAX_WORDS: usize = 16;

/// How many bytes of a word can be found.
const MAX_WORD_BYTES: usize = 64;

/// Whose entry a customer or an organization has that has this link and was just stored with it: that of its directory,
/// or of the site.
fn holder(link: Option<&Link>) -> &str {
    link.map_or(keys::SITE, |link| &link.directory)
}

/// Brings the entries of a customer from one record to the next. There is none before it is made, and none after it is
/// deleted.
pub fn replace_customer(
    transaction: &mut Transaction,
    id: &str,
    before: Option<&CustomerRecord>,
    after: Option<&CustomerRecord>,
) {
    let names = [before, after].map(|record| record.map(|record| record.display_name.as_str()));
    replace_words(transaction, names, |word| keys::customer_word(word, id));
    let holders = [before, after].map(|record| record.map(|record| holder(record.link.as_ref())));
    replace_holder(transaction, holders, |holder| keys::customer_held(holder, id));
    let is_inactive = |record: Option<&CustomerRecord>| record.is_some_and(|record| !record.active);
    match (is_inactive(before), is_inactive(after)) {
        (false, true) => transaction.put(keys::inactive_customer(id), ""),
        (true, false) => transaction.delete(keys::inactive_customer(id)),
        _ => {}
    }
}

/// Brings the entries of an organization from one record to the next, as [`replace_customer`].
pub fn replace_organization(
    transaction: &mut Transaction,
    id: u64,
    before: Option<&OrganizationRecord>,
    after: Option<&OrganizationRecord>,
) {
    let names = [before, after].map(|record| record.map(|record| record.name.as_str()));
    replace_words(transaction, names, |word| keys::organization_word(word, id));
    let holders = [before, after].map(|record| record.map(|record| holder(record.link.as_ref())));
    replace_holder(transaction, holders, |holder| keys::organization_held(holder, id));
}

fn replace_words(transaction: &mut Transaction, names: [Option<&str>; 2], key: impl Fn(&str) -> String) {
    if names[0] == names[1] {
        return;
    }
    let folded = names.map(|name| name.map(folded_name).unwrap_or_default());
    let [before, after] = folded.each_ref().map(|name| words(name));
    for word in after.iter().filter(|word| !before.contains(word)) {
        transaction.put(key(word), "");
    }
    for word in before.iter().filter(|word| !after.contains(word)) {
        transaction.delete(key(word));
    }
}

fn replace_holder(transaction: &mut Transaction, [before, after]: [Option<&str>; 2], key: impl Fn(&str) -> String) {
    if before == after {
        return;
    }
    if let Some(before) = before {
        transaction.delete(key(before));
        // If its directory is disconnected, it may have been moved.
        if before != keys::SITE && after != Some(keys::SITE) {
            transaction.delete(key(keys::SITE));
        }
    }
    if let Some(after) = after {
        transaction.put(key(after), "");
    }
}

/// Counts one user more of a directory, or one less, that an administrator has unlinked from a customer.
///
/// # Errors
/// Where the storage fails.
pub fn count_unlinked(
    transaction: &mut Transaction,
    directory: &str,
    customer: &str,
    is_one_more: bool,
) -> store::Result<()> {
    let key = keys::unlinked_customer(directory, customer);
    let stored = transaction.get(key.clone())?;
    let known: u64 = stored.map_or(Ok(0), |text| text.parse().map_err(|_| store::Error::corrupt(&key)))?;
    match if is_one_more { known.saturating_add(1) } else { known.saturating_sub(1) } {
        0 => transaction.delete(key),
        users => transaction.put(key, users.to_string()),
    }
    Ok(())
}

/// Moves up to `limit` entries of what a disconnected directory managed to those of the site. Returns how many.
///
/// # Errors
/// Where the storage fails.
pub fn hand_over(transaction: &mut Transaction, directory: &str, limit: u32) -> store::Result<u32> {
    let mut moved = 0;
    let families: [fn(&str) -> String; 2] = [keys::customers_held, keys::organizations_held];
    for of in families {
        let range = Range { keys_only: true, ..prefix_range(&of(directory), limit.saturating_sub(moved)) };
        let entries = transaction.scan(&range)?;
        moved += pages::count(entries.len());
        for entry in entries {
            transaction.put(of(keys::SITE) + keys::id_of(&entry.key), "");
            transaction.delete(entry.key);
        }
    }
    Ok(moved)
}

/// A name as it is found by its [`words`]: folded. Of one that is an address, only what is before the `@`: everybody has
/// the words of the domain.
#[must_use]
pub fn folded_name(name: &str) -> Cow<'_, str> {
    let is_address = name.contains('@') && address::is_address(name);
    let front = name.rsplit_once('@').filter(|_| is_address).map(|(front, _)| front);
    fold(front.unwrap_or(name))
}

/// The words of a folded text, each once: runs of letters and digits, cut where they are very long.
#[must_use]
pub fn words(folded: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in folded.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word = &word[..word.floor_char_boundary(MAX_WORD_BYTES)];
        if !words.contains(&word) {
            words.push(word);
            if words.len() == MAX_WORDS {
                break;
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_their_words() {
        let long = "é".repeat(100);
        for (name, expected) in [
            ("Grace Hopper", &["grace", "hopper"][..]),
            ("  Jean-Luc  O'Brien, ", &["jean", "luc", "o", "brien"]),
            ("ZOE\u{308} Zoë", &["zoë"]),
            ("東京 支社", &["東京", "支社"]),
            ("grace.hopper@x.test", &["grace", "hopper"]),
            ("Grace @ Navy", &["grace", "navy"]),
            ("---", &[]),
            (&long, &[&long[..64]]),
        ] {
            assert_eq!(words(&folded_name(name)), expected, "{name}");
        }
        let many: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        assert_eq!(words(&many.join(" ")), many[..MAX_WORDS]);
    }
}
