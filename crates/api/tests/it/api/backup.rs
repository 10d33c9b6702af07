use crate::app::{API_KEY, Answer, TestApp};
use api::BackupError;
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tower::ServiceExt;

const PATH: &str = "/api/backup";

fn app() -> TestApp {
    TestApp::with(json!({"apiKey": API_KEY}))
}

async fn ask(app: &TestApp) -> Answer {
    app.send(Method::GET, PATH, &[("x-api-key", API_KEY)], Body::empty()).await
}

#[tokio::test]
async fn the_whole_file_comes_as_it_is_with_its_length_and_a_name() {
    let app = app();
    // More than is read at a time, and not a multiple of it.
    let content: Vec<u8> = (0..700_001_u32).map(|number| number as u8).collect();
    *app.services.backup.lock().unwrap() = Ok(content.clone());
    let headers = [("x-api-key", API_KEY), ("accept-encoding", "gzip, br, zstd")];
    let answer = app.send(Method::GET, PATH, &headers, Body::empty()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(answer.header("content-length"), "700001");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let disposition = answer.header("content-disposition");
    assert!(disposition.starts_with("attachment; filename=\"analyzer-backup-1"), "{disposition}");
    assert!(answer.headers.get("content-encoding").is_none());
    assert!(answer.body == content);
}

#[tokio::test]
async fn the_key_is_asked_for() {
    let closed = TestApp::init().get(PATH).await;
    assert_eq!(closed.error(403), "write endpoints disabled — set apiKey in config.json");
    assert_eq!(app().get(PATH).await.error(401), "unauthorized");
}

#[tokio::test]
async fn a_second_backup_is_refused_until_the_first_is_done() {
    let app = app();
    app.services.backups.forget_permits(100);
    let (first, second) = tokio::join!(ask(&app), async {
        let second = ask(&app).await;
        app.services.backups.add_permits(1);
        second
    });
    assert_eq!(first.status, 200);
    assert_eq!(second.error(409), "another backup is under way");
    app.services.backups.add_permits(1);
    assert_eq!(ask(&app).await.status, 200);
}

#[tokio::test]
async fn the_turn_is_held_until_the_client_has_everything_or_is_gone() {
    let app = app();
    let request = || Request::get(PATH).header("x-api-key", API_KEY).body(Body::empty()).unwrap();
    let unread = api::router(app.state.clone()).oneshot(request()).await.unwrap();
    assert_eq!(unread.status(), 200);
    assert_eq!(ask(&app).await.status, 409);
    drop(unread);
    assert_eq!(ask(&app).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_long_backup_is_not_cut_off_and_a_client_that_leaves_ends_it() {
    let app = app();
    app.services.backups.forget_permits(100);
    assert!(tokio::time::timeout(Duration::from_secs(3_600), ask(&app)).await.is_err());
    assert_eq!(app.services.given_up.load(Ordering::SeqCst), 1);
    app.services.backups.add_permits(1);
    assert_eq!(ask(&app).await.status, 200);
}

#[tokio::test]
async fn a_failure_says_why() {
    let app = app();
    let failures = [
        (BackupError::UnderWay, 409, "another backup is under way", None),
        (BackupError::NoRoom("needs 5 bytes".into()), 507, "no room for the backup", Some("needs 5 bytes")),
        (BackupError::Failed("it is damaged".into()), 500, "the backup failed", Some("it is damaged")),
    ];
    for (failure, status, text, detail) in failures {
        *app.services.backup.lock().unwrap() = Err(failure);
        let answer = ask(&app).await;
        assert_eq!(answer.error(status), text);
        assert_eq!(answer.json()["detail"].as_str(), detail);
    }
}
