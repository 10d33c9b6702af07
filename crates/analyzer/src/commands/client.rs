//! Asks the running program over HTTP, for `top` and `bundle`.

use crate::cli::ProgramArgs;
use crate::config::Loaded;
use crate::parts::plan::http_address;
use anyhow::{Context as _, Result, anyhow, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Response, Uri};

/// A program that is loading its history answers late, and one that takes longer is in trouble.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A bundle of a large installation is some megabytes.
const MOST_BODY_BYTES: u64 = 64 * 1024 * 1024;

/// The running program.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    key: Option<String>,
}

/// The body of an answer that is no success.
#[derive(Deserialize)]
struct ErrorBody {
    error: String,
}

impl Client {
    /// For the program that the arguments name, else for the one that the configuration would start.
    ///
    /// # Errors
    /// When the address is none, or there is a configuration that cannot be read.
    pub(crate) fn new(args: &ProgramArgs, key: Option<String>) -> Result<Self> {
        let base = match &args.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => here(http_address(args.http, &Loaded::examine(args.config.as_deref())?)),
        };
        let is_http = base.parse::<Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
        if !is_http {
            bail!("--url: `{base}` is no address such as http://127.0.0.1:3000");
        }
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            // The key must not go to whom an answer names.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // It is this machine or one beside it, whatever proxy the web is reached by.
            .proxy(None)
            .build();
        Ok(Self { agent: config.into(), base, key: key.filter(|key| !key.is_empty()) })
    }

    /// Where the program is asked.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether there is a key to give with orders.
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// What the program answers to a question, whatever that means.
    ///
    /// # Errors
    /// When it cannot be reached or refuses.
    pub(crate) fn get(&self, path: &str) -> Result<Vec<u8>> {
        let answer = self.agent.get(format!("{}{path}", self.base)).call();
        self.body(answer, path)
    }

    /// The same for an answer of a known form.
    ///
    /// # Errors
    /// Also when the answer has another form.
    pub(crate) fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.understood(&self.get(path)?, path)
    }

    /// Gives an order.
    ///
    /// # Errors
    /// When the program cannot be reached or refuses.
    pub(crate) fn order(&self, path: &str, order: &serde_json::Value) -> Result<()> {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = match &self.key {
            Some(key) => request.header("X-API-Key", key),
            None => request,
        };
        let answer = request.header("Content-Type", "application/json").send(order.to_string());
        self.body(answer, path).map(drop)
    }

    fn body(&self, answer: Result<Response<ureq::Body>, ureq::Error>, path: &str) -> Result<Vec<u8>> {
        let answer = answer.map_err(|error| anyhow!("{error}"));
        let mut answer = answer.with_context(|| format!("cannot reach the program at {}", self.base))?;
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(MOST_BODY_BYTES).read_to_vec();
        let body = body.with_context(|| format!("the answer to {path} ended too early"))?;
        if status.is_success() {
            return Ok(body);
        }
        match serde_json::from_slice::<ErrorBody>(&body) {
            Ok(said) => bail!("{path} is refused: {} ({status})", said.error),
            Err(_) => bail!("{} answers {path} with {status}; is it this program?", self.base),
        }
    }

    fn understood<T: DeserializeOwned>(&self, body: &[u8], path: &str) -> Result<T> {
        let what =
            || format!("{} answers {path} in another form; is it this program, in this version?", self.base);
        serde_json::from_slice(body).with_context(what)
    }
}

/// How a listening address is reached from this machine.
fn here(listens: SocketAddr) -> String {
    let ip = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, listens.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Result<Client> {
        let args = ProgramArgs { url: Some(url.to_owned()), ..ProgramArgs::default() };
        Client::new(&args, None)
    }

    #[test]
    fn an_address_for_everybody_is_asked_on_loopback() {
        for (listens, asked) in [
            ("0.0.0.0:3000", "http://127.0.0.1:3000"),
            ("[::]:80", "http://[::1]:80"),
            ("192.168.1.5:1", "http://192.168.1.5:1"),
        ] {
            assert_eq!(here(listens.parse().expect("an address")), asked);
        }
    }

    #[test]
    fn a_wrong_address_and_a_program_that_is_not_there_are_said_plainly() {
        assert!(client("127.0.0.1:3000").is_err() && client("ftp://a").is_err());
        let client = client("http://127.0.0.1:1/").expect("an address");
        let error = client.get("/api/stats").expect_err("nobody listens on port 1");
        assert!(
            format!("{error:#}").starts_with("cannot reach the program at http://127.0.0.1:1: "),
            "{error:#}"
        );
    }
}
