//! The command line, and files of options.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;

use crate::allow::Rule;
use crate::target::Target;

/// Serves the web client, and bridges its WebSockets to SPICE servers.
#[derive(Debug, Parser)]
#[command(name = "gateway", version)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway until it is told to stop.
    Serve(Serve),
    /// Make a token that opens one server for a while, and print it.
    Token(Token),
}

/// Options of `gateway serve`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub struct Serve {
    /// Where to listen; may be given several times [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Vec<SocketAddr>,
    /// Folder of the page.
    #[arg(long, value_name = "FOLDER")]
    pub web: Option<PathBuf>,
    /// Servers that anybody who reaches this gateway may connect to: `[tls:]HOST:PORT[-PORT]`, where HOST is a name,
    /// *.DOMAIN, an address or a network.
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<Rule>,
    /// A server that anybody may connect to by name: NAME=ADDRESS.
    #[arg(long, value_name = "NAME=ADDRESS")]
    pub target: Vec<String>,
    /// Take tokens that were signed with a key in this file, one key a line.
    #[arg(long, value_name = "FILE")]
    pub token_key: Option<PathBuf>,
    /// Certificate authorities of servers that speak TLS, in PEM.
    #[arg(long, value_name = "FILE")]
    pub upstream_ca: Option<PathBuf>,
    /// Pages that may connect, such as `https://panel.example.org`; may be given several times.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub origin: Vec<String>,
    /// Pages that may show the client in a frame, such as `https://panel.example.org`.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub frame_ancestor: Vec<String>,
    /// Reverse proxies whose X-Forwarded-For is believed, such as 127.0.0.1/32.
    #[arg(long, value_name = "NETWORK")]
    pub trusted_proxy: Vec<IpNet>,
    /// Certificate chain of the gateway itself, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Key of the gateway's certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// WebSockets at most; a session has four to ten.
    #[arg(long, value_name = "COUNT", default_value_t = 4096)]
    pub max_connections: usize,
    /// WebSockets from one client address at most.
    #[arg(long, value_name = "COUNT", default_value_t = 256)]
    pub max_per_client: usize,
    /// End a session on which nothing was sent for so long; 0 never does.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub idle_timeout: u64,
    /// Give up connecting to a server after so long.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub connect_timeout: u64,
    /// When told to stop, say so under /health for so long and go on until then.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub drain: u64,
    /// Where to serve /metrics, such as 127.0.0.1:9100.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Read options from a TOML file, with the names of these options as keys. The command line comes after it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Options of `gateway token`.
#[derive(Debug, Args)]
pub struct Token {
    /// The file with the key; the first line signs.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Seconds in which connections may be opened.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub expires: u64,
    /// Certificate authorities of the server, in PEM, to be put into the token.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The server: `spice://HOST:PORT`, `spice+tls://HOST:PORT[?name=NAME][&subject=SUBJECT]` or `spice+unix:///PATH`.
    pub address: Target,
}

/// Why a file of options cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the options in {0}: {1}")]
pub struct ConfigError(PathBuf, String);

impl Options {
    /// Reads a command line, and the file that it names.
    ///
    /// # Errors
    /// [`ConfigError`] when that file cannot be read. Wrong options end the process with a message.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ConfigError> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let options = Self::parse_from(&arguments);
        let Command::Serve(Serve { config: Some(path), .. }) = &options.command else { return Ok(options) };
        // The program and `serve`, then the file's options, then those of the command line.
        let mut all: Vec<OsString> = arguments.iter().take(2).cloned().collect();
        all.extend(from_file(path)?);
        all.extend(arguments.into_iter().skip(2));
        Ok(Self::parse_from(all))
    }
}

/// The options in a file as they would stand on a command line.
fn from_file(path: &Path) -> Result<Vec<OsString>, ConfigError> {
    let error = |reason: String| ConfigError(path.into(), reason);
    let text = fs::read_to_string(path).map_err(|reason| error(reason.to_string()))?;
    let table: toml::Table = text.parse().map_err(|reason: toml::de::Error| error(reason.to_string()))?;
    let mut arguments = Vec::new();
    for (key, value) in table {
        let values = match value {
            toml::Value::Array(values) => values,
            value => vec![value],
        };
        for value in values {
            let value = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                _ => return Err(error(format!("{key} has to be a text, a number or a list of them"))),
            };
            arguments.push(format!("--{key}={value}").into());
        }
    }
    Ok(arguments)
}

fn origin(text: &str) -> Result<String, String> {
    let (scheme, authority) = text.split_once("://").ok_or("write SCHEME://HOST[:PORT]")?;
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']' | '*' | '_');
    let authority = authority.trim_end_matches('/');
    if !matches!(scheme, "http" | "https") || authority.is_empty() || !authority.chars().all(fine) {
        return Err("write http://HOST[:PORT] or https://HOST[:PORT], without a path".into());
    }
    Ok(format!("{scheme}://{authority}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_before_the_command_line() {
        let path = std::env::temp_dir().join(format!("gateway-options-{}.toml", std::process::id()));
        fs::write(&path, "allow = [\"vm:1\", \"tls:vm:2\"]\nmax-connections = 7\nmax-per-client = 3\n")
            .unwrap();
        let mut line: Vec<OsString> =
            ["gateway", "serve", "--max-connections", "9", "--config"].map(Into::into).into();
        line.push(path.clone().into());
        let options = Options::read(line);
        fs::remove_file(&path).unwrap();
        let Command::Serve(serve) = options.unwrap().command else { panic!("not serve") };
        assert_eq!((serve.allow.len(), serve.max_connections, serve.max_per_client), (2, 9, 3));
    }

    #[test]
    fn origins_have_no_path() {
        assert_eq!(origin("https://panel.example.org/").as_deref(), Ok("https://panel.example.org"));
        for text in ["panel", "ftp://a", "https://", "https://a/b", "https://a; script-src *", "https://a b"]
        {
            assert!(origin(text).is_err(), "{text}");
        }
    }
}
