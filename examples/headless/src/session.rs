//! A session with a machine, for tasks that give commands and await their answers.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{Either, select};
use spice_client::transport::tokio::Tokio;
use spice_client::{Client, Event, Handle, agent};
use spice_proto::session::SessionEnd;
use spice_proto::types::{ChannelId, ChannelType};

use crate::address::Machine;
use crate::error::Error;
use crate::seconds::Seconds;

/// Options that all tasks on a session share.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    machine: Machine,

    /// Seconds until the machine must have answered.
    #[arg(long, value_name = "SECONDS", default_value = "15")]
    pub(crate) timeout: Seconds,
}

/// What is awaited, and what to do when it does not come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaited {
    pub(crate) what: &'static str,
    pub(crate) advice: &'static str,
}

impl Awaited {
    fn late(self, timeout: Seconds) -> Error {
        let Self { what, advice } = self;
        Error::Late { what, advice, timeout }
    }
}

/// A connected, or connecting, client whose events are taken while something is awaited.
pub(crate) struct Session {
    client: Client,
    timeout: Seconds,
}

impl Session {
    /// Connects with these channels besides the main one.
    pub(crate) fn connect(options: &Options, channels: &[ChannelType]) -> Result<Self, Error> {
        let mut config = options.machine.config()?;
        config.session = config.session.channels(channels);
        let (client, driver) = spice_client::connect(Tokio::new(), config);
        tokio::spawn(driver);
        Ok(Self { client, timeout: options.timeout })
    }

    pub(crate) fn handle(&self) -> Handle {
        self.client.handle().clone()
    }

    /// Awaits an answer within the time limit.
    pub(crate) async fn wait<T>(
        &mut self,
        what: Awaited,
        answer: impl Future<Output = Result<T, agent::Error>>,
    ) -> Result<T, Error> {
        let late = what.late(self.timeout);
        tokio::time::timeout(self.timeout.duration(), self.run(answer)).await.map_err(|_| late)?
    }

    /// Awaits an answer, however long that takes.
    pub(crate) async fn run<T>(
        &mut self,
        answer: impl Future<Output = Result<T, agent::Error>>,
    ) -> Result<T, Error> {
        self.watch(answer, |_| {}).await
    }

    /// Awaits an answer and looks at the events that come meanwhile.
    pub(crate) async fn watch<T>(
        &mut self,
        answer: impl Future<Output = Result<T, agent::Error>>,
        mut look: impl FnMut(&Event),
    ) -> Result<T, Error> {
        let mut answer = pin!(answer);
        loop {
            match select(answer.as_mut(), self.client.next()).await {
                // Why the session is over, its last event tells better.
                Either::Left((Err(agent::Error::SessionOver), _)) => loop {
                    look(&self.next().await?);
                },
                Either::Left((answer, _)) => return Ok(answer?),
                Either::Right((Some(event), _)) => match event? {
                    Event::Ended(end) => return Err(Error::Ended(end)),
                    event => look(&event),
                },
                Either::Right((None, _)) => return Err(Error::Ended(SessionEnd::ClosedByServer)),
            }
        }
    }

    /// The next event; the end of the session is an error.
    pub(crate) async fn next(&mut self) -> Result<Event, Error> {
        match self.client.next().await {
            Some(Ok(Event::Ended(end))) => Err(Error::Ended(end)),
            Some(event) => Ok(event?),
            None => Err(Error::Ended(SessionEnd::ClosedByServer)),
        }
    }

    /// Takes events until one is what is looked for, within the time limit.
    pub(crate) async fn find<T>(
        &mut self,
        what: Awaited,
        mut look: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T, Error> {
        let (limit, late) = (self.timeout.duration(), what.late(self.timeout));
        let found = async {
            loop {
                if let Some(found) = look(&self.next().await?) {
                    return Ok(found);
                }
            }
        };
        tokio::time::timeout(limit, found).await.map_err(|_| late)?
    }

    /// Waits for the guest's agent.
    pub(crate) async fn agent(&mut self) -> Result<agent::AgentCaps, Error> {
        let answer = self.handle().wait_for_agent();
        self.wait(AGENT, answer).await
    }

    /// Waits for the inputs channel.
    pub(crate) async fn inputs(&mut self) -> Result<(), Error> {
        let inputs = ChannelId::new(ChannelType::INPUTS, 0);
        self.find(INPUTS, |event| matches!(event, Event::ChannelOpened(id) if *id == inputs).then_some(()))
            .await
    }

    /// Makes sure that the machine has taken all keys and clicks.
    pub(crate) async fn inputs_taken(&mut self) -> Result<(), Error> {
        let answer = self.handle().inputs_taken();
        self.wait(TAKEN, answer).await
    }

    /// Leaves in good order: some servers mind a connection that breaks in its first moments.
    pub(crate) async fn leave(self) {
        farewell(self.client).await;
    }
}

/// Ends a session in good order.
pub(crate) async fn farewell(mut client: Client) {
    if client.handle().disconnect().is_ok() {
        let rest = async { while client.next().await.is_some() {} };
        // A server that does not even take our last bytes is not worth waiting for.
        let _ = tokio::time::timeout(PATIENCE, rest).await;
    }
}

/// How long a farewell may take.
const PATIENCE: Duration = Duration::from_secs(7);

const AGENT: Awaited = Awaited {
    what: "the guest's agent",
    advice: "check that spice-vdagent is installed and runs in the guest's session",
};
const INPUTS: Awaited =
    Awaited { what: "the machine's keyboard and pointer", advice: "check that the machine runs" };
const TAKEN: Awaited = Awaited {
    what: "word that the machine has taken the input",
    advice: "check that the machine is not stopped",
};
