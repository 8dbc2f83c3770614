//! What `/metrics` tells, in the text format of Prometheus.

use crate::runtime::Usage;
use crate::runtime::directories::{DirectoryMeasures, Measures};
use crate::storage::Health;
use hyper::StatusCode;
use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Which part of the server answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Surface {
    Scim,
    Admin,
    Desk,
    #[cfg(feature = "console")]
    Console,
    Operations,
}

impl Surface {
    fn name(self) -> &'static str {
        match self {
            Self::Scim => "scim",
            Self::Admin => "admin",
            Self::Desk => "desk",
            #[cfg(feature = "console")]
            Self::Console => "console",
            Self::Operations => "operations",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    surface: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct On {
    surface: &'static str,
}

/// Counts what the server does.
pub(super) struct Metrics {
    requests: Family<Answered, Counter>,
    durations: Family<On, Histogram>,
    connections: Gauge,
    /// What was measured of the directories last.
    directories: Mutex<Option<Measures>>,
}

/// Upper bounds in seconds, from an index read to the longest legitimate write.
const BUCKETS: [f64; 15] =
    [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

impl Metrics {
    pub(super) fn new() -> Self {
        Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            connections: Gauge::default(),
            directories: Mutex::default(),
        }
    }

    pub(super) fn count(&self, surface: Surface, status: StatusCode, took: Duration) {
        let (surface, status) = (surface.name(), status.as_u16());
        self.requests.get_or_create(&Answered { surface, status }).inc();
        self.durations.get_or_create(&On { surface }).observe(took.as_secs_f64());
    }

    /// How many connections are open, to be kept up by whoever opens and closes them.
    pub(super) fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// Takes over what was measured of the directories.
    pub(super) fn measured(&self, measures: Measures) {
        *self.directories.lock() = Some(measures);
    }

    /// Everything, as text.
    pub(super) fn encode(&self, usage: Usage, storage: Health) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("usher");
        registry.register("http_requests", "Requests answered, by surface and status", self.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time from a request's header to its response, by surface",
            self.durations.clone(),
        );
        registry.register("http_connections", "Connections open", self.connections.clone());
        registry.register_collector(Box::new(Calls { usage, storage }));
        if let Some(measures) = self.directories.lock().clone() {
            registry.register_collector(Box::new(Directories { measures, now: now() }));
        }
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// What the calls of the component add up to, and how the storage is.
#[derive(Debug)]
struct Calls {
    usage: Usage,
    storage: Health,
}

impl Collector for Calls {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Self { usage, storage } = *self;
        let gauges = [
            ("storage_writable", "1 while the storage takes writes, else 0", u64::from(storage.trouble.is_none())),
            ("instances", "Instances at work", usage.running as u64),
            ("instances_limit", "Instances that can be at work", usage.instances as u64),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let counters = [
            ("calls", "Calls of the component that came to an end", usage.calls),
            ("call_failures", "Calls that yielded no answer", usage.failures),
            ("commits", "Transactions committed", usage.commits),
            ("committed_bytes", "Bytes of keys and values committed", usage.committed_bytes),
            ("storage_failures", "Times that the storage stopped taking writes", storage.failures),
            ("storage_recoveries", "Times that it took them up again by itself", storage.recoveries),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

/// What was measured of the directories.
#[derive(Debug)]
struct Directories {
    measures: Measures,
    /// The time, in seconds since the Unix epoch.
    now: f64,
}

/// A metric of a directory: its name and unit, what it says, and how it is read off; `None` where there is no value.
type Metric = (&'static str, Option<Unit>, &'static str, fn(&DirectoryMeasures, f64) -> Option<f64>);

const OF_DIRECTORIES: [Metric; 10] = [
    ("directory_users", None, "Users of the directory", |of, _| Some(of.users as f64)),
    ("directory_groups", None, "Groups of the directory", |of, _| Some(of.groups as f64)),
    ("directory_failures_in_24_hours", None, "Its requests that were refused in the last 24 hours", |of, _| {
        Some(f64::from(of.failures))
    }),
    (
        "directory_last_success_age",
        Some(Unit::Seconds),
        "Time since its last successful request, if there was one",
        |of, now| of.last_success.map(|last| (now - seconds(last)).max(0.0)),
    ),
    (
        "directory_key_expiry",
        Some(Unit::Seconds),
        "Time until the last of its keys expires, 0 if none works",
        |of, now| Some(of.key_expires_at.map_or(0.0, |end| (seconds(end) - now).max(0.0))),
    ),
    ("directory_holding", None, "1 while its deletions are held, else 0", |of, _| {
        Some(f64::from(u8::from(of.is_holding)))
    }),
    ("directory_held_deletions", None, "Users and groups whose deletion or deactivation is held", |of, _| {
        Some(f64::from(of.held))
    }),
    ("directory_open_conflicts", None, "Conflicts that are open", |of, _| Some(of.conflicts as f64)),
    ("directory_staged", None, "1 while it is staged or its plan is being applied, else 0", |of, _| {
        Some(f64::from(u8::from(of.is_staged)))
    }),
    ("directory_planned", None, "Customers and organizations that its plan is about", |of, _| Some(of.planned as f64)),
];

impl Collector for Directories {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Self { measures, now } = self;
        for (name, unit, help, read) in OF_DIRECTORIES {
            let kind = ConstGauge::new(0.0).metric_type();
            let mut metric = encoder.encode_descriptor(name, help, unit.as_ref(), kind)?;
            for of in &measures.directories {
                let labels = [("directory", of.id.as_str()), ("name", of.name.as_str())];
                if let Some(value) = read(of, *now) {
                    ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
                }
            }
        }
        let left_out = ConstGauge::new(u64::from(measures.left_out));
        let help = "Directories of which the metrics above say nothing";
        left_out.encode(encoder.encode_descriptor("directories_left_out", help, None, left_out.metric_type())?)
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn seconds(millis: u64) -> f64 {
    millis as f64 / 1_000.0
}
