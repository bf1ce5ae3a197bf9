//! What `vigie up` tells when it has started.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::Centre;

#[test]
fn every_source_is_told_as_it_was_found() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("auth.log"), "").unwrap();
    std::fs::create_dir(dir.path().join("folder.log")).unwrap();
    let sources =
        "[sources]\nfiles = [\"auth.log\", \"folder.log\", \"later.log\"]\njournald = \"always\"\n";
    let centre = Centre::start(dir.path(), sources, &[]);
    let [auth, folder, later, journald] = &centre.sources[..] else {
        panic!("{:?}", centre.sources)
    };
    assert_eq!(auth, "auth.log: reading");
    // Whatever this machine has: something is known of each.
    for (source, name) in
        [(folder, "folder.log: "), (later, "later.log: "), (journald, "journald: ")]
    {
        let state = source.strip_prefix(name).unwrap_or_default();
        assert!(!["", "not opened yet"].contains(&state), "{source}");
    }
    centre.stop();
}
