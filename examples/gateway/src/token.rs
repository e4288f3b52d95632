//! Signed tokens that name one server for a while: how a panel lets its users reach machines.
//!
//! A token is `PAYLOAD.SIGNATURE`, both in base64url without padding. The payload is a JSON object, see [`Claims`]; the
//! signature is HMAC-SHA256 over the payload's base64url text. The payload is signed, not hidden: it holds no password.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::target::{Place, Target, TlsTarget};

/// What a token says. Either `host` and `port`, or `unix`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Seconds since 1970 after which no connection may be opened. Those that are open stay.
    pub exp: u64,
    /// Name or address of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Path of its unix socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unix: Option<PathBuf>,
    /// Whether to speak TLS with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls: bool,
    /// See [`TlsTarget::name`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// See [`TlsTarget::subject`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// See [`TlsTarget::ca`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

/// Keys shared with whoever makes tokens. The first one signs; each of them is good for checking, so that keys can be
/// changed without a moment in which valid tokens are refused.
#[derive(Clone)]
pub struct Keys(Vec<Hmac<Sha256>>);

/// Why a token does not open a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not of the form above, or the signature is of another key.
    #[error("The token is not valid; open the machine from the panel again.")]
    Invalid,
    /// Its time is over.
    #[error("The token has expired; open the machine from the panel again.")]
    Expired,
    /// There is no key to check it with.
    #[error("This gateway takes no tokens; its administrator has to set a token key.")]
    NotTaken,
}

/// Why a file holds no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It could not be read.
    #[error("the token key file {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// A key is too short to be safe.
    #[error(
        "the token key file {0}, line {1}: a key has at least {KEY_LENGTH} characters; make one with: openssl rand -hex 32"
    )]
    Short(PathBuf, usize),
    /// There is no key at all.
    #[error(
        "the token key file {0} is empty; write a key into it, such as the output of: openssl rand -hex 32"
    )]
    Empty(PathBuf),
}

impl Claims {
    /// Claims for a server, valid for so long from now.
    pub fn new(target: &Target, valid: Duration) -> Self {
        let (host, port, unix) = match &target.place {
            Place::Tcp { host, port } => (Some(host.clone()), Some(*port), None),
            Place::Unix(path) => (None, None, Some(path.clone())),
        };
        let tls = target.tls.clone();
        let is_tls = tls.is_some();
        let TlsTarget { name, subject, ca } = tls.unwrap_or_default();
        let exp = now().saturating_add(valid.as_secs());
        Self { exp, host, port, unix, tls: is_tls, name, subject, ca }
    }

    fn target(self) -> Option<Target> {
        let place = match (self.host, self.port, self.unix) {
            (Some(host), Some(port), None) => Place::Tcp { host, port },
            (None, None, Some(path)) => Place::Unix(path),
            _ => return None,
        };
        let tls = TlsTarget { name: self.name, subject: self.subject, ca: self.ca };
        if !self.tls && tls != TlsTarget::default() {
            // Whoever asks for a check of the certificate wants TLS.
            return None;
        }
        Some(Target { place, tls: self.tls.then_some(tls) })
    }
}

