//! Who is let in as an administrator, and what becomes of those who are not.

use super::context::RequestContext;
use super::fault::Fault;
use super::origin;
use super::settings::Settings;
use crate::runtime::Site;
use hyper::{StatusCode, header};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// How many wrong keys from one address are answered at once before the ones that follow have to wait.
const AT_ONCE: u32 = 20;

/// One wrong key from an address is answered in this time from then on.
const PACE: Duration = Duration::from_millis(250);

/// How long an answer is held back at the most.
const LONGEST: Duration = Duration::from_secs(10);

/// How many addresses are kept apart. Those of the rest share one place.
const ADDRESSES: usize = 4_096;

/// The place of all addresses for which there is no other.
const ALL_OTHERS: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// The refused sign-ins, in memory alone until they are told of.
pub(crate) struct SignIns {
    /// When each address that has been refused lately has had all its answers.
    paces: Mutex<HashMap<IpAddr, Instant>>,
    untold: Mutex<Option<Series>>,
}

/// Sign-ins that were refused and not told of yet.
#[derive(Debug, Clone)]
struct Series {
    count: u32,
    first: SystemTime,
    last: SystemTime,
    /// The address of the last one.
    address: IpAddr,
}

impl SignIns {
    pub(super) fn new() -> Self {
        Self { paces: Mutex::default(), untold: Mutex::default() }
    }

    /// The name of the administrator whose request it is.
    ///
    /// Whoever has the key is let in at once. Of wrong keys, only so many from one address are answered at once; the rest
    /// are held back, during which their connections make room for others.
    pub(super) async fn admit(
        &self,
        settings: &Settings,
        local: SocketAddr,
        context: &RequestContext<'_>,
    ) -> Result<String, Fault> {
        let headers = &context.head.headers;
        if origin::is_foreign(settings, local, &context.head.uri, headers) {
            return Err(Fault::new(StatusCode::FORBIDDEN, "The request comes from another site's page."));
        }
        let admitted = settings.admin_key.admit(headers);
        context.answering.known(admitted.is_some());
        if let Some(actor) = admitted {
            return Ok(actor);
        }
        if headers.contains_key(header::AUTHORIZATION) {
            self.hold_back(settings, context).await;
        }
        Err(Fault::unauthorized())
    }

    /// Whether this is the administrators' key, which somebody signs in with. A wrong one is held back like any other.
    #[cfg(feature = "console")]
    pub(crate) async fn is_key(&self, settings: &Settings, context: &RequestContext<'_>, key: &str) -> bool {
        let right = settings.admin_key.matches(key);
        context.answering.known(right);
        if !right {
            self.hold_back(settings, context).await;
        }
        right
    }

    /// Holds an answer back to whoever comes with a link that opens nothing, like one with a wrong key. It is no sign-in,
    /// and is told of nowhere.
    #[cfg(feature = "console")]
    pub(crate) async fn hold_back_guess(&self, settings: &Settings, context: &RequestContext<'_>) {
        context.answering.known(false);
        let address = origin::client(settings, context.peer, &context.head.headers);
        wait(context, self.pace(network(address), Instant::now())).await;
    }

    /// Counts a wrong key, and waits until it is to be answered.
    async fn hold_back(&self, settings: &Settings, context: &RequestContext<'_>) {
        let until = self.refuse(origin::client(settings, context.peer, &context.head.headers));
        wait(context, until).await;
    }

    /// Counts a wrong key. When it is to be answered.
    fn refuse(&self, address: IpAddr) -> Instant {
        let now = SystemTime::now();
        let mut untold = self.untold.lock();
        let series = untold.get_or_insert(Series { count: 0, first: now, last: now, address });
        *series = Series { count: series.count.saturating_add(1), last: now, address, ..series.clone() };
        drop(untold);
        self.pace(network(address), Instant::now())
    }

    fn pace(&self, address: IpAddr, now: Instant) -> Instant {
        let mut paces = self.paces.lock();
        if paces.len() >= ADDRESSES && !paces.contains_key(&address) {
            paces.retain(|_, until| *until > now);
        }
        let place = if paces.len() < ADDRESSES || paces.contains_key(&address) { address } else { ALL_OTHERS };
        let until = paces.entry(place).or_insert(now);
        *until = (*until).max(now) + PACE;
        // An address cannot owe more than it would wait for, or it would be slowed long after it has stopped.
        *until = (*until).min(now + PACE * AT_ONCE + LONGEST);
        until.checked_sub(PACE * AT_ONCE).unwrap_or(now).max(now)
    }

    /// Tells of what was refused since the last time: in the log, and in the change feed.
    pub(super) async fn tell(&self, site: &Site) {
        let Some(series) = self.untold.lock().take() else { return };
        let Series { count, first, last, address } = series;
        tracing::warn!(count, last_from = %address, "sign-ins with a wrong admin key");
        let told = site.note_refused_keys(count, millis(first), millis(last)).await;
        let failed = match told {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(failure) => failure.to_string(),
        };
        tracing::warn!(failed, "refused sign-ins could not be noted in the change feed, which is tried again");
        let mut untold = self.untold.lock();
        let (more, last, address) =
            untold.as_ref().map_or((0, last, address), |later| (later.count, later.last, later.address));
        *untold = Some(Series { count: count.saturating_add(more), first, last, address });
    }
}

async fn wait(context: &RequestContext<'_>, until: Instant) {
    let _waiting = context.answering.waiting();
    tokio::time::sleep_until(until).await;
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What of an address one client cannot change at will: of IPv6, the first half.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        IpAddr::V4(address) => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn wrong_keys_from_one_address_are_slowed_and_others_are_not() {
        let (sign_ins, now) = (SignIns::new(), Instant::now());
        let waits = |from: &str, now| sign_ins.pace(network(address(from)), now) - now;
        for _ in 0..AT_ONCE {
            assert_eq!(waits("192.0.2.1", now), Duration::ZERO);
        }
        assert_eq!(waits("192.0.2.1", now), PACE);
        assert_eq!(waits("192.0.2.1", now), 2 * PACE);
        assert_eq!(waits("::ffff:192.0.2.1", now), 3 * PACE, "the same, written in another way");
        assert_eq!(waits("192.0.2.2", now), Duration::ZERO);
        for _ in 0..1_000 {
            assert!(waits("192.0.2.1", now) <= LONGEST);
        }
        let later = now + LONGEST + PACE * AT_ONCE;
        assert_eq!(waits("192.0.2.1", later), Duration::ZERO, "it is forgotten");
        for last in 0..AT_ONCE {
            assert_eq!(waits(&format!("2001:db8::{last:x}"), now), Duration::ZERO);
        }
        assert_eq!(waits("2001:db8::ffff:1", now), PACE, "an address more in the same network");
    }

    #[test]
    fn addresses_take_little_memory_however_many_there_are() {
        let (sign_ins, now) = (SignIns::new(), Instant::now());
        for number in 0..3 * u32::try_from(ADDRESSES).unwrap() {
            sign_ins.pace(IpAddr::V4(number.into()), now);
        }
        assert!(sign_ins.paces.lock().len() <= ADDRESSES + 1);
    }

    #[test]
    fn what_was_refused_is_counted_with_its_times() {
        let sign_ins = SignIns::new();
        for _ in 0..3 {
            sign_ins.refuse(address("192.0.2.1"));
        }
        let series = sign_ins.untold.lock().take().unwrap();
        assert_eq!(series.count, 3);
        assert!(series.first <= series.last);
    }
}
