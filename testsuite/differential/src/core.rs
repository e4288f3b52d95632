//! The event loop that the library runs on: sockets and timers over `poll`.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::time::{Duration, Instant};

use crate::ffi::{BaseInterface, CoreInterface, TimerFunc, WatchFunc};

const READ: c_int = 1;
const WRITE: c_int = 2;

/// The interface to hand to the library. It works on the thread that calls [`run`].
pub(crate) fn interface() -> CoreInterface {
    CoreInterface {
        base: BaseInterface { kind: c"core".as_ptr(), description: c"poll".as_ptr(), major: 1, minor: 3 },
        timer_add,
        timer_start,
        timer_cancel,
        timer_remove,
        watch_add,
        watch_update_mask,
        watch_remove,
        channel_event: None,
    }
}

/// Serves sockets and timers until `over` says so; it is asked every 20 ms or more often.
pub(crate) fn run(over: impl Fn() -> bool) {
    while !over() {
        let now = Instant::now();
        let (mut fds, timeout) = LOOP.with_borrow_mut(|state| (state.fds(), state.timeout(now)));
        // SAFETY: pointer and length are those of one vector, which lives across the call.
        unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout) };
        // Callbacks change the lists, so nothing is borrowed while one runs, and each is looked up anew.
        for fd in fds.iter().filter(|fd| fd.revents != 0) {
            let calls = LOOP.with_borrow(|state| state.watching(fd.fd));
            for (id, mask, func, opaque) in calls {
                let mut event = 0;
                if fd.revents & (libc::POLLIN | libc::POLLHUP | libc::POLLERR) != 0 {
                    event |= READ;
                }
                if fd.revents & libc::POLLOUT != 0 {
                    event |= WRITE;
                }
                let alive = LOOP.with_borrow(|state| state.watches.iter().any(|w| w.id == id));
                if alive && event & mask != 0 {
                    func(fd.fd, event & mask, opaque);
                }
            }
        }
        while let Some((func, opaque)) = LOOP.with_borrow_mut(|state| state.due(Instant::now())) {
            func(opaque);
        }
    }
}

thread_local! {
    static LOOP: RefCell<State> = const { RefCell::new(State { watches: Vec::new(), timers: Vec::new(), next: 1 }) };
}

struct State {
    watches: Vec<Watch>,
    timers: Vec<Timer>,
    /// Handles are numbers, never dereferenced.
    next: usize,
}

struct Watch {
    id: usize,
    fd: c_int,
    mask: c_int,
    func: WatchFunc,
    opaque: *mut c_void,
}

struct Timer {
    id: usize,
    due: Option<Instant>,
    func: TimerFunc,
    opaque: *mut c_void,
}

impl State {
    fn handle(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn fds(&self) -> Vec<libc::pollfd> {
        let events = |mask: c_int| {
            (if mask & READ != 0 { libc::POLLIN } else { 0 })
                | if mask & WRITE != 0 { libc::POLLOUT } else { 0 }
        };
        self.watches
            .iter()
            .filter(|w| w.mask != 0)
            .map(|w| libc::pollfd { fd: w.fd, events: events(w.mask), revents: 0 })
            .collect()
    }

    fn timeout(&self, now: Instant) -> c_int {
        let next = self.timers.iter().filter_map(|t| t.due).min();
        let wait = next.map_or(Duration::from_millis(20), |due| due.saturating_duration_since(now));
        wait.as_millis().min(20) as c_int
    }

    fn watching(&self, fd: c_int) -> Vec<(usize, c_int, WatchFunc, *mut c_void)> {
        let of_fd = self.watches.iter().filter(|w| w.fd == fd);
        of_fd.map(|w| (w.id, w.mask, w.func, w.opaque)).collect()
    }

    fn due(&mut self, now: Instant) -> Option<(TimerFunc, *mut c_void)> {
        let timer = self.timers.iter_mut().find(|t| t.due.is_some_and(|due| due <= now))?;
        timer.due = None;
        Some((timer.func, timer.opaque))
    }
}

extern "C" fn timer_add(func: TimerFunc, opaque: *mut c_void) -> *mut c_void {
    LOOP.with_borrow_mut(|state| {
        let id = state.handle();
        state.timers.push(Timer { id, due: None, func, opaque });
        id as *mut c_void
    })
}

extern "C" fn timer_start(timer: *mut c_void, ms: u32) {
    set_timer(timer, Some(Instant::now() + Duration::from_millis(ms.into())));
}

extern "C" fn timer_cancel(timer: *mut c_void) {
    set_timer(timer, None);
}

fn set_timer(timer: *mut c_void, due: Option<Instant>) {
    LOOP.with_borrow_mut(|state| {
        state.timers.iter_mut().filter(|t| t.id == timer as usize).for_each(|t| t.due = due);
    });
}

extern "C" fn timer_remove(timer: *mut c_void) {
    LOOP.with_borrow_mut(|state| state.timers.retain(|t| t.id != timer as usize));
}

extern "C" fn watch_add(fd: c_int, mask: c_int, func: WatchFunc, opaque: *mut c_void) -> *mut c_void {
    LOOP.with_borrow_mut(|state| {
        let id = state.handle();
        state.watches.push(Watch { id, fd, mask, func, opaque });
        id as *mut c_void
    })
}

extern "C" fn watch_update_mask(watch: *mut c_void, mask: c_int) {
    LOOP.with_borrow_mut(|state| {
        state.watches.iter_mut().filter(|w| w.id == watch as usize).for_each(|w| w.mask = mask);
    });
}

extern "C" fn watch_remove(watch: *mut c_void) {
    LOOP.with_borrow_mut(|state| state.watches.retain(|w| w.id != watch as usize));
}
