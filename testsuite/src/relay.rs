//! A relay on the way of the guest's agent to the X server, which closes the server's port as a hypervisor does.
//!
//! This X driver takes no agent any more once it has written to a socket whose other end is gone. A hypervisor's port
//! that the guest closes is no such socket: what is written on it meanwhile is lost. So the relay says first that
//! nothing more comes, takes what the server still writes, and only then leaves.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::Result;

/// How long the server must have been silent after the agent's end.
const SILENCE: Duration = Duration::from_millis(300);

/// Listens at `path` for agents, and connects each to `port`. Goes on until the process ends, or `path` is gone.
pub fn start(path: &Path, port: &Path) -> Result<()> {
    let listener = UnixListener::bind(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (path, port) = (path.to_owned(), port.to_owned());
    thread::spawn(move || {
        for agent in listener.incoming().flatten() {
            if !path.exists() {
                break;
            }
            pass(agent, &port);
        }
    });
    Ok(())
}

/// Passes on what an agent and its server say, one agent after the other.
fn pass(agent: UnixStream, port: &PathBuf) {
    // The server listens only while it has a client.
    let Ok(server) = UnixStream::connect(port) else { return };
    let (Ok(from_agent), Ok(to_server)) = (agent.try_clone(), server.try_clone()) else { return };
    let words = thread::spawn(move || {
        copy(from_agent, &to_server);
        let _ = to_server.shutdown(Shutdown::Write);
        let _ = to_server.set_read_timeout(Some(SILENCE));
    });
    copy(&server, &agent);
    // The agent is gone, or the server. What the server still says is lost.
    let _ = agent.shutdown(Shutdown::Both);
    let _ = words.join();
    let mut buffer = [0; 4096];
    while matches!((&server).read(&mut buffer), Ok(count) if count > 0) {}
}

/// Copies until one side ends.
fn copy(mut from: impl Read, mut to: impl Write) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
}
