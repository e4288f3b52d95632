//! A server inside this program, for those who have no machine yet.

use std::future::{Ready, ready};
use std::io;
use std::time::Duration;

use reference_server::{Host, Security, ServerConfig};
use spice_client::transport::memory::{Pipe, pipe};
use spice_client::transport::tokio::Tokio;
use spice_client::transport::{self, Platform};
use spice_client::{Client, ClientConfig};
use spice_proto::Instant;
use spice_proto::session::{Address, Endpoint};
use spice_proto::types::ChannelId;

use crate::error::Error;

/// A client of the demo server. `prepare` adjusts its configuration.
pub(crate) fn connect(prepare: impl FnOnce(ClientConfig) -> ClientConfig) -> Result<Client, Error> {
    let host = Host::new(ServerConfig::default()).map_err(Error::Demo)?;
    let config = prepare(ClientConfig::new(Address::Other("the built-in demo".into())));
    let (client, driver) = spice_client::connect(InProcess { tokio: Tokio::new(), host }, config);
    tokio::spawn(driver);
    Ok(client)
}

/// A platform whose byte streams end in the demo server.
struct InProcess {
    tokio: Tokio,
    host: Host,
}

impl Platform for InProcess {
    type Stream = Pipe;
    type Connect = Ready<io::Result<Pipe>>;
    type Sleep = <Tokio as transport::Platform>::Sleep;

    fn connect(&mut self, _: &Endpoint, _: ChannelId) -> Self::Connect {
        let (ours, theirs) = pipe(PIPE);
        let served = self.host.serve(theirs, Security::Plain).map_err(io::Error::other);
        ready(served.map(|serving| {
            tokio::spawn(serving);
            ours
        }))
    }

    fn sleep(&mut self, duration: Duration) -> Self::Sleep {
        self.tokio.sleep(duration)
    }

    fn now(&self) -> Instant {
        self.tokio.now()
    }

    fn entropy(&mut self) -> io::Result<[u8; 32]> {
        self.tokio.entropy()
    }
}

/// Bytes that wait in each direction of a pipe at most.
const PIPE: usize = 256 << 10;
