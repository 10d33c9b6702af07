//! The node that a path names.

use crate::config::ApiConfig;
use crate::error::HttpError;
use crate::visibility::Visibility;
use axum::http::StatusCode;
use index::{Index, Node};

/// Fewer digits would match too many nodes by chance.
const LEAST_PREFIX_DIGITS: usize = 8;

/// The node with this key, or with a key that alone begins with these digits. One that is not shown is as if unknown.
///
/// # Errors
/// 404 when there is none, 409 when there are several.
pub(crate) fn find_node<'a>(
    index: &'a Index,
    pubkey: &str,
    config: &ApiConfig,
) -> Result<&'a Node, HttpError> {
    find_node_or(index, pubkey, config, "Not found")
}

/// The same with other words for a 404.
///
/// # Errors
/// As [`find_node`].
pub(crate) fn find_node_or<'a>(
    index: &'a Index,
    pubkey: &str,
    config: &ApiConfig,
    none: &str,
) -> Result<&'a Node, HttpError> {
    let visibility = Visibility::new(config);
    let not_found = || HttpError::not_found(none);
    if let Ok(key) = pubkey.parse() {
        return index.node(&key).filter(|node| visibility.shows_node(node)).ok_or_else(not_found);
    }
    if pubkey.len() < LEAST_PREFIX_DIGITS {
        return Err(not_found());
    }
    let mut found = index.nodes_by_prefix(pubkey).into_iter().filter(|node| visibility.shows_node(node));
    match (found.next(), found.next()) {
        (Some(node), None) => Ok(node),
        (Some(_), Some(_)) => {
            Err(HttpError::new(StatusCode::CONFLICT, "several nodes begin with these digits"))
        }
        (None, _) => Err(not_found()),
    }
}
