//! `fields=`: rows with only the fields that a client wants.
//!
//! The names are those of the row's schema, so that there is one list of them. What is not wanted is not written, and
//! where it costs something, not made either: see [`Fields::make`].

mod thin;

use crate::error::HttpError;
use serde::{Serialize, Serializer};
use std::marker::PhantomData;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

/// Which fields of the rows `T` are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Fields<T> {
    /// None for all of them.
    wanted: Option<Vec<String>>,
    row: PhantomData<fn() -> T>,
}

/// Rows of which only some fields are written. Their schema is that of a list of whole rows.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) fields: Fields<T>,
}

impl<T> Fields<T> {
    /// All fields.
    pub(crate) fn all() -> Self {
        Self { wanted: None, row: PhantomData }
    }

    /// Whether the rows are to have this field.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|one| one == name))
    }

    /// The value of a field, which is made only if it is wanted.
    pub(crate) fn make<V: Default>(&self, name: &str, value: impl FnOnce() -> V) -> V {
        if self.wants(name) { value() } else { V::default() }
    }
}

impl<T: ToSchema> Fields<T> {
    /// The fields that a parameter names; all of them when it names none.
    ///
    /// # Errors
    /// A 400 for a name that is no field's.
    pub(crate) fn named(names: Vec<String>) -> Result<Self, HttpError> {
        if names.is_empty() {
            return Ok(Self::all());
        }
        let there_are = names_of::<T>();
        if let Some(unknown) = names.iter().find(|name| !there_are.contains(name)) {
            let shown: String = unknown.chars().take(40).collect();
            let problem = format!("no field is called `{shown}`; there are {}", there_are.join(", "));
            return Err(HttpError::bad_parameter("fields", problem));
        }
        let mut wanted = names;
        wanted.sort_unstable();
        wanted.dedup();
        Ok(Self { wanted: Some(wanted), row: PhantomData })
    }
}

/// The names of the fields of a row, in the order of its schema.
fn names_of<T: ToSchema>() -> Vec<String> {
    let mut referred = Vec::new();
    T::schemas(&mut referred);
    let mut names = Vec::new();
    collect_names(&T::schema(), &referred, &mut names);
    names
}

/// A row may be made of several structs, one flattened into the other.
fn collect_names(schema: &RefOr<Schema>, referred: &[(String, RefOr<Schema>)], names: &mut Vec<String>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            names.extend(object.properties.keys().cloned());
        }
        RefOr::T(Schema::AllOf(all)) => {
            all.items.iter().for_each(|part| collect_names(part, referred, names));
        }
        RefOr::Ref(reference) => {
            let part =
                referred.iter().find(|(name, _)| reference.ref_location.ends_with(&format!("/{name}")));
            // Schemas of rows do not refer to themselves by `allOf`, so this ends.
            if let Some((_, part)) = part {
                collect_names(part, referred, names);
            }
        }
        RefOr::T(_) => {}
    }
}

impl<T: Serialize> Serialize for Rows<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.fields.wanted {
            None => self.rows.serialize(serializer),
            Some(wanted) => serializer.collect_seq(self.rows.iter().map(|row| thin::Thin { row, wanted })),
        }
    }
}
