//! A thread that makes ticket keys, because one takes long and every link needs its own.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use futures::channel::oneshot;
use spice_proto::link::{Entropy, TicketKey};

/// Orders keys; the thread ends with it.
#[derive(Debug)]
pub(crate) struct KeyMaker {
    orders: Sender<oneshot::Sender<TicketKey>>,
}

impl KeyMaker {
    pub(crate) fn start() -> io::Result<Self> {
        let (orders, incoming) = mpsc::channel();
        thread::Builder::new().name("ticket keys".into()).spawn(move || work(&incoming))?;
        Ok(Self { orders })
    }

    /// A key that nobody else gets; cancelled when none can be made.
    pub(crate) fn order(&self) -> oneshot::Receiver<TicketKey> {
        let (sender, receiver) = oneshot::channel();
        // Without the thread the order is dropped, which cancels it.
        drop(self.orders.send(sender));
        receiver
    }
}

fn work(orders: &Receiver<oneshot::Sender<TicketKey>>) {
    let mut spare = make();
    while let Ok(order) = orders.recv() {
        // The client may have left in the meantime.
        if order.is_canceled() {
            continue;
        }
        if let Some(key) = spare.take().or_else(make)
            && let Err(key) = order.send(key)
        {
            spare = Some(key);
        }
        spare = spare.or_else(make);
    }
}

fn make() -> Option<TicketKey> {
    entropy().ok().and_then(|entropy| TicketKey::generate(Entropy::new(entropy)).ok())
}

/// 32 bytes from the operating system.
pub(crate) fn entropy() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}
