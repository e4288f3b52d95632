//! Our programs against real servers and clients.
//!
//! One binary, a module per topic. `TESTSUITE_KILLS` sets how often a server is killed (10 without it), and
//! `TESTSUITE_SEED` repeats the choices of a failed run.

mod channels;
mod desktop;
mod failures;
mod firmware;
mod kills;
mod live;
mod script;
mod server_role;

use testsuite::picture::Picture;

/// Fails with the place of the first difference.
#[track_caller]
fn assert_same(what: &str, ours: &Picture, reference: &Picture) {
    if let Err(difference) = ours.compare(reference) {
        panic!("{what}: {difference}");
    }
}
