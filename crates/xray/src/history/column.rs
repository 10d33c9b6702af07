//! The values of one series in one block, as few bytes.
//!
//! A column is constant, or a list of numbers divided by their greatest common divisor and lessened by the least of them, or
//! the differences of such numbers. The numbers are written with seven bits a byte and zeros with their count, or all with as
//! many bits as the greatest needs. Of these four the shortest is taken: runs suit what happens now and then, bits what goes
//! up and down by chance, which no packer can make smaller.

use super::tier::SLOTS;

/// All values are the same.
const CONSTANT: u8 = 0;
/// Values.
const PLAIN: u8 = 1;
/// Differences to the value before.
const DIFFERENCES: u8 = 2;
/// Values, all with the same number of bits.
const PLAIN_BITS: u8 = 3;
/// Differences, all with the same number of bits.
const DIFFERENCES_BITS: u8 = 4;

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
    let parts: Vec<u64> = values.iter().map(|value| value / divisor).collect();
    let least = parts.iter().copied().min().unwrap_or(0);
    let plain: Vec<u64> = parts.iter().map(|part| part - least).collect();
    let differences: Vec<u64> = parts.windows(2).map(|pair| zigzag(pair[1], pair[0])).collect();
    let ways = [
        (PLAIN, run(&plain)),
        (DIFFERENCES, run(&differences)),
        (PLAIN_BITS, bits(&plain)),
        (DIFFERENCES_BITS, bits(&differences)),
    ];
    // The first of equals, so that columns that are alike are written alike.
    let Some((way, numbers)) = ways.into_iter().min_by_key(|(_, numbers)| numbers.len()) else { return };
    out.push(way);
    put_number(out, divisor);
    put_number(out, if matches!(way, PLAIN | PLAIN_BITS) { least } else { parts[0] });
    out.extend(numbers);
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
    let take = if matches!(way, PLAIN_BITS | DIFFERENCES_BITS) { take_bits } else { take_run };
    match way {
        PLAIN | PLAIN_BITS => take(&mut bytes, values)?,
        DIFFERENCES | DIFFERENCES_BITS => {
            let (first, others) = values.split_first_mut()?;
            *first = 0;
            take(&mut bytes, others)?;
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

/// Numbers of seven bits a byte; a zero is followed by how many more zeros come.
fn run(numbers: &[u64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * SLOTS);
    let mut zeros = 0_u64;
    for number in numbers {
        if *number == 0 {
            zeros += 1;
            continue;
        }
        put_zeros(&mut out, &mut zeros);
        put_number(&mut out, *number);
    }
    put_zeros(&mut out, &mut zeros);
    out
}

/// Numbers of as many bits as the greatest needs, the low ones first; before them how many.
fn bits(numbers: &[u64]) -> Vec<u8> {
    let width = u64::BITS - numbers.iter().fold(0, |all, number| all | number).leading_zeros();
    let mut out = vec![width as u8];
    let (mut waiting, mut count) = (0_u128, 0);
    for number in numbers {
        waiting |= u128::from(*number) << count;
        count += width;
        while count >= 8 {
            out.push(waiting as u8);
            waiting >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        out.push(waiting as u8);
    }
    out
}

/// Fills the whole list.
fn take_bits(bytes: &mut Bytes<'_>, values: &mut [u64]) -> Option<()> {
    let width = u32::from(bytes.byte()?);
    let mask = u64::MAX.checked_shr(u64::BITS.checked_sub(width)?).unwrap_or(0);
    let (mut waiting, mut count) = (0_u128, 0);
    for value in values {
        while count < width {
            waiting |= u128::from(bytes.byte()?) << count;
            count += 8;
        }
        *value = waiting as u64 & mask;
        waiting >>= width;
        count -= width;
    }
    Some(())
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
