//! A node's own keys: signing, and secrets shared with other nodes.

use std::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use sha2::{Digest, Sha512};

use crate::build::{BuildError, PayloadBuf};
use crate::key::NodeKey;
use crate::payload::{Advert, AnonRequest, AppData, Encrypted, Payload, signed_message};
use crate::plaintext::{Opened, Plaintext};
use crate::seal::SharedSecret;

/// A node as it knows itself.
///
/// ```
/// use meshcore::{Frame, FrameBuilder, Identity, Plaintext, Route, TextContent};
///
/// let (ann, bob) = (Identity::from_seed(&[1; 32]), Identity::from_seed(&[2; 32]));
/// let text = Plaintext::Text(TextContent::plain(1_767_225_600, "hi"));
/// let payload = ann.encrypt(&bob.key(), &text)?;
/// let frame = FrameBuilder::new(Route::Flood, &payload).encode();
///
/// let received = Frame::parse(&frame)?.payload()?;
/// let opened = bob.decrypt(&ann.key(), &received).ok_or("not for Bob")?;
/// assert_eq!(opened.plaintext(), Some(text));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Identity {
    /// The scalar, then what makes signatures unpredictable.
    expanded: [u8; 64],
    public: VerifyingKey,
}

impl Identity {
    /// The identity that a firmware makes of these 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Identity {
        let mut expanded: [u8; 64] = Sha512::digest(seed).into();
        // The firmware stores the clamped form (orlp/ed25519), and both forms make the same public key.
        let scalar = curve25519_dalek::scalar::clamp_integer(first_half(&expanded));
        expanded[..32].copy_from_slice(&scalar);
        Identity::from_expanded(&expanded)
    }

    /// The identity with this private key as a firmware stores and exports it: 64 bytes, of which the first 32 are the
    /// clamped scalar.
    pub fn from_expanded(private: &[u8; 64]) -> Identity {
        let public = VerifyingKey::from(&ExpandedSecretKey::from_bytes(private));
        Identity { expanded: *private, public }
    }

    /// The public key.
    pub fn key(&self) -> NodeKey {
        NodeKey(self.public.to_bytes())
    }

    /// Signs any bytes by Ed25519.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        raw_sign::<Sha512>(&ExpandedSecretKey::from_bytes(&self.expanded), message, &self.public).to_bytes()
    }

    /// What this node and the other alone know; `None` when the other key is no point of the curve.
    pub fn shared_secret(&self, other: &NodeKey) -> Option<SharedSecret> {
        let point = CompressedEdwardsY(other.0).decompress()?;
        let shared = point.to_montgomery().mul_clamped(first_half(&self.expanded));
        Some(SharedSecret::from_bytes(shared.to_bytes()))
    }

    /// An advert of this node, signed.
    ///
    /// # Errors
    /// When the name does not fit (see [`AppData::encode`]).
    pub fn advert(&self, timestamp: u32, app: &AppData<'_>) -> Result<PayloadBuf, BuildError> {
        let (key, app_data) = (self.key(), app.encode()?);
        let (message, len) = signed_message(&key, timestamp, &app_data);
        let signature = &self.sign(&message[..len]);
        Payload::Advert(Advert { key, timestamp, signature, app_data: &app_data, ignored: &[] }).to_buf()
    }

    /// Encrypts for one node.
    ///
    /// # Errors
    /// When the plaintext is too long (see [`Plaintext::encode`]), or the other key is no point of the curve.
    pub fn encrypt(&self, dest: &NodeKey, plaintext: &Plaintext<'_>) -> Result<PayloadBuf, BuildError> {
        let payload_type = plaintext.payload_type();
        let secret = self.shared_secret(dest);
        let secret = secret.ok_or(BuildError::Field { payload_type, field: "destination key" })?;
        let (mac, ciphertext) = secret.seal(&plaintext.encode()?);
        let (ciphertext, key, dest) = (&*ciphertext, self.key(), dest.0[0]);
        let sealed = Encrypted { dest, source: key.0[0], mac, ciphertext };
        let payload = match plaintext {
            Plaintext::Request(_) => Payload::Request(sealed),
            Plaintext::Response(_) => Payload::Response(sealed),
            Plaintext::Text(_) => Payload::Text(sealed),
            Plaintext::PathReturn(_) => Payload::PathReturn(sealed),
            Plaintext::AnonRequest(_) => Payload::AnonRequest(AnonRequest { dest, key, mac, ciphertext }),
        };
        payload.to_buf()
    }

    /// Decrypts what was sent between this node and the other, in either direction; `None` when it was not, or the
    /// payload is not one that is encrypted for one node.
    pub fn decrypt(&self, other: &NodeKey, payload: &Payload<'_>) -> Option<Opened> {
        let (mine, theirs) = (self.key(), *other);
        let is_ours = |a: u8, b: u8| (a, b) == (mine.0[0], theirs.0[0]) || (a, b) == (theirs.0[0], mine.0[0]);
        let (mac, ciphertext) = match payload {
            Payload::Request(sealed)
            | Payload::Response(sealed)
            | Payload::Text(sealed)
            | Payload::PathReturn(sealed) => {
                is_ours(sealed.dest, sealed.source).then_some((sealed.mac, sealed.ciphertext))?
            }
            Payload::AnonRequest(request) => {
                let sent = request.key == mine && request.dest == theirs.0[0];
                let received = request.key == theirs && request.dest == mine.0[0];
                (sent || received).then_some((request.mac, request.ciphertext))?
            }
            _ => return None,
        };
        let plaintext = self.shared_secret(other)?.open(mac, ciphertext)?;
        Some(Opened::new(payload.payload_type(), plaintext))
    }
}

impl fmt::Debug for Identity {
    /// Shows the public key only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.key())
    }
}

fn first_half(bytes: &[u8; 64]) -> [u8; 32] {
    let mut half = [0; 32];
    half.copy_from_slice(&bytes[..32]);
    half
}

#[cfg(test)]
mod tests;
