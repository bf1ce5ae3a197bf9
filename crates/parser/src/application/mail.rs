//! Mail servers.

use super::service::{Saying, Service, Tells, whole};
use crate::text;
use Tells::{Abandoned, Failure, MailRefused, Note, Success};

/// The services of this kind.
pub const SERVICES: &[Service] = &[
    Service { dataset: "postfix", programs: &["postfix*"], body: whole, sayings: POSTFIX },
    Service {
        dataset: "dovecot",
        programs: &[
            "dovecot*",
            "imap-login",
            "pop3-login",
            "managesieve-login",
            "submission-login",
            "auth-worker*",
            "Info",
        ],
        body: dovecot,
        sayings: DOVECOT,
    },
    Service { dataset: "exim", programs: &["exim*"], body: exim, sayings: EXIM },
    Service {
        dataset: "sendmail",
        programs: &["sendmail*", "sm-*"],
        body: queued,
        sayings: SENDMAIL,
    },
    Service {
        dataset: "courier",
        programs: &["courier*", "imapd", "imapd-ssl", "pop3d", "pop3d-ssl", "esmtpd"],
        body: whole,
        sayings: COURIER,
    },
    Service {
        dataset: "cyrus",
        programs: &[
            "cyrus*",
            "imap",
            "imaps",
            "pop3",
            "pop3s",
            "timsieved",
            "sieve",
            "lmtp",
            "nntp",
        ],
        body: whole,
        sayings: CYRUS,
    },
    Service { dataset: "opensmtpd", programs: &["smtpd"], body: whole, sayings: OPENSMTPD },
    Service { dataset: "solid-pop3d", programs: &["solid-pop3d"], body: whole, sayings: SOLID },
    Service { dataset: "perdition", programs: &["perdition*"], body: whole, sayings: PERDITION },
    Service {
        dataset: "qmail",
        programs: &["qmail*", "vchkpw*", "rblsmtpd"],
        body: whole,
        sayings: QMAIL,
    },
    Service { dataset: "uw-imap", programs: &["ipop3d", "ipop2d"], body: whole, sayings: UW },
    Service { dataset: "amavis", programs: &["amavis*"], body: whole, sayings: AMAVIS },
];

const POSTFIX: &[Saying] = &[
    ("warning: {w}[{ip}]{p}: SASL {w} authentication failed: {*}, sasl_username={user}", Failure),
    ("warning: {w}[{ip}]{p}: SASL {w} authentication failed: {reason}", Failure),
    ("warning: {w}[{ip}]{p}: SASL {w} authentication failed", Failure),
    ("{w}: client={w}[{ip}]{p}, sasl_method={w}, sasl_username={user}, sasl_sender={*}", Success),
    ("{w}: client={w}[{ip}]{p}, sasl_method={w}, sasl_username={user}", Success),
    ("NOQUEUE: reject: CONNECT from [{ip}]{p}: {reason}", MailRefused),
    ("{w}: reject: {w} from {w}[{ip}]{p}: {reason}", MailRefused),
    ("{w}: reject: {w} from [{ip}]{p}: {reason}", MailRefused),
    ("{w}: milter-reject: {w} from {w}[{ip}]{p}: {reason}", MailRefused),
    ("warning: non-SMTP command from {w}[{ip}]{p}: {reason}", MailRefused),
    ("improper command pipelining after {w} from {w}[{ip}]{p}{*}", MailRefused),
    ("too many errors after {w} from {w}[{ip}]{p}{*}", MailRefused),
    ("warning: Connection {w} limit exceeded: {n} from {w}[{ip}]{p} for service {w}", MailRefused),
    ("warning: {w}[{ip}]{p}: {*}rate limit exceeded{*}", MailRefused),
    ("PREGREET {n} after {w} from [{ip}]{p}: {*}", MailRefused),
    ("DNSBL rank {n} for [{ip}]{p}", MailRefused),
    ("HANGUP after {w} from [{ip}]{p}{*}", Abandoned),
    ("lost connection after {w} from {w}[{ip}]{p}", Abandoned),
    ("lost connection after {w} ({*}) from {w}[{ip}]{p}", Abandoned),
    ("timeout after {w} from {w}[{ip}]{p}", Abandoned),
    ("disconnect from {w}[{ip}]{p} {*}auth=0/{n} {*}", Abandoned),
    // What `header_checks` reports: the subject is the sender's, and may hold what follows it.
    ("{w}: {w}: header Subject: {subject} from {w}[{ip}]{p}; from=<{*}> to=<{*}> proto={**}", Note),
    ("connect from {w}[{ip}]{p}", Note),
    ("disconnect from {w}[{ip}]{p}{*}", Note),
];

