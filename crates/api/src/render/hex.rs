//! Bytes as hex text.

/// Capitals, as frames and hops are shown.
pub(crate) fn upper(bytes: &[u8]) -> String {
    encode(bytes, b"0123456789ABCDEF")
}

/// Small letters, as keys and the fields of payloads are shown.
pub(crate) fn lower(bytes: &[u8]) -> String {
    encode(bytes, b"0123456789abcdef")
}

fn encode(bytes: &[u8], digits: &[u8; 16]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(digits[usize::from(byte >> 4)]));
        text.push(char::from(digits[usize::from(byte & 15)]));
    }
    text
}
