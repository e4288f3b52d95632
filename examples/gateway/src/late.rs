//! Connections for which there is no place: each may ask how the gateway is, and waits for a place for anything else.
//!
//! What watches over the gateway is to get its answer whoever else holds all places. So these connections are taken in all the
//! same, few of them: one more puts another one out, the oldest of whoever has most of them. So nobody who connects again and
//! again takes the seats of others.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::limits::group;

/// Seats for so many connections; whoever comes is seated.
#[derive(Debug)]
pub(crate) struct Reserve {
    most: usize,
    seats: Mutex<Seats>,
}

#[derive(Debug, Default)]
struct Seats {
    next: u64,
    taken: BTreeMap<u64, Taken>,
}

/// A seat that is taken.
#[derive(Debug)]
struct Taken {
    client: IpAddr,
    /// Cancelled when somebody else needs the seat.
    lost: CancellationToken,
}

impl Seats {
    /// The oldest seat of the client that has most of them.
    fn least_needed(&self) -> Option<u64> {
        let mut clients = HashMap::<IpAddr, (usize, Reverse<u64>)>::new();
        for (number, taken) in &self.taken {
            clients.entry(taken.client).or_insert((0, Reverse(*number))).0 += 1;
        }
        clients.into_values().max().map(|(_, Reverse(oldest))| oldest)
    }
}

/// A seat; free again when dropped.
#[derive(Debug)]
struct Seat {
    reserve: Arc<Reserve>,
    number: u64,
}

impl Reserve {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, seats: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat, and what is cancelled when it is taken away.
    fn sit(self: &Arc<Self>, client: IpAddr) -> (Seat, CancellationToken) {
        let mut seats = self.lock();
        if seats.taken.len() >= self.most
            && let Some(least) = seats.least_needed()
            && let Some(taken) = seats.taken.remove(&least)
        {
            taken.lost.cancel();
        }
        let (number, lost) = (seats.next, CancellationToken::new());
        seats.next += 1;
        seats.taken.insert(number, Taken { client: group(client), lost: lost.clone() });
        (Seat { reserve: Arc::clone(self), number }, lost)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.reserve.lock().taken.remove(&self.number);
    }
}

/// A connection for which there was no place.
#[derive(Debug)]
pub(crate) struct Late {
    seat: Mutex<Option<Seat>>,
    lost: CancellationToken,
    /// Where it waits for a place; none for a client that has too many connections.
    places: Option<Arc<Semaphore>>,
    place: OnceLock<OwnedSemaphorePermit>,
}

impl Late {
    pub(crate) fn new(reserve: &Arc<Reserve>, client: IpAddr, places: Option<Arc<Semaphore>>) -> Self {
        let (seat, lost) = reserve.sit(client);
        Self { seat: Mutex::new(Some(seat)), lost, places, place: OnceLock::new() }
    }

    /// Ready when another connection needs the seat.
    pub(crate) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Whether it has a place by now.
    pub(crate) fn has_place(&self) -> bool {
        self.place.get().is_some()
    }

    /// Waits for a place; false if there will be none.
    pub(crate) async fn wait(&self) -> bool {
        if self.has_place() {
            return true;
        }
        let Some(places) = &self.places else { return false };
        let Ok(place) = Arc::clone(places).acquire_owned().await else { return false };
        // The seat is somebody else's now.
        self.seat.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.place.set(place).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_makes_room_unless_it_has_a_place() {
        let (reserve, places) = (Reserve::new(2), Arc::new(Semaphore::new(1)));
        let late = || Late::new(&reserve, [10, 0, 0, 1].into(), Some(Arc::clone(&places)));
        let (first, second) = (late(), late());
        assert!(first.wait().await);
        let third = late();
        assert!(!first.lost.is_cancelled() && !second.lost.is_cancelled());
        let fourth = late();
        second.lost().await;
        assert!(!third.lost.is_cancelled());
        drop(first);
        assert!(fourth.wait().await && fourth.has_place() && !third.has_place());
        drop((second, third, fourth));
        assert!(reserve.lock().taken.is_empty());
        assert!(!Late::new(&reserve, [10, 0, 0, 1].into(), None).wait().await);
    }

    #[test]
    fn who_has_most_seats_makes_room() {
        let reserve = Reserve::new(4);
        let late = |last| Late::new(&reserve, [10, 0, 0, last].into(), None);
        let others = [late(1), late(2)];
        let mut flood: Vec<_> = (0..100).map(|_| late(3)).collect();
        assert!(others.iter().all(|other| !other.lost.is_cancelled()));
        assert_eq!(flood.iter().filter(|late| !late.lost.is_cancelled()).count(), 2);
        let another = late(4);
        assert!(flood[98].lost.is_cancelled() && !flood[99].lost.is_cancelled());
        // Nobody has more than others: the oldest of all.
        flood.push(late(5));
        assert!(others[0].lost.is_cancelled() && !others[1].lost.is_cancelled());
        assert!(!another.lost.is_cancelled());
    }
}
