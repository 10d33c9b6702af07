//! The hash of a node in a path, as a number.

/// One to three bytes: their number in the highest byte, then the bytes from the left, so that tokens sort by size and
/// within a size as keys do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Token(u32);

impl Token {
    /// Of the hop of a path, which has one to three bytes.
    pub(crate) fn new(hop: &[u8]) -> Self {
        let byte = |place: usize| u32::from(hop.get(place).copied().unwrap_or(0));
        Self((hop.len().min(3) as u32) << 24 | byte(0) << 16 | byte(1) << 8 | byte(2))
    }

    pub(crate) fn size(self) -> usize {
        (self.0 >> 24) as usize
    }

    /// The bytes, of which the first [`Self::size`] count.
    pub(crate) fn bytes(self) -> [u8; 3] {
        let [_, bytes @ ..] = self.0.to_be_bytes();
        bytes
    }

    /// The bytes that count.
    pub(crate) fn to_vec(self) -> Vec<u8> {
        self.bytes()[..self.size()].to_vec()
    }

    /// The only byte of a hash of one byte.
    pub(crate) fn single(self) -> Option<u8> {
        (self.size() == 1).then(|| self.bytes()[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_its_bytes_back_and_sorts_by_size_then_bytes() {
        for hop in [&[0xAB][..], &[0], &[1, 2], &[0xFF, 0xFF, 0xFF]] {
            assert_eq!(Token::new(hop).to_vec(), hop);
        }
        assert!(Token::new(&[0xFF]) < Token::new(&[0, 1]));
        assert!(Token::new(&[1, 0xFF]) < Token::new(&[2, 0]));
        assert_eq!((Token::new(&[7]).single(), Token::new(&[7, 0]).single()), (Some(7), None));
    }
}
