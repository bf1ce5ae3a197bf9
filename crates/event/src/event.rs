//! The event: what a parser understood of a record.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::id::LateId;
use crate::record::{RecordRef, Source};
use crate::room;
use crate::slots::{Beside, Passage, Shape, Slots};
use crate::value::{Value, ValueRef};
use crate::wording::Wording;
use crate::{EventId, FieldId, Logsources, Timestamp, field, unmapped};

/// Whether a parser knew the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventKind {
    /// A parser knew it.
    #[default]
    Event,
    /// A detector elsewhere, such as Suricata, has judged it already.
    Alert,
    /// No parser knew it; it is kept, counted and searchable all the same.
    Unparsed,
}

impl EventKind {
    /// The value of `event.kind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Alert => "alert",
            Self::Unparsed => "unparsed",
        }
    }
}

/// What a parser understood of a record: typed slots over interned fields.
///
/// An event is made to be used again: [`Event::begin`] clears it and keeps its memory, so a
/// stream of events allocates nothing once the buffers have grown.
// In the order in which most look at it: of an event that is known by its wording, nearly all is
// found in one line of the processor's cache.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Event {
    /// When it happened.
    pub time: Timestamp,
    /// Sigma's logsources that it belongs to.
    pub logsources: Logsources,
    wording: Option<Wording>,
    /// The parser that read it, as `event.dataset`.
    pub dataset: &'static str,
    /// How many times it happened: over 1 for lines such as `message repeated 5 times`.
    pub repeat: u32,
    /// Whether a parser knew it.
    pub kind: EventKind,
    slots: Slots,
    text: String,
    id: LateId,
    /// Where it was read.
    pub source: Option<Arc<Source>>,
    /// Offset of its record in the source, in bytes, or its sequence number.
    pub offset: u64,
    /// When it was read.
    pub observed: Timestamp,
    raw: Option<Vec<u8>>,
}

impl Default for Event {
    fn default() -> Self {
        Self {
            id: EventId::default().into(),
            time: Timestamp::default(),
            observed: Timestamp::default(),
            kind: EventKind::Event,
            dataset: "",
            logsources: &[],
            repeat: 1,
            source: None,
            offset: 0,
            wording: None,
            text: String::new(),
            raw: None,
            slots: Slots::default(),
        }
    }
}

impl Event {
    /// Starts over with `record`: its text and origin are set, its time is the observed one until
    /// the parser finds a better, and all slots are empty.
    pub fn begin(&mut self, record: &RecordRef<'_>) {
        if let Ok(text) = simdutf8::basic::from_utf8(record.bytes) {
            self.begin_text(record, text);
        } else {
            self.begin_text(record, &String::from_utf8_lossy(record.bytes));
            self.raw = Some(record.bytes.to_vec());
        }
    }

    /// The same of a record whose bytes are known to be `text`.
    pub fn begin_text(&mut self, record: &RecordRef<'_>, text: &str) {
        self.time = record.observed;
        self.observed = record.observed;
        self.kind = EventKind::Event;
        self.dataset = "";
        self.logsources = &[];
        self.repeat = 1;
        if !self.source.as_ref().is_some_and(|source| Arc::ptr_eq(source, record.source)) {
            self.source = Some(Arc::clone(record.source));
        }
        self.offset = record.offset;
        self.wording = None;
        self.slots.clear();
        self.raw = None;
        room::clear_text(&mut self.text);
        self.text.push_str(text);
    }

