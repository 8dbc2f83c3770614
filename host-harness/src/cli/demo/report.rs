//! What was pushed, and where to look further.

use super::idp::Connected;
use super::sync::{CONNECTIONS, Synced};
use indicatif::HumanCount;
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// How many failures are shown.
const SHOWN_FAILURES: usize = 5;

/// What was pushed.
pub(super) struct Pushed<'a> {
    pub(super) synced: &'a Synced,
    /// The directories as they are now.
    pub(super) directories: &'a [Value],
}

/// Where to look further.
pub(super) struct Further<'a> {
    pub(super) providers: &'a [Connected],
    pub(super) origin: &'a str,
    pub(super) admin_key: &'a str,
}

/// Where to see all of it in a browser.
pub(super) struct InBrowser<'a> {
    /// What signs a browser in, once.
    pub(super) address: &'a str,
    pub(super) origin: &'a str,
    pub(super) admin_key: &'a str,
}

impl fmt::Display for Pushed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts(out)?;
        self.times(out)?;
        self.failures(out)
    }
}

impl Pushed<'_> {
    fn counts(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\nTwo identity providers have done their first sync:\n")?;
        writeln!(out, "  {:<18} {:>9} {:>9} {:>13}  mode", "directory", "users", "groups", "memberships")?;
        for directory in self.directories {
            let count = |name: &str| HumanCount(directory[name].as_u64().unwrap_or_default()).to_string();
            let text = |name: &str| directory[name].as_str().unwrap_or_default().to_owned();
            writeln!(
                out,
                "  {:<18} {:>9} {:>9} {:>13}  {}",
                text("name"),
                count("users"),
                count("groups"),
                count("memberships"),
                text("mode"),
            )?;
        }
        Ok(())
    }

    fn times(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Synced { took, exchanges, .. } = self.synced;
        let mut times: Vec<Duration> = exchanges.iter().map(|exchange| exchange.took).collect();
        times.sort_unstable();
        let at = |percent: usize| times.get((times.len().saturating_sub(1) * percent + 50) / 100);
        let millis = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "a rate to be read by people"
        )]
        let rate = (times.len() as f64 / took.as_secs_f64().max(0.001)) as u64;
        writeln!(
            out,
            "\n  {} requests over {CONNECTIONS} connections in {:.1} s: {} a second,\n  \
             every write on disk before its answer",
            HumanCount(times.len() as u64),
            took.as_secs_f64(),
            HumanCount(rate),
        )?;
        writeln!(out, "  half of them within {:.1} ms, 99 % within {:.1} ms", millis(at(50)), millis(at(99)))?;
        let Some(slowest) = exchanges.iter().max_by_key(|exchange| exchange.took) else { return Ok(()) };
        writeln!(out, "  the slowest took {:.1} ms: {}", millis(Some(&slowest.took)), slowest.call())
    }

    fn failures(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Synced { exchanges, failures, .. } = self.synced;
        let refused = exchanges.iter().filter(|exchange| exchange.status >= 400).count();
        if failures.is_empty() && refused == 0 {
            return writeln!(out, "  none of them failed");
        }
        writeln!(out, "\n  {} requests were refused, {} pushes failed:", refused, failures.len())?;
        failures.iter().take(SHOWN_FAILURES).try_for_each(|failure| writeln!(out, "    {failure}"))
    }
}

impl fmt::Display for InBrowser<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, origin, admin_key } = self;
        writeln!(out, "\nSee all of it in a browser: at {origin}/console\nwith the key {admin_key}")?;
        writeln!(out, "or, once and within a quarter of an hour, signed in by this link:\n")?;
        writeln!(out, "  {address}")
    }
}

impl fmt::Display for Further<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, admin_key, .. } = self;
        writeln!(out, "\nLook further, as the administrator:\n")?;
        for path in
            ["/admin/v1/directories", "/admin/v1/organizations?limit=5", "/admin/v1/changes?limit=5", "/metrics"]
        {
            writeln!(out, "  curl -sH 'Authorization: Bearer {admin_key}' '{origin}{path}'")?;
        }
        for provider in self.providers {
            let Connected { kind, base, api_key, .. } = provider;
            writeln!(out, "\nas {} and about it:\n", kind.name())?;
            let name = "userName%20sw%20%22zo%22";
            for path in ["status", "conflicts", "requests?limit=3"] {
                let url = format!("{origin}/admin/v1/directories/{}/{path}", provider.directory);
                writeln!(out, "  curl -sH 'Authorization: Bearer {admin_key}' '{url}'")?;
            }
            for path in [format!("/Users?count=3&filter={name}"), "/Groups?count=3&excludedAttributes=members".into()] {
                writeln!(out, "  curl -sH 'Authorization: Bearer {api_key}' '{base}{path}'")?;
            }
        }
        writeln!(out, "\nThe whole HTTP surface: {origin}/openapi.json")
    }
}
