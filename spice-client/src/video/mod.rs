//! When frames of videos are to be shown, and what the server is told about it.
//!
//! A `console::Console` shows frames when they are due. So does whoever takes the events of a
//! [`Client`](crate::Client) with [`ClientConfig::schedule`](crate::ClientConfig::schedule): its
//! [`Driver`](crate::Driver) then keeps frames back and drops what is too late. Otherwise they come as they arrive.
//!
//! Nothing here reads a clock: times are given. Who wants to do the same on their own takes the messages as they arrive,
//! keeps a [`MultimediaClock`], hands every display message to a [`Schedule`], and draws what comes out of it:
//!
//! ```
//! use spice_client::video::{MultimediaClock, Schedule};
//! use spice_client::{Event, spice_proto::Instant};
//!
//! fn handle(event: Event, now: Instant, clock: &mut MultimediaClock, schedule: &mut Schedule) {
//!     match event {
//!         Event::Main(message) => clock.observe(&message, now),
//!         Event::Display(0, message) => {
//!             if let Some(message) = schedule.push(message, clock.time(now)) {
//!                 // canvas.apply(&message)
//!             }
//!         }
//!         _ => {}
//!     }
//! }
//!
//! /// After each event, and at the time that `Schedule::next_due` names.
//! fn show(now: Instant, clock: &MultimediaClock, schedule: &mut Schedule) {
//!     while let Some(due) = schedule.pop(clock.time(now)) {
//!         // if due.show { canvas.apply(&due.message) } else { canvas.skip_frame(&due.message) }
//!     }
//! }
//! ```
//!
//! The [`StreamReports`] that servers ask for are sent by the [`Driver`](crate::Driver) itself, where
//! [`DisplayCaps::STREAM_REPORT`](spice_proto::caps::DisplayCaps::STREAM_REPORT) is announced.

mod clock;
mod frames;
mod lead;
mod reports;
#[cfg(test)]
mod samples;
mod schedule;

pub use clock::MultimediaClock;
pub(crate) use frames::Frames;
pub use reports::StreamReports;
pub use schedule::{Due, Schedule, ScheduleLimits};

/// Milliseconds from `time` until `due` on a clock that wraps; negative when `due` is past.
fn margin(due: u32, time: u32) -> i32 {
    due.wrapping_sub(time).cast_signed()
}
