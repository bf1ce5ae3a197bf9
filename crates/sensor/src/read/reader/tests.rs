use std::fs;
use std::io::Write;

use proptest::prelude::*;
use vigie_event::{ManualClock, fingerprint};

use super::*;

type Lines = Vec<(u64, Vec<u8>)>;

fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_seconds(1_767_607_933))
}

fn read_all(path: &Path) -> (Lines, Lost, Option<ReadError>) {
    let mut reader = Reader::open(path, None, &clock()).unwrap();
    let mut lines = Vec::new();
    let error = loop {
        match reader.next() {
            Ok(Some(record)) => lines.push((record.offset, record.bytes.to_vec())),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(matches!(reader.next(), Ok(None)), "nothing follows the end");
    assert_eq!(read_all_as_text(path), lines);
    (lines, reader.lost(), error)
}

/// The same, mostly as text.
fn read_all_as_text(path: &Path) -> Lines {
    let mut reader = Reader::open(path, None, &clock()).unwrap();
    let mut lines = Lines::new();
    loop {
        let record = match lines.len() % 7 {
            6 => reader.next().map(|record| record.map(|record| (record, None))),
            _ => reader.next_text(),
        };
        let Ok(Some((record, text))) = record else { return lines };
        if let Some(text) = text {
            assert_eq!(text.as_bytes(), record.bytes);
        }
        lines.push((record.offset, record.bytes.to_vec()));
    }
}

#[test]
fn short_lines_that_are_text_are_handed_out_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.txt");
    let mut text = sample(20_000);
    text.splice(7_000..7_001, [0xFF]);
    fs::write(&path, &text).unwrap();
    let mut reader = Reader::open(&path, None, &clock()).unwrap();
    let (mut as_text, mut as_bytes) = (0, 0);
    while let Some((_, text)) = reader.next_text().unwrap() {
        *if text.is_some() { &mut as_text } else { &mut as_bytes } += 1;
    }
    // Those that stand beside the byte, and where a block read ends.
    assert!(as_text + as_bytes == 20_000 && (1..300).contains(&as_bytes), "{as_bytes}");
    assert_eq!(read_all_as_text(&path), naive(&text));
}

fn naive(text: &[u8]) -> Lines {
    let mut offset = 0;
    text.split_inclusive(|byte| *byte == b'\n')
        .map(|line| {
            let start = offset;
            offset += line.len() as u64;
            (start, without_terminator(line).to_vec())
        })
        .collect()
}

fn compress(compression: Compression, text: &[u8]) -> Vec<u8> {
    match compression {
        Compression::None => text.to_vec(),
        Compression::Gzip => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => zstd::encode_all(text, 1).unwrap(),
        Compression::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
    }
}

const ALL: [Compression; 5] =
    [Compression::None, Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz];

fn sample(lines: usize) -> Vec<u8> {
    (0..lines).flat_map(|n| format!("line {n} {}\n", n * 7_919 % 10_007).into_bytes()).collect()
}

#[test]
fn reads_concatenated_members_of_every_compression_by_content() {
    let folder = tempfile::tempdir().unwrap();
    let text = sample(40_000);
    let (one, two) = text.split_at(text.len() / 3);
    for compression in ALL {
        // The name lies on purpose.
        let path = folder.path().join("file.txt");
        fs::write(&path, [compress(compression, one), compress(compression, two)].concat())
            .unwrap();
        let reader = Reader::open(&path, None, &clock()).unwrap();
        assert_eq!(reader.compression(), compression);
        assert_eq!(reader.source().fingerprint, fingerprint(b"line 0 0"), "{compression}");
        let (lines, lost, error) = read_all(&path);
        assert!(error.is_none(), "{compression}: {error:?}");
        assert!(lost.is_nothing());
        assert_eq!(lines, naive(&text), "{compression}");
    }
}

#[test]
fn a_whole_input_is_unpacked_by_its_first_bytes() {
    use std::io::Read as _;
    for text in [sample(1_000), b"[]".to_vec(), Vec::new()] {
        for compression in ALL {
            let packed = compress(compression, &text);
            let mut unpacked = Vec::new();
            crate::unpacked(&packed[..]).unwrap().read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, text, "{compression}");
        }
    }
}

