//! Against a real server on a socket, which answers as the test wants.

use super::*;
use crate::config::Hook;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};
use xray::WebhookKind;

/// Long enough for a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Does not make the test wait.
const QUICK: Pace = Pace {
    first: Duration::from_millis(1),
    most: Duration::from_millis(4),
    patience: Duration::from_secs(3_600),
};

/// A request as the server got it.
struct Got {
    head: String,
    body: String,
}

/// Answers requests with these statuses, one after the other; then 200.
fn receiver(statuses: &[u16]) -> (String, Receiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/secret-topic", listener.local_addr().expect("an address"));
    let (sender, got) = channel();
    let statuses = statuses.to_vec();
    std::thread::spawn(move || {
        let mut statuses = statuses.into_iter();
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head).unwrap_or(0) == 0 {
                    return;
                }
            }
            let length = head.to_lowercase().lines().find_map(|line| {
                line.strip_prefix("content-length: ").and_then(|length| length.parse().ok())
            });
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).expect("a body");
            let body = String::from_utf8(body).expect("text");
            if sender.send(Got { head, body }).is_err() {
                return;
            }
            let status = statuses.next().unwrap_or(200);
            let location = if status == 302 { "Location: http://127.0.0.1:1/\r\n" } else { "" };
            let answer =
                format!("HTTP/1.1 {status} X\r\n{location}Connection: close\r\nContent-Length: 0\r\n\r\n");
            reader.get_mut().write_all(answer.as_bytes()).expect("an answer");
        }
    });
    (url, got)
}

fn config(hooks: &[(&str, &str, WebhookKind)]) -> WebhooksConfig {
    let hooks = hooks.iter().map(|(name, url, kind)| Hook {
        name: (*name).to_owned(),
        kind: *kind,
        url: (*url).to_owned(),
        token: Some("hunter2".to_owned()),
    });
    WebhooksConfig {
        instance: "Böblingen\r\nX-Evil: 1".to_owned(),
        link: Some("https://mesh.example".to_owned()),
        hooks: hooks.collect(),
    }
}

fn told(sender: Sender<(u64, Delivery)>) -> Told {
    let sender = Mutex::new(sender);
    // The test may have ended already.
    Box::new(move |event, delivery| drop(sender.lock().send((event, delivery))))
}

fn event(id: u64, change: AlertChange, severity: Severity) -> AlertEvent {
    let test = test_event();
    let reason = "it wrote 2.6 MB a second".to_owned();
    let flag = Flag { severity, title: "rewrite writes too much".to_owned(), reason, ..test.flag };
    AlertEvent { id, change, flag, ..test }
}

