//! Values that only an answer of ours carries: who uses one has read it.
//!
//! A decoy page names an account, an address or a machine that stand nowhere else. The actor who
//! fetched the page and soon after uses the value on something else reads what we answer.

use std::net::IpAddr;
use std::sync::Arc;

use vigie_event::{Event, field, unmapped};

/// Pages at most: their numbers fit a byte.
const MOST_PAGES: usize = 200;
/// Values of one page at most.
const MOST_VALUES: usize = 32;
/// Letters that a value has at least: shorter ones stand anywhere.
const LEAST_LETTERS: usize = 4;

/// Pages and the values planted in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planted(Arc<[Page]>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Page {
    path: String,
    values: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Value {
    text: String,
    address: Option<IpAddr>,
}

/// An entry that plants nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlantedError {
    /// It is not written as a page and its values.
    #[error(
        "\"{0}\" must be a page and its values, such as \"/notes/access.html: svc-archive, 198.51.100.77\""
    )]
    Form(String),
    /// A value is so short that it stands anywhere.
    #[error(
        "\"{0}\" is too short to be told from other words; plant a value of at least {LEAST_LETTERS} letters"
    )]
    Short(String),
    /// More pages or values than are looked for.
    #[error("at most {MOST_PAGES} pages with {MOST_VALUES} values each can be planted")]
    Many,
}

impl Planted {
    /// Reads entries of the form `/page: value, value`.
    ///
    /// # Errors
    /// When an entry has another form, a value is too short, or there are too many.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, PlantedError> {
        let pages = entries.iter().map(|entry| page(entry.as_ref()));
        let pages: Arc<[Page]> = pages.collect::<Result<_, _>>()?;
        if pages.len() > MOST_PAGES { Err(PlantedError::Many) } else { Ok(Self(pages)) }
    }

    /// The page that `event` shows as handed out, and that whose value it uses, counted from 1;
    /// 0: none.
    pub(super) fn marks(&self, event: &Event) -> (u8, u8) {
        if self.0.is_empty() {
            return (0, 0);
        }
        let number = |place: Option<usize>| place.map_or(0, |place| place as u8 + 1);
        let status = event.integer_of(field::HTTP_RESPONSE_STATUS_CODE);
        let path = event.text_of(field::URL_PATH).filter(|_| status.is_none_or(|code| code < 400));
        let served = path.and_then(|path| self.0.iter().position(|page| page.path == path));
        let used =
            self.0.iter().position(|page| page.values.iter().any(|value| value.is_in(event)));
        (number(served), number(used))
    }
}

fn page(entry: &str) -> Result<Page, PlantedError> {
    let form = || PlantedError::Form(entry.to_owned());
    let (path, values) = entry.split_once(": ").ok_or_else(form)?;
    let path = path.trim();
    let texts: Vec<&str> =
        values.split(',').map(str::trim).filter(|value| !value.is_empty()).collect();
    if !path.starts_with('/') || texts.is_empty() {
        return Err(form());
    }
    if texts.len() > MOST_VALUES {
        return Err(PlantedError::Many);
    }
    let value = |text: &str| {
        if text.chars().count() < LEAST_LETTERS {
            return Err(PlantedError::Short(text.to_owned()));
        }
        Ok(Value { text: text.to_owned(), address: text.parse().ok().map(unmapped) })
    };
    let values = texts.into_iter().map(value).collect::<Result<_, _>>()?;
    Ok(Page { path: path.to_owned(), values })
}

impl Value {
    /// Whether `event` is about it: an account or machine of that name, or a text that holds it.
    fn is_in(&self, event: &Event) -> bool {
        if let Some(address) = self.address
            && event.address_of(field::DESTINATION_IP).map(unmapped) == Some(address)
        {
            return true;
        }
        let names = [field::USER_NAME, field::USER_TARGET_NAME, field::DNS_QUESTION_NAME];
        let is = |id| event.text_of(id).is_some_and(|text| text.eq_ignore_ascii_case(&self.text));
        let texts = [field::PROCESS_COMMAND_LINE, field::FILE_PATH, field::URL_DECODED];
        let holds = |id| event.text_of(id).is_some_and(|text| text.contains(&self.text));
        names.into_iter().any(is) || texts.into_iter().any(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_plant_nothing_are_refused_with_the_mend() {
        let planted = Planted::parse(&["/a b.html:  svc-archive , 198.51.100.77,"]).unwrap();
        assert_eq!(planted.0[0].path, "/a b.html");
        assert_eq!(planted.0[0].values.len(), 2);
        for wrong in ["/notes", "notes: svc-archive", "/notes: ", "/notes: , ", ""] {
            assert!(matches!(Planted::parse(&[wrong]), Err(PlantedError::Form(_))), "{wrong}");
        }
        assert_eq!(Planted::parse(&["/notes: abc"]), Err(PlantedError::Short("abc".into())));
        assert_eq!(Planted::parse(&vec!["/n: abcd"; 201]), Err(PlantedError::Many));
        assert!(Planted::parse::<&str>(&[]).unwrap().0.is_empty());
    }
}
