//! The encryption that all encrypted payloads share: AES-128-ECB and two bytes of HMAC-SHA256 (firmware `Utils.cpp`).

use std::fmt;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// AES works on blocks of this many bytes, and the last one is filled up with zeros.
pub(crate) const BLOCK_BYTES: usize = 16;

/// What two nodes know and nobody else: X25519 of their identities. See [`crate::Identity::shared_secret`].
#[derive(Clone, PartialEq, Eq)]
pub struct SharedSecret([u8; 32]);

impl SharedSecret {
    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> SharedSecret {
        SharedSecret(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Encrypts: the MAC, and whole blocks of ciphertext.
    pub fn seal(&self, plaintext: &[u8]) -> ([u8; 2], Vec<u8>) {
        Cipher::new(&self.0).seal(plaintext)
    }

    /// Decrypts; `None` when the MAC does not fit or the ciphertext is not one or more whole blocks. The plaintext has
    /// zeros at its end, since its length is not sent.
    pub fn open(&self, mac: [u8; 2], ciphertext: &[u8]) -> Option<Vec<u8>> {
        Cipher::new(&self.0).open(mac, ciphertext)
    }
}

impl fmt::Debug for SharedSecret {
    /// Does not show the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

/// A secret of 32 bytes, with the work done that is the same for every packet.
#[derive(Clone)]
pub(crate) struct Cipher {
    /// Takes all 32 bytes.
    mac: Hmac<Sha256>,
    /// Takes the first 16.
    aes: Aes128,
}

impl Cipher {
    pub(crate) fn new(secret: &[u8; 32]) -> Cipher {
        let mut aes_key = [0; 16];
        aes_key.copy_from_slice(&secret[..16]);
        Cipher { mac: keyed_hmac(secret), aes: Aes128::new(&Array::from(aes_key)) }
    }

    pub(crate) fn seal(&self, plaintext: &[u8]) -> ([u8; 2], Vec<u8>) {
        let mut text = plaintext.to_vec();
        text.resize(plaintext.len().next_multiple_of(BLOCK_BYTES), 0);
        for block in text.as_chunks_mut::<BLOCK_BYTES>().0 {
            self.aes.encrypt_block(block.into());
        }
        (self.mac_of(&text), text)
    }

    /// Tests the MAC before it decrypts, since the wrong key is the common case.
    pub(crate) fn open(&self, mac: [u8; 2], ciphertext: &[u8]) -> Option<Vec<u8>> {
        let is_whole = !ciphertext.is_empty() && ciphertext.len().is_multiple_of(BLOCK_BYTES);
        (is_whole && self.mac_of(ciphertext) == mac).then(|| self.decrypt(ciphertext)).flatten()
    }

    /// Decrypts what is known to be of this secret: the MAC takes several times as long as all else.
    pub(crate) fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK_BYTES) {
            return None;
        }
        let mut text = ciphertext.to_vec();
        for block in text.as_chunks_mut::<BLOCK_BYTES>().0 {
            self.aes.decrypt_block(block.into());
        }
        Some(text)
    }

    fn mac_of(&self, ciphertext: &[u8]) -> [u8; 2] {
        first_two_bytes(self.mac.clone().chain_update(ciphertext))
    }
}

/// HMAC-SHA256 with its key taken in.
pub(crate) fn keyed_hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("an HMAC takes a key of any length")
}

pub(crate) fn first_two_bytes(mac: Hmac<Sha256>) -> [u8; 2] {
    let bytes = mac.finalize().into_bytes();
    [bytes[0], bytes[1]]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_whole_blocks_are_opened() {
        let secret = SharedSecret::from_bytes([5; 32]);
        let (mac, text) = secret.seal(b"seventeen letters");
        assert_eq!(text.len(), 32);
        assert_eq!(secret.open(mac, &text).unwrap()[..17], *b"seventeen letters");
        assert_eq!(secret.open(secret_mac(&secret, &text[..31]), &text[..31]), None);
        assert_eq!(secret.open(secret_mac(&secret, &[]), &[]), None);
    }

    fn secret_mac(secret: &SharedSecret, text: &[u8]) -> [u8; 2] {
        Cipher::new(secret.as_bytes()).mac_of(text)
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_to_the_same_and_only_with_its_mac(
            secret: [u8; 32], plain in proptest::collection::vec(any::<u8>(), 1..170), flip in 0_u32..16,
        ) {
            let secret = SharedSecret::from_bytes(secret);
            let (mac, text) = secret.seal(&plain);
            let opened = secret.open(mac, &text).unwrap();
            prop_assert_eq!(&opened[..plain.len()], &plain[..]);
            prop_assert!(opened[plain.len()..].iter().all(|byte| *byte == 0));
            let wrong = (u16::from_le_bytes(mac) ^ 1 << flip).to_le_bytes();
            prop_assert_eq!(secret.open(wrong, &text), None);
        }
    }
}
