//! The fields of a day's index, and what of an event goes into them.

use std::fmt::Write as _;

use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, NumericOptions, STORED, Schema, TextFieldIndexing,
    TextOptions,
};
use tantivy::store::{Compressor, ZstdCompressor};
use tantivy::tokenizer::{TextAnalyzer, TokenizerManager};
use tantivy::{Index, IndexSettings, TantivyDocument};
use vigie_event::{Event, ValueRef};

use super::stored;
use super::words::Words;

/// Stands between name and value of a term.
pub(super) const SEPARATOR: char = '\0';
/// The name of [`Words`] in schemas.
const WORDS: &str = "words";
/// Longer values are found by their words alone, in bytes.
const MAX_VALUE_BYTES: usize = 256;
/// Values of one field that become terms; the others are found by their words alone.
const MAX_LIST: usize = 32;

/// Prose, and what is said elsewhere: found by the words of the raw record.
const BY_WORDS: &[&str] = &[
    "error.message",
    "event.original",
    "event.reason",
    "http.request.referrer",
    "log.syslog.structured_data",
    "message",
    "url.decoded",
    "url.full",
    "url.original",
    "url.query",
    "user_agent.original",
];

/// Whether the field called `name` is found by the words of its value.
pub(super) fn is_by_words(name: &str) -> bool {
    BY_WORDS.contains(&name)
}

/// The fields of a day's index.
#[derive(Clone)]
pub(super) struct EventSchema {
    pub(super) schema: Schema,
    pub(super) words: Field,
    pub(super) fields: Field,
    pub(super) time: Field,
    pub(super) tie: Field,
    pub(super) epoch: Field,
    pub(super) event: Field,
}

impl EventSchema {
    pub(super) fn new() -> Self {
        let mut builder = Schema::builder();
        let text = |tokenizer, record| {
            let indexing = TextFieldIndexing::default()
                .set_tokenizer(tokenizer)
                .set_index_option(record)
                .set_fieldnorms(false);
            TextOptions::default().set_indexing_options(indexing)
        };
        Self {
            words: builder
                .add_text_field("words", text(WORDS, IndexRecordOption::WithFreqsAndPositions)),
            fields: builder.add_text_field("fields", text("raw", IndexRecordOption::Basic)),
            time: builder.add_i64_field("time", FAST),
            tie: builder.add_u64_field("tie", FAST),
            epoch: builder.add_u64_field("epoch", NumericOptions::from(INDEXED)),
            event: builder.add_bytes_field("event", STORED),
            schema: builder.build(),
        }
    }

    /// The settings of a new day.
    pub(super) fn settings() -> IndexSettings {
        IndexSettings {
            docstore_compression: Compressor::Zstd(ZstdCompressor { compression_level: Some(1) }),
            docstore_compress_dedicated_thread: false,
            docstore_blocksize: 32 << 10,
            ..IndexSettings::default()
        }
    }

    /// Makes the words' tokenizer known to `index`.
    pub(super) fn register(index: &mut Index) {
        let tokenizers = TokenizerManager::default();
        tokenizers.register(WORDS, TextAnalyzer::from(Words::default()));
        index.set_tokenizers(tokenizers);
    }

    /// What is indexed of `event`.
    pub(super) fn document(&self, event: &Event, epoch: u64) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_i64(self.time, event.time.nanos());
        document.add_u64(self.tie, stored::tie_of(event.id()));
        document.add_u64(self.epoch, epoch);
        document.add_text(self.words, event.text());
        let mut term = String::with_capacity(64);
        for_each_term(event, &mut term, |term| document.add_text(self.fields, term));
        let mut bytes = Vec::with_capacity(event.text().len() + 128);
        stored::encode(event, &mut bytes);
        document.add_bytes(self.event, &bytes);
        document
    }
}

/// Calls `add` with each term of `event`, made in `term`.
fn for_each_term(event: &Event, term: &mut String, mut add: impl FnMut(&str)) {
    let mut put = |name: &str, value: ValueRef<'_>| {
        term.clear();
        term.push_str(name);
        term.push(SEPARATOR);
        let name_bytes = term.len();
        let rendered = match value {
            ValueRef::Text(text) => {
                term.push_str(text);
                Ok(())
            }
            ValueRef::Integer(number) => write!(term, "{number}"),
            ValueRef::Float(number) => write!(term, "{number}"),
            ValueRef::Boolean(truth) => write!(term, "{truth}"),
            ValueRef::Address(address) => write!(term, "{address}"),
            ValueRef::List(_) | ValueRef::Null => return,
        };
        if rendered.is_ok() && term.len() - name_bytes <= MAX_VALUE_BYTES {
            add(term);
        }
    };
    put("event.dataset", ValueRef::Text(event.dataset));
    put("event.kind", ValueRef::Text(event.kind.name()));
    if let Some(source) = &event.source {
        put("log.file.path", ValueRef::Text(&source.name));
    }
    for (id, value) in event.fields() {
        let name = id.name();
        if is_by_words(name) || name == "event.kind" {
            continue;
        }
        match value {
            ValueRef::List(list) => {
                list.iter().take(MAX_LIST).for_each(|member| put(name, member));
            }
            value => put(name, value),
        }
    }
}
