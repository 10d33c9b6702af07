use super::*;

fn get(path: &str, headers: &[(&'static str, &str)]) -> Response<Body> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    serve(path, &map)
}

/// These hold whether or not the UI was built when the tests were compiled.
#[test]
fn a_missing_file_is_not_found_and_any_other_path_is_the_pages() {
    assert_eq!(get("/assets/none-12345678.js", &[]).status(), StatusCode::NOT_FOUND);
    let wanted = if is_built() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    for path in ["/", "", "/nodes", "/nodes/abc", "//", "/../..", "/%2e%2e"] {
        let status = get(path, &[]).status();
        assert!(
            status == wanted || (path.contains("..") && status == StatusCode::NOT_FOUND),
            "{path}: {status}"
        );
    }
}

#[test]
fn compressed_forms_are_not_files_of_their_own() {
    assert_eq!(get("/index.html.br", &[]).status(), StatusCode::NOT_FOUND);
}

#[test]
fn the_start_is_revalidated_and_hashed_files_are_kept() {
    let Some(hashed) = Dist::iter().find(|name| name.starts_with(HASHED) && name.ends_with(".js")) else {
        return;
    };
    let start = get("/", &[]);
    assert_eq!(start.headers()[CACHE_CONTROL], "no-cache");
    assert_eq!(start.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    let file = get(&format!("/{hashed}"), &[]);
    assert_eq!(file.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert_eq!(file.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
}

#[test]
fn what_the_client_has_is_not_sent_again() {
    if !is_built() {
        return;
    }
    let tag = get("/", &[]).headers()[ETAG].clone();
    let again = get("/", &[("if-none-match", &format!("\"x\", W/{}", tag.to_str().unwrap()))]);
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(again.headers()[ETAG], tag);
    let compressed = get("/", &[("if-none-match", tag.to_str().unwrap()), ("accept-encoding", "br")]);
    if compressed.headers().contains_key(CONTENT_ENCODING) {
        assert_eq!(compressed.status(), StatusCode::OK, "another encoding has other bytes");
    }
}