#[test]
fn delivers_everything_before_the_damage() {
    let folder = tempfile::tempdir().unwrap();
    let text = sample(200_000);
    for compression in &ALL[1..] {
        let path = folder.path().join("file");
        let mut packed = compress(*compression, &text);
        packed.truncate(packed.len() / 2);
        fs::write(&path, &packed).unwrap();
        let (lines, _, error) = read_all(&path);
        let Some(ReadError::Corrupt { offset, delivered, .. }) = error else {
            panic!("{compression}: {error:?}");
        };
        assert!(offset > 0 && offset <= packed.len() as u64, "{compression}: {offset}");
        let bytes = usize::try_from(delivered).unwrap();
        assert!(bytes > 0, "{compression}");
        assert_eq!(lines, naive(&text[..bytes]), "{compression}");
    }
}

#[test]
fn passes_hostile_bytes_through() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for text in [
        &b""[..],
        b"\n",
        b"\n\n",
        b"no end",
        b"a\r\nb\rc\n\0\xff\xfe\n",
        b"BZh9 is no bzip2 here\n",
        b"\x1f\x8b",
    ] {
        fs::write(&path, text).unwrap();
        let (lines, _, error) = read_all(&path);
        assert!(error.is_none(), "{text:?}: {error:?}");
        assert_eq!(lines, naive(text), "{text:?}");
    }
}

#[test]
fn cuts_lines_over_16_mib_and_counts_the_loss() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let whole = vec![b'w'; MAX_LINE];
    let long = vec![b'l'; MAX_LINE + 3_000_000];
    fs::write(&path, [b"first\n", &whole[..], b"\n", &long, b"\nnext\n", &long].concat()).unwrap();
    let (lines, lost, error) = read_all(&path);
    assert!(error.is_none());
    let shape: Vec<_> = lines.iter().map(|(offset, line)| (*offset, line.len())).collect();
    let second = 6 + whole.len() as u64 + 1;
    let third = second + long.len() as u64 + 1;
    assert_eq!(
        shape,
        [(0, 5), (6, MAX_LINE), (second, MAX_LINE), (third, 4), (third + 5, MAX_LINE)]
    );
    assert_eq!((lost.cut_lines, lost.cut_bytes), (2, 6_000_000));
}

#[test]
fn says_what_is_wrong_and_how_to_mend_it() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.log");
    let error = Reader::open(&missing, None, &clock()).unwrap_err().to_string();
    assert!(error.contains("missing.log: no such file"), "{error}");
    let error = Reader::open(folder.path(), None, &clock()).unwrap_err().to_string();
    assert!(error.contains("is a directory"), "{error}");
    let denied = ReadError::opening(&missing, io::ErrorKind::PermissionDenied.into()).to_string();
    assert!(denied.contains("permission denied; run `"), "{denied}");
}

#[test]
fn a_finished_file_was_observed_when_it_was_last_modified() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "line\n").unwrap();
    let modified = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    file.as_file().set_modified(modified).unwrap();
    let mut reader = Reader::open(file.path(), Some(Format::Syslog), &clock()).unwrap();
    let record = reader.next().unwrap().unwrap();
    assert_eq!(record.observed, Timestamp::from_seconds(1_600_000_000));
    assert_eq!(record.source.format, Some(Format::Syslog));
    assert_eq!(record.source.kind, SourceKind::File);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn reads_like_the_naive_oracle(
        text in proptest::collection::vec(prop_oneof![4 => any::<u8>(), 1 => Just(b'\n')], 0..2_000),
        which in 0usize..5,
    ) {
        let text = if Compression::of(&text) == Compression::None { text } else { Vec::new() };
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), compress(ALL[which], &text)).unwrap();
        let (lines, _, error) = read_all(file.path());
        prop_assert!(error.is_none());
        prop_assert_eq!(lines, naive(&text));
    }
}
