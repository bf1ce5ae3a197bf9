//! A lane: the records of one source on their way into the journal, numbered in order.
//!
//! While a batch is being written, what arrives waits; then all of it goes into the next batch.
//! So a disk that syncs in a millisecond takes single posts by the thousand, and numbers are
//! given in the order of the journal. The number of the last record is the batch's cursor: after a
//! restart it is read back from the journal, and counting goes on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use vigie_event::{Batch, Cursor, Record, Source, Timestamp};
use vigie_store::journal::{JournalError, Position};

use crate::ingest::Ingest;
use crate::intake::{IntakeError, Receipt};

/// Records that posts are gathered up to for one batch; a single post may be larger.
const GATHER_RECORDS: usize = 16_384;
/// Bytes that posts are gathered up to for one batch; a single post may be larger.
const GATHER_BYTES: usize = 4 << 20;

/// What wants to know of each batch, in order: number and position of its first record, and how
/// many there are.
pub type Watcher = Box<dyn Fn(u64, Position, u64) + Send + Sync>;

/// The way of one source's records into the journal.
pub struct Lane {
    log: Arc<dyn Ingest>,
    watcher: Option<Watcher>,
    queue: Mutex<Queue>,
}

struct Queue {
    /// The number of the last record that is durable.
    last: u64,
    waiting: VecDeque<Post>,
    /// Whether a task is writing.
    writing: bool,
}

/// What one request brought.
struct Post {
    source: Arc<Source>,
    observed: Timestamp,
    records: Vec<Vec<u8>>,
    answer: oneshot::Sender<Result<Receipt, IntakeError>>,
}

impl Lane {
    /// A lane whose last record has the number `last`.
    pub fn new(log: Arc<dyn Ingest>, last: u64, watcher: Option<Watcher>) -> Self {
        let queue = Queue { last, waiting: VecDeque::new(), writing: false };
        Self { log, watcher, queue: Mutex::new(queue) }
    }

    /// The number of the last record that is durable.
    pub fn last(&self) -> u64 {
        self.queue().last
    }

    /// Hands records over; resolves when they are durable. They are written even when nobody waits
    /// any more.
    pub async fn push(
        self: &Arc<Self>,
        source: Arc<Source>,
        observed: Timestamp,
        records: Vec<Vec<u8>>,
    ) -> Result<Receipt, IntakeError> {
        let (answer, receipt) = oneshot::channel();
        let idle = {
            let mut queue = self.queue();
            queue.waiting.push_back(Post { source, observed, records, answer });
            !std::mem::replace(&mut queue.writing, true)
        };
        if idle {
            tokio::spawn(Arc::clone(self).write());
        }
        receipt.await.unwrap_or(Err(IntakeError::Stopped))
    }

    /// Writes until nothing waits.
    async fn write(self: Arc<Self>) {
        let _guard = WritingGuard(&self);
        while let Some((first, posts)) = self.gather() {
            let (batch, shares) = batch_of(first, posts);
            let count = batch.records.len() as u64;
            match self.log.append(batch).await {
                Ok(end) => {
                    self.settle(first, count, end, shares);
                    // Those who were told get to send their next before the next is gathered.
                    tokio::task::yield_now().await;
                }
                Err(error) => refuse(&error, shares),
            }
        }
    }

    /// The next posts of one source, with the number of their first record.
    fn gather(&self) -> Option<(u64, Vec<Post>)> {
        let mut queue = self.queue();
        let Some(head) = queue.waiting.pop_front() else {
            queue.writing = false;
            return None;
        };
        let (mut records, mut bytes) = size(&head);
        let mut posts = vec![head];
        while let (Some(next), Some(head)) = (queue.waiting.front(), posts.first()) {
            let (more_records, more_bytes) = size(next);
            records += more_records;
            bytes += more_bytes;
            let fits = records <= GATHER_RECORDS && bytes <= GATHER_BYTES;
            if !fits || next.source != head.source {
                break;
            }
            posts.extend(queue.waiting.pop_front());
        }
        Some((queue.last + 1, posts))
    }

    fn settle(&self, first: u64, count: u64, end: Position, shares: Vec<Share>) {
        self.queue().last = first + count - 1;
        let start = Position(end.0.saturating_sub(count));
        if let Some(watcher) = &self.watcher {
            watcher(first, start, count);
        }
        let mut number = first;
        for share in shares {
            number += share.records;
            let receipt = Receipt {
                accepted: share.records,
                total: number - 1,
                position: start.plus(number - first),
            };
            // Nobody waits where the client has gone.
            let _ = share.answer.send(Ok(receipt));
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the lane go on after a panic in the log: those who wait are told, the next post starts a
/// new task.
struct WritingGuard<'l>(&'l Lane);

impl Drop for WritingGuard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut queue = self.0.queue();
            queue.writing = false;
            queue.waiting.clear();
        }
    }
}

/// A post's part of a batch.
struct Share {
    records: u64,
    answer: oneshot::Sender<Result<Receipt, IntakeError>>,
}

fn size(post: &Post) -> (usize, usize) {
    (post.records.len(), post.records.iter().map(Vec::len).sum())
}

fn batch_of(first: u64, posts: Vec<Post>) -> (Batch, Vec<Share>) {
    let source = posts.first().map_or_else(
        || Source::named(vigie_event::SourceKind::Http, "", None),
        |post| Arc::clone(&post.source),
    );
    let mut records = Vec::with_capacity(posts.iter().map(|post| post.records.len()).sum());
    let mut shares = Vec::with_capacity(posts.len());
    let mut number = first;
    for post in posts {
        shares.push(Share { records: post.records.len() as u64, answer: post.answer });
        for bytes in post.records {
            let source = Arc::clone(&source);
            records.push(Record { source, offset: number, observed: post.observed, bytes });
            number += 1;
        }
    }
    let cursor = Some(Cursor::Sequence { number: number - 1 });
    (Batch { source, cursor, records }, shares)
}

fn refuse(error: &JournalError, shares: Vec<Share>) {
    tracing::error!(%error, posts = shares.len(), "records cannot be kept; their senders are told");
    for share in shares {
        let _ = share.answer.send(Err(IntakeError::Journal(error.clone())));
    }
}
