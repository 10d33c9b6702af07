//! Writing some fields of a struct: a serializer that passes on what is wanted and leaves out the rest.

use serde::ser::{Error, Impossible, SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use std::fmt;

/// A row of which only these fields are written.
pub(super) struct Thin<'a, T> {
    pub(super) row: &'a T,
    pub(super) wanted: &'a [String],
}

impl<T: Serialize> Serialize for Thin<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.row.serialize(OfStruct { inner: serializer, wanted: self.wanted })
    }
}

/// Takes a struct and nothing else.
struct OfStruct<'a, S> {
    inner: S,
    wanted: &'a [String],
}

/// The fields of a struct on their way.
struct SomeFields<'a, S> {
    inner: S,
    wanted: &'a [String],
}

impl<S: SerializeStruct> SerializeStruct for SomeFields<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_field<V: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &V,
    ) -> Result<(), S::Error> {
        if self.wanted.iter().any(|name| name == key) {
            self.inner.serialize_field(key, value)
        } else {
            self.inner.skip_field(key)
        }
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}

/// What a struct with another one flattened into it is written as.
impl<S: SerializeMap> SerializeMap for SomeFields<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), S::Error> {
        let name = Name(key).to_string();
        if self.wanted.contains(&name) { self.inner.serialize_entry(key, value) } else { Ok(()) }
    }

    fn serialize_key<K: Serialize + ?Sized>(&mut self, _key: &K) -> Result<(), S::Error> {
        no_struct()
    }

    fn serialize_value<V: Serialize + ?Sized>(&mut self, _value: &V) -> Result<(), S::Error> {
        no_struct()
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}

/// A key as text.
struct Name<'a, K: ?Sized>(&'a K);

impl<K: Serialize + ?Sized> fmt::Display for Name<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

fn no_struct<T, E: Error>() -> Result<T, E> {
    Err(E::custom("rows with fields are structs"))
}

/// Everything but a struct is refused.
macro_rules! refuse {
    ($($name:ident($($value:ty),*) -> $answer:ty;)*) => {
        $(fn $name(self, $(_: $value),*) -> Result<$answer, S::Error> { no_struct() })*
    };
}

impl<'a, S: Serializer> Serializer for OfStruct<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Impossible<S::Ok, S::Error>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = SomeFields<'a, S::SerializeMap>;
    type SerializeStruct = SomeFields<'a, S::SerializeStruct>;
    type SerializeStructVariant = Impossible<S::Ok, S::Error>;

    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Self::SerializeStruct, S::Error> {
        let Self { inner, wanted } = self;
        // JSON does not write how many there are; a format that did would have to be told the truth.
        Ok(SomeFields { inner: inner.serialize_struct(name, wanted.len())?, wanted })
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let Self { inner, wanted } = self;
        Ok(SomeFields { inner: inner.serialize_map(None)?, wanted })
    }

    refuse! {
        serialize_bool(bool) -> S::Ok;
        serialize_i8(i8) -> S::Ok;
        serialize_i16(i16) -> S::Ok;
        serialize_i32(i32) -> S::Ok;
        serialize_i64(i64) -> S::Ok;
        serialize_u8(u8) -> S::Ok;
        serialize_u16(u16) -> S::Ok;
        serialize_u32(u32) -> S::Ok;
        serialize_u64(u64) -> S::Ok;
        serialize_f32(f32) -> S::Ok;
        serialize_f64(f64) -> S::Ok;
        serialize_char(char) -> S::Ok;
        serialize_str(&str) -> S::Ok;
        serialize_bytes(&[u8]) -> S::Ok;
        serialize_none() -> S::Ok;
        serialize_unit() -> S::Ok;
        serialize_unit_struct(&'static str) -> S::Ok;
        serialize_unit_variant(&'static str, u32, &'static str) -> S::Ok;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<V: Serialize + ?Sized>(self, _value: &V) -> Result<S::Ok, S::Error> {
        no_struct()
    }

    fn serialize_newtype_struct<V: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _value: &V,
    ) -> Result<S::Ok, S::Error> {
        no_struct()
    }

    fn serialize_newtype_variant<V: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &V,
    ) -> Result<S::Ok, S::Error> {
        no_struct()
    }
}
