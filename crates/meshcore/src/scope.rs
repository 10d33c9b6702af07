//! Scopes: regions that a flood is kept in, told by the first transport code (firmware `TransportKeyStore`).

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::channel::name_key;
use crate::frame::{Frame, TransportCodes};
use crate::header::PayloadType;
use crate::seal::{first_two_bytes, keyed_hmac};

/// The key of a public region, which follows from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScopeKey([u8; 16]);

impl ScopeKey {
    /// The first 16 bytes of the SHA-256 of the name with `#`, which is put in front where it is missing.
    pub fn from_name(name: &str) -> ScopeKey {
        ScopeKey(name_key(name))
    }

    /// A key as it is.
    pub const fn from_bytes(bytes: [u8; 16]) -> ScopeKey {
        ScopeKey(bytes)
    }

    /// The key.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The transport code of a packet in this scope: another one for each packet, never 0 or 0xFFFF.
    pub fn code_for(&self, payload_type: PayloadType, payload: &[u8]) -> u16 {
        code(keyed_hmac(&self.0), payload_type, payload)
    }

    /// The transport codes of a packet in this scope, as today's firmware sends them.
    pub fn codes_for(&self, payload_type: PayloadType, payload: &[u8]) -> TransportCodes {
        TransportCodes { scope: self.code_for(payload_type, payload), reserved: 0 }
    }
}

/// Known regions, to tell to which a packet belongs.
///
/// A code has two bytes, so one packet in 65,534 of an unknown region is wrongly taken for a known one; of several that
/// fit, the one added first is meant.
///
/// ```
/// use meshcore::{Frame, FrameBuilder, PayloadBuf, PayloadType, Route, ScopeKey, ScopeSet};
///
/// let scopes = ScopeSet::from_names(["#sfo", "bay"]);
/// let payload = PayloadBuf::new(PayloadType::Ack, vec![1, 2, 3, 4])?;
/// let codes = ScopeKey::from_name("#bay").codes_for(payload.payload_type(), payload.bytes());
/// let frame = FrameBuilder::new(Route::Flood, &payload).transport_codes(codes).frame();
/// assert_eq!(scopes.recognise(&frame), Some("#bay"));
/// # Ok::<(), meshcore::BuildError>(())
/// ```
#[derive(Clone, Default)]
pub struct ScopeSet {
    scopes: Vec<(Box<str>, Hmac<Sha256>)>,
}

impl ScopeSet {
    /// No regions.
    pub const fn new() -> ScopeSet {
        ScopeSet { scopes: Vec::new() }
    }

    /// These regions, in this order; `#` is put in front where it is missing, repeated names count once.
    pub fn from_names<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> ScopeSet {
        let mut set = ScopeSet::new();
        names.into_iter().for_each(|name| set.add(name.as_ref()));
        set
    }

    /// Adds a region, unless it is there.
    pub fn add(&mut self, name: &str) {
        let name = format!("#{}", name.strip_prefix('#').unwrap_or(name));
        if !self.names().any(|known| known == name) {
            let hmac = keyed_hmac(ScopeKey::from_name(&name).bytes());
            self.scopes.push((name.into(), hmac));
        }
    }

    /// The names, with `#`, in the order in which they are tried.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.scopes.iter().map(|(name, _)| &**name)
    }

    /// The name, with `#`, of the region that a packet is kept in; `None` when it has no scope code, the code 0, or one
    /// of an unknown region.
    pub fn recognise(&self, frame: &Frame<'_>) -> Option<&str> {
        let scope = frame.transport_codes().map(|codes| codes.scope).filter(|scope| *scope != 0)?;
        let fits =
            |hmac: &Hmac<Sha256>| code(hmac.clone(), frame.payload_type(), frame.payload_bytes()) == scope;
        self.scopes.iter().find(|(_, hmac)| fits(hmac)).map(|(name, _)| &**name)
    }
}

impl std::fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// The two values that mean something else are moved to their neighbours, as the firmware does.
fn code(hmac: Hmac<Sha256>, payload_type: PayloadType, payload: &[u8]) -> u16 {
    let mac = hmac.chain_update([payload_type.code()]).chain_update(payload);
    u16::from_le_bytes(first_two_bytes(mac)).clamp(1, 0xFFFE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{FrameBuilder, PayloadBuf};
    use crate::header::Route;

    #[test]
    fn a_packet_without_codes_or_with_code_0_is_in_no_scope() {
        let scopes = ScopeSet::from_names(["a", "#a", "b"]);
        assert_eq!(scopes.names().collect::<Vec<_>>(), ["#a", "#b"]);
        let payload = PayloadBuf::new(PayloadType::Ack, vec![1, 2, 3, 4]).unwrap();
        for route in Route::ALL {
            assert_eq!(scopes.recognise(&FrameBuilder::new(route, &payload).frame()), None);
        }
        let codes = ScopeKey::from_name("c").codes_for(payload.payload_type(), payload.bytes());
        let frame = FrameBuilder::new(Route::Direct, &payload).transport_codes(codes).frame();
        assert_eq!((frame.route(), scopes.recognise(&frame)), (Route::TransportDirect, None));
    }

    #[test]
    fn the_code_differs_by_type_and_payload() {
        let key = ScopeKey::from_name("#test");
        assert_eq!(key.bytes()[..4], [0x9c, 0xd8, 0xfc, 0xf2]);
        let codes = [(PayloadType::Ack, 1), (PayloadType::Ack, 2), (PayloadType::Text, 1)]
            .map(|(payload_type, byte)| key.code_for(payload_type, &[byte; 20]));
        assert!(codes[0] != codes[1] && codes[0] != codes[2] && codes[1] != codes[2]);
    }
    #[test]
    fn the_two_values_that_mean_something_else_are_never_a_code() {
        let key = ScopeKey::from_name("#test");
        for (plain, moved) in [(0, 1), (0xFFFF, 0xFFFE)] {
            let is_plain = |payload: &[u8; 4]| {
                let mac = keyed_hmac(key.bytes()).chain_update([3]).chain_update(payload);
                u16::from_le_bytes(first_two_bytes(mac)) == plain
            };
            let payload = (0_u32..).map(u32::to_le_bytes).find(is_plain).unwrap();
            assert_eq!(key.code_for(PayloadType::Ack, &payload), moved);
        }
    }
}
