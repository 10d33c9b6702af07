//! One request for the list.

use super::parse::parse;
use api::KnownChannels;
use std::time::Duration;
use ureq::Agent;

/// From the first packet of the name look-up to the last of the list.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The list of a continent has some hundred kilobytes.
pub(super) const MOST_BYTES: u64 = 1 << 20;

/// More of the head of an answer is not read.
const MOST_HEAD_BYTES: usize = 16 * 1024;

/// Files in repositories are often one redirection away.
const MOST_REDIRECTS: u32 = 3;

/// Longer errors are cut; they are shown on the page.
const MOST_ERROR_CHARS: usize = 200;

/// Fetches and reads it.
///
/// # Errors
/// What went wrong, in words.
pub(super) fn fetch(url: &str) -> Result<KnownChannels, String> {
    let config = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .max_redirects(MOST_REDIRECTS)
        .max_response_header_size(MOST_HEAD_BYTES)
        .user_agent(concat!("meshcore-analyzer/", env!("CARGO_PKG_VERSION")))
        .build();
    let agent: Agent = config.into();
    let mut answer = agent.get(url).call().map_err(|error| in_words(&error))?;
    let body =
        answer.body_mut().with_config().limit(MOST_BYTES).read_to_vec().map_err(|error| in_words(&error))?;
    parse(&body, url)
}

fn in_words(error: &ureq::Error) -> String {
    let text = match error {
        ureq::Error::BadUri(_) => "the address is not one of HTTP".to_owned(),
        ureq::Error::Timeout(_) => format!("no whole answer within {} seconds", TIMEOUT.as_secs()),
        ureq::Error::BodyExceedsLimit(bytes) => format!("the list has more than {bytes} bytes"),
        error => error.to_string(),
    };
    text.chars().take(MOST_ERROR_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    /// Answers one request with these bytes.
    fn serve(answer: Vec<u8>) -> (String, std::thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/list.json?token=x", listener.local_addr().expect("its address"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a request");
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            // The other side may have read enough.
            let _ = stream.write_all(&answer);
        });
        (url, server)
    }

    fn answer(status: &str, body: &str) -> Vec<u8> {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
            .into_bytes()
    }

    fn fetched(answer: Vec<u8>) -> Result<KnownChannels, String> {
        let (url, server) = serve(answer);
        let found = fetch(&url);
        server.join().expect("the server ends");
        found
    }

    #[test]
    fn a_list_is_fetched_and_its_source_told_without_the_query() {
        let list = fetched(answer("200 OK", r##"[{"channel": "#bay", "region": "US"}]"##)).expect("a list");
        assert_eq!(list.entries[0].channel, "#bay");
        assert!(list.source.ends_with("/list.json"), "{}", list.source);
    }

    #[test]
    fn whatever_else_a_server_answers_is_an_error_in_words() {
        let large = answer("200 OK", &format!("[{}", " ".repeat(2 << 20)));
        for (answer, word) in [
            (answer("404 Not Found", "{}"), "404"),
            (answer("200 OK", "<html>"), "JSON"),
            (answer("200 OK", "[]"), "no channel"),
            (large, "more than 1048576 bytes"),
            (b"nonsense\r\n\r\n".to_vec(), ""),
            (Vec::new(), ""),
        ] {
            let error = fetched(answer).expect_err("no list");
            assert!(error.contains(word) && error.len() <= 4 * MOST_ERROR_CHARS, "{word}: {error}");
        }
        fetch("ftp://lists.example/x").expect_err("another protocol");
    }
}
