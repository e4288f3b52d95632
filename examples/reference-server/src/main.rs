//! A SPICE server with a demo desktop, for trying clients out: `reference-server --listen 127.0.0.1:5950`.

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use reference_server::{Host, Scene, Security, ServerConfig, ServerEvent, Show};
use tokio::net::TcpListener;
use tokio_util::compat::TokioAsyncReadCompatExt;

/// A SPICE server with a demo desktop.
///
/// The password may also be given in the environment variable SPICE_PASSWORD, which other users cannot see in the
/// list of processes.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen; may be given several times.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5950")]
    listen: Vec<SocketAddr>,
    /// Ask clients for this password.
    #[arg(long)]
    password: Option<String>,
    /// Ask clients for the password in this file; a line end behind it does not count.
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    password_file: Option<PathBuf>,
    /// Size of the desktop in pixels.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1024x768", value_parser = size)]
    size: (u32, u32),
    /// Move the progress bar on every so many milliseconds.
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    animate: Option<u64>,
    /// Write the picture that clients must show to a PPM file, and end.
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
}

/// Writes a line of the log. A log that nobody reads any more is no reason to stop.
macro_rules! say {
    ($($part:tt)*) => {
        writeln!(io::stdout(), $($part)*).unwrap_or_default()
    };
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reference-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    if let Some(path) = &arguments.picture {
        return Ok(write_picture(path, arguments.size)?);
    }
    let host = Host::with(config(&arguments)?, |duration| Box::pin(tokio::time::sleep(duration)), log)?;
    for address in &arguments.listen {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;
        say!("listening on {}", listener.local_addr()?);
        tokio::spawn(accept(host.clone(), listener));
    }
    tokio::signal::ctrl_c().await?;
    say!("interrupted");
    Ok(())
}

fn write_picture(path: &Path, (width, height): (u32, u32)) -> io::Result<()> {
    let mut file = format!("P6\n{width} {height}\n255\n").into_bytes();
    let pixels = Scene::new(width, height).expected(0);
    file.extend(pixels.as_chunks::<4>().0.iter().flat_map(|&[blue, green, red, _]| [red, green, blue]));
    std::fs::write(path, file)
}

fn config(arguments: &Arguments) -> Result<ServerConfig, Box<dyn Error>> {
    let (width, height) = arguments.size;
    let mut config = ServerConfig::default().show(Show::Scene(Scene::new(width, height)));
    config.animation = arguments.animate.map(Duration::from_millis);
    Ok(match password(arguments)? {
        Some(password) => config.password(&password)?,
        None => config,
    })
}

fn password(arguments: &Arguments) -> Result<Option<String>, Box<dyn Error>> {
    let given = match (&arguments.password, &arguments.password_file) {
        (Some(password), _) => Some(password.clone()),
        (None, Some(path)) => {
            let text =
                std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        (None, None) => std::env::var("SPICE_PASSWORD").ok(),
    };
    match given {
        // No client could get in.
        Some(password) if password.is_empty() => Err("the password is empty".into()),
        given => Ok(given),
    }
}

async fn accept(host: Host, listener: TcpListener) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                say!("cannot accept a connection: {error}");
                // Out of file descriptors, most likely: wait until some are free.
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            say!("{peer}: {error}");
        }
        match host.serve(stream.compat(), Security::Plain) {
            Ok(serving) => {
                let number = serving.connection().0;
                say!("connection {number} from {peer}");
                tokio::spawn(async move {
                    if let Err(error) = serving.await {
                        say!("connection {number} broke: {error}");
                    }
                });
            }
            Err(error) => say!("{peer} is turned away: {error}"),
        }
    }
}

fn log(event: &ServerEvent) {
    match event {
        ServerEvent::SessionStarted { session } => say!("session {session:08x} begins"),
        ServerEvent::SessionEnded { session } => say!("session {session:08x} ends"),
        ServerEvent::Opened { connection, channel } => say!("connection {} is {channel}", connection.0),
        ServerEvent::Closed { connection, error: Some(error), .. } => {
            say!("connection {} ends: {error}", connection.0);
        }
        ServerEvent::Closed { connection, .. } => say!("connection {} ends", connection.0),
        _ => {}
    }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').and_then(|(width, height)| width.parse().ok().zip(height.parse().ok()));
    let range = Scene::MIN_SIZE..=Scene::MAX_SIZE;
    sides.filter(|(width, height)| range.contains(width) && range.contains(height)).ok_or_else(|| {
        format!("write WIDTHxHEIGHT, each from {} to {}, such as 1024x768", range.start(), range.end())
    })
}
