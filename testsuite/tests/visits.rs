//! Clients that leave again at once, which servers must survive: libspice-server 0.15.1 dies of those that just vanish.

use std::time::Duration;

use futures::StreamExt;
use spice_client::transport::tokio::Tokio;
use spice_client::{ClientConfig, Event};
use spice_proto::session::SessionEnd;
use spice_proto::types::ChannelType;
use testsuite::qemu::{Access, Qemu};
use tokio::time::timeout;

const VISITS: usize = 120;
const LIMIT: Duration = Duration::from_secs(30);

/// Connects, leaves after so many events, and says how the session ended.
async fn visit(config: ClientConfig, events: usize) -> SessionEnd {
    let (mut client, driver) = spice_client::connect(Tokio::new(), config);
    let driver = tokio::spawn(driver);
    for _ in 0..events {
        // A machine whose screen stands still has no more to say.
        let Ok(event) = timeout(Duration::from_millis(200), client.next()).await else { break };
        event.expect("no end").expect("no error");
    }
    client.handle().disconnect().unwrap();
    let mut end = None;
    while let Some(event) = client.next().await {
        if let Event::Ended(how) = event.unwrap() {
            end = Some(how);
        }
    }
    driver.await.unwrap();
    end.expect("an end")
}

#[test]
fn a_machine_survives_clients_that_leave_at_any_moment() {
    let mut qemu = Qemu::start(Access::Open).unwrap();
    let address = format!("spice://127.0.0.1:{}", qemu.port());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for number in 0..VISITS {
        let mut config: ClientConfig = address.parse().unwrap();
        let channels = [ChannelType::DISPLAY, ChannelType::CURSOR, ChannelType::INPUTS];
        config.session = config.session.channels(&channels);
        let visit = async { timeout(LIMIT, visit(config, number % 15)).await };
        let end = runtime.block_on(visit).expect("an end in time");
        assert_eq!(end, SessionEnd::Asked, "visit {number}");
        qemu.check_running().unwrap_or_else(|error| panic!("after {} events: {error}", number % 15));
    }
}
