//! Which compressed form a client takes.

/// The forms that the build makes, the smaller first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    pub(crate) const ALL: [Encoding; 2] = [Encoding::Brotli, Encoding::Gzip];

    /// What the build appends to the file name.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Encoding::Brotli => ".br",
            Encoding::Gzip => ".gz",
        }
    }

    /// What it is called in headers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Encoding::Brotli => "br",
            Encoding::Gzip => "gzip",
        }
    }
}

/// Whether an `Accept-Encoding` header takes an encoding: named, or covered by `*`, and not with a weight of 0.
pub(crate) fn accepted(header: &str, encoding: Encoding) -> bool {
    let weight_of = |name: &str| header.split(',').find_map(|item| weight(item, name));
    weight_of(encoding.name()).or_else(|| weight_of("*")).is_some_and(|weight| weight > 0.0)
}

/// The weight of an item of the header, if it is about this name.
fn weight(item: &str, name: &str) -> Option<f32> {
    let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
    if !coding.trim().eq_ignore_ascii_case(name) {
        return None;
    }
    let quality = parameters.trim().strip_prefix("q=");
    // A weight that is no number is a mistake of the client's; plain files never hurt it.
    Some(quality.map_or(1.0, |quality| quality.trim().parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_taken_when_named_or_covered_and_not_refused() {
        let takes = |header: &str| accepted(header, Encoding::Brotli);
        assert!(takes("gzip, deflate, br"));
        assert!(takes("BR;q=0.5"));
        assert!(takes("*"));
        assert!(!takes(""));
        assert!(!takes("gzip"));
        assert!(!takes("br;q=0, *"));
        assert!(!takes("br;q=x"));
        assert!(!takes("brotli"));
    }
}
