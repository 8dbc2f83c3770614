//! The component as it was loaded, with the threads that make its calls.

use super::host::Host;
use super::interfaces::Interfaces;
use super::lanes::Lanes;
use super::limits::Limits;
use super::long_calls::LongCalls;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;
use wasmtime::component::InstancePre;

/// What a component is called with.
pub(super) struct Loaded {
    pub(super) pre: InstancePre<Host>,
    pub(super) interfaces: Interfaces,
    pub(super) limits: Arc<Limits>,
    /// [`Limits::deadline`], to whole ticks of the engine's clock.
    pub(super) term: Duration,
    /// How many instances can be at work at once.
    pub(super) instances: usize,
    pub(super) counters: Counters,
    pub(super) lanes: Lanes,
    pub(super) long_calls: LongCalls,
}

/// What has been done since, for [`Usage`](super::Usage).
#[derive(Default)]
pub(super) struct Counters {
    pub(super) running: AtomicUsize,
    pub(super) calls: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) committed_bytes: AtomicU64,
}
