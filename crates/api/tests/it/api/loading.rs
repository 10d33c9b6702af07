use crate::app::TestApp;
use crate::fuzz::{Document, Values};
use api::LoadStatus;
use axum::body::Body;
use axum::http::Method;

#[tokio::test]
async fn while_the_history_loads_every_route_answers_and_says_how_far_it_is() {
    let app = TestApp::init();
    *app.services.load.lock().unwrap() = LoadStatus::Loading { rows: 4_711 };
    let document = Document::agreed();
    let mut values = Values::of(&app, 7).await;
    for operation in document.operations.iter().filter(|one| one.method == "GET") {
        for _ in 0..5 {
            let request = values.request(operation);
            let answer = app.get(&request.path).await;
            assert_eq!(
                answer.header("x-corescope-load-status"),
                "loading; progress=4711",
                "{}",
                request.path
            );
            let is_told_to_wait = [202, 503].contains(&answer.status.as_u16());
            assert_eq!(is_told_to_wait, operation.path == "/api/healthz", "{}", request.path);
        }
    }
}

#[tokio::test]
async fn the_load_status_is_on_every_kind_of_answer_and_true_at_each_moment() {
    let app = TestApp::init();
    let tag = app.get("/api/packets").await.header("etag").to_owned();
    for (status, expected) in [
        (LoadStatus::Loading { rows: 0 }, "loading; progress=0"),
        (LoadStatus::Loading { rows: 12 }, "loading; progress=12"),
        (LoadStatus::Ready, "ready"),
    ] {
        *app.services.load.lock().unwrap() = status;
        for (method, path) in [
            (Method::GET, "/"),
            (Method::GET, "/api/packets"),
            (Method::HEAD, "/api/stats"),
            (Method::GET, "/api/packets?limit=x"),
            (Method::GET, "/api/nope"),
            (Method::DELETE, "/api/stats"),
            (Method::POST, "/api/packets"),
            (Method::GET, "/metrics"),
            (Method::GET, "/ws"),
        ] {
            let headers = [("if-none-match", tag.as_str())];
            let answer = app.send(method.clone(), path, &headers, Body::empty()).await;
            assert_eq!(answer.header("x-corescope-load-status"), expected, "{method} {path}");
        }
    }
}
