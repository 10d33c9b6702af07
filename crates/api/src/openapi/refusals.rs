//! The answers that any route may give beside its own: they are written once and referred to.

use crate::middleware::limits::MAX_URI_BYTES;
use crate::problem::PROBLEM_TYPE;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, Content, OpenApi, Ref, RefOr, Response};

/// A shared answer: the status, its name among the components, what it means, its media type and the schema of its body.
struct Refusal {
    status: &'static str,
    name: &'static str,
    meaning: String,
    media_type: &'static str,
    schema: &'static str,
}

/// Adds the shared answers to the document, and references to them to all operations that do not describe their own.
pub(super) fn add(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Components::new);
    for refusal in any_route().into_iter().chain(with_body()) {
        components.responses.insert(refusal.name.to_owned(), RefOr::T(refusal.response()));
    }
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(add_to);
    }
}

fn add_to(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description = usual_meaning(status).to_owned();
        }
    }
    let with_body = operation.request_body.is_some().then(with_body).into_iter().flatten();
    for refusal in any_route().into_iter().chain(with_body) {
        let reference = || RefOr::Ref(Ref::new(format!("#/components/responses/{}", refusal.name)));
        match operation.responses.responses.get_mut(refusal.status) {
            None => {
                operation.responses.responses.insert(refusal.status.to_owned(), reference());
            }
            // The route has a reason of its own for this status; the limit is another one.
            Some(RefOr::T(own)) => {
                own.content
                    .entry(refusal.media_type.to_owned())
                    .or_insert_with(|| RefOr::T(refusal.content()));
            }
            Some(RefOr::Ref(_)) => {}
        }
    }
}

/// What a status means where the route does not say it better; a description there must be.
fn usual_meaning(status: &str) -> &'static str {
    match status {
        "200" => "What was asked for.",
        "201" | "202" | "204" => "It is done.",
        "400" => "A parameter or the body is wrong; `parameter` names it.",
        "401" => "The API key is missing or wrong.",
        "403" => "There is no API key in the configuration, or a weak one, so that this is disabled.",
        "404" => "There is no such thing.",
        "409" => "It does not go together with what is there.",
        "413" => "The body is too large.",
        "500" => "It failed; the log says more.",
        "503" => "Not at this moment.",
        _ => "See the body.",
    }
}

fn any_route() -> [Refusal; 3] {
    let problem = |status, name, meaning: &str| Refusal {
        status,
        name,
        meaning: meaning.to_owned(),
        media_type: PROBLEM_TYPE,
        schema: "Problem",
    };
    [
        problem(
            "414",
            "UriTooLong",
            &format!("The path and the query have more than {MAX_URI_BYTES} bytes."),
        ),
        problem(
            "429",
            "TooOften",
            "This address asks too often (`rateLimit`); `Retry-After` says when it may ask again.",
        ),
        problem(
            "503",
            "OverLimit",
            "The answer takes more than a request may, or too many requests are being worked on; `budget` names the \
             limit, and `Retry-After` says when to ask again.",
        ),
    ]
}

fn with_body() -> [Refusal; 2] {
    let error = |status, name, meaning: &str| Refusal {
        status,
        name,
        meaning: meaning.to_owned(),
        media_type: "application/json",
        schema: "ErrorBody",
    };
    [
        error("408", "BodyTooSlow", "The body did not arrive within ten seconds."),
        error("413", "BodyTooLarge", "The body is larger than any that the route has use for."),
    ]
}

impl Refusal {
    fn response(&self) -> Response {
        let mut response = Response::new(self.meaning.as_str());
        response.content.insert(self.media_type.to_owned(), RefOr::T(self.content()));
        response
    }

    fn content(&self) -> Content {
        Content::new(Some(Ref::from_schema_name(self.schema)))
    }
}
