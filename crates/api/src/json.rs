//! JSON as clients of the contract expect it: numbers in their shortest form, so that 86400000 is not `86400000.0`.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::io::{self, Write};

/// An answer with a JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match to_vec(&self.0) {
            Ok(body) => WrittenJson(body).into_response(),
            Err(error) => {
                // Only a map with keys that are not texts can get here, and no type of ours is one.
                tracing::error!(%error, "an answer could not be written as JSON");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// An answer that is JSON already: for lists so long that a serializer is most of their time.
pub(crate) struct WrittenJson(pub(crate) Vec<u8>);

impl IntoResponse for WrittenJson {
    fn into_response(self) -> Response {
        let Self(mut body) = self;
        body.push(b'\n');
        ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
    }
}

/// JSON within JSON, as `decoded_json` and `path_json` are, and frames of the live feed.
pub(crate) fn to_text<T: Serialize>(value: &T) -> String {
    to_vec(value).ok().and_then(|text| String::from_utf8(text).ok()).unwrap_or_default()
}

fn to_vec<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(256);
    value.serialize(&mut Serializer::with_formatter(&mut text, ShortNumbers(CompactFormatter)))?;
    Ok(text)
}

struct ShortNumbers(CompactFormatter);

/// Above this a 64-bit float no longer holds every whole number, and the long form would claim digits it does not have.
const WHOLE_UP_TO: f64 = 9_007_199_254_740_992.0;

impl Formatter for ShortNumbers {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        if value.fract() == 0.0 && value.abs() < WHOLE_UP_TO {
            self.0.write_i64(writer, value as i64)
        } else {
            self.0.write_f64(writer, value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_no_fraction_and_others_keep_theirs() {
        assert_eq!(
            to_text(&[86_400_000.0, -0.0, -7.25, 1.9e-10, 1e300]),
            "[86400000,0,-7.25,1.9e-10,1e+300]"
        );
        assert_eq!(to_text(&(f64::NAN, "a\u{1}\"")), r#"[null,"a\u0001\""]"#);
    }
}
