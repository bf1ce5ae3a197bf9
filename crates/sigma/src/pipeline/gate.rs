//! When is a processing item applied? Conditions, and how they are joined.

use vigie_yaml::{Position, Refusal, shown};

/// How deep parentheses and `not` may nest in an expression.
const MAX_DEPTH: usize = 32;

/// Conditions of one kind.
#[derive(Debug)]
pub(super) struct Gate<T> {
    /// Each with its name, where expressions need one.
    pub tests: Vec<(String, T)>,
    pub link: Link,
    pub negated: bool,
}

/// How conditions are joined.
#[derive(Debug)]
pub(super) enum Link {
    All,
    Any,
    Expression(Expression),
}

/// A boolean expression over named conditions, each by its place.
#[derive(Debug)]
pub(super) enum Expression {
    Test(usize),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

impl<T> Default for Gate<T> {
    fn default() -> Self {
        Self { tests: Vec::new(), link: Link::All, negated: false }
    }
}

impl<T> Gate<T> {
    /// Whether the conditions hold, by `test`; where there are none they do.
    pub fn passes(&self, mut test: impl FnMut(&T) -> bool) -> bool {
        if self.tests.is_empty() {
            return true;
        }
        let holds = match &self.link {
            Link::All => self.tests.iter().all(|(_, one)| test(one)),
            Link::Any => self.tests.iter().any(|(_, one)| test(one)),
            Link::Expression(expression) => {
                let truths: Vec<bool> = self.tests.iter().map(|(_, one)| test(one)).collect();
                expression.holds(&truths)
            }
        };
        holds != self.negated
    }
}

impl Expression {
    fn holds(&self, truths: &[bool]) -> bool {
        match self {
            Self::Test(place) => truths.get(*place).copied().unwrap_or(false),
            Self::Not(inner) => !inner.holds(truths),
            Self::And(parts) => parts.iter().all(|part| part.holds(truths)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(truths)),
        }
    }

    /// Reads `a and not (b or c)`.
    pub fn parse(text: &str, at: Position, names: &[&str]) -> Result<Self, Refusal> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let tokens: Vec<&str> = spaced.split_whitespace().collect();
        let mut parser = Parser { tokens: &tokens, next: 0, depth: 0, at, names };
        let expression = parser.or()?;
        match parser.tokens.get(parser.next) {
            None => Ok(expression),
            Some(rest) => Err(parser.refuse(format!("unexpected `{}`", shown(rest)))),
        }
    }
}

struct Parser<'p> {
    tokens: &'p [&'p str],
    next: usize,
    depth: usize,
    at: Position,
    names: &'p [&'p str],
}

impl Parser<'_> {
    fn refuse(&self, message: impl Into<String>) -> Refusal {
        let mend = format!("join {} by `and`, `or`, `not`", self.names.join(", "));
        Refusal::new(self.at, message, mend)
    }

    fn take(&mut self, word: &str) -> bool {
        let taken =
            self.tokens.get(self.next).is_some_and(|token| token.eq_ignore_ascii_case(word));
        self.next += usize::from(taken);
        taken
    }

    fn or(&mut self) -> Result<Expression, Refusal> {
        let mut parts = vec![self.and()?];
        while self.take("or") {
            parts.push(self.and()?);
        }
        Ok(Expression::Or(parts))
    }

    fn and(&mut self) -> Result<Expression, Refusal> {
        let mut parts = vec![self.not()?];
        while self.take("and") {
            parts.push(self.not()?);
        }
        Ok(Expression::And(parts))
    }

    fn not(&mut self) -> Result<Expression, Refusal> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.refuse("the expression nests over 32 levels deep"));
        }
        let expression = if self.take("not") {
            Expression::Not(Box::new(self.not()?))
        } else if self.take("(") {
            let inner = self.or()?;
            if !self.take(")") {
                return Err(self.refuse("a parenthesis is not closed"));
            }
            inner
        } else {
            let Some(name) = self.tokens.get(self.next) else {
                return Err(self.refuse("the expression ends too early"));
            };
            let Some(place) = self.names.iter().position(|known| known == name) else {
                return Err(self.refuse(format!("no condition is named `{}`", shown(name))));
            };
            self.next += 1;
            Expression::Test(place)
        };
        self.depth -= 1;
        Ok(expression)
    }
}
