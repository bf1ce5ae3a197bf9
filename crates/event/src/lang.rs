//! The two languages that Vigie speaks.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A language of the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

impl Lang {
    /// The ISO 639-1 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// The text in this language.
    pub const fn pick<'t>(self, en: &'t str, fr: &'t str) -> &'t str {
        match self {
            Self::En => en,
            Self::Fr => fr,
        }
    }

    /// The language that a locale name such as `fr_FR.UTF-8` or an `Accept-Language` header asks
    /// for; English when it asks for none that Vigie speaks.
    pub fn from_locale(locale: &str) -> Self {
        locale
            .split([',', ':'])
            .find_map(|part| match part.trim().get(..2)?.to_ascii_lowercase().as_str() {
                "fr" => Some(Self::Fr),
                "en" => Some(Self::En),
                _ => None,
            })
            .unwrap_or_default()
    }
}

impl FromStr for Lang {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "en" => Ok(Self::En),
            "fr" => Ok(Self::Fr),
            _ => Err("the languages are `en` and `fr`"),
        }
    }
}

/// One text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Localized {
    /// English; never empty where a text is required.
    pub en: String,
    /// French; empty means that the English text serves for both.
    #[serde(default)]
    pub fr: String,
}

impl Localized {
    /// A text in both languages.
    pub fn new(en: impl Into<String>, fr: impl Into<String>) -> Self {
        Self { en: en.into(), fr: fr.into() }
    }

    /// The text in `lang`, or in English where it has no translation.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Fr if !self.fr.is_empty() => &self.fr,
            _ => &self.en,
        }
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.en.is_empty()
    }
}

/// The languages in which texts are made: both where texts are kept, one where they are shown at
/// once and not kept, none where nobody reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Langs {
    /// Every text in both.
    #[default]
    Both,
    /// One language: its text then stands where the one that serves for both does.
    Only(Lang),
    /// All texts stay empty.
    None,
}

impl Langs {
    /// Whether texts are made at all.
    pub const fn any(self) -> bool {
        !matches!(self, Self::None)
    }

    /// The text that `make` gives.
    pub fn text(self, make: impl Fn(Lang) -> String) -> Localized {
        match self {
            Self::Both => Localized { en: make(Lang::En), fr: make(Lang::Fr) },
            Self::Only(lang) => Localized { en: make(lang), fr: String::new() },
            Self::None => Localized::default(),
        }
    }

    /// A text that is known beforehand.
    pub fn fixed(self, en: &str, fr: &str) -> Localized {
        match self {
            Self::Both => Localized::new(en, fr),
            Self::Only(lang) => Localized::new(lang.pick(en, fr), ""),
            Self::None => Localized::default(),
        }
    }

    /// A text that somebody else wrote.
    pub fn copy(self, text: &Localized) -> Localized {
        match self {
            Self::Both => text.clone(),
            Self::Only(lang) => Localized::new(text.get(lang), ""),
            Self::None => Localized::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_the_first_language_it_speaks() {
        for (locale, expected) in [
            ("fr_FR.UTF-8", Lang::Fr),
            ("en-GB,en;q=0.8,fr;q=0.5", Lang::En),
            ("de, fr;q=0.5", Lang::Fr),
            ("C", Lang::En),
            ("", Lang::En),
        ] {
            assert_eq!(Lang::from_locale(locale), expected, "{locale}");
        }
    }

    #[test]
    fn one_language_alone_serves_for_both() {
        let french = Langs::Only(Lang::Fr);
        let english_only = Localized::new("a", "");
        for (text, expected) in [
            (french.text(|lang| lang.code().to_owned()), "fr"),
            (french.fixed("a", "b"), "b"),
            (french.copy(&english_only), "a"),
            (Langs::default().fixed("a", "b"), "b"),
            (Langs::default().text(|lang| lang.code().to_owned()), "fr"),
        ] {
            assert_eq!(text.get(Lang::Fr), expected);
            assert!(!text.is_empty());
        }
        assert!(Langs::None.fixed("a", "b").is_empty());
    }
}
