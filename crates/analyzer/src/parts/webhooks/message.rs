//! What a webhook is sent.

use serde::Serialize;
use ureq::http::HeaderValue;
use xray::{AlertChange, AlertEvent, Severity};

/// An event with what a reader far away needs to know. As JSON it is the event with two fields more.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    /// What this installation calls itself.
    pub(super) instance: &'a str,
    /// Where its page is; null when the configuration does not say.
    pub(super) link: Option<&'a str>,
    #[serde(flatten)]
    pub(super) event: &'a AlertEvent,
}

/// Titles are cut here; a phone shows less.
const MOST_TITLE_CHARS: usize = 200;

impl Message<'_> {
    /// The headers of ntfy (<https://docs.ntfy.sh/publish/>).
    pub(super) fn ntfy_headers(&self) -> Vec<(&'static str, HeaderValue)> {
        let (priority, tag) = match (self.event.change, self.event.flag.severity) {
            (AlertChange::Cleared, _) => ("3", "white_check_mark"),
            (AlertChange::Test, _) => ("3", "test_tube"),
            (AlertChange::Raised | AlertChange::Worsened, Severity::Warning) => ("4", "warning"),
            (AlertChange::Raised | AlertChange::Worsened, Severity::Critical) => ("5", "rotating_light"),
        };
        let what = match self.event.change {
            AlertChange::Raised | AlertChange::Test => "",
            AlertChange::Worsened => "worse: ",
            AlertChange::Cleared => "over: ",
        };
        let title = header(&format!("{}: {what}{}", self.instance, self.event.flag.title));
        let fixed = |text: &'static str| Some(HeaderValue::from_static(text));
        let headers = [
            ("Title", title),
            ("Priority", fixed(priority)),
            ("Tags", fixed(tag)),
            ("Click", self.link.and_then(header)),
        ];
        headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// The text of an ntfy message.
    pub(super) fn ntfy_body(&self) -> String {
        let flag = &self.event.flag;
        match self.event.change {
            AlertChange::Raised | AlertChange::Worsened => format!("{}\n{}", flag.reason, flag.remedy),
            AlertChange::Test => flag.reason.clone(),
            AlertChange::Cleared => format!("It is over. It was: {}", flag.reason),
        }
    }
}

/// The text as a header's value, in UTF-8, which ntfy understands. Control characters would begin a header of their own, so they
/// become blanks.
pub(super) fn header(text: &str) -> Option<HeaderValue> {
    let clean: String =
        text.chars().take(MOST_TITLE_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    HeaderValue::from_bytes(clean.trim().as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_stays_one_line_and_within_bounds() {
        let value = header("a\r\nX-Evil: b\tü\u{7f}").expect("clean");
        assert_eq!(value.as_bytes(), "a  X-Evil: b ü".as_bytes());
        assert_eq!(header(&"x".repeat(1_000)).expect("clean").len(), MOST_TITLE_CHARS);
    }
}
