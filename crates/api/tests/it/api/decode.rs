use crate::app::TestApp;
use crate::golden::assert_golden;
use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

async fn decode(app: &TestApp, hex: &str) -> Value {
    app.post("/api/decode", json!({"hex": hex})).await.good()
}

#[tokio::test]
async fn one_frame_of_each_type_decodes_to_the_agreed_fields() {
    let app = TestApp::init();
    let vectors = include_str!("../testdata/frames.json");
    let frames: Vec<Value> = serde_json::from_str(vectors).unwrap();
    let mut decoded = serde_json::Map::new();
    for frame in &frames {
        decoded.insert(
            frame["name"].as_str().unwrap().to_owned(),
            decode(&app, frame["hex"].as_str().unwrap()).await,
        );
    }
    assert_golden("decode", Value::Object(decoded), &[]);
}

#[tokio::test]
async fn a_forged_advert_is_decoded_and_marked() {
    let app = TestApp::init();
    let adverts = app.get("/api/packets?type=4&limit=1").await.good();
    let raw = adverts["packets"][0]["raw_hex"].as_str().unwrap();
    assert_eq!(decode(&app, raw).await["decoded"]["payload"]["signatureValid"], true);
    let last = if raw.ends_with('0') { "1" } else { "0" };
    let forged = format!("{}{last}", &raw[..raw.len() - 1]);
    assert_eq!(decode(&app, &forged).await["decoded"]["payload"]["signatureValid"], false);
}

#[tokio::test]
async fn frames_that_the_firmware_drops_say_why_and_where() {
    let app = TestApp::init();
    let version = decode(&app, "5500010203").await;
    assert_eq!(
        version["verdict"],
        json!({"accepted": false, "error": {"kind": "version", "field": "header", "offset": 0}})
    );
    assert_eq!(
        (&version["decoded"]["payload"], &version["hash"]),
        (&json!({"type": "UNKNOWN", "raw": "010203"}), &Value::Null)
    );
    let empty = decode(&app, "1500").await;
    assert_eq!(empty["verdict"]["error"]["kind"], "empty payload");
    let short = decode(&app, "0D00010203").await;
    assert_eq!(short["verdict"]["error"], json!({"kind": "short", "field": "checksum", "offset": 2}));
    assert_eq!(short["decoded"]["payload"]["error"], "too short");
    for (hex, error, field, offset) in [
        ("15", "length (frame, byte 1)", "frame", 1),
        ("140102", "truncated transport (transport codes, byte 1)", "transport codes", 1),
        ("15C001", "path mode 3 (path byte, byte 1)", "path byte", 1),
        ("1505AABB", "path beyond frame (path, byte 2)", "path", 2),
    ] {
        let answer = app.post("/api/decode", json!({"hex": hex})).await;
        assert_eq!(answer.error(400), error);
        assert_eq!((&answer.json()["field"], &answer.json()["offset"]), (&json!(field), &json!(offset)));
    }
}

#[tokio::test]
async fn bad_bodies_are_refused_with_a_reason() {
    let app = TestApp::init();
    let post = |body| app.post("/api/decode", body);
    for body in [json!({}), json!({"hex": ""}), json!({"hex": " \n"})] {
        assert_eq!(post(body).await.error(400), "hex is required");
    }
    let digit = post(json!({"hex": "15 0x"})).await;
    assert_eq!(digit.error(400), "hex has a character that is no hex digit");
    assert_eq!(digit.json()["offset"], 3);
    assert_eq!(post(json!({"hex": "150"})).await.error(400), "hex has an odd number of digits");
    assert_eq!(post(json!({"hex": "15é0"})).await.error(400), "hex has a character that is no hex digit");
    assert!(post(json!({"hex": "15".repeat(300)})).await.error(400).starts_with("length"));
    assert_eq!(post(json!({"hex": 1})).await.error(400), "invalid JSON body");
    let large = app.send(Method::POST, "/api/decode", &[], Body::from(vec![b' '; 64 * 1024 + 1])).await;
    assert_eq!(large.error(413), "body too large");
}
