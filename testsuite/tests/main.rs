//! Our programs against real servers and clients.
//!
//! One binary, a module per topic. `TESTSUITE_KILLS` sets how often a server is killed (10 without it), and
//! `TESTSUITE_SEED` repeats the choices of a failed run.

mod agent;
mod channels;
mod cursor;
mod desktop;
mod failures;
mod firmware;
mod gateway;
mod headless;
mod input;
mod keys;
mod kills;
mod live;
mod object;
mod script;
mod server_role;
mod transfers;
mod video;
mod visits;
mod web_api;
mod web_early;
mod web_element;
mod web_ends;
mod web_flood;
mod web_guest;
mod web_input;
mod web_keys;
mod web_page;
mod web_proxies;
mod web_rules;
mod web_safe;
mod web_screen;
mod web_video;

use testsuite::picture::Picture;

/// Fails with the place of the first difference.
#[track_caller]
fn assert_same(what: &str, ours: &Picture, reference: &Picture) {
    if let Err(difference) = ours.compare(reference) {
        panic!("{what}: {difference}");
    }
}
