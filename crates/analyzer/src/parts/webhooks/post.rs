//! One request to one webhook.

use super::message::{Message, header};
use crate::config::Hook;
use std::time::Duration;
use ureq::Agent;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE};
use xray::WebhookKind;

/// From the first packet of the name look-up to the last of the answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// More of the head of an answer is not read, and of its body nothing: a status is all that is wanted.
const MOST_HEAD_BYTES: usize = 16 * 1024;

/// Longer errors are cut; they are shown on the page.
const MOST_ERROR_CHARS: usize = 200;

/// Sends requests; keeps connections for the next.
pub(super) struct Postman {
    agent: Agent,
}

impl Postman {
    pub(super) fn new() -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            // A redirection could lead to another host, and would get the token there.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_response_header_size(MOST_HEAD_BYTES)
            .user_agent(concat!("meshcore-analyzer/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into() }
    }

    /// Sends it once.
    ///
    /// # Errors
    /// What went wrong, in words that do not tell the address.
    pub(super) fn post(&self, hook: &Hook, message: &Message<'_>) -> Result<(), String> {
        let mut request = self.agent.post(&hook.url);
        if let Some(token) = &hook.token {
            let value = header(&format!("Bearer {token}")).ok_or("the token cannot stand in a header")?;
            request = request.header(AUTHORIZATION, value);
        }
        let sent = match hook.kind {
            WebhookKind::Json => {
                let body = serde_json::to_vec(message).map_err(|error| error.to_string())?;
                request.header(CONTENT_TYPE, "application/json").send(&body[..])
            }
            WebhookKind::Ntfy => {
                for (name, value) in message.ntfy_headers() {
                    request = request.header(name, value);
                }
                request.header(CONTENT_TYPE, "text/plain; charset=utf-8").send(message.ntfy_body())
            }
        };
        let status = sent.map_err(|error| in_words(&error))?.status();
        if status.is_redirection() {
            return Err(format!(
                "the server answered {status}; redirections are not followed, give the final address"
            ));
        }
        if status.is_success() { Ok(()) } else { Err(format!("the server answered {status}")) }
    }
}

fn in_words(error: &ureq::Error) -> String {
    let text = match error {
        // Its text would be the address.
        ureq::Error::BadUri(_) => "the address is not one of HTTP".to_owned(),
        ureq::Error::Timeout(_) => format!("no answer within {} seconds", TIMEOUT.as_secs()),
        error => error.to_string(),
    };
    text.chars().take(MOST_ERROR_CHARS).collect()
}
