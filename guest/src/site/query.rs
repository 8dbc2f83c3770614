//! What somebody types to find a customer or an organization: each of its words is the beginning of a word of the name,
//! or of the address.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::{Error, Result};
use super::index::{MAX_WORDS, folded_name, words};
use crate::store::keys;
use crate::store::records::{CustomerRecord, OrganizationRecord, Twin};
use crate::text::fold;

/// The longest query, in characters: an address fits.
const MAX_CHARACTERS: usize = 256;

/// A place in the indexes in which a query is looked up. What is found in several places is returned at the first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which index it is.
    pub index: Index,
    /// The key in it.
    pub key: String,
}

/// The indexes in which a query is looked up, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Index {
    /// Of addresses, or of whole names of organizations. The values are the ids.
    Whole,
    /// Of words. The ids are in the keys.
    Words,
}

/// A query, folded.
#[derive(Debug)]
pub struct Query {
    terms: Vec<Term>,
}

/// What stands between blanks.
#[derive(Debug)]
struct Term {
    text: String,
    /// The words in it: `jean-luc` is two. None for `@`.
    words: Vec<String>,
}

impl Query {
    /// Reads a query; `None` if there is nothing to look for.
    ///
    /// # Errors
    /// [`Error::Invalid`] for one that is too long.
    pub fn read(text: &str) -> Result<Option<Self>> {
        let too_long = || {
            Error::Invalid(format!("the query must be at most {MAX_CHARACTERS} characters long, and {MAX_WORDS} words"))
        };
        if text.chars().nth(MAX_CHARACTERS).is_some() {
            return Err(too_long());
        }
        let folded = fold(text);
        let term = |text: &str| Term {
            text: text.to_string(),
            words: words(text).into_iter().map(ToString::to_string).collect(),
        };
        let terms: Vec<Term> = folded.split_whitespace().map(term).collect();
        if terms.len() > MAX_WORDS {
            return Err(too_long());
        }
        Ok((!terms.is_empty()).then_some(Query { terms }))
    }

    /// The term that is looked up for a customer: the longest, which the fewest have.
    fn term(&self) -> Option<&Term> {
        self.terms.iter().max_by_key(|term| term.text.len())
    }

    /// The word that is looked up: the longest.
    fn word<'q>(words: impl Iterator<Item = &'q String>) -> Option<&'q String> {
        words.max_by_key(|word| word.len())
    }

    /// What the keys begin with under which customers can be found.
    #[must_use]
    pub fn customers(&self) -> Vec<(Index, String)> {
        let Some(term) = self.term() else { return Vec::new() };
        let word = Self::word(term.words.iter()).map(|word| (Index::Words, keys::customer_words(word)));
        [(Index::Whole, keys::customer_emails(&term.text))].into_iter().chain(word).collect()
    }

    /// The place at which this customer is found; `None` if the query is for others.
    #[must_use]
    pub fn customer(&self, id: &str, record: &CustomerRecord) -> Option<Place> {
        let (address, name) = (keys::comparable(&record.email), folded_name(&record.display_name));
        let words = words(&name);
        let begins = |term: &Term| address.starts_with(&term.text);
        let named = |term: &Term| !term.words.is_empty() && term.words.iter().all(|word| begin_of_any(word, &words));
        if !self.terms.iter().all(|term| begins(term) || named(term)) {
            return None;
        }
        let term = self.term()?;
        // Of two with the same address, the index leads to one.
        if begins(term) && record.twin != Some(Twin::NotIndexed) {
            return Some(Place { index: Index::Whole, key: keys::customer_email(&record.email) });
        }
        let word = first_with(Self::word(term.words.iter())?, &words)?;
        Some(Place { index: Index::Words, key: keys::customer_word(word, id) })
    }

    /// What the keys begin with under which organizations can be found.
    #[must_use]
    pub fn organizations(&self) -> Vec<(Index, String)> {
        alloc::vec![match Self::word(self.words()) {
            Some(word) => (Index::Words, keys::organization_words(word)),
            None => (Index::Whole, keys::organization_names(&self.text())),
        }]
    }

    /// The place at which this organization is found; `None` if the query is for others.
    #[must_use]
    pub fn organization(&self, id: u64, record: &OrganizationRecord) -> Option<Place> {
        let Some(wanted) = Self::word(self.words()) else {
            let found = keys::comparable(&record.name).starts_with(&self.text());
            // Of two with the same name, the index leads to one.
            let found = found && record.twin != Some(Twin::NotIndexed);
            return found.then(|| Place { index: Index::Whole, key: keys::organization_name(&record.name) });
        };
        let name = folded_name(&record.name);
        let words = words(&name);
        if !self.words().all(|word| begin_of_any(word, &words)) {
            return None;
        }
        let word = first_with(wanted, &words)?;
        Some(Place { index: Index::Words, key: keys::organization_word(word, id) })
    }

    /// All words of the query.
    fn words(&self) -> impl Iterator<Item = &String> {
        self.terms.iter().flat_map(|term| &term.words)
    }

    /// The query as the beginning of a name, which it is if it has no words.
    fn text(&self) -> String {
        let texts: Vec<&str> = self.terms.iter().map(|term| term.text.as_str()).collect();
        texts.join(" ")
    }
}

fn begin_of_any(beginning: &str, words: &[&str]) -> bool {
    words.iter().any(|word| word.starts_with(beginning))
}

/// The first word in the order of the index that begins so.
fn first_with<'w>(beginning: &str, words: &[&'w str]) -> Option<&'w str> {
    words.iter().copied().filter(|word| word.starts_with(beginning)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(email: &str, name: &str) -> CustomerRecord {
        CustomerRecord {
            email: email.to_string(),
            display_name: name.to_string(),
            active: true,
            time_zone: None,
            locale: String::new(),
            created: 0,
            link: None,
            former: Vec::new(),
            last: None,
            twin: None,
        }
    }

    #[test]
    fn every_word_of_a_query_begins_a_word_of_the_name_or_the_address() {
        let grace = customer("Grace.H@x.test", "Grace Brewster Hopper-Murray");
        for (text, found) in [
            ("grace", Some(Index::Whole)),
            ("GRACE.h@X", Some(Index::Whole)),
            ("hopp", Some(Index::Words)),
            ("hopper gra", Some(Index::Words)),
            ("br grace.h", Some(Index::Whole)),
            ("hopper-m", Some(Index::Words)),
            ("opper", None),
            ("grace x", None),
            ("x.test", None),
            ("@", None),
            ("hopper @", None),
        ] {
            let query = Query::read(text).unwrap().unwrap();
            let place = query.customer("id", &grace);
            assert_eq!(place.as_ref().map(|place| place.index), found, "{text}");
            let prefixes = query.customers();
            let reached = |place: Place| {
                prefixes.iter().any(|(index, prefix)| place.index == *index && place.key.starts_with(prefix))
            };
            assert!(place.is_none_or(reached), "{text}");
        }
        assert!(Query::read("  ").unwrap().is_none());
        assert!(Query::read(&"x".repeat(257)).is_err() && Query::read(&"x ".repeat(17)).is_err());
    }
}
