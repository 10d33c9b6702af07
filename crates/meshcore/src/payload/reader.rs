//! Takes a payload apart from front to back; what is missing becomes an error that says where.

use super::{PayloadError, PayloadErrorKind};
use crate::header::PayloadType;

pub(super) struct Reader<'a> {
    payload_type: PayloadType,
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(payload_type: PayloadType, bytes: &'a [u8]) -> Reader<'a> {
        Reader { payload_type, bytes, offset: 0 }
    }

    pub(super) fn array<const N: usize>(&mut self, field: &'static str) -> Result<&'a [u8; N], PayloadError> {
        let (array, rest) = self.bytes.split_first_chunk::<N>().ok_or(self.short(field))?;
        self.bytes = rest;
        self.offset += N;
        Ok(array)
    }

    pub(super) fn byte(&mut self, field: &'static str) -> Result<u8, PayloadError> {
        self.array::<1>(field).map(|[byte]| *byte)
    }

    /// Little endian, as all numbers on air.
    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, PayloadError> {
        self.array(field).map(|bytes| u32::from_le_bytes(*bytes))
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) const fn rest_not_empty(&self, field: &'static str) -> Result<&'a [u8], PayloadError> {
        if self.bytes.is_empty() { Err(self.short(field)) } else { Ok(self.bytes) }
    }

    const fn short(&self, field: &'static str) -> PayloadError {
        PayloadError {
            kind: PayloadErrorKind::Short,
            payload_type: self.payload_type,
            field,
            offset: self.offset,
        }
    }
}
