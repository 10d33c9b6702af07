//! Conditions on bytes as hex digits, without making the digits of those that cannot pass.

use filter::{Condition, Op, Value};
use memchr::memmem::Finder;
use meshcore::decode_hex;

/// What bytes must have for their digits to pass.
#[derive(Debug)]
pub(super) enum Digits {
    /// Nothing that could be said beforehand.
    Any,
    /// Some of these bytes: the digits may begin with the upper or with the lower half of a byte.
    Bytes(Box<[Finder<'static>; 2]>),
    /// Nobody has such digits.
    Never,
}

impl Digits {
    /// For a condition on all digits of some bytes.
    pub(super) fn of(condition: &Condition) -> Self {
        // All of these mean that the digits are in there somewhere.
        let Condition::Compare(Op::Contains | Op::StartsWith | Op::EndsWith | Op::Equal, Value::Text(text)) =
            condition
        else {
            return Self::Any;
        };
        let digits = text.as_str();
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Self::Never;
        }
        let whole_bytes = |digits: &str| {
            let bytes = decode_hex(&digits[..digits.len() & !1])?;
            (!bytes.is_empty()).then(|| Finder::new(&bytes).into_owned())
        };
        let from_lower_half = digits.get(1..).and_then(whole_bytes);
        match whole_bytes(digits).zip(from_lower_half) {
            Some((upper, lower)) => Self::Bytes(Box::new([upper, lower])),
            None => Self::Any,
        }
    }

    /// Whether the digits of these bytes may pass.
    pub(super) fn may_be_of(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Bytes(parts) => parts.iter().any(|part| part.find(bytes).is_some()),
            Self::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use filter::{Expr, Filter};
    use meshcore::Hex;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_passes_is_never_ruled_out(
            bytes in proptest::collection::vec(prop_oneof![Just(0x11_u8), Just(0x1A), any::<u8>()], 0..12),
            op in prop_oneof![Just("contains"), Just("starts_with"), Just("ends_with"), Just("==")],
            from in 0_usize..20, len in 1_usize..9, lower in any::<bool>(), other in "[1aA]{1,6}|z",
        ) {
            let digits = Hex(&bytes).to_upper();
            let from = from.min(digits.len());
            let part = &digits[from..digits.len().min(from + len)];
            let part = if lower { part.to_lowercase() } else { part.to_owned() };
            for text in [part, other] {
                let filter = Filter::parse(&format!("raw {op} \"{text}\"")).unwrap();
                let Expr::Test(test) = filter.expr() else { panic!("one test") };
                let holds = test.condition.holds(&filter::Found::text(Some(digits.as_str())), 0);
                prop_assert!(!holds || Digits::of(&test.condition).may_be_of(&bytes), "{text} in {digits}");
            }
        }
    }

    #[test]
    fn what_cannot_pass_is_ruled_out_without_its_digits() {
        let of = |text: &str| {
            let filter = Filter::parse(text).unwrap();
            let Expr::Test(test) = filter.expr() else { panic!("one test") };
            Digits::of(&test.condition)
        };
        assert!(!of("raw contains \"zz\"").may_be_of(&[1, 2]));
        assert!(!of("raw contains \"ABC\"").may_be_of(&[0x12, 0x34]));
        assert!(of("raw contains \"abc\"").may_be_of(&[0xAB, 0xC4]));
        assert!(of("raw contains \"abc\"").may_be_of(&[0x1A, 0xBC]));
        assert!(of("raw != \"ABC\"").may_be_of(&[0x12, 0x34]));
    }
}
