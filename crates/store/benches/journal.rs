//! How many records a processor-second the journal makes durable and reads.
//!
//! Times are of the processor (user and system, all threads), not of the wall clock.

// A benchmark that panics has failed, and says where.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod processor_time;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;
use vigie_event::{Batch, Cursor, Record, Source, SourceKind, Timestamp};
use vigie_store::journal::{Compression, Journal, JournalOptions, Position};

use processor_time::ProcessorTime;

const RECORDS: usize = 1_000;

/// 1,000 access-log lines of 300 bytes.
fn batch(sequence: usize) -> Batch {
    let source = Source::named(SourceKind::Http, "bench", None);
    let records = (0..RECORDS)
        .map(|index| {
            let n = (sequence * RECORDS + index).wrapping_mul(0x9E37_79B9);
            let mut bytes = format!(
                "203.0.113.{} - user{} [21/Nov/2026:10:{:02}:{:02} +0000] \"GET /path/{:x}/{}.html?id={:x} HTTP/1.1\" {} {} \"https://www.example.com/{:x}\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0 Safari/537.36\"",
                n % 251, n % 97, index / 60 % 60, index % 60, n & 0xFFFF, n % 1_009, n, 200 + n % 5, n % 65_536, n >> 7 & 0xFFF_FFFF, 100 + n % 40,
            )
            .into_bytes();
            bytes.resize(300, b' ');
            let observed = Timestamp::from_nanos(1_800_000_000_000_000_000 + index as i64 * 1_000);
            Record { source: Arc::clone(&source), offset: (index * 301) as u64, observed, bytes }
        })
        .collect();
    Batch { source, cursor: Some(Cursor::Sequence { number: sequence as u64 }), records }
}

fn options(compression: Compression) -> JournalOptions {
    JournalOptions { compression, ..JournalOptions::default() }
}

fn journal(c: &mut Criterion<ProcessorTime>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut group = c.benchmark_group("journal");
    group.sample_size(10).throughput(Throughput::Elements(32 * RECORDS as u64));
    for compression in [Compression::Never, Compression::Always] {
        let dir = TempDir::new().unwrap();
        let (journal, _) = Journal::open(dir.path(), options(compression)).unwrap();
        for (name, at_once) in [("one at a time", 1), ("8 at a time", 8)] {
            group.bench_function(format!("append {compression:?}, {name}"), |b| {
                b.iter_batched(
                    || (0..32).map(batch).collect::<Vec<_>>(),
                    |batches| {
                        runtime.block_on(async {
                            let mut batches = batches.into_iter().peekable();
                            while batches.peek().is_some() {
                                let appends: Vec<_> = batches
                                    .by_ref()
                                    .take(at_once)
                                    .map(|batch| Box::pin(journal.append(batch)))
                                    .collect();
                                join(appends).await;
                            }
                        });
                    },
                    BatchSize::PerIteration,
                );
            });
        }
        group.bench_function(format!("read {compression:?}"), |b| {
            b.iter(|| {
                let mut reader = journal.reader(Position(0));
                while reader.position() < Position(32 * RECORDS as u64) {
                    let view = reader.next_view().unwrap().unwrap();
                    view.records().for_each(|record| {
                        black_box(record.bytes);
                    });
                }
            });
        });
    }
    group.finish();
}

/// Polls all together, so that they queue up for one commit.
async fn join<F: Future + Unpin>(mut futures: Vec<F>) {
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| std::pin::Pin::new(future).poll(context).is_pending());
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ProcessorTime).without_plots();
    targets = journal
}
criterion_main!(benches);
