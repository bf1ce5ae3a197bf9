//! Logins over SSH, guessed and rightful.

use super::cast::{ATTACKER, HOSTS, Person, VICTIM, WEB};
use super::story::{Log, Story};

/// Names that attackers try, and whether an account of that name exists here.
const NAMES: [(&str, bool); 10] = [
    ("root", true),
    ("admin", false),
    ("ubuntu", false),
    ("test", false),
    ("oracle", false),
    ("postgres", true),
    ("deploy", true),
    ("git", false),
    ("backup", true),
    ("www-data", true),
];

/// One wrong password.
pub(super) fn failure(
    story: &mut Story,
    seconds: f64,
    host: &'static str,
    source: &str,
    (user, exists): (&str, bool),
) {
    let (pid, port) = (story.random.between(2_000, 32_000), story.random.client_port());
    connection(story, seconds - 0.01, (host, pid), source, port);
    let (invalid, authenticating) =
        if exists { ("", "authenticating") } else { ("invalid user ", "invalid") };
    if !exists {
        story.sshd(seconds, host, pid, format!("Invalid user {user} from {source} port {port}"));
    }
    story.sshd(
        seconds + 0.01,
        host,
        pid,
        format!("Failed password for {invalid}{user} from {source} port {port} ssh2"),
    );
    story.sshd(
        seconds + 0.02,
        host,
        pid,
        format!("Connection closed by {authenticating} user {user} {source} port {port} [preauth]"),
    );
}

/// `count` wrong passwords over `span` seconds.
pub(super) fn guess(
    story: &mut Story,
    start: f64,
    span: f64,
    count: u32,
    host: &'static str,
    source: &str,
) {
    for number in 0..count {
        let jitter = story.random.fraction() * 0.4;
        let name = story.random.pick(&NAMES);
        let seconds = start + span * (f64::from(number) + jitter) / f64::from(count);
        failure(story, seconds, host, source, name);
    }
}

/// A login that succeeds by password, and its session.
pub(super) fn password_login(
    story: &mut Story,
    seconds: f64,
    host: &'static str,
    user: &str,
    source: &str,
) {
    let (pid, port) = (story.random.between(2_000, 32_000), story.random.client_port());
    connection(story, seconds - 0.3, (host, pid), source, port);
    let how = format!("password for {user} from {source} port {port} ssh2");
    session(story, seconds, (host, pid), (user, 1_100), &how);
}

/// A login that succeeds by key, and its session.
pub(super) fn key_login(
    story: &mut Story,
    seconds: f64,
    host: &'static str,
    person: &Person,
    source: &str,
) {
    let (pid, port) = (story.random.between(2_000, 32_000), story.random.client_port());
    connection(story, seconds - 0.3, (host, pid), source, port);
    let how =
        format!("publickey for {} from {source} port {port} ssh2: {}", person.name, person.key);
    session(story, seconds, (host, pid), (person.name, person.uid), &how);
}

/// What sshd says first at `LogLevel VERBOSE`: who has come, and at which address.
fn connection(
    story: &mut Story,
    seconds: f64,
    (host, pid): (&'static str, u64),
    source: &str,
    port: u64,
) {
    let Some((_, own)) = HOSTS.into_iter().find(|(name, _)| *name == host) else {
        return;
    };
    let message = format!("Connection from {source} port {port} on {own} port 22 rdomain \"\"");
    story.sshd(seconds.max(0.0), host, pid, message);
}

fn session(
    story: &mut Story,
    seconds: f64,
    (host, pid): (&'static str, u64),
    (user, uid): (&str, u32),
    how: &str,
) {
    story.sshd(seconds, host, pid, format!("Accepted {how}"));
    story.sshd(
        seconds + 0.02,
        host,
        pid,
        format!(
            "pam_unix(sshd:session): session opened for user {user}(uid={uid}) by {user}(uid=0)"
        ),
    );
}

/// Guessing passwords until one fits, then a new account with all rights.
pub(super) fn tell_brute_force(story: &mut Story) {
    guess(story, 0.0, 90.0, 60, WEB.0, ATTACKER);
    password_login(story, 92.0, WEB.0, VICTIM, ATTACKER);
    story.sudo(101.0, WEB.0, VICTIM, "/usr/bin/id");
    story.sudo(108.0, WEB.0, VICTIM, "/usr/sbin/useradd -m -s /bin/bash svc-update");
    new_account(story, 108.1);
    story.sudo(121.0, WEB.0, VICTIM, "/usr/bin/cat /etc/shadow");
}

/// A new account that may do everything.
pub(super) fn new_account(story: &mut Story, seconds: f64) {
    let pid = story.random.between(2_000, 32_000);
    for (after, program, message) in [
        (0.0, "groupadd", "new group: name=svc-update, GID=1201"),
        (
            0.1,
            "useradd",
            "new user: name=svc-update, UID=1201, GID=1201, home=/home/svc-update, \
             shell=/bin/bash, from=/dev/pts/1",
        ),
        (1.5, "passwd", "pam_unix(passwd:chauthtok): password changed for svc-update"),
        (2.5, "usermod", "add 'svc-update' to group 'sudo'"),
    ] {
        story.syslog(seconds + after, Log::Auth, WEB.0, format!("{program}[{pid}]"), message);
    }
}