const DOVECOT: &[Saying] = &[
    ("Login: user=<{user}>, {*}rip={ip}, {*}", Success),
    ("Disconnected (auth failed{*}: user=<{user}>, {*}rip={ip}{*}", Failure),
    ("Disconnected: {*}(auth failed{*}: user=<{user}>, {*}rip={ip}{*}", Failure),
    ("Disconnected ({*} tried to use disabled{*}: user=<{user}>, {*}rip={ip}{*}", Failure),
    ("Disconnected: Auth process broken{*}", Note),
    ("Disconnected ({*}: user=<{user}>, {*}rip={ip}{*}", Abandoned),
    ("Disconnected: {*}: user=<{user}>, {*}rip={ip}{*}", Abandoned),
    ("Aborted login{*}(auth failed{*}: user=<{user}>, {*}rip={ip}{*}", Failure),
    ("Aborted login{*}(tried to use{*}: user=<{user}>, {*}rip={ip}{*}", Failure),
    ("Aborted login{*}: user=<{user}>, {*}rip={ip}{*}", Failure),
    ("Login aborted: {*}(auth failed{*}: user=<{user}>, {*}rip={ip}{*}", Failure),
    ("Login aborted: {*}: user=<{user}>, {*}rip={ip}{*}", Abandoned),
    ("Connection closed (auth failed{*}: user=<{user}>, {*}rip={ip}{*}", Failure),
    ("Connection closed{*}: user=<{user}>, {*}rip={ip}{*}", Abandoned),
    ("{w}({user},{ip}): unknown user{*}", Failure),
    ("{w}({user},{ip},<{w}>): unknown user{*}", Failure),
    ("{w}({user},{ip}): Password mismatch{*}", Failure),
    ("{w}({user},{ip},<{w}>): Password mismatch{*}", Failure),
    ("{w}({user},{ip}): invalid credentials{*}", Failure),
    ("{w}({user},{ip},<{w}>): invalid credentials{*}", Failure),
    ("{w}({user},{ip}): pam_authenticate() failed: {reason}", Failure),
    ("{w}({user},{ip},<{w}>): pam_authenticate() failed: {reason}", Failure),
    ("{w}({user},{ip}): {*}ailed: {reason}", Failure),
    ("{w}({user},{ip},<{w}>): {*}ailed: {reason}", Failure),
];

/// `imap-login: Info: …`, `auth-worker(24544): …`, `auth: Info: …`, `Info: auth(default): …`
fn dovecot(message: &str) -> &str {
    let mut rest = message;
    for _ in 0..3 {
        let Some((front, after)) = rest.split_once(": ") else { break };
        let name = front.split(['(', '<', '[']).next().unwrap_or_default();
        let own = name.ends_with("-login")
            || matches!(name, "auth" | "auth-worker" | "Info" | "Warning" | "Error" | "Debug")
            || name.starts_with("conn ");
        if !own {
            break;
        }
        rest = after;
    }
    rest
}

pub const EXIM: &[Saying] = &[
    ("{w} authenticator failed for {*} [{ip}]{p}{*}: {n} {*} (set_id={user})", Failure),
    ("{w} authenticator failed for [{ip}]{p}{*}: {n} {*} (set_id={user})", Failure),
    ("{w} authenticator failed for {*} [{ip}]{p}{*}: {n} {reason}", Failure),
    ("{w} authenticator failed for [{ip}]{p}{*}: {n} {reason}", Failure),
    ("H=[{ip}]{p} {*}rejected {reason}", MailRefused),
    ("H={*} [{ip}]{p} {*}rejected {reason}", MailRefused),
    ("H={*} [{ip}]{p} {*}AUTH command used when not advertised{*}", MailRefused),
    ("H={*} [{ip}]{p} sender verify fail for {reason}", MailRefused),
    ("{w} H={*} [{ip}]{p} {*}rejected {reason}", MailRefused),
    ("F={w} H={*} [{ip}]{p} {*}rejected {reason}", MailRefused),
    ("{w} F={w} H={*} [{ip}]{p} {*}rejected {reason}", MailRefused),
    ("{w} SA: Action: {*}(host={w} [{ip}]) for {reason}", MailRefused),
    ("rejected {w} {*}from {*} [{ip}]{p}: {reason}", MailRefused),
    ("rejected {w} {*}from [{ip}]{p}: {reason}", MailRefused),
    ("SMTP protocol {*} H={*} [{ip}]{p}{*}", MailRefused),
    ("SMTP protocol {*} H=[{ip}]{p}{*}", MailRefused),
    ("SMTP call from {*}[{ip}]{p}{*} dropped: {reason}", MailRefused),
    ("no MAIL in SMTP connection from {*}[{ip}]{p}{*}", Abandoned),
    ("unexpected disconnection while reading SMTP command from {*}[{ip}]{p}{*}", Abandoned),
    ("no host name found for IP address {ip}", Note),
    ("SMTP connection from {*}[{ip}]{p}{*}", Note),
];

/// Without `[<pid>] ` in front.
pub fn exim(message: &str) -> &str {
    match message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((pid, rest)) if text::number(pid).is_some() => rest,
        _ => message,
    }
}

