//! Hex text, both ways, without a dependency.

use std::fmt;

/// Decodes exactly `out.len() * 2` hex digits of either case; `false` when the text is anything else.
pub(crate) fn decode_exact(digits: &[u8], out: &mut [u8]) -> bool {
    digits.len() == out.len() * 2 && decode_pairs(digits, |i, byte| out[i] = byte)
}

/// Decodes hex digits of either case into bytes; `None` when the count is odd or a digit is not one.
///
/// ```
/// assert_eq!(meshcore::decode_hex("1a2B"), Some(vec![0x1a, 0x2b]));
/// assert_eq!(meshcore::decode_hex("1a2"), None);
/// ```
pub fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let mut out = vec![0; digits.len() / 2];
    decode_exact(digits, &mut out).then_some(out)
}

/// Bytes that show themselves as hex digits: `{:x}` lower case, `{:X}` upper case.
///
/// ```
/// assert_eq!(format!("{:X}", meshcore::Hex(&[0x0a, 0xff])), "0AFF");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hex<'a>(pub &'a [u8]);

impl Hex<'_> {
    /// As `{:X}` shows them, several times quicker for the hundred thousands of texts that a filter looks through.
    ///
    /// ```
    /// assert_eq!(meshcore::Hex(&[0x09, 0xa0, 0xff]).to_upper(), "09A0FF");
    /// ```
    pub fn to_upper(self) -> String {
        let mut digits = vec![0; 2 * self.0.len()];
        put_digits(self.0, b'A', &mut digits);
        String::from_utf8(digits).unwrap_or_default()
    }
}

impl fmt::LowerHex for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_digits(self.0, b'a', f)
    }
}

impl fmt::UpperHex for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_digits(self.0, b'A', f)
    }
}

/// Goes through a small buffer, since one `write!` a byte is several times slower and hashes are shown by the thousand.
fn write_digits(bytes: &[u8], ten: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut buffer = [0; 64];
    for chunk in bytes.chunks(buffer.len() / 2) {
        put_digits(chunk, ten, &mut buffer);
        f.write_str(std::str::from_utf8(&buffer[..2 * chunk.len()]).unwrap_or_default())?;
    }
    Ok(())
}

/// Digits are reckoned and not looked up, which a processor does for many at once. `ten` is the digit ten.
fn put_digits(bytes: &[u8], ten: u8, digits: &mut [u8]) {
    let digit = |value: u8| value + if value < 10 { b'0' } else { ten - 10 };
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        (pair[0], pair[1]) = (digit(byte >> 4), digit(byte & 15));
    }
}

fn decode_pairs(digits: &[u8], mut put: impl FnMut(usize, u8)) -> bool {
    for (i, pair) in digits.chunks_exact(2).enumerate() {
        let (high, low) = (NIBBLE[pair[0] as usize], NIBBLE[pair[1] as usize]);
        if (high | low) & NOT_HEX != 0 {
            return false;
        }
        put(i, high << 4 | low);
    }
    true
}

const NOT_HEX: u8 = 0x80;

/// The value of each ASCII hex digit; [`NOT_HEX`] for every other byte.
const NIBBLE: [u8; 256] = {
    let mut table = [NOT_HEX; 256];
    let mut i = 0;
    while i < 10 {
        table[b'0' as usize + i] = i as u8;
        i += 1;
    }
    i = 0;
    while i < 6 {
        table[b'a' as usize + i] = 10 + i as u8;
        table[b'A' as usize + i] = 10 + i as u8;
        i += 1;
    }
    table
};
