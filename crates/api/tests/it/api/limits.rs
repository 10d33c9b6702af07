use crate::app::{API_KEY, Answer, TestApp};
use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PACKET: &str = r#"{"hex": "1501AB112379AC076505DAA61C2636516BCE59409C74"}"#;

async fn submit(app: &TestApp) -> Answer {
    app.send(Method::POST, "/api/packets", &[("x-api-key", API_KEY)], Body::from(PACKET)).await
}

#[track_caller]
fn problem(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["error"], problem["title"]);
    assert!(problem["type"].is_string() && problem["detail"].is_string(), "{problem}");
    problem
}

fn with_key() -> Arc<TestApp> {
    Arc::new(TestApp::with(json!({"apiKey": API_KEY})))
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_given_up_and_says_so() {
    let app = with_key();
    *app.services.hold_submissions.lock().unwrap() = true;
    let answer = submit(&app).await;
    assert_eq!(problem(&answer, 503)["budget"], "write.time");
    assert_eq!(answer.header("retry-after"), "1");
    let perf = app.get("/api/perf").await.good();
    let write = &perf["limits"]["classes"][3];
    assert_eq!(
        (&write["class"], &write["overTime"], &write["running"]),
        (&json!("write"), &json!(1), &json!(0))
    );
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_place_in_time_is_told_to_come_again_and_others_are_not_held_up() {
    let app = with_key();
    *app.services.hold_submissions.lock().unwrap() = true;
    let mut running = Vec::new();
    for _ in 0..32 {
        let app = Arc::clone(&app);
        running.push(tokio::spawn(async move { submit(&app).await.status }));
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    let answer = submit(&app).await;
    assert_eq!(problem(&answer, 503)["budget"], "write.places");
    let perf = app.get("/api/perf").await.good();
    let write = &perf["limits"]["classes"][3];
    assert_eq!((&write["running"], &write["refusedBusy"]), (&json!(32), &json!(1)));
    let metrics = String::from_utf8(app.get("/metrics").await.body).unwrap();
    let line = r#"http_requests_over_limit_total{class="write",limit="places"} 1"#;
    assert!(metrics.lines().any(|one| one.ends_with(line)), "{metrics}");
}

#[tokio::test]
async fn an_address_that_is_too_long_is_refused_before_it_is_looked_at() {
    let app = TestApp::init();
    let keys = |count: usize| format!("/api/packets?nodes={}", vec!["ab".repeat(32); count].join(","));
    app.get(&keys(500)).await.good();
    problem(&app.get(&keys(505)).await, 414);
}

/// The application on a port, and what it answers to bytes.
struct Served {
    address: std::net::SocketAddr,
}

impl Served {
    async fn with(config: Value) -> Self {
        let app = TestApp::with(config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(api::serve(listener, app.state.clone(), std::future::pending()));
        Self { address }
    }

    /// The head of the answer, in lower case.
    async fn ask(&self, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A server that refuses a head may close while the rest of it is on the way.
        let _ = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        text.split("\r\n\r\n").next().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn a_client_behind_a_trusted_proxy_may_ask_so_often_and_this_machine_as_it_likes() {
    let served = Served::with(json!({
        "rateLimit": {"perSecond": 1, "burst": 3, "trustForwardedFor": ["127.0.0.1"]},
        "corsAllowedOrigins": ["https://a.example"],
    }))
    .await;
    let from = |client: &str| format!("x-forwarded-for: {client}\r\norigin: https://a.example\r\n");
    for _ in 0..3 {
        assert!(served.ask("/api/stats", &from("192.0.2.1")).await.starts_with("http/1.1 200"));
    }
    let refused = served.ask("/api/stats", &from("192.0.2.1")).await;
    assert!(refused.starts_with("http/1.1 429"), "{refused}");
    for header in ["retry-after: 1", "content-type: application/problem+json", "cache-control: no-store"] {
        assert!(refused.contains(header), "{refused}");
    }
    assert!(refused.contains("access-control-allow-origin: https://a.example"), "{refused}");
    assert!(refused.contains("x-corescope-load-status: ready"), "{refused}");
    assert!(served.ask("/api/stats", &from("198.51.100.2, 192.0.2.1")).await.starts_with("http/1.1 429"));
    assert!(served.ask("/api/stats", &from("192.0.2.2")).await.starts_with("http/1.1 200"));
    for _ in 0..10 {
        assert!(served.ask("/api/stats", "").await.starts_with("http/1.1 200"));
    }
}

#[tokio::test]
async fn long_heads_and_many_headers_are_refused() {
    let served = Served::with(json!({})).await;
    let fits = format!("x-a: {}\r\n", "a".repeat(40_000));
    assert!(served.ask("/api/stats", &fits).await.starts_with("http/1.1 200"));
    let too_long = format!("x-a: {}\r\n", "a".repeat(200_000));
    let refused = served.ask("/api/stats", &too_long).await;
    // What was still on the way when the server closed may have taken the answer with it.
    assert!(refused.is_empty() || refused.starts_with("http/1.1 431"), "{refused}");
    let too_many = "x-a: 1\r\n".repeat(120);
    assert!(served.ask("/api/stats", &too_many).await.starts_with("http/1.1 431"));
    let long_path = format!("/api/{}", "a".repeat(60_000));
    assert!(served.ask(&long_path, "").await.starts_with("http/1.1 414"));
}
