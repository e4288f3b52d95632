//! The program `gateway` as its users meet it: started as a process, spoken to over sockets.

mod bridging;
mod harness;
mod load;
mod refusals;
mod site;
mod strain;
mod tls;
