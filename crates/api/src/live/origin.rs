//! Whose pages may open the live feed (contract §3).

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Programs send no origin and are served; pages must be ours or listed. Here `*` does not count: the browser would let
/// any page of any site listen.
pub(crate) fn is_allowed(headers: &HeaderMap, listed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let of_origin = origin.split_once("://").map(|(_, host)| host);
    let same_host = of_origin.zip(host).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
    same_host || listed.iter().any(|allowed| allowed != "*" && allowed.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: &str, listed: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "mesh.example:3000".parse().unwrap());
        if !origin.is_empty() {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        let listed: Vec<String> = listed.iter().map(|&origin| origin.to_owned()).collect();
        is_allowed(&headers, &listed)
    }

    #[test]
    fn programs_own_pages_and_listed_pages_are_let_in_and_others_not() {
        assert!(from("", &[]));
        assert!(from("http://mesh.example:3000", &[]));
        assert!(from("https://MESH.example:3000", &[]));
        assert!(from("https://Friend.example", &["https://friend.example"]));
        assert!(!from("https://mesh.example", &[]), "another port is another origin");
        assert!(!from("https://evil.example", &["*"]));
        assert!(!from("null", &[]));
        assert!(!from("*", &["*"]));
    }
}
