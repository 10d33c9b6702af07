//! ADVERT: a node tells who and where it is, and signs it.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};

use super::app_data::{AppData, AppDataError};
use super::reader::Reader;
use super::{PayloadError, concat};
use crate::key::NodeKey;

/// The most app data an advert can have; the firmware cuts off what is more (`MAX_ADVERT_DATA_SIZE`).
pub const MAX_APP_DATA_BYTES: usize = 32;

/// A node's advert.
///
/// Nothing in it is to be believed before [`Advert::verify`] says so, and then only that the owner of the key said it:
/// times and places are the sender's own and often wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Advert<'a> {
    /// Who.
    pub key: NodeKey,
    /// Unix seconds by the sender's clock, which may be years off.
    pub timestamp: u32,
    /// Ed25519 over key, timestamp and `app_data`.
    pub signature: &'a [u8; 64],
    /// What else it says: 0 to 32 bytes, see [`Advert::app`].
    pub app_data: &'a [u8],
    /// What was sent after the 32 bytes that the firmware takes; neither signed nor read.
    pub ignored: &'a [u8],
}

impl<'a> Advert<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Advert<'a>, PayloadError> {
        let key = NodeKey(*reader.array("key")?);
        let timestamp = reader.u32("timestamp")?;
        let signature = reader.array("signature")?;
        let rest = reader.rest();
        let (app_data, ignored) = rest.split_at(rest.len().min(MAX_APP_DATA_BYTES));
        Ok(Advert { key, timestamp, signature, app_data, ignored })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let timestamp = self.timestamp.to_le_bytes();
        concat(out, &[&self.key.0, &timestamp, self.signature, self.app_data, self.ignored]);
    }

    /// The app data parsed; `None` when there is none.
    pub fn app(&self) -> Option<Result<AppData<'a>, AppDataError>> {
        (!self.app_data.is_empty()).then(|| AppData::parse(self.app_data))
    }

    /// Whether the signature is the key owner's.
    ///
    /// The check is the firmware's (orlp/ed25519): without cofactor, R compared as bytes, keys of small order not
    /// refused. The one difference: `s` must be less than the group order here, which the firmware does not ask.
    /// No signature made by a firmware fails that.
    pub fn verify(&self) -> bool {
        SignedAdvert::of(self).is_some_and(|signed| signed.verify())
    }
}

/// Whether the signature of each advert is its key owner's: the same verdicts as [`Advert::verify`], nearly twice
/// as fast where all are good.
///
/// One bad signature fails its whole batch of up to 32, whose adverts are then checked one by one. The one difference
/// to single checks: someone who has the private key can make a signature that a batch may take and a single check
/// refuses (by adding a point of small order); nobody else can.
///
/// ```
/// use meshcore::{AppData, Identity, Role, Frame, FrameBuilder, Payload, Route, verify_batch};
///
/// let payload = Identity::from_seed(&[7; 32]).advert(1_767_225_600, &AppData::new(Role::Companion))?;
/// let frame = FrameBuilder::new(Route::Flood, &payload).encode();
/// let Payload::Advert(advert) = Frame::parse(&frame)?.payload()? else { return Err("not an advert".into()) };
/// let later = meshcore::Advert { timestamp: advert.timestamp + 1, ..advert };
/// assert_eq!(verify_batch(&[advert, later, advert]), [true, false, true]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn verify_batch(adverts: &[Advert<'_>]) -> Vec<bool> {
    let mut verdicts = vec![false; adverts.len()];
    let mut places = Vec::with_capacity(adverts.len());
    let mut signed = Vec::with_capacity(adverts.len());
    for (place, advert) in adverts.iter().enumerate() {
        if let Some(advert) = SignedAdvert::of(advert) {
            places.push(place);
            signed.push(advert);
        }
    }
    for (places, signed) in places.chunks(MAX_BATCH).zip(signed.chunks(MAX_BATCH)) {
        let all_good = signed.len() >= MIN_BATCH && all_verify(signed);
        for (place, advert) in places.iter().zip(signed) {
            verdicts[*place] = all_good || advert.verify();
        }
    }
    verdicts
}

/// Larger batches gain little and make a bad signature dearer.
const MAX_BATCH: usize = 32;

/// Smaller batches are no cheaper than single checks.
const MIN_BATCH: usize = 4;

fn all_verify(batch: &[SignedAdvert]) -> bool {
    let messages: Vec<&[u8]> = batch.iter().map(SignedAdvert::message).collect();
    let signatures: Vec<Signature> = batch.iter().map(|signed| signed.signature).collect();
    let keys: Vec<VerifyingKey> = batch.iter().map(|signed| signed.key).collect();
    ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok()
}

/// What the signature check needs, with the key decompressed.
struct SignedAdvert {
    key: VerifyingKey,
    signature: Signature,
    message: [u8; MAX_MESSAGE],
    len: usize,
}

const MAX_MESSAGE: usize = 32 + 4 + MAX_APP_DATA_BYTES;

impl SignedAdvert {
    /// `None` when the key is no point of the curve, so nobody can have signed.
    fn of(advert: &Advert<'_>) -> Option<SignedAdvert> {
        let key = VerifyingKey::from_bytes(&advert.key.0).ok()?;
        let (message, len) = signed_message(&advert.key, advert.timestamp, advert.app_data);
        Some(SignedAdvert { key, signature: Signature::from_bytes(advert.signature), message, len })
    }

    fn message(&self) -> &[u8] {
        &self.message[..self.len]
    }

    fn verify(&self) -> bool {
        self.key.verify(self.message(), &self.signature).is_ok()
    }
}

/// What an advert's signature is over, and how long that is. App data is cut as the firmware cuts it.
pub(crate) fn signed_message(key: &NodeKey, timestamp: u32, app_data: &[u8]) -> ([u8; MAX_MESSAGE], usize) {
    let app_data = &app_data[..app_data.len().min(MAX_APP_DATA_BYTES)];
    let mut message = [0; MAX_MESSAGE];
    message[..32].copy_from_slice(&key.0);
    message[32..36].copy_from_slice(&timestamp.to_le_bytes());
    message[36..36 + app_data.len()].copy_from_slice(app_data);
    (message, 36 + app_data.len())
}
