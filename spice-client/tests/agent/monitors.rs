//! Monitors.

use futures::StreamExt;
use spice_agent_proto::guest;
use spice_client::agent::{Error, Monitor, Size};
use spice_client::connect;
use spice_client::spice_proto::msg::display::{
    Head, MonitorsConfig, ServerMessage, SurfaceCreate, SurfaceDestroy, SurfaceFlags, SurfaceFormat,
};
use spice_client::spice_proto::types::SurfaceId;
use spice_client::spice_proto::wire::Counted;

use super::host::Host;
use crate::driver::platform::{Memory, config};
use crate::driver::server::{DISPLAY, Peer};

async fn session(agent: bool) -> (spice_client::Handle, Host, Peer) {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let (mut client, driver) = connect(platform, config());
    tokio::spawn(driver);
    let handle = client.handle().clone();
    tokio::spawn(async move { while client.next().await.is_some() {} });
    let host = Host::accept(&mut accepted, &[DISPLAY], agent).await;
    let display = Peer::accept(&mut accepted, DISPLAY).await;
    (handle, host, display)
}

/// A session whose screen has 640 by 480 pixels and whose agent is there.
async fn small_session() -> (spice_client::Handle, Host, Peer) {
    let (handle, mut host, mut display) = session(true).await;
    show(&mut display, 640, 480).await;
    host.serve(handle.wait_for_agent()).await.expect("an agent");
    (handle, host, display)
}

async fn show(display: &mut Peer, width: u32, height: u32) {
    let surface_id = SurfaceId::PRIMARY;
    display.send(&ServerMessage::SurfaceDestroy(SurfaceDestroy { surface_id })).await;
    let format = SurfaceFormat::XRGB;
    let flags = SurfaceFlags::PRIMARY;
    display
        .send(&ServerMessage::SurfaceCreate(SurfaceCreate { surface_id, width, height, format, flags }))
        .await;
}

/// How many times the agent has been told of monitors.
fn told(host: &Host) -> usize {
    host.events.iter().filter(|event| matches!(event, guest::Event::Monitors(_))).count()
}

