//! A small HTTP/1.1 client: one kept-alive connection, no compression, no redirects.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A connection to one server.
pub struct HttpClient {
    address: String,
    connection: Option<BufReader<TcpStream>>,
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", String::from_utf8_lossy(&self.body)))
    }

    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl HttpClient {
    /// For a server at `host:port`; connects with the first request.
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned(), connection: None }
    }

    /// Sends a GET and reads the answer.
    ///
    /// # Panics
    /// When the server cannot be reached or answers something that is not HTTP.
    pub fn get(&mut self, path: &str) -> Response {
        self.request("GET", path, &[], b"")
    }

    /// Sends any request and reads the answer.
    ///
    /// # Panics
    /// As [`HttpClient::get`].
    pub fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let connection = self.connection.get_or_insert_with(|| connect(&self.address));
        connection.get_mut().write_all(&[head.as_bytes(), body].concat()).expect("the request can be sent");
        read_response(connection, method)
    }
}

fn connect(address: &str) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).expect("the server accepts connections");
    stream.set_nodelay(true).expect("a socket option");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket option");
    BufReader::with_capacity(1 << 16, stream)
}

fn read_response(connection: &mut BufReader<TcpStream>, method: &str) -> Response {
    let status_line = read_line(connection);
    let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
    let mut headers = Vec::new();
    loop {
        let line = read_line(connection);
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').expect("a header line");
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut response = Response { status, headers, body: Vec::new() };
    if method == "HEAD" || status == 304 || status == 204 {
        return response;
    }
    if response.header("transfer-encoding") == Some("chunked") {
        loop {
            let size = usize::from_str_radix(&read_line(connection), 16).expect("a chunk size");
            response.body.extend(read_exactly(connection, size));
            read_line(connection);
            if size == 0 {
                break;
            }
        }
    } else {
        let size = response.header("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
        response.body = read_exactly(connection, size);
    }
    response
}

fn read_line(connection: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    connection.read_line(&mut line).expect("the server answers");
    line.trim_end().to_owned()
}

fn read_exactly(connection: &mut BufReader<TcpStream>, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    connection.read_exact(&mut bytes).expect("the whole body");
    bytes
}
