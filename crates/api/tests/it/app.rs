//! The API over an index with real packets, without a socket unless a test wants one.

mod books;
mod history;
mod registry;
mod samples;
mod series;
mod services;

pub(crate) use history::{hear_again, hear_frame};

pub(crate) use books::TestBooks;
pub(crate) use registry::TestRegistry;
pub(crate) use samples::{counters_of, with_samples};
pub(crate) use services::TestServices;

use api::{ApiConfig, ApiState, LiveHub};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use index::{HopKeeper, SharedIndex};
use model::UnixMillis;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

/// A strong key, for tests of the writing routes.
pub(crate) const API_KEY: &str = "correct horse battery staple";

/// The application, ready to be asked.
pub(crate) struct TestApp {
    pub(crate) state: ApiState,
    pub(crate) index: SharedIndex,
    pub(crate) services: Arc<TestServices>,
    router: Router,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl TestApp {
    /// With the real packets and the default configuration.
    pub(crate) fn init() -> Self {
        Self::with_config(ApiConfig::default())
    }

    /// With the real packets and a configuration as in `config.json`.
    pub(crate) fn with(config: Value) -> Self {
        Self::with_config(serde_json::from_value(config).unwrap())
    }

    pub(crate) fn with_config(config: ApiConfig) -> Self {
        Self::over(history::real_packets(), config)
    }

    /// With the real packets as if they had been heard just now.
    pub(crate) fn recent() -> Self {
        Self::recent_with(json!({}))
    }

    /// The same with a configuration as in `config.json`.
    pub(crate) fn recent_with(config: Value) -> Self {
        Self::over(history::recent_packets(), serde_json::from_value(config).unwrap())
    }

    /// Without any packet.
    pub(crate) fn empty() -> Self {
        Self::over(history::no_packets(), ApiConfig::default())
    }

    /// With these packets.
    pub(crate) fn over(index: SharedIndex, config: ApiConfig) -> Self {
        let hides = api::hides_nodes(Arc::new(config.clone()));
        let newest = index.read().newest_time().unwrap_or(UnixMillis(0));
        HopKeeper::hiding(hides).step(&index, newest);
        let services = Arc::new(TestServices::default());
        let keys = Arc::new(history::keys());
        let state =
            ApiState::new(Arc::clone(&index), config, services.clone(), LiveHub::new()).with_keys(keys);
        let router = api::router(state.clone());
        Self { state, index, services, router }
    }

    /// Adds a node whose key begins as another's does, and returns the other's key.
    pub(crate) fn twin_of_first_node(&self) -> String {
        history::add_twin(&self.index).to_string()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.to_string().into()).await
    }

    pub(crate) async fn post_with_key(&self, path: &str, key: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[("x-api-key", key)], body.to_string().into()).await
    }

    pub(crate) async fn with_key(&self, method: Method, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { Body::empty() } else { body.to_string().into() };
        self.send(method, path, &[("x-api-key", API_KEY)], body).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Answer {
    /// The JSON of a success.
    #[track_caller]
    pub(crate) fn good(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// The error text of a failure with this status.
    #[track_caller]
    pub(crate) fn error(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self.json()["error"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no header {name}"));
        value.to_str().unwrap()
    }
}
