//! Our client library for tests that do not care how it runs: commands are awaited with a limit, events are collected.

use std::future::Future;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use spice_client::agent::{self, AgentCaps};
use spice_client::transport::tokio::Tokio;
use spice_client::{ClientConfig, Event, Handle};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::{Result, wait_for};

/// How long anything may take that a test waits for.
pub const LIMIT: Duration = Duration::from_secs(30);

/// A connected client.
#[derive(Debug)]
pub struct Console {
    runtime: Option<Runtime>,
    handle: Handle,
    events: Arc<Mutex<Vec<Event>>>,
    driver: JoinHandle<()>,
}

impl Console {
    /// Connects to a loopback port with every channel that the client opens by default.
    pub fn connect(port: u16) -> Result<Self> {
        Self::connect_as(port, |config| config)
    }

    /// As [`connect`](Self::connect), with a configuration.
    pub fn connect_as(port: u16, prepare: impl FnOnce(ClientConfig) -> ClientConfig) -> Result<Self> {
        let config: ClientConfig =
            format!("spice://127.0.0.1:{port}").parse().map_err(|error| format!("address: {error}"))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| format!("no runtime: {error}"))?;
        let entered = runtime.enter();
        let (mut client, driver) = spice_client::connect(Tokio::new(), prepare(config));
        drop(entered);
        let handle = client.handle().clone();
        let events = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&events);
        let driver = runtime.spawn(driver);
        runtime.spawn(async move {
            while let Some(item) = client.next().await {
                // What is drawn is looked at elsewhere, and would fill the memory.
                if let Ok(event) = item
                    && !matches!(event, Event::Display(..) | Event::Cursor(..))
                {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                }
            }
        });
        Ok(Self { runtime: Some(runtime), handle, events, driver })
    }

    /// As [`connect`](Self::connect), and waits for the guest's agent.
    pub fn with_agent(port: u16) -> Result<Self> {
        let console = Self::connect(port)?;
        console.agent()?;
        Ok(console)
    }

    /// Waits for the guest's agent.
    pub fn agent(&self) -> Result<AgentCaps> {
        self.wait("the guest's agent", self.handle.wait_for_agent())
    }

    /// The client's commands.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Awaits a command's answer, which must be a success.
    pub fn wait<T>(
        &self,
        what: &str,
        answer: impl Future<Output = std::result::Result<T, agent::Error>>,
    ) -> Result<T> {
        self.outcome(what, answer)?.map_err(|error| format!("{what}: {error}"))
    }

    /// Awaits a command's answer.
    pub fn outcome<T>(&self, what: &str, answer: impl Future<Output = T>) -> Result<T> {
        self.within(what, LIMIT, answer)
    }

    /// Awaits anything within a limit.
    pub fn within<T>(&self, what: &str, limit: Duration, answer: impl Future<Output = T>) -> Result<T> {
        let limited = async { tokio::time::timeout(limit, answer).await };
        self.runtime().block_on(limited).map_err(|_| format!("{what} did not come within {limit:?}"))
    }

    /// Runs something beside the test.
    pub fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime().spawn(task)
    }

    /// Tasks of the runtime that are alive; two are the driver and the collector of events.
    pub fn tasks(&self) -> usize {
        self.runtime().metrics().num_alive_tasks()
    }

    /// Whether the driver has ended.
    pub fn is_over(&self) -> bool {
        self.driver.is_finished()
    }

    /// Looks for an event among those that have come, until there is one.
    pub fn event<T>(&self, what: &str, mut found: impl FnMut(&Event) -> Option<T>) -> Result<T> {
        wait_for(what, LIMIT, || {
            let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(events.iter().find_map(&mut found))
        })
    }

    /// Forgets the events that have come, and the memory that they took.
    pub fn clear(&self) {
        drop(mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner)));
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("the runtime goes with the console")
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // In good order: a display connection that breaks early ends the server.
        let _ = self.handle.disconnect();
        if let Some(runtime) = self.runtime.take() {
            let driver = &mut self.driver;
            let _ = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(5), driver).await });
            runtime.shutdown_background();
        }
    }
}
