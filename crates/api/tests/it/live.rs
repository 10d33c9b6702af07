//! The live feed over a real socket.

mod slow;
mod subscriptions;

use crate::app::{TestApp, hear_again};
use crate::golden::assert_golden;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The application on a port of its own.
struct Served {
    app: TestApp,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), api::ApiError>>,
}

async fn serve(app: TestApp) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(api::serve(listener, app.state.clone(), async move {
        let _ = stopped.await;
    }));
    Served { app, address, stop, serving }
}

impl Served {
    async fn open(&self, path: &str, origin: Option<&str>) -> Result<Client, tungstenite::Error> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        tokio_tungstenite::connect_async(request).await.map(|(client, _)| client)
    }

    /// Clients are counted when they have their seats, a moment after the handshake was answered.
    async fn wait_for_clients(&self, count: u64) {
        eventually(|| self.app.state.live_hub().clients() == count).await;
    }
}

/// Asks until it is so, at most for a minute.
async fn eventually(mut so: impl FnMut() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it never came about");
}

async fn next(client: &mut Client) -> Message {
    tokio::time::timeout(Duration::from_secs(60), client.next())
        .await
        .expect("no frame came")
        .unwrap()
        .unwrap()
}

async fn frame(client: &mut Client) -> Value {
    match next(client).await {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn refusal(result: Result<Client, tungstenite::Error>) -> u16 {
    match result {
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_observation_reaches_every_client_once_in_the_agreed_shape() {
    let served = serve(TestApp::init()).await;
    let mut clients = Vec::new();
    for path in ["/", "/ws", "/some/page"] {
        clients.push(served.open(path, None).await.unwrap());
    }
    served.wait_for_clients(3).await;
    let heard = [hear_again(&served.app.index, 1), hear_again(&served.app.index, 2)];
    served.app.state.live_hub().publish(heard.to_vec());
    for client in &mut clients {
        let first = frame(client).await;
        assert_eq!(first["data"]["observation_id"], heard[0].0);
        let mut copy = first["data"].as_object().unwrap().clone();
        let packet = copy.remove("packet").unwrap();
        copy.remove("decoded");
        assert_eq!(Value::Object(copy), packet, "the packet's fields also stand beside it");
        assert_eq!(frame(client).await["data"]["observation_id"], heard[1].0);
        assert_golden("live", first, &[]);
    }
}

#[tokio::test]
async fn pages_of_strangers_are_refused() {
    let served = serve(TestApp::with(json!({"corsAllowedOrigins": ["https://friend.example", "*"]}))).await;
    for path in ["/", "/ws"] {
        assert_eq!(refusal(served.open(path, Some("https://evil.example")).await), 403);
    }
    let own = format!("http://{}", served.address);
    for origin in [own.as_str(), "https://Friend.example"] {
        served.open("/ws", Some(origin)).await.unwrap();
    }
}

#[tokio::test]
async fn one_client_too_many_is_refused_and_a_place_becomes_free_again() {
    let served = serve(TestApp::with(json!({"webSocket": {"maxClients": 1}}))).await;
    let first = served.open("/ws", None).await.unwrap();
    served.wait_for_clients(1).await;
    assert_eq!(refusal(served.open("/ws", None).await), 503);
    drop(first);
    served.wait_for_clients(0).await;
    served.open("/ws", None).await.unwrap();
}

#[tokio::test]
async fn clients_may_talk_a_little_and_are_let_go_when_they_talk_too_much() {
    let served = serve(TestApp::init()).await;
    let mut client = served.open("/ws", None).await.unwrap();
    served.wait_for_clients(1).await;
    client.send(Message::text("{\"hello\":1}")).await.unwrap();
    client.send(Message::Ping(vec![1, 2].into())).await.unwrap();
    assert_eq!(next(&mut client).await, Message::Pong(vec![1, 2].into()));
    client.send(Message::text("x".repeat(513))).await.unwrap();
    served.wait_for_clients(0).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_nobody() {
    let served = serve(TestApp::init()).await;
    let _asleep = served.open("/ws", None).await.unwrap();
    let mut awake = served.open("/ws", None).await.unwrap();
    served.wait_for_clients(2).await;
    let heard = hear_again(&served.app.index, 1);
    let hub = served.app.state.live_hub();
    // More than the buffers of the sockets and the hub can hold, in portions that a client that reads can follow.
    for _ in 0..400 {
        hub.publish(vec![heard; 64]);
        for _ in 0..64 {
            frame(&mut awake).await;
        }
    }
    assert_eq!(hub.skipped_observations(), 0);
}

#[tokio::test]
async fn when_the_program_stops_clients_are_told() {
    let served = serve(TestApp::init()).await;
    let mut client = served.open("/", None).await.unwrap();
    served.wait_for_clients(1).await;
    served.stop.send(()).unwrap();
    match next(&mut client).await {
        Message::Close(Some(close)) => assert_eq!(close.code, CloseCode::Away),
        other => panic!("{other:?}"),
    }
    drop(client);
    tokio::time::timeout(Duration::from_secs(60), served.serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn connections_that_say_nothing_do_not_keep_the_program_from_stopping() {
    let served = serve(TestApp::init()).await;
    let _silent = TcpStream::connect(served.address).await.unwrap();
    let mut half = TcpStream::connect(served.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut half, b"GET /api/stats HTTP/1.1\r\nHo").await.unwrap();
    let hub = served.app.state.live_hub();
    let _client = served.open("/ws", None).await.unwrap();
    eventually(|| hub.clients() == 1).await;
    served.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(60), served.serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_plain_request_is_told_what_the_path_is_for() {
    let answer = TestApp::init().get("/ws").await;
    assert_eq!(answer.error(426), "this path speaks WebSocket only");
}
