//! Tickets: a password, sealed with the key of one link.
//!
//! The scheme is RSAES-OAEP with SHA-1 for hash and mask, an empty label and a key of 1024 bits. The library that
//! computes it has an open advisory on timing (RUSTSEC-2023-0071) that concerns operations with the private key.
//! A client has none. A server must make a new key for each link, which the types here ask for: [`TicketKey`] is
//! consumed by opening one ticket, so that an attacker gets one measurement per key. TLS is better protection.

use alloc::vec::Vec;
use core::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Oaep, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::link::LinkError;

/// Length of the public key in the link reply in bytes.
pub const PUB_KEY_LEN: usize = 162;
/// Length of a ticket in bytes.
pub const TICKET_LEN: usize = MODULUS_LEN;

/// An RSA key of 1024 bits as DER `SubjectPublicKeyInfo`. Wire: `RedLinkReply.pub_key`.
pub type PubKey = [u8; PUB_KEY_LEN];

/// An encrypted password. Wire: client → server, behind the mechanism word.
pub type Ticket = [u8; TICKET_LEN];

/// A password, as bytes; UTF-8 in practice. Erased from memory when dropped and never printed.
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// Longest password in bytes.
    ///
    /// Server 0.15.1 accepts a 60-byte password and silently keeps its first 59 bytes, so 59 is the longest that
    /// works everywhere.
    pub const MAX_LEN: usize = 60;

    /// Keeps a copy of `bytes`, which may be empty: an empty password opens a server that asks for none.
    ///
    /// # Errors
    /// When the password is longer than [`MAX_LEN`](Self::MAX_LEN), or contains a NUL byte, behind which servers
    /// would ignore everything.
    pub fn new(bytes: &[u8]) -> Result<Self, PasswordError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(PasswordError::TooLong { len: bytes.len() });
        }
        match bytes.iter().position(|&byte| byte == 0) {
            Some(at) => Err(PasswordError::Nul { at }),
            None => Ok(Self(Zeroizing::new(bytes.to_vec()))),
        }
    }

    /// The password of no bytes.
    pub fn empty() -> Self {
        Self(Zeroizing::new(Vec::new()))
    }

    /// Whether the password has no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Encrypts the password for the holder of `key`.
    ///
    /// # Errors
    /// [`LinkError::BadKey`] when `key` does not have the one form that the protocol has.
    pub fn seal(&self, key: &PubKey, entropy: Entropy) -> Result<Ticket, LinkError> {
        let key = public_key(key).ok_or(LinkError::BadKey)?;
        let mut plain = Zeroizing::new(Vec::with_capacity(self.0.len() + 1));
        plain.extend_from_slice(&self.0);
        plain.push(0);
        let sealed = key.encrypt(&mut entropy.into_rng(), Oaep::new::<Sha1>(), &plain);
        sealed.ok().and_then(|sealed| sealed.try_into().ok()).ok_or(LinkError::BadKey)
    }

    /// Whether `ticket` holds this password; takes the same time for every ticket content of one length.
    ///
    /// An empty password matches nothing, because servers treat it as "not set".
    pub(super) fn matches(&self, ticket: &OpenedTicket) -> bool {
        let (mut ours, mut theirs) = (Zeroizing::new([0; PADDED_LEN]), Zeroizing::new([0; PADDED_LEN]));
        let fits = fill(&mut ours, &self.0) & fill(&mut theirs, &ticket.plain);
        let same = ours.ct_eq(&*theirs) & (self.0.len() as u64).ct_eq(&(ticket.plain.len() as u64));
        (fits & same & ticket.intact & !Choice::from(u8::from(self.is_empty()))).into()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A password that the protocol cannot carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Longer than [`Password::MAX_LEN`].
    #[error(
        "the password has {len} bytes, SPICE passwords have at most {} (59 on servers up to 0.15.1)",
        Password::MAX_LEN
    )]
    TooLong {
        /// Length in bytes.
        len: usize,
    },
    /// A NUL byte inside.
    #[error("the password contains a NUL byte at position {at}")]
    Nul {
        /// Index of the first one.
        at: usize,
    },
}

/// 32 random bytes from the caller's secure source, for one operation.
///
/// Consumed by the operation and erased afterwards. Never give the same bytes twice: two tickets made from the same
/// bytes would be equal, and so tell that the passwords are.
pub struct Entropy(Zeroizing<[u8; 32]>);

