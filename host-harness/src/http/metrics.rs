//! What `/metrics` tells, in the text format of Prometheus.

use crate::runtime::Usage;
use crate::storage::Health;
use hyper::StatusCode;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Which part of the server answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Surface {
    Scim,
    Admin,
    Desk,
    Operations,
}

impl Surface {
    fn name(self) -> &'static str {
        match self {
            Self::Scim => "scim",
            Self::Admin => "admin",
            Self::Desk => "desk",
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
