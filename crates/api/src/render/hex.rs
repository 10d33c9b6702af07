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
    let mut text = Vec::with_capacity(bytes.len() * 2);
    text.extend(bytes.iter().flat_map(|byte| [byte >> 4, byte & 15].map(|digit| digits[usize::from(digit)])));
    String::from_utf8(text).expect("digits are ASCII")
}