impl Entropy {
    /// Wraps fresh random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    fn into_rng(self) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(*self.0)
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(..)")
    }
}

/// A server's private key for one link. Erased from memory when dropped and never printed.
pub struct TicketKey(RsaPrivateKey);

impl TicketKey {
    /// Makes a new key. Takes tens of milliseconds: keep it off the task that moves bytes.
    ///
    /// # Errors
    /// [`LinkError::BadKey`] when no key comes of it, which does not happen with bytes that are random.
    pub fn generate(entropy: Entropy) -> Result<Self, LinkError> {
        RsaPrivateKey::new(&mut entropy.into_rng(), MODULUS_LEN * 8)
            .map_err(|_| LinkError::BadKey)
            .and_then(Self::checked)
    }

    /// Reads an RSA key of 1024 bits and exponent 65537 from PKCS#8 DER.
    ///
    /// # Errors
    /// [`LinkError::BadKey`] when it is something else.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, LinkError> {
        RsaPrivateKey::from_pkcs8_der(der).map_err(|_| LinkError::BadKey).and_then(Self::checked)
    }

    /// The public half, as it stands in the link reply.
    pub fn pub_key(&self) -> PubKey {
        let mut key = [0; PUB_KEY_LEN];
        let (prefix, rest) = key.split_at_mut(KEY_PREFIX.len());
        let (modulus, exponent) = rest.split_at_mut(MODULUS_LEN);
        prefix.copy_from_slice(&KEY_PREFIX);
        // INVARIANT: checked() made sure of the length.
        modulus.copy_from_slice(&self.0.n().to_bytes_be());
        exponent.copy_from_slice(&KEY_EXPONENT);
        key
    }

    /// Decrypts a ticket. A ticket that cannot be decrypted gives a value all the same, which matches nothing.
    pub(super) fn open(self, ticket: &[u8], entropy: Entropy) -> OpenedTicket {
        let opened = self.0.decrypt_blinded(&mut entropy.into_rng(), Oaep::new::<Sha1>(), ticket);
        let intact = Choice::from(u8::from(opened.is_ok()));
        let mut plain = Zeroizing::new(opened.unwrap_or_default());
        if let Some(end) = plain.iter().position(|&byte| byte == 0) {
            plain.truncate(end);
        }
        OpenedTicket { plain, intact }
    }

    fn checked(key: RsaPrivateKey) -> Result<Self, LinkError> {
        let this = Self(key);
        let fits = this.0.n().bits() == MODULUS_LEN * 8 && this.0.e() == &BigUint::from(65537u32);
        if fits { Ok(this) } else { Err(LinkError::BadKey) }
    }
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketKey(..)")
    }
}

/// What was in a ticket.
pub(super) struct OpenedTicket {
    /// The bytes in front of the first NUL.
    plain: Zeroizing<Vec<u8>>,
    intact: Choice,
}

impl OpenedTicket {
    /// Whether the ticket could be decrypted.
    pub(super) fn is_intact(&self) -> bool {
        self.intact.into()
    }
}

/// Reads the one form of key that the protocol has.
fn public_key(key: &PubKey) -> Option<RsaPublicKey> {
    let modulus = key.strip_prefix(&KEY_PREFIX)?.strip_suffix(&KEY_EXPONENT)?;
    // The top bit makes it 1024 bits, and a product of two odd primes is odd.
    if modulus.first()? & 0x80 == 0 || modulus.last()? & 1 == 0 {
        return None;
    }
    RsaPublicKey::new(BigUint::from_bytes_be(modulus), BigUint::from(65537u32)).ok()
}

/// Copies `bytes` to the front of `padded`, as far as they fit, and says whether they do.
fn fill(padded: &mut [u8; PADDED_LEN], bytes: &[u8]) -> Choice {
    padded.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    Choice::from(u8::from(bytes.len() <= PADDED_LEN))
}

const MODULUS_LEN: usize = 128;
/// Room for the longest password; longer tickets match nothing.
const PADDED_LEN: usize = 64;
/// DER of the algorithm, and of the beginning of the key up to the modulus.
const KEY_PREFIX: [u8; 29] = [
    0x30, 0x81, 0x9f, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
    0x00, 0x03, 0x81, 0x8d, 0x00, 0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00,
];
/// DER of the exponent 65537.
const KEY_EXPONENT: [u8; 5] = [2, 3, 1, 0, 1];
