//! The values of one series in one block, as few bytes.
//!
//! A column is constant, or a list of numbers divided by their greatest common divisor and lessened by the least of them, or
//! the differences of such numbers, whichever is shorter. Numbers are written with seven bits a byte; zeros with their count.

use super::tier::SLOTS;

/// All values are the same.
const CONSTANT: u8 = 0;
/// Values.
const PLAIN: u8 = 1;
/// Differences to the value before.
const DIFFERENCES: u8 = 2;

/// Bytes that a column of [`SLOTS`] values takes at most: ten for each number, and for the three that describe it.
pub(super) const MOST_BYTES: usize = 1 + (SLOTS + 3) * 10;

/// Reads numbers off a text of bytes; `None` when they end too early or make no sense.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    /// So many bytes.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// One byte.
    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    /// A number of seven bits a byte, the low ones first.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A number that is used as a count or a place.
    pub(super) fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }
}

/// Writes a number of seven bits a byte, the low ones first.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Adds a column, at most [`SLOTS`] values.
pub(super) fn encode(values: &[u64], out: &mut Vec<u8>) {
    let first = values.first().copied().unwrap_or(0);
    if values.iter().all(|value| *value == first) {
        out.push(CONSTANT);
        put_number(out, first);
        return;
    }
    let divisor = values.iter().copied().fold(0, common_divisor);
    let parts = || values.iter().map(|value| value / divisor);
    let least = parts().min().unwrap_or(0);
    let mut plain = Vec::with_capacity(2 * SLOTS);
    put_run(&mut plain, parts().map(|part| part - least));
    let mut differences = Vec::with_capacity(2 * SLOTS);
    let before = std::iter::once(first / divisor).chain(parts());
    put_run(&mut differences, parts().zip(before).skip(1).map(|(part, before)| zigzag(part, before)));
    let shorter = differences.len() < plain.len();
    out.push(if shorter { DIFFERENCES } else { PLAIN });
    put_number(out, divisor);
    put_number(out, if shorter { first / divisor } else { least });
    out.extend_from_slice(if shorter { &differences } else { &plain });
}

/// Reads a column of as many values as the list has places. `None` when it is not one.
pub(super) fn decode(bytes: &[u8], values: &mut [u64]) -> Option<()> {
    let mut bytes = Bytes(bytes);
    let way = bytes.byte()?;
    if way == CONSTANT {
        values.fill(bytes.number()?);
        return Some(());
    }
    let divisor = bytes.number()?;
    let base = bytes.number()?;
    match way {
        PLAIN => take_run(&mut bytes, values)?,
        DIFFERENCES => {
            let (first, others) = values.split_first_mut()?;
            *first = 0;
            take_run(&mut bytes, others)?;
            let mut part = 0_u64;
            for value in others {
                part = part.wrapping_add(unzigzag(*value));
                *value = part;
            }
        }
        _ => return None,
    }
    for value in values {
        // Whatever a damaged file holds gives some number, never an overflow.
        *value = value.wrapping_add(base).wrapping_mul(divisor);
    }
    Some(())
}

/// Writes numbers; a zero is followed by how many more zeros come.
fn put_run(out: &mut Vec<u8>, numbers: impl Iterator<Item = u64>) {
    let mut zeros = 0_u64;
    for number in numbers {
        if number == 0 {
            zeros += 1;
            continue;
        }
        put_zeros(out, &mut zeros);
        put_number(out, number);
    }
    put_zeros(out, &mut zeros);
}

fn put_zeros(out: &mut Vec<u8>, zeros: &mut u64) {
    if *zeros > 0 {
        out.push(0);
        put_number(out, *zeros - 1);
        *zeros = 0;
    }
}

/// Fills the whole list.
fn take_run(bytes: &mut Bytes<'_>, values: &mut [u64]) -> Option<()> {
    let mut place = 0;
    while place < values.len() {
        let number = bytes.number()?;
        if number == 0 {
            let more = bytes.count()?;
            let end = place.checked_add(more)?.checked_add(1)?;
            values.get_mut(place..end)?.fill(0);
            place = end;
        } else {
            values[place] = number;
            place += 1;
        }
    }
    Some(())
}

/// A difference as a number that is small when the difference is small.
fn zigzag(value: u64, before: u64) -> u64 {
    let difference = value.wrapping_sub(before).cast_signed();
    ((difference << 1) ^ (difference >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> u64 {
    (number >> 1) ^ (number & 1).wrapping_neg()
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn there_and_back(values: &[u64]) -> (Vec<u64>, usize) {
        let mut bytes = Vec::new();
        encode(values, &mut bytes);
        assert!(bytes.len() <= MOST_BYTES, "{} bytes", bytes.len());
        let mut read = vec![7; values.len()];
        assert_eq!(decode(&bytes, &mut read), Some(()), "{values:?}");
        (read, bytes.len())
    }

    #[test]
    fn multiples_of_a_page_take_a_byte_each() {
        let values: Vec<u64> = (0..60).map(|slot| 4_120 * (80 + slot * 7 % 23)).collect();
        let (read, bytes) = there_and_back(&values);
        assert_eq!(read, values);
        assert!(bytes <= 66, "{bytes}");
    }

    #[test]
    fn what_does_not_change_takes_a_few_bytes() {
        assert!(there_and_back(&[123_456; 60]).1 <= 4);
        let mut once = [0; 60];
        once[31] = 4_120;
        assert!(there_and_back(&once).1 <= 10);
    }

    proptest! {
        #[test]
        fn every_column_is_read_as_it_was_written(values in proptest::collection::vec(any::<u64>(), 0..=60), unit in 1_u64..5_000) {
            prop_assert_eq!(&there_and_back(&values).0, &values);
            let multiples: Vec<u64> = values.iter().map(|value| value % 1_000 * unit).collect();
            prop_assert_eq!(&there_and_back(&multiples).0, &multiples);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), count in 0_usize..=60) {
            let _ = decode(&bytes, &mut vec![0; count]);
        }

        #[test]
        fn runs_that_lie_do_not_make_it_panic(more in any::<u64>(), way in 0_u8..4) {
            let mut bytes = vec![way, 1, 0, 0];
            put_number(&mut bytes, more);
            let _ = decode(&bytes, &mut [0; 60]);
        }
    }
}
