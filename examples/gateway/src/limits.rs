//! How many connections there may be, and since when nothing was sent.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::close::End;
use crate::target::Target;

/// Counts connections. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    total: usize,
    per_client: usize,
    epoch: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    connections: usize,
    clients: HashMap<IpAddr, usize>,
    sessions: HashMap<(IpAddr, Target), (usize, Arc<AtomicU64>)>,
    /// Connections that speak HTTP, by client.
    visits: HashMap<IpAddr, usize>,
}

/// A place among the connections; free again when dropped.
///
/// All connections from one client to one server are a session. It is alive as long as one of them is used: some channels
/// of SPICE say nothing for hours.
#[derive(Debug)]
pub(crate) struct Place {
    shared: Arc<Shared>,
    session: (IpAddr, Target),
    /// Milliseconds since the epoch at which the session was last used.
    used: Arc<AtomicU64>,
}

impl Limits {
    pub(crate) fn new(total: usize, per_client: usize) -> Self {
        let state = Mutex::default();
        Self { shared: Arc::new(Shared { total, per_client, epoch: Instant::now(), state }) }
    }

    /// A place for one more connection.
    pub(crate) fn admit(&self, client: IpAddr, target: &Target) -> Result<Place, End> {
        let client = group(client);
        let mut state = self.shared.lock();
        if state.connections >= self.shared.total {
            return Err(End::Full);
        }
        if state.clients.get(&client).is_some_and(|count| *count >= self.shared.per_client) {
            return Err(End::ClientFull);
        }
        state.connections += 1;
        *state.clients.entry(client).or_default() += 1;
        let session = (client, target.clone());
        let (count, used) = state.sessions.entry(session.clone()).or_default();
        *count += 1;
        let used = Arc::clone(used);
        drop(state);
        let place = Place { shared: Arc::clone(&self.shared), session, used };
        place.touch();
        Ok(place)
    }

    /// A place for one more connection that speaks HTTP; none when the client has too many.
    pub(crate) fn visit(&self, client: IpAddr) -> Option<Visit> {
        let client = group(client);
        let mut state = self.shared.lock();
        let count = state.visits.entry(client).or_default();
        if *count >= self.shared.per_client.max(FEW) {
            return None;
        }
        *count += 1;
        drop(state);
        Some(Visit { shared: Arc::clone(&self.shared), client })
    }

    /// Connections and clients at this moment.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let state = self.shared.lock();
        (state.connections, state.clients.len())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Place {
    /// Notes that something was sent.
    pub(crate) fn touch(&self) {
        self.used.store(self.shared.now(), Ordering::Relaxed);
    }

    /// For how long nothing was sent on any connection of the session.
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_millis(self.shared.now().saturating_sub(self.used.load(Ordering::Relaxed)))
    }
}

/// A place of a client among the connections that speak HTTP; free again when dropped.
#[derive(Debug)]
pub(crate) struct Visit {
    shared: Arc<Shared>,
    client: IpAddr,
}

impl Drop for Visit {
    fn drop(&mut self) {
        release(&mut self.shared.lock().visits, self.client);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.connections = state.connections.saturating_sub(1);
        release(&mut state.clients, self.session.0);
        if let Some((count, _)) = state.sessions.get_mut(&self.session) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.sessions.remove(&self.session);
            }
        }
    }
}

/// Counts one less, and forgets a client that has none.
fn release(counts: &mut HashMap<IpAddr, usize>, client: IpAddr) {
    if let Some(count) = counts.get_mut(&client) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(&client);
        }
    }
}

/// Connections that speak HTTP which every client may have, however few WebSockets: browsers load a page with six.
const FEW: usize = 16;

/// What counts as one client: an IPv4 address, or an IPv6 network of 64 bits, of which one user has all addresses.
pub(crate) fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn connections_are_counted_and_given_back() {
        let (limits, vm) = (Limits::new(3, 2), Target::tcp("vm", 1));
        let admit = |client: &str| limits.admit(ip(client), &vm);
        let first = admit("10.0.0.1").unwrap();
        let _second = admit("::ffff:10.0.0.1").unwrap();
        assert!(matches!(admit("10.0.0.1"), Err(End::ClientFull)));
        let _third = admit("10.0.0.2").unwrap();
        assert!(matches!(admit("10.0.0.3"), Err(End::Full)));
        assert_eq!(limits.counts(), (3, 2));
        drop(first);
        assert_eq!(limits.counts(), (2, 2));
        assert!(admit("10.0.0.1").is_ok());
    }

    #[test]
    fn visits_of_one_client_leave_room_for_others() {
        let limits = Limits::new(9, 20);
        let mut visits: Vec<_> = (0..20).map(|_| limits.visit(ip("10.0.0.1")).unwrap()).collect();
        assert!(limits.visit(ip("::ffff:10.0.0.1")).is_none());
        assert!(limits.visit(ip("10.0.0.2")).is_some());
        visits.pop();
        assert!(limits.visit(ip("10.0.0.1")).is_some());
        drop(visits);
        assert!(limits.shared.lock().visits.is_empty());
    }

    #[test]
    fn addresses_of_one_network_are_one_client() {
        let (limits, vm) = (Limits::new(9, 1), Target::tcp("vm", 1));
        let _place = limits.admit(ip("2001:db8::1"), &vm).unwrap();
        assert!(matches!(limits.admit(ip("2001:db8::2"), &vm), Err(End::ClientFull)));
        assert!(limits.admit(ip("2001:db8:0:1::1"), &vm).is_ok());
    }

    #[test]
    fn one_busy_channel_keeps_its_session_alive() {
        let (limits, vm) = (Limits::new(9, 9), Target::tcp("vm", 1));
        let quiet = limits.admit(ip("10.0.0.1"), &vm).unwrap();
        let busy = limits.admit(ip("10.0.0.1"), &vm).unwrap();
        let other = limits.admit(ip("10.0.0.1"), &Target::tcp("vm", 2)).unwrap();
        quiet.used.store(0, Ordering::Relaxed);
        other.used.store(0, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(20));
        busy.touch();
        assert!(quiet.idle() < other.idle());
        drop((quiet, busy, other));
        assert!(limits.shared.lock().sessions.is_empty());
    }
}