#[tokio::test(start_paused = true)]
async fn a_resolution_waits_for_the_agent_and_is_answered_when_the_guest_has_followed() {
    let (handle, mut host, mut display) = session(false).await;
    show(&mut display, 640, 480).await;
    let answer = tokio::spawn(handle.set_resolution(800, 600));
    host.serve(tokio::time::sleep(std::time::Duration::from_secs(100))).await;
    assert!(!answer.is_finished(), "without an agent it waits");
    host.revive();
    host.until(|host| told(host) == 1).await;
    // An agent that goes before the guest has followed: the next one is told too.
    host.kill();
    host.serve(tokio::time::sleep(std::time::Duration::from_secs(100))).await;
    assert!(!answer.is_finished());
    host.revive();
    host.until(|host| told(host) == 2).await;
    show(&mut display, 800, 600).await;
    let size = host.serve(answer).await.expect("no panic").expect("it has followed");
    assert_eq!(size, Size { width: 800, height: 600 });
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_makes_something_else_of_it_is_believed_and_one_that_does_nothing_is_not() {
    let (handle, mut host, mut display) = small_session().await;
    let answer = tokio::spawn(handle.set_resolution(1003, 601));
    host.until(|host| told(host) == 1).await;
    show(&mut display, 1000, 601).await;
    let size = host.serve(answer).await.expect("no panic").expect("it has followed");
    assert_eq!(size, Size { width: 1000, height: 601 });
    let answer = host.serve(handle.set_resolution(2000, 1000)).await;
    assert!(matches!(answer, Err(Error::NotFollowed { .. })), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_guest_is_not_taken_for_one_that_rounds() {
    let (handle, mut host, mut display) = small_session().await;
    // The guest draws its screen anew, and takes its time for the new size.
    let answer = tokio::spawn(handle.set_resolution(800, 600));
    host.until(|host| told(host) == 1).await;
    show(&mut display, 640, 480).await;
    let size = host.serve(answer).await.expect("no panic").expect("it has settled on something");
    assert_eq!(size, Size { width: 640, height: 480 });
    show(&mut display, 800, 600).await;
    host.serve(tokio::time::sleep(std::time::Duration::from_secs(1))).await;
    let answer = tokio::spawn(handle.set_resolution(640, 480));
    host.until(|host| told(host) == 2).await;
    show(&mut display, 640, 480).await;
    host.serve(answer).await.expect("no panic").expect("it has followed");
    // The old size is no answer to the same wish now.
    let answer = tokio::spawn(handle.set_resolution(800, 600));
    host.until(|host| told(host) == 3).await;
    host.serve(tokio::time::sleep(std::time::Duration::from_secs(5))).await;
    assert!(!answer.is_finished(), "nothing has changed yet");
    show(&mut display, 800, 600).await;
    let size = host.serve(answer).await.expect("no panic").expect("it has followed");
    assert_eq!(size, Size { width: 800, height: 600 });
}

#[tokio::test(start_paused = true)]
async fn what_one_agent_made_of_a_wish_says_nothing_of_the_next() {
    let (handle, mut host, mut display) = small_session().await;
    let answer = tokio::spawn(handle.set_resolution(1003, 601));
    host.until(|host| told(host) == 1).await;
    show(&mut display, 1000, 601).await;
    host.serve(answer).await.expect("no panic").expect("it has followed");
    let again = host.serve(handle.set_resolution(1003, 601)).await.expect("known to be rounded");
    assert_eq!(again, Size { width: 1000, height: 601 });
    host.kill();
    host.serve(tokio::time::sleep(std::time::Duration::from_secs(1))).await;
    host.revive();
    host.serve(handle.wait_for_agent()).await.expect("another agent");
    let answer = tokio::spawn(handle.set_resolution(1003, 601));
    host.serve(tokio::time::sleep(std::time::Duration::from_secs(5))).await;
    assert!(!answer.is_finished(), "this one may do better");
    show(&mut display, 1003, 601).await;
    let size = host.serve(answer).await.expect("no panic").expect("it has followed");
    assert_eq!(size, Size { width: 1003, height: 601 });
}

/// Time stands still here while anybody is busy: a driver that looks again and again at a moment that has passed would
/// keep this test for ever.
#[tokio::test(start_paused = true)]
async fn nobody_is_busy_while_a_wish_waits_for_an_agent_or_a_screen() {
    let (handle, mut host, mut display) = small_session().await;
    let answer = tokio::spawn(handle.set_resolution(1003, 601));
    host.until(|host| told(host) == 1).await;
    // The guest has begun to follow, and its screen is gone.
    display.send(&ServerMessage::SurfaceDestroy(SurfaceDestroy { surface_id: SurfaceId::PRIMARY })).await;
    host.serve(tokio::time::sleep(std::time::Duration::from_secs(3))).await;
    // Now the agent is gone too.
    host.kill();
    host.serve(tokio::time::sleep(std::time::Duration::from_secs(100))).await;
    assert!(!answer.is_finished(), "it waits for another agent");
    host.revive();
    host.until(|host| told(host) == 2).await;
    show(&mut display, 1000, 601).await;
    let size = host.serve(answer).await.expect("no panic").expect("it has followed");
    assert_eq!(size, Size { width: 1000, height: 601 });
}

#[tokio::test(start_paused = true)]
async fn several_monitors_are_told_by_the_display() {
    let (handle, mut host, mut display) = session(true).await;
    host.serve(handle.wait_for_agent()).await.expect("an agent");
    let wanted = [Monitor::new(800, 600), Monitor::DISABLED, Monitor::new(640, 480).at(800, 0)];
    let superseded = handle.set_resolution(1, 1);
    let answer = tokio::spawn(handle.set_monitors(&wanted));
    assert!(matches!(host.serve(superseded).await, Err(Error::Superseded)));
    host.until(|host| told(host) > 0).await;
    show(&mut display, 1440, 600).await;
    let head = |monitor_id, width, height, x| Head {
        monitor_id,
        width,
        height,
        x,
        surface_id: SurfaceId::PRIMARY,
        y: 0,
        flags: 0,
    };
    let heads = [head(0, 800, 600, 0), head(1, 0, 0, 0), head(2, 640, 480, 800)];
    let heads = Counted::new(heads.into_iter().collect()).expect("a short list");
    display.send(&ServerMessage::MonitorsConfig(MonitorsConfig { max_allowed: 4, heads })).await;
    let sizes = host.serve(answer).await.expect("no panic").expect("they are there");
    assert_eq!(sizes, [Size { width: 800, height: 600 }, Size { width: 640, height: 480 }]);
    let many = host.serve(handle.set_monitors(&[Monitor::new(1, 1); 257])).await;
    assert!(matches!(many, Err(Error::Refused(_))), "{many:?}");
}
