//! How does the console say it in English and in French?
//!
//! Texts stand in `locales/{en,fr}/*.ftl` (Fluent) and are compiled in. A key that is missing
//! shows itself instead of a text; the tests keep both languages complete.

use std::borrow::Cow;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;
use vigie_event::{Lang, Localized};

macro_rules! files {
    ($lang:literal) => {
        &[
            include_str!(concat!("../locales/", $lang, "/shell.ftl")),
            include_str!(concat!("../locales/", $lang, "/overview.ftl")),
            include_str!(concat!("../locales/", $lang, "/incidents.ftl")),
            include_str!(concat!("../locales/", $lang, "/response.ftl")),
            include_str!(concat!("../locales/", $lang, "/account.ftl")),
            include_str!(concat!("../locales/", $lang, "/errors.ftl")),
        ]
    };
}

/// The English Fluent files.
pub(crate) const ENGLISH: &[&str] = files!("en");
/// The French Fluent files.
pub(crate) const FRENCH: &[&str] = files!("fr");

static CATALOGUES: LazyLock<[FluentBundle<FluentResource>; 2]> =
    LazyLock::new(|| [catalogue(Lang::En, ENGLISH), catalogue(Lang::Fr, FRENCH)]);

fn catalogue(lang: Lang, files: &[&str]) -> FluentBundle<FluentResource> {
    let locale: LanguageIdentifier = lang.code().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![locale]);
    // The pages isolate foreign text with <bdi>; marks inside sentences would only be in the way.
    bundle.set_use_isolating(false);
    for file in files {
        let resource = match FluentResource::try_new((*file).to_owned()) {
            Ok(resource) => resource,
            Err((resource, errors)) => {
                tracing::error!(?errors, "locale file has errors");
                resource
            }
        };
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(?errors, "locale file repeats keys");
        }
    }
    bundle
}

/// A number of things, by value or by reference as the templates have it.
pub trait Count {
    /// How many.
    fn count(&self) -> u64;
}

impl Count for u64 {
    fn count(&self) -> u64 {
        *self
    }
}

impl Count for u8 {
    fn count(&self) -> u64 {
        u64::from(*self)
    }
}

impl Count for usize {
    fn count(&self) -> u64 {
        *self as u64
    }
}

impl<C: Count> Count for &C {
    fn count(&self) -> u64 {
        (*self).count()
    }
}

/// The console's texts in one language. Its short method names are those of the templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text(pub Lang);

impl Text {
    /// The language.
    pub fn lang(self) -> Lang {
        self.0
    }

    /// The text called `key`.
    pub fn s(self, key: &str) -> Cow<'static, str> {
        self.format(key, None)
    }

    /// The text called `key` with `$n` for choosing the plural and `$shown` for showing it.
    pub fn n(self, key: &str, n: impl Count) -> Cow<'static, str> {
        let n = n.count();
        let mut args = FluentArgs::new();
        args.set("n", FluentValue::from(n));
        args.set("shown", self.number(n));
        self.format(key, Some(&args))
    }

    /// The text called `key` with one argument.
    // Templates hand over values and references alike.
    #[allow(clippy::needless_pass_by_value)]
    pub fn with(self, key: &str, name: &'static str, value: impl ToString) -> Cow<'static, str> {
        let mut args = FluentArgs::new();
        args.set(name, value.to_string());
        self.format(key, Some(&args))
    }

    /// The text called `key` with several arguments.
    pub fn with_all(self, key: &str, values: &[(&'static str, String)]) -> Cow<'static, str> {
        let mut args = FluentArgs::new();
        for (name, value) in values {
            args.set(*name, value.clone());
        }
        self.format(key, Some(&args))
    }

    /// Picks the language of a text that comes in both.
    pub fn pick(self, text: &Localized) -> &str {
        text.get(self.0)
    }

    /// A whole number with its thousands apart: `12,345` or `12 345` (narrow no-break space).
    pub fn number(self, n: impl Count) -> String {
        let digits = n.count().to_string();
        let separator = match self.0 {
            Lang::En => ',',
            Lang::Fr => '\u{202F}',
        };
        let mut shown = String::with_capacity(digits.len() + digits.len() / 3 * 3);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                shown.push(separator);
            }
            shown.push(digit);
        }
        shown
    }

    /// A number with at most two digits after the point (or comma).
    pub fn decimal(self, value: f64) -> String {
        let text = format!("{value:.2}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        match self.0 {
            Lang::En => text.to_owned(),
            Lang::Fr => text.replace('.', ","),
        }
    }

    /// A share of 100: `82%` or `82 %`.
    pub fn percent(self, share: impl Count) -> String {
        match self.0 {
            Lang::En => format!("{}%", share.count()),
            Lang::Fr => format!("{}\u{202F}%", share.count()),
        }
    }

    /// A length of time in its two largest units: `4 h`, `2 d 3 h`, `45 s`.
    pub fn duration(self, seconds: u64) -> String {
        let day = match self.0 {
            Lang::En => "d",
            Lang::Fr => "j",
        };
        let units = [(86_400, day), (3_600, "h"), (60, "min"), (1, "s")];
        let mut rest = seconds;
        let mut parts: Vec<String> = Vec::with_capacity(2);
        for (length, name) in units {
            let count = rest / length;
            rest %= length;
            if count > 0 {
                parts.push(format!("{count}\u{A0}{name}"));
            }
            if parts.len() == 2 {
                break;
            }
        }
        if parts.is_empty() { "0\u{A0}s".to_owned() } else { parts.join(" ") }
    }

    fn format(self, key: &str, args: Option<&FluentArgs<'_>>) -> Cow<'static, str> {
        let [english, french] = &*CATALOGUES;
        let bundle = match self.0 {
            Lang::En => english,
            Lang::Fr => french,
        };
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(key, lang = self.0.code(), "text is missing");
            return Cow::Owned(key.to_owned());
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, args, &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(key, ?errors, "text lacks its arguments");
        }
        Cow::Owned(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_as_the_language_does() {
        for (n, en, fr) in [
            (0_u64, "0", "0"),
            (999, "999", "999"),
            (1_000, "1,000", "1\u{202F}000"),
            (1_234_567, "1,234,567", "1\u{202F}234\u{202F}567"),
        ] {
            assert_eq!(Text(Lang::En).number(n), en);
            assert_eq!(Text(Lang::Fr).number(n), fr);
        }
    }

    #[test]
    fn durations_have_at_most_two_units() {
        for (seconds, en) in [
            (0, "0\u{A0}s"),
            (45, "45\u{A0}s"),
            (14_400, "4\u{A0}h"),
            (90_061, "1\u{A0}d 1\u{A0}h"),
            (86_461, "1\u{A0}d 1\u{A0}min"),
        ] {
            assert_eq!(Text(Lang::En).duration(seconds), en, "{seconds}");
        }
    }

    #[test]
    fn a_missing_key_shows_itself() {
        assert_eq!(Text(Lang::Fr).s("no-such-key"), "no-such-key");
    }
}
