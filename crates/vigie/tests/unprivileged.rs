//! The commands as a user who may not read everything: what he may not is named with its mend, and
//! the rest is done.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
// Tests start the binary that they test.
#[allow(clippy::disallowed_types)]
use std::process::Command;

use common::{Centre, stdout_of, vigie, wait_for};

/// `nobody` on every system that has him.
const NOBODY: u32 = 65_534;

/// A folder that everybody can enter, gone with the test.
struct Place {
    dir: tempfile::TempDir,
    /// Whether this test is root and becomes nobody for what it starts.
    steps_down: bool,
}

impl Place {
    /// `None`: root cannot become somebody else here.
    #[allow(clippy::disallowed_methods, clippy::disallowed_types)]
    fn new() -> Option<Self> {
        let steps_down = rustix::process::geteuid().is_root();
        if steps_down
            && !Command::new("setpriv")
                .arg("--version")
                .output()
                .is_ok_and(|it| it.status.success())
        {
            println!("skipped: setpriv is not installed");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        set_mode(dir.path(), 0o755);
        if steps_down {
            // Where the build stands, others may have no business.
            let copy = dir.path().join("vigie");
            fs::copy(env!("CARGO_BIN_EXE_vigie"), &copy).unwrap();
            set_mode(&copy, 0o755);
        }
        Some(Self { dir, steps_down })
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    #[allow(clippy::disallowed_methods, clippy::disallowed_types)]
    fn command(&self, arguments: &[&str]) -> Command {
        let plain = vigie(self.path(), arguments);
        if !self.steps_down {
            return plain;
        }
        let mut command = Command::new("setpriv");
        command
            .args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"])
            .arg(self.path().join("vigie"))
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    /// Runs it; gives its exit code, what it printed and what it complained of.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Writes an attack by `address` on `account` to a file of this mode.
fn write_log(place: &Place, name: &str, mode: u32, address: &str, account: &str) {
    let log = stdout_of(place.path(), &["simulate", "--scenario", "ssh-brute-force"]);
    let log = log.replace("203.0.113.66", address).replace("deploy", account);
    assert!(log.contains(address));
    let path = place.path().join(name);
    fs::write(&path, log).unwrap();
    set_mode(&path, mode);
}

#[test]
fn scan_names_what_it_may_not_read_and_scans_the_rest() {
    let Some(place) = Place::new() else { return };
    write_log(&place, "open.log", 0o644, "203.0.113.7", "anna");
    write_log(&place, "secret.log", 0o000, "198.51.100.7", "ben");
    let closed = place.path().join("closed");
    fs::create_dir(&closed).unwrap();
    write_log(&place, "closed/inner.log", 0o644, "198.51.100.8", "chris");
    set_mode(&closed, 0o000);

    let files = ["scan", "secret.log", "closed/inner.log", "open.log", "--lang"];
    let (code, found, complaint) = place.run(&[&files[..], &["en"]].concat());
    assert_eq!(code, Some(1));
    assert!(found.contains("203.0.113.7") && !found.contains("198.51.100."), "{found}");
    assert_eq!(complaint.lines().count(), 2, "{complaint}");
    for (part, file) in
        [("secret.log", "r secret.log"), ("closed/inner.log", "rX closed closed/inner.log")]
    {
        let beginning = format!("error: {part}: permission denied; run `setfacl -m u:");
        let line = complaint.lines().find(|line| line.starts_with(&beginning));
        assert!(
            line.is_some_and(|line| line.ends_with(&format!(":{file}` as root"))),
            "{complaint}"
        );
    }
    let (code, found, complaint) = place.run(&[&files[..], &["fr"]].concat());
    assert!(code == Some(1) && found.contains("203.0.113.7"), "{found}");
    assert!(complaint.contains("secret.log : lecture refusée ; lancez `setfacl "), "{complaint}");

    // Nothing was looked at: nothing is said of what was found.
    let (code, found, complaint) = place.run(&["scan", "secret.log"]);
    assert_eq!((code, found.as_str()), (Some(1), ""));
    assert!(complaint.contains("secret.log: permission denied"), "{complaint}");
    set_mode(&closed, 0o755);
}

#[test]
fn a_file_of_a_group_is_mended_by_joining_it() {
    let Some(place) = Place::new() else { return };
    // Debian's system logs belong to root and the group adm.
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let adm = groups
        .lines()
        .find_map(|line| line.strip_prefix("adm:x:")?.split(':').next()?.parse().ok());
    let (true, Some(adm)) = (place.steps_down, adm) else {
        println!("skipped: only root can give a file to the group adm");
        return;
    };
    write_log(&place, "auth.log", 0o640, "203.0.113.7", "anna");
    chown(place.path().join("auth.log"), Some(0), Some(adm)).unwrap();
    let (code, _, complaint) = place.run(&["scan", "auth.log"]);
    assert_eq!(code, Some(1));
    let named = complaint.contains("auth.log: permission denied; run `usermod -aG adm ");
    assert!(named || complaint.contains("setfacl"), "{complaint}");
}

#[test]
fn a_centre_reads_on_and_takes_up_what_it_may_read_later() {
    let Some(place) = Place::new() else { return };
    write_log(&place, "open.log", 0o644, "203.0.113.7", "anna");
    write_log(&place, "secret.log", 0o000, "198.51.100.7", "ben");
    let data = place.path().join("data");
    fs::create_dir(&data).unwrap();
    if place.steps_down {
        chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let file = |name| place.path().join(name).display().to_string();
    let configuration = format!(
        "[console]\nlisten = \"127.0.0.1:0\"\n[agents_interface]\ncollect = \"127.0.0.1:0\"\n\
         analyze = \"127.0.0.1:0\"\nrespond = \"127.0.0.1:0\"\n\
         [sources]\nfiles = [{:?}, {:?}]\njournald = \"never\"\nfirst_read = \"start\"\n",
        file("secret.log"),
        file("open.log"),
    );
    fs::write(place.path().join("vigie.toml"), configuration).unwrap();
    set_mode(&place.path().join("vigie.toml"), 0o644);
    let arguments = ["up", "--json", "--data", "data", "--config", "vigie.toml", "--lang", "en"];
    let centre = Centre::greeted(place.command(&arguments));

    let told = centre.sources.iter().find(|source| source.contains("secret.log")).unwrap();
    assert!(told.contains("permission denied; run `setfacl -m u:"), "{told}");
    let blamed = |address: &str| {
        let tickets = centre.status()["tickets"].to_string();
        tickets.contains(address).then_some(())
    };
    wait_for("the open log is read and decided on", || blamed("203.0.113.7"));
    assert_eq!(blamed("198.51.100.7"), None);
    set_mode(&place.path().join("secret.log"), 0o644);
    wait_for("the other log is read once it may be", || blamed("198.51.100.7"));
    centre.stop();
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let Some(place) = Place::new() else { return };
    let closed = place.path().join("closed");
    fs::create_dir(&closed).unwrap();
    set_mode(&closed, 0o500);
    let (code, _, complaint) = place.run(&["up", "--data", "closed/data"]);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("closed/data") && complaint.contains("--data"), "{complaint}");
}
