//! The OpenAPI document, generated from the handlers.

mod examples;
mod refusals;

use utoipa::OpenApi as _;
use utoipa::openapi::schema::{AnyOf, Object, Schema, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "MeshCore analyzer",
        description = "What the mesh says, as observers hear it. Compatible with CoreScope's API; the differences are \
                       listed in docs/compatibility.md. An answer that is not a success has the body of `ErrorBody`, or of \
                       `Problem` where a limit was reached.",
        license(name = "MIT OR Apache-2.0")
    ),
    components(schemas(
        crate::live::frame::LiveMessage,
        crate::live::protocol::ClientMessage,
        crate::live::protocol::ServerMessage,
        crate::render::payload::DecodedPayload,
        crate::problem::Problem,
    )),
    tags(
        (name = "core", description = "Is it alive, and what is in it"),
        (name = "config", description = "What the page needs to know of the configuration"),
        (name = "packets", description = "Transmissions and their observations"),
        (name = "nodes", description = "Nodes, as their adverts say"),
        (name = "observers", description = "Who listens"),
        (name = "channels", description = "Channels and their messages"),
        (name = "perf", description = "What the program itself is doing"),
    )
)]
struct Base;

pub(crate) fn base() -> OpenApi {
    Base::openapi()
}

/// The OpenAPI document as JSON, indented; the web page's types are generated from it.
///
/// ```
/// assert!(api::openapi_json().contains("/api/packets"));
/// ```
pub fn openapi_json() -> String {
    let mut document = document();
    // The document holds maps and texts only, which always serialise.
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

fn document() -> OpenApi {
    let mut document = crate::router::documented().into_openapi();
    if let Some(components) = document.components.as_mut() {
        for schema in components.schemas.values_mut() {
            require_what_may_be_null(schema);
            let_lists_be_empty(schema);
        }
    }
    refusals::add(&mut document);
    examples::add(&mut document);
    document
}

/// A property that may be null is always there; one that may be missing is never null. The macros cannot know the
/// first half of this rule, so it is applied here.
fn require_what_may_be_null(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => require_in_object(object),
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(require_what_may_be_null),
        RefOr::T(Schema::OneOf(one)) => one.items.iter_mut().for_each(require_what_may_be_null),
        _ => {}
    }
}

/// An empty list is one of each kind of rows, so that lists of several kinds are any of them and not one.
fn let_lists_be_empty(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::OneOf(one)) = schema
        && one.items.iter().all(|item| matches!(item, RefOr::T(Schema::Array(_))))
    {
        let (items, description) = (std::mem::take(&mut one.items), one.description.take());
        let any = AnyOf { items, description, ..AnyOf::default() };
        *schema = RefOr::T(Schema::AnyOf(any));
    }
}

fn require_in_object(object: &mut Object) {
    for (name, property) in &object.properties {
        if may_be_null(property) && !object.required.contains(name) {
            object.required.push(name.clone());
        }
    }
}

fn may_be_null(property: &RefOr<Schema>) -> bool {
    match property {
        RefOr::T(Schema::Object(object)) => type_may_be_null(&object.schema_type),
        RefOr::T(Schema::Array(array)) => type_may_be_null(&array.schema_type),
        RefOr::T(Schema::OneOf(one)) => one.items.iter().any(may_be_null),
        _ => false,
    }
}

fn type_may_be_null(schema_type: &SchemaType) -> bool {
    match schema_type {
        SchemaType::Type(one) => *one == Type::Null,
        SchemaType::Array(several) => several.contains(&Type::Null),
        SchemaType::AnyValue => false,
    }
}
