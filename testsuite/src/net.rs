//! Loopback ports, and servers that are no SPICE servers.

use std::collections::HashSet;
use std::io::{Error, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::Result;

/// A loopback address.
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A listener on a loopback port that the system picks.
pub fn listen() -> Result<(TcpListener, u16)> {
    let listener = TcpListener::bind(loopback(0)).map_err(|error| format!("no loopback port: {error}"))?;
    let port = listener.local_addr().map_err(|error| format!("no local address: {error}"))?.port();
    Ok((listener, port))
}

/// Whether a bounded read or write only ran out of time: the system has two names for it.
pub fn timed_out(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// A loopback port on which nobody listens, and that no other call of this process got.
pub fn free_port() -> Result<u16> {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().map_err(|_| "a test failed while it took a port")?;
    let given = given.get_or_insert_default();
    loop {
        let (_, port) = listen()?;
        if given.insert(port) {
            return Ok(port);
        }
    }
}

/// Whether somebody listens on a loopback port.
pub fn answers(port: u16) -> bool {
    TcpStream::connect_timeout(&loopback(port), Duration::from_millis(500)).is_ok()
}

/// Starts a web server that answers whatever it hears with the same page; returns its port.
///
/// It lives in a thread until the process ends.
pub fn http_server() -> Result<u16> {
    serve(|mut stream| {
        let mut request = [0; 512];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\
              Connection: close\r\n\r\n<h1>Bad Request</h1>",
        );
    })
}

/// Starts a server that speaks first, as mail servers do; returns its port.
pub fn greeting_server() -> Result<u16> {
    serve(|mut stream| {
        let _ = stream.write_all(b"220 mail.example.org ESMTP ready\r\n");
        let _ = stream.read(&mut [0; 512]);
    })
}

/// Starts a server that takes connections and then never says a word; returns its port.
pub fn silent_server() -> Result<u16> {
    serve(|mut stream| {
        let mut sink = [0; 512];
        while stream.read(&mut sink).is_ok_and(|count| count > 0) {}
    })
}

fn serve(answer: impl Fn(TcpStream) + Clone + Send + 'static) -> Result<u16> {
    let (listener, port) = listen()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || answer(stream));
        }
    });
    Ok(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_nobody_listens_on_them() {
        let (a, b) = (free_port().unwrap(), free_port().unwrap());
        assert_ne!(a, b);
        assert!(!answers(a) && !answers(b));
    }

    #[test]
    fn the_web_server_answers() {
        let mut stream = TcpStream::connect(loopback(http_server().unwrap())).unwrap();
        stream.write_all(b"REDQ").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"));
    }
}