impl Keys {
    /// Reads keys from a file, one a line.
    ///
    /// # Errors
    /// [`KeyError`] when the file cannot be read, or a key is too short, or there is none.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = std::fs::read_to_string(path).map_err(|error| KeyError::File(path.into(), error))?;
        let mut keys = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            let key = Hmac::new_from_slice(line.as_bytes()).ok().filter(|_| line.len() >= KEY_LENGTH);
            keys.push(key.ok_or_else(|| KeyError::Short(path.into(), index + 1))?);
        }
        if keys.is_empty() { Err(KeyError::Empty(path.into())) } else { Ok(Self(keys)) }
    }

    /// Makes a token.
    pub fn sign(&self, claims: &Claims) -> String {
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).unwrap_or_default());
        let signature = self.0.first().map(|key| key.clone().chain_update(&payload).finalize().into_bytes());
        format!("{payload}.{}", URL_SAFE_NO_PAD.encode(signature.unwrap_or_default()))
    }

    /// The server that a token names.
    ///
    /// # Errors
    /// [`TokenError`] unless one of the keys signed the token and its time is not over.
    pub fn check(&self, token: &str) -> Result<Target, TokenError> {
        self.check_at(token, now())
    }

    fn check_at(&self, token: &str, now: u64) -> Result<Target, TokenError> {
        let (payload, signature) = token.split_once('.').ok_or(TokenError::Invalid)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Invalid)?;
        let signed = |key: &Hmac<Sha256>| key.clone().chain_update(payload).verify_slice(&signature).is_ok();
        if !self.0.iter().any(signed) {
            return Err(TokenError::Invalid);
        }
        // From here on the bytes are the panel's.
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| TokenError::Invalid)?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| TokenError::Invalid)?;
        if now >= claims.exp {
            return Err(TokenError::Expired);
        }
        claims.target().ok_or(TokenError::Invalid)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// Characters of a key at least.
const KEY_LENGTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(texts: &[&str]) -> Keys {
        Keys(texts.iter().map(|text| Hmac::new_from_slice(text.as_bytes()).unwrap()).collect())
    }

    #[test]
    fn a_signed_token_names_its_server() {
        let keys = keys(&["one"]);
        for text in ["spice://vm:5900", "spice+unix:///run/vm", "spice+tls://vm:1?name=a&subject=CN=b"] {
            let target: Target = text.parse().unwrap();
            let token = keys.sign(&Claims::new(&target, Duration::from_secs(60)));
            assert_eq!(keys.check(&token), Ok(target));
        }
    }

    #[test]
    fn the_documented_example_is_valid() {
        // Made with a shell and openssl, as the README shows.
        let token = "eyJleHAiOjIwMDAwMDAwMDAsImhvc3QiOiJ2bSIsInBvcnQiOjU5MDB9.ved0NqDrYYtj3Hy0JuV0qpscB2YKR8Bb8fOrkQTUL3s";
        assert_eq!(
            keys(&["0123456789abcdef0123456789abcdef"]).check_at(token, 0),
            Ok(Target::tcp("vm", 5900))
        );
    }

    #[test]
    fn keys_change_without_a_gap() {
        let token = keys(&["old"]).sign(&Claims::new(&Target::tcp("vm", 1), Duration::from_secs(60)));
        assert!(keys(&["new", "old"]).check(&token).is_ok());
        assert_eq!(keys(&["new"]).check(&token), Err(TokenError::Invalid));
    }

    #[test]
    fn time_runs_out() {
        let keys = keys(&["one"]);
        let claims = Claims { exp: 100, ..Claims::new(&Target::tcp("vm", 1), Duration::ZERO) };
        let token = keys.sign(&claims);
        assert!(keys.check_at(&token, 99).is_ok());
        assert_eq!(keys.check_at(&token, 100), Err(TokenError::Expired));
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let keys = keys(&["one"]);
        let token = keys.sign(&Claims::new(&Target::tcp("vm", 1), Duration::from_secs(60)));
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            // The last character carries bits that no byte uses; strict base64 refuses those too.
            assert_eq!(keys.check(&changed), Err(TokenError::Invalid), "{at}");
        }
        for text in ["", ".", "a.b", &token[..token.len() - 1], &format!("{token}.x")] {
            assert_eq!(keys.check(text), Err(TokenError::Invalid), "{text}");
        }
    }

    #[test]
    fn claims_that_contradict_themselves_are_refused() {
        let keys = keys(&["one"]);
        let good = Claims::new(&Target::tcp("vm", 1), Duration::from_secs(60));
        let bad = [
            Claims { port: None, ..good.clone() },
            Claims { unix: Some("/run/vm".into()), ..good.clone() },
            Claims { subject: Some("CN=vm".into()), ..good.clone() },
        ];
        for claims in bad {
            assert_eq!(keys.check(&keys.sign(&claims)), Err(TokenError::Invalid), "{claims:?}");
        }
    }
}
