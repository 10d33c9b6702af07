//! `GET /api/filter/fields`.

use crate::json::Json;
use filter::{FieldDescription, Kind, OPERATORS, describe};
use serde::Serialize;
use utoipa::ToSchema;

/// The packet filter language, for those who complete and explain it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FilterFieldsResponse {
    /// Everything that can be asked of a packet; the fields of payloads come last.
    fields: Vec<FilterField>,
    /// In the order in which they are best offered.
    operators: Vec<FilterOperator>,
    /// The longest expression that is taken, in bytes.
    max_bytes: usize,
    /// The most comparisons of one expression.
    max_comparisons: usize,
    /// The deepest nesting of parentheses.
    max_depth: usize,
}

/// A field of the filter language.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FilterField {
    /// As it is written best.
    name: &'static str,
    /// Other names that are taken for it.
    aliases: Vec<&'static str>,
    /// What it is, in a few words; of a field of payloads, the types of packets that have it.
    description: String,
    kind: FilterKind,
    /// Whether observations of one packet may differ in it, so that `any(…)` and `all(…)` make sense. Without them the best
    /// observation is meant: the one with the longest path.
    of_observation: bool,
    /// An expression with it.
    example: String,
    /// All values that it can have, where there are few; else empty.
    values: Vec<&'static str>,
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FilterKind {
    /// A text.
    Text,
    /// Several texts, of which one must fit.
    Texts,
    /// A number.
    Number,
    /// A time: RFC 3339, a date, or a time span for that long ago.
    Time,
    /// A time span: seconds, or `15m`, `1h`, `7d`.
    Age,
    /// True or false.
    Flag,
    /// A payload type by its name.
    PayloadType,
    /// A route by its name.
    Route,
}

/// An operator of the filter language.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FilterOperator {
    /// As it is written.
    operator: &'static str,
    /// The kinds of fields that have it.
    kinds: Vec<FilterKind>,
}

/// What `filter=` takes: fields, operators and examples.
#[utoipa::path(
    get, path = "/api/filter/fields", tag = "packets", responses((status = 200, body = FilterFieldsResponse))
)]
pub(crate) async fn filter_fields() -> Json<FilterFieldsResponse> {
    let operator = |(operator, kinds): &(&'static str, &[Kind])| FilterOperator {
        operator,
        kinds: kinds.iter().copied().map(FilterKind::from).collect(),
    };
    Json(FilterFieldsResponse {
        fields: describe().into_iter().map(FilterField::from).collect(),
        operators: OPERATORS.iter().map(operator).collect(),
        max_bytes: filter::MAX_BYTES,
        max_comparisons: filter::MAX_TESTS,
        max_depth: filter::MAX_DEPTH,
    })
}

impl From<FieldDescription> for FilterField {
    fn from(of: FieldDescription) -> Self {
        Self {
            name: of.name,
            aliases: of.aliases.to_vec(),
            description: of.description,
            kind: of.kind.into(),
            of_observation: of.of_observation,
            example: of.example,
            values: of.values,
        }
    }
}

impl From<Kind> for FilterKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text,
            Kind::Texts => Self::Texts,
            Kind::Number => Self::Number,
            Kind::Time => Self::Time,
            Kind::Age => Self::Age,
            Kind::Flag => Self::Flag,
            Kind::PayloadType => Self::PayloadType,
            Kind::Route => Self::Route,
        }
    }
}
