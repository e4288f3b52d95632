//! Where to connect and with which password: the arguments that all tasks share.

use std::fs;
use std::path::PathBuf;

use spice_client::ClientConfig;

use crate::error::Error;

/// Where to connect; a demo server when nothing is said.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    /// The machine: spice://HOST:PORT or spice+unix:///PATH. Without it, a demo server inside this program.
    pub(crate) address: Option<String>,

    #[command(flatten)]
    secret: Secret,
}

/// Where to connect.
#[derive(Debug, clap::Args)]
pub(crate) struct Machine {
    /// The machine: spice://HOST:PORT or spice+unix:///PATH.
    address: String,

    #[command(flatten)]
    secret: Secret,
}

/// What proves that we may connect.
#[derive(Debug, clap::Args)]
struct Secret {
    /// The password. Other users of this computer can see it in the process list; a file is safer.
    #[arg(long, env = "SPICE_PASSWORD", hide_env_values = true)]
    password: Option<String>,

    /// A file whose first line is the password.
    #[arg(long, conflicts_with = "password")]
    password_file: Option<PathBuf>,
}

impl Target {
    /// The address with its password; `None` for the demo server.
    pub(crate) fn config(&self) -> Result<Option<ClientConfig>, Error> {
        self.address.as_ref().map(|address| self.secret.config(address)).transpose()
    }
}

impl Machine {
    /// The address with its password.
    pub(crate) fn config(&self) -> Result<ClientConfig, Error> {
        self.secret.config(&self.address)
    }
}

impl Secret {
    fn config(&self, address: &str) -> Result<ClientConfig, Error> {
        let config: ClientConfig = address.parse()?;
        Ok(match self.given_password()? {
            Some(password) => config.password(&password)?,
            None => config,
        })
    }

    fn given_password(&self) -> Result<Option<String>, Error> {
        let Some(path) = &self.password_file else { return Ok(self.password.clone()) };
        let text =
            fs::read_to_string(path).map_err(|source| Error::PasswordFile { path: path.clone(), source })?;
        Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
    }
}
