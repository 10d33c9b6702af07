//! The AsyncAPI document of `/api/live`, generated from the types that are sent and read.

use super::protocol::{ClientMessage, ServerMessage};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::PartialSchema as _;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AllOf, Components, Object, OneOf, Schema};

#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(ClientMessage, ServerMessage)))]
struct Types;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    asyncapi: &'static str,
    info: Info,
    default_content_type: &'static str,
    channels: BTreeMap<&'static str, Channel>,
    operations: BTreeMap<&'static str, Operation>,
    components: MessageComponents,
}

#[derive(Serialize)]
struct Info {
    title: &'static str,
    version: &'static str,
    description: &'static str,
    license: License,
}

#[derive(Serialize)]
struct License {
    name: &'static str,
}

#[derive(Serialize)]
struct Channel {
    address: &'static str,
    description: &'static str,
    messages: BTreeMap<String, Reference>,
    bindings: Bindings,
}

#[derive(Serialize)]
struct Bindings {
    ws: WebSocketBinding,
}

#[derive(Serialize)]
struct WebSocketBinding {
    method: &'static str,
}

#[derive(Serialize)]
struct Operation {
    /// Of the server: it receives what clients say.
    action: &'static str,
    channel: Reference,
    summary: &'static str,
    messages: Vec<Reference>,
}

#[derive(Serialize)]
struct MessageComponents {
    messages: BTreeMap<String, MessageObject>,
    schemas: BTreeMap<String, RefOr<Schema>>,
}

#[derive(Serialize)]
struct MessageObject {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    payload: Reference,
}

#[derive(Serialize)]
struct Reference {
    #[serde(rename = "$ref")]
    to: String,
}

impl Reference {
    fn new(to: impl Into<String>) -> Self {
        Self { to: to.into() }
    }
}

/// The AsyncAPI 3 document of `/api/live` as JSON, indented.
///
/// ```
/// let document: serde_json::Value = serde_json::from_str(&api::asyncapi_json())?;
/// assert_eq!(document["channels"]["live"]["address"], "/api/live");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn asyncapi_json() -> String {
    let components = <Types as utoipa::OpenApi>::openapi().components;
    let mut schemas = components.map(schemas_of).unwrap_or_default();
    let said = variants(&ClientMessage::schema());
    let told = variants(&ServerMessage::schema());
    schemas.retain(|name, _| name != "ClientMessage" && name != "ServerMessage");
    let mut messages = BTreeMap::new();
    for variant in said.iter().chain(&told) {
        let summary = schemas.get_mut(&variant.schema).and_then(|schema| with_type(schema, variant));
        let payload = Reference::new(format!("#/components/schemas/{}", variant.schema));
        messages.insert(variant.name.clone(), MessageObject { name: variant.name.clone(), summary, payload });
    }
    let refs = |variants: &[Variant]| variants.iter().map(Variant::in_channel).collect();
    let channel = || Reference::new("#/channels/live");
    let in_components = |name: &String| Reference::new(format!("#/components/messages/{name}"));
    let document = Document {
        asyncapi: "3.0.0",
        info: Info {
            title: "MeshCore analyzer, live",
            version: env!("CARGO_PKG_VERSION"),
            description: "Observations as they come in, over a WebSocket. docs/live.md explains it with an example.",
            license: License { name: "MIT OR Apache-2.0" },
        },
        default_content_type: "application/json",
        channels: BTreeMap::from([(
            "live",
            Channel {
                address: "/api/live",
                description: "One WebSocket; each message is a JSON object in a text frame, told apart by its `type`.",
                messages: messages.keys().map(|name| (name.clone(), in_components(name))).collect(),
                bindings: Bindings { ws: WebSocketBinding { method: "GET" } },
            },
        )]),
        operations: BTreeMap::from([
            (
                "hear",
                Operation {
                    action: "receive",
                    channel: channel(),
                    summary: "What a client says.",
                    messages: refs(&said),
                },
            ),
            (
                "tell",
                Operation {
                    action: "send",
                    channel: channel(),
                    summary: "What the server says. Clients should pass over types and fields that they do not know.",
                    messages: refs(&told),
                },
            ),
        ]),
        components: MessageComponents { messages, schemas },
    };
    // The document holds maps and texts only, which always serialise.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn schemas_of(components: Components) -> BTreeMap<String, RefOr<Schema>> {
    components.schemas.into_iter().collect()
}

/// A kind of message: what its `type` is, and the schema of the rest.
struct Variant {
    name: String,
    schema: String,
    /// The object that has the property `type` alone.
    tag: Object,
}

impl Variant {
    fn in_channel(&self) -> Reference {
        Reference::new(format!("#/channels/live/messages/{}", self.name))
    }
}

/// The kinds of an enum that is tagged by `type`: one of several, each all of a reference and the tag.
fn variants(schema: &RefOr<Schema>) -> Vec<Variant> {
    let RefOr::T(Schema::OneOf(OneOf { items, .. })) = schema else { return Vec::new() };
    items.iter().filter_map(variant).collect()
}

fn variant(item: &RefOr<Schema>) -> Option<Variant> {
    let RefOr::T(Schema::AllOf(AllOf { items, .. })) = item else { return None };
    let [RefOr::Ref(reference), RefOr::T(Schema::Object(tag))] = items.as_slice() else { return None };
    let RefOr::T(Schema::Object(property)) = tag.properties.get("type")? else { return None };
    let name = property.enum_values.as_ref()?.first()?.as_str()?.to_owned();
    let schema = reference.ref_location.rsplit('/').next()?.to_owned();
    Some(Variant { name, schema, tag: tag.clone() })
}

/// Adds the tag to a message's own schema: one that is closed would refuse it beside itself. Gives back its description.
fn with_type(schema: &mut RefOr<Schema>, variant: &Variant) -> Option<String> {
    let RefOr::T(Schema::Object(object)) = schema else { return None };
    for (name, property) in &variant.tag.properties {
        object.properties.insert(name.clone(), property.clone());
        object.required.insert(0, name.clone());
    }
    object.description.clone()
}