const SENDMAIL: &[Saying] = &[
    ("{*}[{ip}]: possible SMTP attack: command={w}, count={n}", Failure),
    ("{*}[{ip}] (may be forged): possible SMTP attack: command={w}, count={n}", Failure),
    ("AUTH failure ({w}): {*}, user={user}, relay={w} [{ip}]", Failure),
    ("AUTH failure ({w}): {*}, user={user}, relay={w} [{ip}] (may be forged)", Failure),
    ("AUTH failure ({w}): {*}, user={user}, relay=[{ip}] (may be forged)", Failure),
    ("AUTH failure ({w}): {*}, user={user}, relay=[{ip}]", Failure),
    ("AUTH failure ({w}): {*}, relay={w} [{ip}]{*}", Failure),
    ("AUTH failure ({w}): {*}, relay=[{ip}]{*}", Failure),
    ("ruleset={w} arg1={w} relay={*}[{ip}]{*} reject={reason}", MailRefused),
    ("ruleset={w} arg1={w} arg2={w} relay={*}[{ip}]{*} reject={reason}", MailRefused),
    ("rejecting commands from {*}[{ip}]{reason}", MailRefused),
    ("{w} [{ip}]{*} did not issue {*} during connection to {w}", Abandoned),
    ("[{ip}]{*} did not issue {*} during connection to {w}", Abandoned),
    ("lost input channel from {*}[{ip}]{*} to {*}", Abandoned),
];

/// Without the queue's id in front.
fn queued(message: &str) -> &str {
    match message.split_once(": ") {
        Some((id, rest)) if id.bytes().all(|b| b.is_ascii_alphanumeric()) => rest,
        _ => message,
    }
}

const COURIER: &[Saying] = &[
    ("LOGIN FAILED, user={user}, ip=[{ip}]", Failure),
    ("LOGIN FAILED, user={user}, ip=[{ip}], port=[{n}]", Failure),
    ("LOGIN FAILED, method={w}, ip=[{ip}]", Failure),
    ("LOGIN FAILED, method={w}, ip=[{ip}], port=[{n}]", Failure),
    ("LOGIN FAILED, ip=[{ip}]{*}", Failure),
    ("LOGIN, user={user}, ip=[{ip}], {*}", Success),
    ("error,relay={ip},{*}: 535 Authentication failed{*}", Failure),
    ("error,relay={ip},{reason}", MailRefused),
    // The daemons of UW share the names.
    ("Login failed user={user} auth={*} host={*}[{ip}]", Failure),
    ("Login failure user={user} host={*}[{ip}]", Failure),
    ("AUTHENTICATE {w} failure host={*}[{ip}]", Failure),
    ("Login disabled user={user} auth={*} host={*}[{ip}]", Failure),
];

const CYRUS: &[Saying] = &[
    ("badlogin: {*}[{ip}] {reason}", Failure),
    ("login: {*}[{ip}] {user} {w} User logged in", Success),
    ("login: {*}[{ip}] {user} {w} User logged in {*}", Success),
    ("starttls: {*}", Note),
];

const OPENSMTPD: &[Saying] = &[
    ("{w} smtp event=authentication user={user} address={ip} host={w} result=permfail", Failure),
    ("{w} smtp event=authentication user={user} address={ip} host={w} result=tempfail", Failure),
    ("{w} smtp event=authentication user={user} address={ip} host={w} result=ok", Success),
    ("{w} smtp event=failed-command address={ip} host={w} command={*} result=\"535 {*}", Failure),
    ("{w} smtp event=failed-command address={ip} host={w} command={reason}", MailRefused),
    ("{w} smtp event=bad-input address={ip} host={w} result={reason}", MailRefused),
];

const SOLID: &[Saying] = &[
    ("authentication failed: {*}: {user} - {host}", Failure),
    ("authentication failed for mapped user {user} - {host}", Failure),
    ("authentication failed for user {user} - {host}", Failure),
    ("APOP authentication failed for user {user} - {host}", Failure),
    ("can't find APOP secret for user {user} - {host}", Failure),
    ("root login not allowed - {host}", Failure),
];

const PERDITION: &[Saying] = &[
    ("Auth: {ip}-{*} status=\"failed: {reason}\"", Failure),
    ("Auth: {ip}->{*} status=\"failed: {reason}\"", Failure),
    ("Auth: {ip}-{*} status=\"ok\"", Note),
    ("Fatal Error reading authentication information from client {ip}{*}", Failure),
];

const QMAIL: &[Saying] = &[
    ("vpopmail user not found {user}:{ip}", Failure),
    ("password fail ({*}) {user}:{ip}", Failure),
    ("password fail {user}:{ip}", Failure),
    ("null password given {user}:{ip}", Failure),
    ("{*}rblsmtpd: {ip} pid {n}: {reason}", MailRefused),
    ("{ip} pid {n}: {reason}", MailRefused),
];

const UW: &[Saying] = &[
    ("Login failed user={user} auth={*} host={*}[{ip}]", Failure),
    ("Login failure user={user} host={*}[{ip}]", Failure),
    ("AUTHENTICATE {w} failure host={*}[{ip}]", Failure),
    ("Login disabled user={user} auth={*} host={*}[{ip}]", Failure),
];

const AMAVIS: &[Saying] = &[
    ("{w} Blocked {*}, [{ip}]{p} {reason}", MailRefused),
    ("{w} Blocked {*}, {*}[{ip}]{p} {reason}", MailRefused),
];
