//! From text to tree; the grammar is `grammar.ebnf`.

mod condition;

use crate::ast::{Expr, Quantifier, Test};
use crate::error::FilterError;
use crate::fields::Field;
use crate::scanner::{Scanner, Span};
use crate::values::PatternRoom;
use crate::{MAX_BYTES, MAX_DEPTH, MAX_TESTS};

pub(crate) fn parse(text: &str) -> Result<Expr, FilterError> {
    if text.len() > MAX_BYTES {
        let message = format!("the filter is longer than {MAX_BYTES} bytes");
        return Err(FilterError { offset: 0, length: text.chars().count(), message, hint: None });
    }
    let mut parser =
        Parser { scanner: Scanner::new(text), depth: 0, tests: 0, patterns: PatternRoom::default() };
    if parser.scanner.is_at_end() {
        return Err(parser.scanner.error_here("the filter is empty", None));
    }
    let expr = parser.or()?;
    if parser.scanner.is_at_end() { Ok(expr) } else { Err(parser.unexpected()) }
}

struct Parser<'t> {
    scanner: Scanner<'t>,
    depth: usize,
    tests: usize,
    patterns: PatternRoom,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.and()?];
        while self.scanner.take("||") || self.scanner.take_word("or") {
            parts.push(self.and()?);
        }
        Ok(one_or(parts, Expr::Or))
    }

    /// `&&`, `and`, or nothing at all between two comparisons.
    fn and(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.not()?];
        loop {
            if self.scanner.take("&&") || self.scanner.take_word("and") {
                parts.push(self.not()?);
                continue;
            }
            let rest = self.scanner.rest();
            let goes_on = match self.scanner.peek_name() {
                Some(name) => !name.eq_ignore_ascii_case("or"),
                None => rest.starts_with('(') || (rest.starts_with('!') && !rest.starts_with("!=")),
            };
            if !goes_on {
                return Ok(one_or(parts, Expr::And));
            }
            parts.push(self.not()?);
        }
    }

    fn not(&mut self) -> Result<Expr, FilterError> {
        if !(self.scanner.take("!") || self.scanner.take_word("not")) {
            return self.primary();
        }
        self.deeper()?;
        let inner = self.not()?;
        self.depth -= 1;
        Ok(Expr::Not(Box::new(inner)))
    }

    fn primary(&mut self) -> Result<Expr, FilterError> {
        if self.scanner.take("(") {
            self.deeper()?;
            let inner = self.or()?;
            self.depth -= 1;
            self.close()?;
            return Ok(inner);
        }
        let Some(name) = self.scanner.peek_name() else { return Err(self.unexpected()) };
        let quantifier = match () {
            () if name.eq_ignore_ascii_case("any") => Some(Quantifier::Any),
            () if name.eq_ignore_ascii_case("all") => Some(Quantifier::All),
            () => None,
        };
        if let Some(quantifier) = quantifier {
            let span = self.scanner.skip(name);
            return self.heard(quantifier, span);
        }
        let span = self.scanner.skip(name);
        let field = self.field(name, span)?;
        self.test(field, span).map(Expr::Test)
    }

    /// `any(snr > 5)`, `any(snr) > 5`, `any(snr > 5 && iata == SFO)`.
    fn heard(&mut self, quantifier: Quantifier, word: Span) -> Result<Expr, FilterError> {
        if !self.scanner.take("(") {
            let hint = Some("write `any(snr > 5)` or `any(snr) > 5`".to_owned());
            return Err(self.scanner.error(word, "`any` and `all` want parentheses", hint));
        }
        self.deeper()?;
        // A lone field may have its comparison after the parenthesis.
        let before = self.scanner.clone();
        if let Some(name) = self.scanner.peek_name()
            && let Some(field) = Field::from_name(name)
        {
            let span = self.scanner.skip(name);
            if self.scanner.take(")") {
                self.depth -= 1;
                let test = Expr::Test(self.test(field, span)?);
                return Ok(Expr::Heard(quantifier, Box::new(test)));
            }
            self.scanner = before;
        }
        let inner = self.or()?;
        self.depth -= 1;
        self.close()?;
        Ok(Expr::Heard(quantifier, Box::new(inner)))
    }

    fn field(&mut self, name: &str, span: Span) -> Result<Field, FilterError> {
        if let Some(field) = Field::from_name(name) {
            return Ok(field);
        }
        let hint = Field::like(name).map(|known| format!("did you mean `{known}`?"));
        Err(self.scanner.error(span, format!("there is no field `{name}`"), hint))
    }

    fn test(&mut self, field: Field, span: Span) -> Result<Test, FilterError> {
        self.tests += 1;
        if self.tests > MAX_TESTS {
            return Err(self.scanner.error(span, format!("more than {MAX_TESTS} comparisons"), None));
        }
        let condition = self.condition(field)?;
        Ok(Test { field, condition })
    }

    fn deeper(&mut self) -> Result<(), FilterError> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(self.scanner.error_here(format!("nested more than {MAX_DEPTH} deep"), None))
    }

    fn close(&mut self) -> Result<(), FilterError> {
        if self.scanner.take(")") {
            return Ok(());
        }
        if self.scanner.is_at_end() {
            return Err(self.scanner.error_here("a `)` is missing", None));
        }
        Err(self.unexpected())
    }

    /// What is wrong with what comes next where a comparison should begin or end.
    fn unexpected(&mut self) -> FilterError {
        let rest = self.scanner.rest();
        let (message, hint) = match rest.chars().next() {
            None => ("the filter ends where a comparison should follow", None),
            Some('&') => ("a single `&`", Some("write `&&`")),
            Some('|') => ("a single `|`", Some("write `||`")),
            Some(')') => ("a `)` without its `(`", None),
            Some('"' | '\'') => ("a text where a field should stand", Some("write `text contains \"…\"`")),
            Some('0'..='9' | '-') => (
                "a number where a field should stand",
                Some("write a field and a sign before it, such as `snr > 5`"),
            ),
            Some(_) => ("this is no field, comparison or operator", None),
        };
        self.scanner.error_here(message, hint.map(str::to_owned))
    }
}

fn one_or(mut parts: Vec<Expr>, many: impl FnOnce(Vec<Expr>) -> Expr) -> Expr {
    if parts.len() == 1 { parts.remove(0) } else { many(parts) }
}
