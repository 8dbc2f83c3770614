//! Capturing the bodies of requests, for a time.

use alloc::string::ToString;

use super::activity::{Capture, load_status, put_status};
use super::error::{Error, Result};
use super::record::load;
use crate::engine::{DAY_MS, Engine, time};
use crate::store::feed::{ChangeKind, Detail};

/// For how long bodies are captured at most, in milliseconds.
const LONGEST_MS: u64 = DAY_MS;

impl Engine<'_> {
    /// Has the bodies of a directory's requests captured from now on, for so many seconds: at most a day. Everything in
    /// them but the names of attributes is hidden, unless `values` are asked for; secrets are hidden either way. Returns
    /// when it ends, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a time that is none, or more than a day.
    pub fn start_capture(&self, actor: &str, id: &str, seconds: u32, values: bool) -> Result<u64> {
        let length = u64::from(seconds) * 1_000;
        if !(1..=LONGEST_MS).contains(&length) {
            return Err(Error::Invalid("bodies can be captured for 1 second to 1 day".to_string()));
        }
        self.administer(actor, |work| {
            load(work.transaction, id)?;
            let mut status = load_status(work.transaction, id)?;
            let until = work.now.milliseconds.saturating_add(length);
            status.capture = Some(Capture { until, values });
            put_status(work.transaction, id, &status);
            let detail = Detail { until: Some(time(until)), values: Some(values), ..Detail::of_directory(id) };
            work.record(ChangeKind::CaptureStarted, detail);
            Ok(until)
        })
    }

    /// Has no more bodies captured. Those that were stay in the log.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] where none are captured.
    pub fn stop_capture(&self, actor: &str, id: &str) -> Result<()> {
        self.administer(actor, |work| {
            load(work.transaction, id)?;
            let mut status = load_status(work.transaction, id)?;
            let running = status.capture.take().filter(|capture| work.now.milliseconds < capture.until);
            if running.is_none() {
                return Err(Error::Refused("no bodies of this directory are captured".to_string()));
            }
            put_status(work.transaction, id, &status);
            work.record(ChangeKind::CaptureStopped, Detail::of_directory(id));
            Ok(())
        })
    }
}