#[test]
fn an_event_is_sent_as_json_with_the_token_and_tried_until_it_is_taken() {
    let (url, got) = receiver(&[500, 503]);
    let (sender, deliveries) = channel();
    let hooks = config(&[("mine", &url, WebhookKind::Json)]);
    let webhooks = Webhooks::start_at(hooks, QUICK, told(sender)).expect("a thread");
    webhooks.send(event(7, AlertChange::Raised, Severity::Critical));
    let taken = Delivery { webhook: "mine".to_owned(), delivered: true, attempts: 3, error: None };
    assert_eq!(deliveries.recv_timeout(PATIENCE), Ok((7, taken)));
    let requests: Vec<Got> = got.try_iter().collect();
    assert_eq!(requests.len(), 3);
    let head = requests[2].head.to_lowercase();
    assert!(head.starts_with("post /secret-topic http/1.1"), "{head}");
    assert!(head.contains("authorization: bearer hunter2\r\n"), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    let body: serde_json::Value = serde_json::from_str(&requests[2].body).expect("JSON");
    assert_eq!(body["link"], "https://mesh.example");
    assert_eq!((body["id"].as_u64(), body["change"].as_str()), (Some(7), Some("raised")));
    assert_eq!(body["flag"]["reason"], "it wrote 2.6 MB a second");
    let event: AlertEvent = serde_json::from_str(&requests[2].body).expect("it can be read as an event");
    assert_eq!(event.flag.severity, Severity::Critical);
    let state = &webhooks.states()[0];
    assert_eq!((state.delivered, state.given_up, state.waiting, &state.last_error), (1, 0, 0, &None));
    assert!(url.starts_with(&state.address) && !state.address.contains("secret"));
}

#[test]
fn an_ntfy_message_has_title_priority_and_tag_and_no_header_more() {
    let (url, got) = receiver(&[]);
    let (sender, deliveries) = channel();
    let hooks = config(&[("phone", &url, WebhookKind::Ntfy)]);
    let webhooks = Webhooks::start_at(hooks, QUICK, told(sender)).expect("a thread");
    let cases = [
        (AlertChange::Raised, Severity::Warning, "priority: 4", "tags: warning", ""),
        (AlertChange::Worsened, Severity::Critical, "priority: 5", "tags: rotating_light", "worse: "),
        (AlertChange::Cleared, Severity::Critical, "priority: 3", "tags: white_check_mark", "over: "),
    ];
    for (change, severity, priority, tag, what) in cases {
        webhooks.send(event(1, change, severity));
        assert!(deliveries.recv_timeout(PATIENCE).expect("an outcome").1.delivered);
        let request = got.recv_timeout(PATIENCE).expect("a request");
        let lines: Vec<String> = request.head.lines().map(str::to_lowercase).collect();
        for wanted in [
            priority.to_owned(),
            tag.to_owned(),
            format!("title: böblingen  x-evil: 1: {what}rewrite writes too much"),
            "click: https://mesh.example".to_owned(),
        ] {
            assert!(lines.contains(&wanted), "{wanted} is not in {lines:?}");
        }
        assert!(!lines.iter().any(|line| line.starts_with("x-evil")), "{lines:?}");
        assert!(request.body.contains("it wrote 2.6 MB a second"), "{}", request.body);
    }
}

#[test]
fn events_reach_a_webhook_in_order_although_the_first_fails() {
    let (url, got) = receiver(&[500, 500]);
    let (sender, deliveries) = channel();
    let hooks = config(&[("mine", &url, WebhookKind::Json)]);
    let webhooks = Webhooks::start_at(hooks, QUICK, told(sender)).expect("a thread");
    webhooks.send(event(1, AlertChange::Raised, Severity::Warning));
    webhooks.send(event(2, AlertChange::Cleared, Severity::Warning));
    let ids: Vec<u64> = (0..2).map(|_| deliveries.recv_timeout(PATIENCE).expect("an outcome").0).collect();
    assert_eq!(ids, [1, 2]);
    let last = got.try_iter().last().expect("requests");
    assert!(last.body.contains("\"cleared\""), "{}", last.body);
}

#[test]
fn an_event_that_is_too_old_is_given_up_and_the_others_are_told_all_the_same() {
    let (url, _got) = receiver(&[]);
    let (sender, deliveries) = channel();
    // Nobody listens on port 1.
    let hooks =
        [("gone", "http://127.0.0.1:1/hunter2", WebhookKind::Json), ("mine", &url, WebhookKind::Json)];
    let impatient = Pace { patience: Duration::ZERO, ..QUICK };
    let webhooks = Webhooks::start_at(config(&hooks), impatient, told(sender)).expect("a thread");
    webhooks.send(event(1, AlertChange::Raised, Severity::Warning));
    let mut outcomes: Vec<Delivery> =
        (0..2).map(|_| deliveries.recv_timeout(PATIENCE).expect("an outcome").1).collect();
    outcomes.sort_by(|a, b| a.webhook.cmp(&b.webhook));
    assert_eq!((outcomes[0].delivered, outcomes[1].delivered), (false, true));
    let error = outcomes[0].error.as_deref().unwrap_or_default();
    assert!(!error.is_empty() && !error.contains("hunter2"), "{error}");
    let state = &webhooks.states()[0];
    assert_eq!((state.given_up, state.waiting), (1, 0));
    assert_eq!(state.last_error.as_deref(), Some(error));
}

#[test]
fn a_redirection_is_not_followed() {
    let (url, got) = receiver(&[302]);
    let hooks = config(&[("mine", &url, WebhookKind::Json)]);
    let webhooks = Webhooks::start_at(hooks, QUICK, told(channel().0)).expect("a thread");
    let outcome = webhooks.test().remove(0);
    assert!(!outcome.delivered && outcome.error.is_some_and(|error| error.contains("redirections")));
    assert_eq!(got.try_iter().count(), 1);
}

#[test]
fn a_test_is_sent_once_to_each_and_says_that_it_is_one() {
    let (url, got) = receiver(&[]);
    let hooks = [("gone", "http://127.0.0.1:1/", WebhookKind::Ntfy), ("mine", &url, WebhookKind::Json)];
    let webhooks = Webhooks::start_at(config(&hooks), QUICK, told(channel().0)).expect("a thread");
    let outcomes = webhooks.test();
    let short: Vec<_> = outcomes.iter().map(|one| (one.webhook.as_str(), one.delivered)).collect();
    assert_eq!(short, [("gone", false), ("mine", true)]);
    let request = got.recv_timeout(PATIENCE).expect("a request");
    assert!(request.body.contains("\"change\":\"test\""), "{}", request.body);
    let errors: Vec<_> = webhooks.states().into_iter().map(|state| state.last_error.is_some()).collect();
    assert_eq!(errors, [true, false]);
}

#[test]
fn what_waits_is_bounded_and_what_gives_way_is_told() {
    let (sender, deliveries) = channel();
    let hooks = config(&[("gone", "http://127.0.0.1:1/", WebhookKind::Json)]);
    let slow = Pace { first: Duration::from_secs(3_600), most: Duration::from_secs(3_600), ..QUICK };
    let webhooks = Webhooks::start_at(hooks, slow, told(sender)).expect("a thread");
    for id in 0..MOST_WAITING as u64 + 2 {
        webhooks.send(event(id, AlertChange::Raised, Severity::Warning));
    }
    let gone: Vec<u64> = (0..2).map(|_| deliveries.recv_timeout(PATIENCE).expect("an outcome").0).collect();
    assert_eq!(gone, [1, 2]);
    assert_eq!(webhooks.states()[0].waiting, MOST_WAITING as u64);
}

#[test]
fn outcomes_are_told_on_the_thread_of_the_webhooks_only() {
    // Whoever sends may hold a lock that the told one waits for.
    let (sender, names) = channel();
    let sender = Mutex::new(sender);
    let told = move |_, _| {
        let name = std::thread::current().name().map(str::to_owned);
        // The test may have ended already.
        drop(sender.lock().send(name));
    };
    let hooks = config(&[("gone", "http://127.0.0.1:1/", WebhookKind::Json)]);
    let slow = Pace { first: Duration::from_secs(3_600), most: Duration::from_secs(3_600), ..QUICK };
    let webhooks = Webhooks::start_at(hooks, slow, Box::new(told)).expect("a thread");
    for id in 0..=MOST_WAITING as u64 {
        webhooks.send(event(id, AlertChange::Raised, Severity::Warning));
    }
    assert_eq!(names.recv_timeout(PATIENCE), Ok(Some("webhooks".to_owned())));
}

#[test]
fn waits_double_up_to_five_minutes() {
    let waits: Vec<u64> = [1, 2, 3, 9, 10, 99].map(|failures| Pace::USUAL.after(failures).as_secs()).to_vec();
    assert_eq!(waits, [1, 2, 4, 256, 300, 300]);
}
