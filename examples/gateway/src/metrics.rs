//! Numbers for Prometheus.

use std::fs;
use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::close::End;
use crate::limits::Limits;

type Labels = [(&'static str, &'static str); 1];

/// What is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    /// WebSockets that were bridged.
    pub(crate) opened: Counter,
    pub(crate) to_client: Counter,
    pub(crate) to_server: Counter,
    ended: Family<Labels, Counter>,
    open: Gauge<i64, AtomicI64>,
    clients: Gauge<i64, AtomicI64>,
    memory: Gauge<i64, AtomicI64>,
}

impl Metrics {
    /// `dropped` counts the lines of the log that found no room.
    pub(crate) fn new(dropped: Counter) -> Self {
        let mut registry = Registry::default();
        let bytes = Family::<Labels, Counter>::default();
        // Each guard has to go before the next one is asked for.
        let to_client = bytes.get_or_create(&[("to", "client")]).clone();
        let to_server = bytes.get_or_create(&[("to", "server")]).clone();
        let metrics = Self {
            opened: Counter::default(),
            to_client,
            to_server,
            ended: Family::default(),
            open: Gauge::default(),
            clients: Gauge::default(),
            memory: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("gateway_connections", "WebSockets that are open", metrics.open.clone());
        registry.register(
            "gateway_clients",
            "Client addresses that have a WebSocket",
            metrics.clients.clone(),
        );
        registry.register("gateway_opened", "WebSockets that were taken in", metrics.opened.clone());
        registry.register("gateway_log_dropped", "Lines of the log that nobody read in time", dropped);
        registry.register("gateway_ended", "Ends and refusals of WebSockets", metrics.ended.clone());
        registry.register_with_unit("gateway_transferred", "Payload that was passed on", Unit::Bytes, bytes);
        registry.register_with_unit(
            "process_resident_memory",
            "Memory of the process",
            Unit::Bytes,
            metrics.memory.clone(),
        );
        Self { registry, ..metrics }
    }

    /// Counts an end.
    pub(crate) fn end(&self, end: &End) {
        self.ended.get_or_create(&[("reason", end.label())]).inc();
    }

    /// The numbers in the text format.
    pub(crate) fn text(&self, limits: &Limits) -> String {
        let (connections, clients) = limits.counts();
        self.open.set(i64::try_from(connections).unwrap_or(i64::MAX));
        self.clients.set(i64::try_from(clients).unwrap_or(i64::MAX));
        self.memory.set(resident().unwrap_or(0));
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Bytes of this process in memory, where the system tells them as Linux does.
fn resident() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<i64>().ok()?.checked_mul(1024)
}
