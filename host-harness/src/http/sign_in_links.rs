//! Links with which a browser is signed in to the console, once each.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::time::Instant;

/// What their paths begin with.
pub(crate) const PREFIX: &str = "/console/sign-in/";

/// How long a link is good.
const LASTS: Duration = Duration::from_mins(15);

/// How many may be good at a time; one more takes the place of the oldest.
const AT_A_TIME: usize = 16;

/// Makes links that sign a browser in to the console of a [`Server`](super::Server), for whoever has started it: such as
/// `usher demo`, which prints one. They are good once and for a quarter of an hour, and are in memory alone.
///
/// ```
/// # use std::sync::Arc;
/// # use usher_host::http::{AdminKey, Server, Settings};
/// # use usher_host::{Usher, storage::MemoryStorage};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let site = Usher::load()?.site(Arc::new(MemoryStorage::new()));
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let server = Server::bind(site, Settings::new(AdminKey::new("key")), "127.0.0.1:0".parse()?).await?;
/// let links = server.sign_in_links();
/// println!("http://{}{}", server.address(), links.make()?);
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Clone, Default)]
pub struct SignInLinks {
    good: Arc<Mutex<Vec<Link>>>,
}

struct Link {
    /// SHA-256 of what is in the address.
    hash: [u8; 32],
    ends: Instant,
}

impl SignInLinks {
    /// Makes one. Returns the path of its page, to come behind the address of the server.
    ///
    /// # Errors
    /// Where the system has no random numbers to give.
    pub fn make(&self) -> Result<String, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let token = URL_SAFE_NO_PAD.encode(secret);
        let mut good = self.good.lock();
        if good.len() == AT_A_TIME {
            good.remove(0);
        }
        good.push(Link { hash: hash(&token), ends: Instant::now() + LASTS });
        Ok(format!("{PREFIX}{token}"))
    }

    /// Whether a text from an address is that of a link that is good.
    pub(crate) fn is_good(&self, token: &str) -> bool {
        place(&self.good.lock(), token).is_some()
    }

    /// Uses a link up. Whether it was good.
    pub(crate) fn use_up(&self, token: &str) -> bool {
        let mut good = self.good.lock();
        let place = place(&good, token);
        place.map(|place| good.remove(place)).is_some()
    }
}

fn place(good: &[Link], token: &str) -> Option<usize> {
    let (hash, now) = (hash(token), Instant::now());
    good.iter().position(|link| bool::from(link.hash.ct_eq(&hash)) && now < link.ends)
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(path: &str) -> &str {
        path.rsplit('/').next().unwrap()
    }

    #[test]
    fn a_link_is_good_once() {
        let links = SignInLinks::default();
        let (one, other) = (links.make().unwrap(), links.make().unwrap());
        assert!(links.is_good(token(&one)) && links.is_good(token(&one)), "to look uses nothing up");
        assert!(links.clone().use_up(token(&one)));
        assert!(!links.use_up(token(&one)) && !links.is_good(token(&one)));
        assert!(links.use_up(token(&other)));
        for wrong in ["", "x", &other[1..], &"x".repeat(10_000)] {
            assert!(!links.is_good(wrong) && !links.use_up(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_link_ends_and_the_oldest_makes_room() {
        let links = SignInLinks::default();
        let first = links.make().unwrap();
        for _ in 0..AT_A_TIME {
            links.make().unwrap();
        }
        assert!(!links.is_good(token(&first)));
        let last = links.make().unwrap();
        links.good.lock().iter_mut().for_each(|link| link.ends = Instant::now());
        assert!(!links.is_good(token(&last)) && !links.use_up(token(&last)));
    }
}