    /// Bytes of its texts, about.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.text.len() + self.raw.as_ref().map_or(0, Vec::len) + self.slots.made().len()
    }

    /// A function of the event's time, source, offset and raw bytes, once the parser has set the
    /// time. It is made where it is first asked for: most events need none.
    #[inline]
    pub fn id(&self) -> EventId {
        self.id.get_or_make(|| {
            let fingerprint = self.source.as_ref().map_or(0, |source| source.fingerprint);
            EventId::of_record(self.time, fingerprint, self.offset, self.raw())
        })
    }

    /// Gives the event an id of one's own.
    pub fn set_id(&mut self, id: EventId) {
        self.id = id.into();
    }

    /// Sets the time once the parser knows when it happened.
    pub fn finish(&mut self, time: Timestamp) {
        self.time = time;
        self.id = LateId::default();
    }

    /// The record as text; bytes that are not UTF-8 are shown as U+FFFD.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The record's bytes as they were read.
    pub fn raw(&self) -> &[u8] {
        self.raw.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// The wording, where the parser met it before.
    #[inline]
    pub fn wording(&self) -> Option<Wording> {
        self.wording
    }

    /// Says that the event, as it is now, is of that wording.
    pub fn set_wording(&mut self, wording: Option<Wording>) {
        self.wording = wording;
    }

    /// The record's text and the slots to fill from it.
    pub fn fields_mut(&mut self) -> (&str, Fields<'_>) {
        self.wording = None;
        (&self.text, Fields { text: &self.text, slots: &mut self.slots })
    }

    /// The value of `field`, if it is present.
    #[inline]
    pub fn get(&self, field: FieldId) -> Option<ValueRef<'_>> {
        if self.slots.may_have(field) { self.look_up(field) } else { None }
    }

    #[inline(never)]
    fn look_up(&self, field: FieldId) -> Option<ValueRef<'_>> {
        self.slots.get(field, &self.text)
    }

    /// The value of `field` where it is text that the parser knows beforehand, such as most
    /// `event.action`: equal ones mostly have one address.
    #[inline]
    pub fn fixed_of(&self, field: FieldId) -> Option<&'static str> {
        self.slots.fixed_of(field)
    }

    /// The value of `field` where it is text.
    #[inline]
    pub fn text_of(&self, field: FieldId) -> Option<&str> {
        if self.slots.may_have(field) { self.look_up_text(field) } else { None }
    }

    #[inline(never)]
    fn look_up_text(&self, field: FieldId) -> Option<&str> {
        self.slots.text_of(field, &self.text)
    }

    /// The value of `field` where it is an address.
    #[inline]
    pub fn address_of(&self, field: FieldId) -> Option<IpAddr> {
        match self.get(field)? {
            ValueRef::Address(address) => Some(address),
            _ => None,
        }
    }

    /// The value of `field` where it is a whole number.
    #[inline]
    pub fn integer_of(&self, field: FieldId) -> Option<i64> {
        match self.get(field)? {
            ValueRef::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// The value of `field` rendered as text.
    pub fn render(&self, field: FieldId) -> Option<Cow<'_, str>> {
        self.get(field).map(ValueRef::to_text)
    }

    /// All fields that are present, in the order in which the parser found them.
    #[inline]
    pub fn fields(&self) -> impl Iterator<Item = (FieldId, ValueRef<'_>)> {
        self.slots.iter(&self.text)
    }

    /// A number that events of one shape have in common, and others mostly do not.
    #[inline]
    pub fn shape_hint(&self) -> u64 {
        self.slots.hint()
    }

    /// Whether the event has the shape.
    #[inline]
    pub fn has_shape(&self, shape: &Shape) -> bool {
        self.slots.are(shape)
    }

    /// Makes `shape` the event's own.
    pub fn copy_shape(&self, shape: &mut Shape) {
        self.slots.outline(shape);
    }

    /// The value in the slot at `place`, in the order of the shape.
    #[inline]
    pub fn value_at(&self, place: usize) -> Option<ValueRef<'_>> {
        self.slots.value_at(place, &self.text)
    }

    /// Calls `each` with every text of the fields that does not stand in the event's own text.
    #[inline]
    pub fn beside(&self, each: impl FnMut(Beside<'_>)) {
        self.slots.beside(each);
    }

    /// All that [`Event::beside`] tells as [`Beside::Made`] save what stands in lists, one after
    /// the other, and perhaps some more: to see at once that they have not what is looked for.
    #[inline]
    pub fn made(&self) -> &str {
        self.slots.made()
    }

    /// Whether a field may have a list.
    #[inline]
    pub fn has_lists(&self) -> bool {
        self.slots.has_lists()
    }

    /// Those of [`Event::fields`] for which `wanted` gives something, with what it gives; the
    /// others cost next to nothing.
    #[inline]
    pub fn fields_among<T>(
        &self,
        wanted: impl Fn(FieldId) -> Option<T>,
    ) -> impl Iterator<Item = (T, ValueRef<'_>)> {
        self.slots.iter_among(wanted, &self.text)
    }
}

/// Fills the slots of an event.
#[derive(Debug)]
pub struct Fields<'e> {
    text: &'e str,
    slots: &'e mut Slots,
}

impl Fields<'_> {
    /// Adds text. Where `value` is a slice of the event's own text nothing is copied.
    #[inline]
    pub fn text(&mut self, field: FieldId, value: &str) {
        match self.span(value) {
            Some((start, length)) => self.slots.span(field, start, length),
            None => self.slots.copy(field, value),
        }
    }

    /// Starts with what a frame tells, all as spans of the event's text (first byte, length): host,
    /// program, process id and message. Nothing may have been added before.
    #[inline]
    pub fn frame(
        &mut self,
        host: (u32, u32),
        program: (u32, u32),
        pid: Option<i64>,
        message: (u32, u32),
    ) {
        self.slots.frame(host, program, pid, message);
    }

    /// How many fields there are.
    #[inline]
    pub fn count(&self) -> usize {
        self.slots.count()
    }

    /// Keeps the fields from `first` on in `passage`, as those of `piece`, a slice of the event's
    /// own text. False where they hold more than what stands in it and plain values.
    pub fn keep(&self, first: usize, piece: &str, passage: &mut Passage) -> bool {
        self.span(piece).is_some_and(|span| self.slots.keep_from(first, span, passage))
    }

    /// Fills in the fields of `passage` again, of which an equal piece stands at `piece`, a slice of
    /// the event's own text.
    #[inline]
    pub fn again(&mut self, passage: &Passage, piece: &str) {
        if let Some((start, _)) = self.span(piece) {
            self.slots.again(passage, start);
        }
    }

    /// Adds several texts that the parser knows beforehand.
    #[inline]
    pub fn all_fixed<const N: usize>(&mut self, values: [(FieldId, &'static str); N]) {
        self.slots.all_fixed(values);
    }

    /// Adds several texts at once. Of slices of the event's own text nothing is copied.
    #[inline]
    pub fn texts<const N: usize>(&mut self, values: [(FieldId, &str); N]) {
        let spans = values.map(|(field, text)| (field, self.span(text)));
        if spans.iter().all(|(_, span)| span.is_some()) {
            self.slots.spans(spans.map(|(field, span)| (field, span.unwrap_or_default())));
        } else {
            for (field, text) in values {
                self.text(field, text);
            }
        }
    }

    /// Adds text that the parser knows beforehand.
    #[inline]
    pub fn fixed(&mut self, field: FieldId, value: &'static str) {
        self.slots.fixed(field, value);
    }

    /// Adds a whole number.
    #[inline]
    pub fn integer(&mut self, field: FieldId, value: i64) {
        self.slots.integer(field, value);
    }

    /// Adds an address; an IPv4 address mapped into IPv6 (`::ffff:a.b.c.d`) becomes IPv4.
    #[inline]
    pub fn address(&mut self, field: FieldId, value: IpAddr) {
        self.slots.address(field, unmapped(value));
    }

    /// Adds a value of any kind.
    #[inline]
    pub fn value(&mut self, field: FieldId, value: Value) {
        self.slots.value(field, value);
    }

    /// Adds a value of any kind in place of the one that is there.
    pub fn replace(&mut self, field: FieldId, value: Value) {
        self.slots.replace(field, value);
    }

    /// Keeps a field whose name cannot be interned, as a `name=value` member of
    /// [`field::OVERFLOW`].
    pub fn overflow(&mut self, name: &str, value: &Value) {
        let rendered = value.resolve(self.text).to_text();
        let member = Value::Made(format!("{name}={rendered}").into());
        let mut members = self.slots.take_list(field::OVERFLOW);
        members.push(member);
        self.replace(field::OVERFLOW, Value::List(members.into()));
    }

    /// Takes all fields out again.
    pub fn clear(&mut self) {
        self.slots.clear();
    }

    /// Whether `field` is present already.
    #[inline]
    pub fn has(&self, field: FieldId) -> bool {
        self.slots.has(field)
    }

    /// What is in `field` already.
    #[inline]
    pub fn get(&self, field: FieldId) -> Option<ValueRef<'_>> {
        self.slots.get(field, self.text)
    }

    /// A text value: a span where `value` is a slice of the event's own text, else a copy.
    pub fn cut(&self, value: &str) -> Value {
        match self.span(value) {
            Some((start, length)) => Value::Span(start, length),
            None => Value::Made(value.into()),
        }
    }

    /// Where `value` stands in the event's own text.
    #[inline]
    fn span(&self, value: &str) -> Option<(u32, u32)> {
        let base = self.text.as_ptr() as usize;
        let start = (value.as_ptr() as usize).wrapping_sub(base);
        // Spans reach 4 GB far.
        let end = self.text.len().min(u32::MAX as usize);
        let inside = start <= end && value.len() <= end - start;
        inside.then_some((start as u32, value.len() as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(source: &Arc<Source>, bytes: &'static [u8]) -> Event {
        let mut event = Event::default();
        event.begin(&RecordRef { source, offset: 3, observed: Timestamp::default(), bytes });
        event
    }

    #[test]
    fn a_slice_of_the_record_is_not_copied() {
        let source = Source::file("a", 1, None);
        let mut event = record(&source, b"user root");
        let (text, mut fields) = event.fields_mut();
        assert_eq!(fields.cut(&text[5..]), Value::Span(5, 4));
        assert_eq!(fields.cut("elsewhere"), Value::Made("elsewhere".into()));
        fields.text(field::USER_NAME, &text[5..]);
        assert_eq!(event.text_of(field::USER_NAME), Some("root"));
    }

    #[test]
    fn the_memory_of_a_long_record_is_given_back() {
        let source = Source::file("a", 1, None);
        let mut event = Event::default();
        for length in [3_000_000, 100, 3_000_000, 0] {
            let text = "x".repeat(length);
            let (offset, observed) = (0, Timestamp::default());
            let bytes = text.as_bytes();
            event.begin(&RecordRef { source: &source, offset, observed, bytes });
            event.fields_mut().1.value(field::USER_NAME, Value::Made(text.as_str().into()));
            assert_eq!((event.text().len(), event.bytes()), (length, 2 * length));
            assert!(event.text.capacity() < length + room::MOST_TEXT);
            assert!(event.slots.made().len() == length);
        }
    }

    #[test]
    fn keeps_bytes_that_are_not_text() {
        let source = Source::file("a", 1, None);
        let event = record(&source, b"user \xff");
        assert_eq!(event.raw(), b"user \xff");
        assert_eq!(event.text(), "user \u{FFFD}");
    }

    #[test]
    fn mapped_addresses_are_their_ipv4_address() {
        let source = Source::file("a", 1, None);
        let mut event = record(&source, b"");
        event.fields_mut().1.address(field::SOURCE_IP, "::ffff:192.0.2.1".parse().unwrap());
        assert_eq!(event.address_of(field::SOURCE_IP), Some("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn names_beyond_the_bound_are_kept_in_one_field() {
        let source = Source::file("a", 1, None);
        let mut event = record(&source, b"");
        let (_, mut fields) = event.fields_mut();
        fields.overflow("a", &Value::Integer(1));
        fields.overflow("b", &Value::Fixed("x"));
        assert_eq!(event.render(field::OVERFLOW).unwrap(), "a=1, b=x");
    }
}
