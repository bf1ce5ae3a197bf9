//! One line of each kind of message, and what is read from it: dataset, action, outcome, and the
//! fields that matter. Long, because it is one table: a reader looks for a line, not for a question.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod common;

use common::Bench;
use vigie_event::FieldId;

/// Checks lines, each with `dataset action outcome` (`-`: none) and fields as `name=value`.
fn check(prefix: &str, table: &[(&str, &str, &str)]) {
    for (message, verdict, fields) in table {
        let mut bench = Bench::new("UTC", "2026-01-05T12:00:00Z", None);
        let line = format!("{prefix}{message}");
        let event = bench.parse(line.as_bytes());
        let get = |name: &str| FieldId::find(name).and_then(|id| event.render(id));
        let text =
            |name: &str| get(name).map_or_else(|| "-".to_owned(), std::borrow::Cow::into_owned);
        let found = format!("{} {} {}", event.dataset, text("event.action"), text("event.outcome"));
        assert_eq!(&found, verdict, "{line}");
        for pair in fields.split(" | ").filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap();
            assert_eq!(get(name).as_deref(), Some(value), "{name} of {line}");
        }
        assert_eq!(event.kind.name() == "unparsed", verdict.starts_with("syslog "), "{line}");
        if !verdict.starts_with("syslog") {
            assert!(get("event.category").is_some() && get("event.type").is_some(), "{line}");
        }
    }
}

const SSHD: &str = "Jan  5 10:12:13 web sshd[7]: ";

#[test]
fn sshd_authentication() {
    check(
        SSHD,
        &[
            (
                "Accepted password for root from 203.0.113.9 port 22 ssh2",
                "sshd ssh_login success",
                "user.name=root | source.ip=203.0.113.9 | source.port=22 | ssh.method=password | event.category=authentication | event.type=start | host.name=web | process.pid=7",
            ),
            (
                "Accepted publickey for git from 2001:db8::9 port 22 ssh2: ED25519 SHA256:abc",
                "sshd ssh_login success",
                "source.ip=2001:db8::9 | ssh.key.type=ED25519 | ssh.key.fingerprint=SHA256:abc",
            ),
            (
                "Failed password for root from 203.0.113.9 port 22 ssh2",
                "sshd ssh_login failure",
                "user.name=root",
            ),
            (
                "Failed password for invalid user bob from 203.0.113.9 port 22 ssh2",
                "sshd ssh_login failure",
                "user.name=bob",
            ),
            (
                "Failed none for invalid user bob from 203.0.113.9 port 22 ssh2",
                "sshd ssh_auth_none failure",
                "user.name=bob",
            ),
            (
                "Failed publickey for git from 203.0.113.9 port 22 ssh2: RSA SHA256:abc",
                "sshd ssh_key_refused -",
                "user.name=git",
            ),
            (
                "Postponed publickey for git from 203.0.113.9 port 22 ssh2 [preauth]",
                "sshd ssh_auth_partial -",
                "user.name=git",
            ),
            (
                "Invalid user bob from 203.0.113.9 port 22",
                "sshd ssh_invalid_user failure",
                "user.name=bob | source.ip=203.0.113.9",
            ),
            (
                "Illegal user bob from ::ffff:203.0.113.9",
                "sshd ssh_invalid_user failure",
                "source.ip=203.0.113.9",
            ),
            (
                "input_userauth_request: invalid user bob [preauth]",
                "sshd ssh_invalid_user_request -",
                "user.name=bob",
            ),
            (
                "error: maximum authentication attempts exceeded for root from 203.0.113.9 port 22 ssh2 [preauth]",
                "sshd ssh_max_attempts failure",
                "log.level=error",
            ),
            (
                "User root from 203.0.113.9 not allowed because not listed in AllowUsers",
                "sshd ssh_user_not_allowed failure",
                "user.name=root | event.reason=not listed in AllowUsers",
            ),
            (
                "User root not allowed because account is locked",
                "sshd ssh_user_not_allowed -",
                "user.name=root",
            ),
            (
                "ROOT LOGIN REFUSED FROM 203.0.113.9 port 22",
                "sshd ssh_user_not_allowed failure",
                "user.name=root",
            ),
            (
                "Authentication tried for git with correct key but not from a permitted host (host=a.example.com, ip=203.0.113.9, required=b).",
                "sshd ssh_user_not_allowed failure",
                "user.name=git | source.ip=203.0.113.9",
            ),
            (
                "error: PAM: Authentication failure for illegal user bob from client.example.com",
                "sshd ssh_login failure",
                "user.name=bob | source.address=client.example.com | source.domain=client.example.com | event.reason=Authentication failure",
            ),
            (
                "error: PAM: authentication error for bob from 203.0.113.9 via 192.0.2.1",
                "sshd ssh_login failure",
                "source.ip=203.0.113.9 | user.name=bob",
            ),
            (
                "[ID 800047 auth.info] Failed keyboard-interactive for <invalid username> from 203.0.113.9 port 22 ssh2",
                "sshd ssh_login failure",
                "ssh.method=keyboard-interactive",
            ),
            (
                "refused connect from client.example.com (203.0.113.9)",
                "sshd ssh_refused failure",
                "source.ip=203.0.113.9",
            ),
            (
                "Authentication refused: bad ownership or modes for directory /home/git",
                "sshd ssh_key_checked -",
                "",
            ),
            (
                "pam_unix(sshd:auth): check pass; user unknown",
                "pam pam_user_unknown -",
                "service.name=sshd",
            ),
        ],
    );
}

#[test]
fn sshd_connections() {
    check(
        SSHD,
        &[
            (
                "Received disconnect from 203.0.113.9 port 22:11: Bye Bye [preauth]",
                "sshd ssh_disconnect -",
                "source.ip=203.0.113.9 | source.port=22 | event.code=11 | event.reason=Bye Bye",
            ),
            (
                "Received disconnect from 203.0.113.9: 11: disconnected by user",
                "sshd ssh_disconnect -",
                "event.reason=disconnected by user",
            ),
            (
                "Received disconnect from 2001:db8::9: 11: Bye",
                "sshd ssh_disconnect -",
                "source.ip=2001:db8::9",
            ),
            (
                "error: Received disconnect from 203.0.113.9: 14: No supported authentication methods available [preauth]",
                "sshd ssh_disconnect failure",
                "event.code=14",
            ),
            (
                "error: Received disconnect from 203.0.113.9: 3: com.jcraft.jsch.JSchException: Auth fail",
                "sshd ssh_disconnect failure",
                "",
            ),
            ("Disconnected from 203.0.113.9 port 22", "sshd ssh_disconnect -", ""),
            (
                "Disconnected from user bob 203.0.113.9 port 22",
                "sshd ssh_disconnect -",
                "user.name=bob",
            ),
            (
                "Disconnected from authenticating user root 203.0.113.9 port 22 [preauth]",
                "sshd ssh_disconnect failure",
                "user.name=root",
            ),
            (
                "Connection closed by 203.0.113.9 port 22 [preauth]",
                "sshd ssh_connection_closed failure",
                "",
            ),
            (
                "Connection closed by 203.0.113.9",
                "sshd ssh_connection_closed -",
                "source.ip=203.0.113.9",
            ),
            (
                "Connection reset by invalid user bob 203.0.113.9 port 22 [preauth]",
                "sshd ssh_connection_reset failure",
                "user.name=bob",
            ),
            (
                "Disconnecting: Too many authentication failures for root [preauth]",
                "sshd ssh_too_many_failures -",
                "user.name=root",
            ),
            (
                "Disconnecting invalid user bob 203.0.113.9 port 22: Too many authentication failures [preauth]",
                "sshd ssh_too_many_failures failure",
                "user.name=bob",
            ),
            (
                "Disconnecting invalid user a b 203.0.113.9 port 22: Change of username or service not allowed: (a b,ssh-connection) -> (c,ssh-connection) [preauth]",
                "sshd ssh_disconnecting failure",
                "user.name=a b",
            ),
            ("Disconnecting: bad client public DH value [preauth]", "sshd ssh_disconnecting -", ""),
            (
                "Connection from 203.0.113.9 port 5 on 192.0.2.1 port 22 rdomain \"\"",
                "sshd ssh_connection -",
                "source.port=5 | destination.ip=192.0.2.1 | destination.port=22",
            ),
            (
                "Did not receive identification string from 203.0.113.9 port 5",
                "sshd ssh_protocol_error failure",
                "source.port=5",
            ),
            (
                "Bad protocol version identification 'GET / HTTP/1.1' from 203.0.113.9 port 5",
                "sshd ssh_protocol_error failure",
                "error.message='GET / HTTP/1.1'",
            ),
            (
                "banner exchange: Connection from 203.0.113.9 port 5: invalid format",
                "sshd ssh_protocol_error failure",
                "error.message=invalid format",
            ),
            (
                "error: kex_exchange_identification: Connection closed by remote host",
                "sshd ssh_connection_lost -",
                "",
            ),
            (
                "error: kex_exchange_identification: client sent invalid protocol identifier \"\"",
                "sshd ssh_protocol_error -",
                "",
            ),
            (
                "ssh_dispatch_run_fatal: Connection from authenticating user root 203.0.113.9 port 5: message authentication code incorrect [preauth]",
                "sshd ssh_preauth_error failure",
                "user.name=root | error.message=message authentication code incorrect",
            ),
            (
                "Unable to negotiate with 203.0.113.9 port 5: no matching cipher found. Their offer: none [preauth]",
                "sshd ssh_kex_error failure",
                "source.port=5",
            ),
            (
                "fatal: Unable to negotiate with 203.0.113.9: no matching cipher found. Their offer: none [preauth]",
                "sshd ssh_kex_error failure",
                "source.ip=203.0.113.9",
            ),
            (
                "fatal: no matching mac found: client a server b [preauth]",
                "sshd ssh_kex_error -",
                "",
            ),
            (
                "fatal: Timeout before authentication for 203.0.113.9 port 5",
                "sshd ssh_timeout failure",
                "source.port=5",
            ),
            (
                "Timeout before authentication for connection from 203.0.113.9 to 192.0.2.1, pid = 9",
                "sshd ssh_timeout failure",
                "source.ip=203.0.113.9",
            ),
            (
                "fatal: Read from socket failed: Connection reset by peer [preauth]",
                "sshd ssh_connection_lost -",
                "log.level=fatal",
            ),
            (
                "drop connection #10 from [203.0.113.9]:5 on [192.0.2.1]:22 past MaxStartups",
                "sshd ssh_refused failure",
                "source.ip=203.0.113.9 | source.port=5",
            ),
            (
                "Timeout, client not responding from user bob 203.0.113.9 port 5",
                "sshd ssh_connection_lost -",
                "user.name=bob",
            ),
            ("Bad packet length 4081586742. [preauth]", "sshd ssh_preauth_error -", ""),
            ("Corrupted MAC on input.", "sshd ssh_connection_lost -", ""),
        ],
    );
}

#[test]
fn sshd_server() {
    check(
        SSHD,
        &[
            (
                "Server listening on :: port 22.",
                "sshd ssh_listen -",
                "destination.ip=:: | destination.port=22",
            ),
            (
                "Starting session: shell on pts/0 for bob from 203.0.113.9 port 5 id 0",
                "sshd ssh_session_opened -",
                "user.name=bob | source.ip=203.0.113.9",
            ),
            (
                "Close session: user bob from 203.0.113.9 port 5 id 0",
                "sshd ssh_session_closed -",
                "user.name=bob",
            ),
            (
                "subsystem request for sftp by user bob",
                "sshd ssh_subsystem -",
                "user.name=bob | service.name=sftp",
            ),
            (
                "subsystem request for netconf by user bob failed, subsystem not found",
                "sshd ssh_subsystem -",
                "user.name=bob",
            ),
            (
                "reverse mapping checking getaddrinfo for a.example.com [203.0.113.9] failed - POSSIBLE BREAK-IN ATTEMPT!",
                "sshd ssh_reverse_mapping -",
                "source.ip=203.0.113.9 | source.domain=a.example.com",
            ),
            (
                "Address 203.0.113.9 maps to a.example.com, but this does not map back to the address - POSSIBLE BREAK-IN ATTEMPT!",
                "sshd ssh_reverse_mapping -",
                "source.ip=203.0.113.9 | source.domain=a.example.com",
            ),
            ("Received signal 15; terminating.", "sshd ssh_server -", ""),
            (
                "error: Could not load host key: /etc/ssh/x",
                "sshd ssh_error -",
                "error.message=Could not load host key: /etc/ssh/x",
            ),
            ("something new", "sshd ssh_message -", "message=something new"),
            (
                "message repeated 5 times: [ Failed password for root from 203.0.113.9 port 22 ssh2]",
                "sshd ssh_login failure",
                "user.name=root",
            ),
        ],
    );
    check(
        "Jan  5 10:12:13 web sshd-session[7]: ",
        &[(
            "Invalid user a from 203.0.113.9 port 1",
            "sshd ssh_invalid_user failure",
            "process.name=sshd-session",
        )],
    );
}

#[test]
fn pam_su_login() {
    check(
        "Jan  5 10:12:13 web ",
        &[
            (
                "sshd[7]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9  user=root",
                "pam pam_auth_failure failure",
                "process.name=sshd | source.ip=203.0.113.9 | user.name=root | process.tty=ssh",
            ),
            (
                "sshd[7]: PAM 4 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9  user=root",
                "pam pam_more_auth_failures failure",
                "user.name=root",
            ),
            (
                "CRON[7]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
                "pam session_opened -",
                "user.name=root | user.id=0 | service.name=cron",
            ),
            (
                "sudo: pam_unix(sudo:session): session opened for user root by bob(uid=1000)",
                "pam session_opened -",
                "user.name=root | user.effective.name=bob",
            ),
            (
                "sudo: pam_unix(sudo:session): session closed for user root",
                "pam session_closed -",
                "user.name=root",
            ),
            (
                "su(pam_unix)[7]: authentication failure; logname= uid=1 euid=0 tty= ruser=bob rhost=  user=root",
                "pam pam_auth_failure failure",
                "user.name=root | service.name=su",
            ),
            (
                "vsftpd: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=an rhost=a.example.com",
                "pam pam_auth_failure failure",
                "user.name=an | source.domain=a.example.com",
            ),
            (
                "sudo: pam_tally2(sudo:auth): user bob (4001) tally 6, deny 5",
                "pam pam_account_failure failure",
                "user.name=bob",
            ),
            (
                "passwd[7]: pam_unix(passwd:chauthtok): password changed for bob",
                "accounts password_changed success",
                "user.target.name=bob",
            ),
            (
                "chpasswd[7]: pam_unix(chpasswd:chauthtok): user \"bob\" does not exist in /etc/passwd",
                "pam pam_user_unknown -",
                "user.name=bob",
            ),
            (
                "sshd[7]: pam_succeed_if(sshd:auth): requirement \"uid >= 1000\" not met by user \"root\"",
                "pam pam_message -",
                "",
            ),
            (
                "su[7]: Successful su for root by bob",
                "su su success",
                "user.name=bob | user.effective.name=root",
            ),
            ("su[7]: FAILED su for root by bob", "su su failure", "user.name=bob"),
            ("su[7]: (to root) bob on pts/0", "su su success", "user.name=bob | process.tty=pts/0"),
            (
                "su[7]: FAILED SU (to root) bob on pts/0",
                "su su failure",
                "user.effective.name=root",
            ),
            ("su[7]: + /dev/pts/0 bob:root", "su su_record -", "user.name=bob"),
            ("su: BAD SU bob to root on /dev/ttyp0", "su su failure", "user.name=bob"),
            ("su[7]: failed: ttyq4 changing from ldap to root", "su su failure", "user.name=ldap"),
            ("su: 'su root' failed for bob on /dev/pts/0", "su su failure", "user.name=bob"),
            ("su: bob to root on /dev/ttyp0", "su su success", "user.name=bob"),
            (
                "login[7]: FAILED LOGIN (1) on '/dev/tty1' FOR 'root', Authentication failure",
                "login login failure",
                "user.name=root | process.tty=/dev/tty1",
            ),
            (
                "login[7]: FAILED LOGIN 1 FROM client.example.com FOR bob, Authentication failure",
                "login login failure",
                "user.name=bob | source.domain=client.example.com",
            ),
            (
                "login[7]: LOGIN ON tty1 BY bob FROM 203.0.113.9",
                "login login success",
                "user.name=bob | source.ip=203.0.113.9",
            ),
            (
                " -- root[7]: ROOT LOGIN ON tty2",
                "login login success",
                "user.name=root | process.tty=tty2",
            ),
            (
                "systemd-logind[7]: New session 12 of user bob.",
                "logind session_opened -",
                "user.name=bob",
            ),
            ("systemd-logind[7]: Removed session 12.", "logind session_closed -", ""),
        ],
    );
}

#[test]
fn sudo_accounts_cron() {
    check(
        "Jan  5 10:12:13 web ",
        &[
            (
                "sudo:      bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/ls -l",
                "sudo sudo_command success",
                "user.name=bob | user.effective.name=root | process.tty=pts/0 | process.working_directory=/home/bob | process.command_line=/bin/ls -l | process.executable=/bin/ls",
            ),
            (
                "sudo:      bob : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
                "sudo sudo_auth_failure failure",
                "event.reason=3 incorrect password attempts",
            ),
            (
                "sudo:      bob : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
                "sudo sudo_not_allowed failure",
                "process.command_line=/bin/ls",
            ),
            (
                "sudo:      bob : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
                "sudo sudo_not_allowed failure",
                "",
            ),
            (
                "sudo:      bob : (command continued) /etc/passwd",
                "sudo sudo_command_continued -",
                "process.command_line=/etc/passwd",
            ),
            (
                "useradd[7]: new user: name=bob, UID=1001, GID=1001, home=/home/bob, shell=/bin/sh, from=/dev/pts/0",
                "accounts user_created success",
                "user.target.name=bob | user.id=1001 | group.id=1001",
            ),
            (
                "useradd[7]: failed adding user 'bob', data deleted",
                "accounts user_creation_failed failure",
                "user.target.name=bob",
            ),
            (
                "userdel[7]: delete user 'bob'",
                "accounts user_deleted success",
                "user.target.name=bob",
            ),
            (
                "usermod[7]: change user 'bob' shell from '/bin/sh' to '/bin/bash'",
                "accounts user_changed success",
                "user.target.name=bob",
            ),
            (
                "usermod[7]: add 'bob' to group 'sudo'",
                "accounts group_member_added success",
                "user.target.name=bob | group.name=sudo",
            ),
            (
                "userdel[7]: delete 'bob' from shadow group 'users'",
                "accounts group_member_removed success",
                "group.name=users",
            ),
            (
                "gpasswd[7]: user bob added by root to group sudo",
                "accounts group_member_added success",
                "user.name=root | user.target.name=bob | group.name=sudo",
            ),
            (
                "groupadd[7]: new group: name=ops, GID=1002",
                "accounts group_created success",
                "group.name=ops | group.id=1002",
            ),
            (
                "groupadd[7]: group added to /etc/group: name=ops, GID=1002",
                "accounts group_file_changed success",
                "group.name=ops | file.path=/etc/group",
            ),
            (
                "userdel[7]: removed group 'bob' owned by 'bob'",
                "accounts group_deleted success",
                "group.name=bob",
            ),
            (
                "groupdel[7]: group 'ops' removed",
                "accounts group_deleted success",
                "group.name=ops",
            ),
            (
                "passwd[7]: password for 'bob' changed by 'root'",
                "accounts password_changed success",
                "user.target.name=bob | user.name=root",
            ),
            (
                "CRON[7]: (root) CMD (test -x /a && (b; c))",
                "cron cron_command -",
                "user.name=root | process.command_line=test -x /a && (b; c)",
            ),
            ("crontab[7]: (bob) REPLACE (bob)", "cron cron_changed -", "user.name=bob"),
            (
                "cron[7]: (bob) AUTH (crontab command not allowed)",
                "cron cron_not_allowed failure",
                "user.name=bob",
            ),
            (
                "unknownd[7]: hello",
                "syslog - -",
                "message=hello | process.name=unknownd | log.syslog.appname=unknownd",
            ),
        ],
    );
}

#[test]
fn web_logs() {
    check(
        "",
        &[
            (
                "203.0.113.9 - bob [05/Jan/2026:10:12:13 +0000] \"GET /a%2Fb?q=1+2 HTTP/1.1\" 200 12 \"http://example.com/\" \"curl/8\"",
                "nginx.access http_request success",
                "source.ip=203.0.113.9 | user.name=bob | http.request.method=GET | url.original=/a%2Fb?q=1+2 | url.path=/a%2Fb | url.query=q=1+2 | url.decoded=/a/b?q=1 2 | http.version=1.1 | http.response.status_code=200 | http.response.body.bytes=12 | http.request.referrer=http://example.com/ | user_agent.original=curl/8",
            ),
            (
                "203.0.113.9 - - [05/Jan/2026:10:12:13 +0000] \"GET / HTTP/1.1\" 404 12",
                "apache.access http_request failure",
                "url.decoded=/",
            ),
            (
                "www.example.com:443 2001:db8::9 - - [05/Jan/2026:10:12:13 +0000] \"GET / HTTP/1.1\" 200 12 \"-\" \"-\"",
                "apache.access http_request success",
                "url.domain=www.example.com | source.ip=2001:db8::9",
            ),
            (
                "203.0.113.9 - - [05/Jan/2026:10:12:13 +0000] \"\\x16\\x03\" 400 12 \"-\" \"-\"",
                "nginx.access http_request failure",
                "url.original=\\x16\\x03",
            ),
            (
                "203.0.113.9 - - [05/Jan/2026:10:12:13 +0000] \"GET http://example.com/x HTTP/1.1\" 200 12 \"-\" \"-\" \"198.51.100.7\"",
                "nginx.access http_request success",
                "url.domain=example.com | url.path=/x | network.forwarded_ip=198.51.100.7",
            ),
            (
                "203.0.113.9 - - [05/Jan/2026:10:12:13 +0000] \"-\" 408 -",
                "apache.access http_request failure",
                "url.decoded=",
            ),
            (
                "[05/Jan/2026:10:12:13 +0000] 203.0.113.9 TLSv1.2 ECDHE \"GET /x HTTP/1.1\" 12",
                "apache.access http_request success",
                "source.ip=203.0.113.9 | tls.version=TLSv1.2",
            ),
            (
                "2026/01/05 10:12:13 [error] 5#6: *7 limiting requests, excess: 5.4 by zone \"a\", client: 203.0.113.9, server: example.com, request: \"GET / HTTP/1.1\", host: \"example.com\", referrer: \"http://a/\"",
                "nginx.error rate_limited failure",
                "source.ip=203.0.113.9 | process.pid=5 | process.thread.id=6 | url.path=/ | url.domain=example.com | http.request.referrer=http://a/ | log.level=error",
            ),
            (
                "2026/01/05 10:12:13 [error] 5#6: *7 user \"bob\" was not found in \"/etc/x\", client: 203.0.113.9, server: a, request: \"GET / HTTP/1.1\", host: \"a\"",
                "nginx.error http_login failure",
                "user.name=bob",
            ),
            (
                "2026/01/05 10:12:13 [notice] 5#6: signal process started",
                "nginx.error server_message -",
                "log.level=notice",
            ),
            (
                "2026/01/05 10:12:13 [info] 5#6: *7 client login failed: \"no\" while in http auth state, client: 203.0.113.9 using starttls, server: 192.0.2.1:587, login: \"bob\"",
                "nginx.error mail_login failure",
                "user.name=bob | destination.port=587",
            ),
            (
                "[Mon Jan 05 10:12:13.123456 2026] [:error] [pid 5:tid 6] [client 2001:db8::9:377] [client 2001:db8::9] ModSecurity: Access denied with code 403 (phase 2). Pattern match \"a.b\" at ARGS:a. [file \"/etc/lfi.conf\"] [line \"47\"] [id \"930100\"] [msg \"Path Traversal Attack (/../)\"] [data \"found within ARGS: \\\"] [id \\\"1\\\"] [uri \\\"/forged\"] [severity \"CRITICAL\"] [tag \"application-multi\"] [tag \"attack-lfi\"] [hostname \"www.example.com\"] [uri \"/a\"] [unique_id \"x\"]",
                "apache.error waf_denied failure",
                "source.ip=2001:db8::9 | source.port=377 | rule.id=930100 | rule.name=Path Traversal Attack (/../) | rule.category=lfi | event.severity=2 | url.domain=www.example.com | url.path=/a",
            ),
            (
                "[Mon Jan 05 10:12:13.123456 2026] [core:error] [pid 5:tid 6] [client 203.0.113.9:44] AH00126: Invalid URI in request GET /cgi-bin/.%2E/%2E%2E/etc/passwd HTTP/1.1",
                "apache.error http_error failure",
                "source.ip=203.0.113.9 | http.request.method=GET | url.decoded=/cgi-bin/../../etc/passwd",
            ),
            (
                "2026/01/05 10:12:13 [error] 5#6: *7 [client 203.0.113.9] ModSecurity: Access denied with code 403 (phase 2). Matched \"Operator `Ge' with parameter `5'\" [file \"/etc/eval.conf\"] [line \"80\"] [id \"949110\"] [rev \"\"] [msg \"Inbound Anomaly Score Exceeded\"] [data \"\"] [severity \"2\"] [hostname \"192.0.2.9\"] [uri \"/x\"] [unique_id \"1\"] [ref \"\"], client: 203.0.113.9, server: _, request: \"GET /x HTTP/1.1\", host: \"www.example.com\"",
                "nginx.error waf_denied failure",
                "source.ip=203.0.113.9 | rule.id=949110 | event.severity=2 | url.path=/x",
            ),
            (
                "[Mon Jan 05 10:12:13.123456 2026] [auth_basic:error] [pid 5:tid 6] [client 203.0.113.9:44] AH01618: user bob not found: /",
                "apache.error http_login failure",
                "user.name=bob | source.port=44 | event.code=AH01618 | log.logger=auth_basic | process.pid=5",
            ),
            (
                "[Mon Jan 05 10:12:13 2026] [error] [client 203.0.113.9] File does not exist: /x, referer: http://a/",
                "apache.error http_error failure",
                "http.request.referrer=http://a/",
            ),
            (
                "[Mon Jan 05 10:12:13 2026] [notice] Apache configured -- resuming",
                "apache.error server_message -",
                "log.level=notice",
            ),
            (
                "Jan  5 10:12:13 web nginx: 203.0.113.9 - - [05/Jan/2026:10:12:13 +0000] \"GET / HTTP/1.1\" 404 12 \"-\" \"-\"",
                "nginx.access http_request failure",
                "host.name=web",
            ),
        ],
    );
}

#[test]
fn packets() {
    let packet = "IN=eth0 OUT= MAC=00:08:a2:0c:1f:12:00:c8:8b:e2:d6:87:08:00 SRC=203.0.113.9 DST=192.0.2.1 LEN=40 TOS=0x00 TTL=245 ID=1 PROTO=TCP SPT=80 DPT=81 WINDOW=1 RES=0x00 SYN URGP=0";
    for (prefix, action) in [
        ("[UFW BLOCK] ", "blocked"),
        ("[12.5] DROP(src wan)", "blocked"),
        ("[    7.1] [UFW ALLOW] ", "allowed"),
        ("", "logged"),
        ("ACCEPT ", "allowed"),
    ] {
        check(
            "Jan  5 10:12:13 web kernel: ",
            &[(
                &format!("{prefix}{packet}"),
                &format!("iptables {action} -"),
                "source.ip=203.0.113.9 | destination.ip=192.0.2.1 | source.port=80 | destination.port=81 | network.transport=tcp | observer.ingress.interface.name=eth0 | source.mac=00:c8:8b:e2:d6:87 | network.direction=inbound | network.bytes=40 | iptables.tcp.flags=SYN",
            )],
        );
    }
    check(
        "",
        &[(
            "Jan  5 10:12:13 web kernel: IN= OUT=eth0 SRC=2001:db8::1 DST=2001:db8::2 LEN=40 PROTO=ICMPv6 TYPE=135",
            "iptables logged -",
            "network.type=ipv6 | network.transport=ipv6-icmp | network.direction=outbound",
        )],
    );
}

#[test]
fn audit_records_and_common_event_format() {
    check(
        "",
        &[
            (
                "node=web-01 type=EXECVE msg=audit(1767607933.123:45): argc=3 a0=\"rm\" a1=\"-rf\" a2=2F746D702F612062",
                "auditd execve -",
                "host.name=web-01 | auditd.sequence=45 | process.command_line=rm -rf /tmp/a b | auditd.data.a2=/tmp/a b",
            ),
            (
                "type=USER_AUTH msg=audit(1767607933.123:46): pid=1 uid=0 auid=4294967295 ses=4294967295 msg='op=PAM:authentication acct=\"bob\" exe=\"/usr/sbin/sshd\" hostname=203.0.113.9 addr=203.0.113.9 terminal=ssh res=failed'",
                "auditd user_auth failure",
                "user.name=bob | source.ip=203.0.113.9 | process.pid=1 | process.tty=ssh",
            ),
            // An account that was given as `x addr=192.0.2.1 res=success` is written in hexadecimal.
            (
                "type=USER_AUTH msg=audit(1767607933.123:46): pid=1 uid=0 msg='op=PAM:authentication acct=7820616464723D3139322E302E322E31207265733D73756363657373 exe=\"/usr/sbin/sshd\" hostname=? addr=203.0.113.9 terminal=ssh res=failed'",
                "auditd user_auth failure",
                "user.name=x addr=192.0.2.1 res=success | source.ip=203.0.113.9",
            ),
            (
                "Jan  5 10:12:13 web kernel: [  123.456] audit: type=1400 audit(1767607933.123:45): apparmor=\"DENIED\" operation=\"open\" name=\"/etc/shadow\" pid=12 comm=\"cat\"",
                "auditd avc -",
                "file.path=/etc/shadow | process.name=cat | process.pid=12 | host.name=web",
            ),
            (
                "CEF:0|Example|Wall|1|7|Attack \\|seen|High|src=203.0.113.9 spt=5 dst=192.0.2.1 dpt=80 act=Blocked msg=a\\=b c request=/x?a\\=1 rt=1767607933000",
                "cef blocked -",
                "source.ip=203.0.113.9 | destination.port=80 | event.reason=a=b c | url.decoded=/x?a=1 | rule.name=Attack |seen | event.severity=8",
            ),
            (
                "<134>Jan  5 10:12:13 fw01 CEF:0|Example|Wall|1|7|Login|3|src=203.0.113.9 suser=bob outcome=Failure",
                "cef cef_event failure",
                "host.name=fw01 | user.name=bob",
            ),
        ],
    );
}

#[test]
fn zeek_logs_mean_what_their_head_says() {
    let head = [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        "#path\tdns",
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tquery\tanswers\trejected",
        "#types\ttime\tstring\taddr\tport\taddr\tport\tstring\tvector[string]\tbool",
    ];
    let row = "1767607933.500000\tC1\t203.0.113.9\t53\t192.0.2.1\t53\ta\\x09b.example.com\tx,192.0.2.7\tF";
    let mut bench = Bench::new("UTC", "2026-01-05T12:00:00Z", None);
    // Without its head a row is nothing.
    assert_eq!(bench.parse(row.as_bytes()).kind.name(), "unparsed");
    for line in head {
        assert_eq!(bench.parse(line.as_bytes()).kind.name(), "event", "{line}");
    }
    let event = bench.parse(row.as_bytes());
    let get = |name: &str| FieldId::find(name).and_then(|id| event.render(id)).unwrap_or_default();
    assert_eq!(event.dataset, "zeek.dns");
    assert_eq!(event.time.to_string(), "2026-01-05T10:12:13.500000Z");
    for (name, value) in [
        ("source.ip", "203.0.113.9"),
        ("destination.port", "53"),
        ("dns.question.name", "a\tb.example.com"),
        ("dns.answers.data", "x, 192.0.2.7"),
        ("rejected", "false"),
        ("uid", "C1"),
    ] {
        assert_eq!(get(name), value, "{name}");
    }
    // A row with other columns is another log's.
    assert_eq!(bench.parse(b"1767607933.5\tC1").kind.name(), "unparsed");
    check(
        "",
        &[(
            r#"{"_path":"dns","ts":1767607933.5,"uid":"C1","id.orig_h":"203.0.113.9","id.orig_p":53,"id.resp_h":"192.0.2.1","id.resp_p":53,"query":"a.example.com"}"#,
            "zeek.dns dns -",
            "source.ip=203.0.113.9 | destination.port=53 | dns.question.name=a.example.com | query=a.example.com",
        )],
    );
}

#[test]
fn json() {
    check(
        "",
        &[
            (
                r#"{"timestamp":"2026-01-05T10:12:13.5+0000","flow_id":9,"event_type":"alert","src_ip":"203.0.113.9","src_port":5,"dest_ip":"192.0.2.1","dest_port":80,"proto":"TCP","alert":{"action":"allowed","signature_id":7,"signature":"S","category":"C","severity":1},"http":{"hostname":"example.com","url":"/%2e","http_user_agent":"u","http_method":"GET","status":200}}"#,
                "suricata.alert alert -",
                "alert.signature=S | rule.name=S | rule.id=7 | event.severity=1 | source.ip=203.0.113.9 | src_ip=203.0.113.9 | network.transport=tcp | url.domain=example.com | url.decoded=/. | http.response.status_code=200",
            ),
            (
                r#"{"timestamp":"2026-01-05T10:12:13+0000","event_type":"dns","src_ip":"203.0.113.9","dns":{"type":"query","id":1,"rrname":"a.example.com","rrtype":"A"}}"#,
                "suricata.dns dns -",
                "dns.question.name=a.example.com | dns.question.type=A | dns.rrname=a.example.com",
            ),
            (
                r#"{"timestamp":"2026-01-05T10:12:13+0000","event_type":"dns","src_ip":"203.0.113.9","dns":{"version":3,"type":"response","queries":[{"rrname":"a.example.com","rrtype":"A"}],"answers":[{"rdata":"192.0.2.1"},{"rdata":"192.0.2.2"}],"rcode":"NOERROR"}}"#,
                "suricata.dns dns -",
                "dns.question.name=a.example.com | dns.answers.data=192.0.2.1, 192.0.2.2 | dns.response_code=NOERROR",
            ),
            (
                r#"{"timestamp":"2026-01-05T10:12:13+0000","event_type":"tls","src_ip":"203.0.113.9","tls":{"sni":"example.com","version":"TLS 1.2","fingerprint":"ab:cd"}}"#,
                "suricata.tls tls -",
                "tls.client.server_name=example.com | tls.server.hash.sha1=abcd | tls.version=TLS 1.2",
            ),
            (
                r#"{"timestamp":"2026-01-05T10:12:13+0000","event_type":"fileinfo","src_ip":"203.0.113.9","fileinfo":{"filename":"/a/b.exe","md5":"d41d8cd98f00b204e9800998ecf8427e","size":5}}"#,
                "suricata.fileinfo fileinfo -",
                "file.path=/a/b.exe | file.name=b.exe | file.size=5 | file.hash.md5=d41d8cd98f00b204e9800998ecf8427e",
            ),
            (
                r#"{"timestamp":"2026-01-05T10:12:13+0000","event_type":"newtype","src_ip":"203.0.113.9"}"#,
                "suricata.other newtype -",
                "",
            ),
            (
                r#"{"type":"ssh_failed","src":"203.0.113.9","dst":"192.0.2.1","user":"root","timestamp":"2026-01-05T10:12:13.123456Z","sensor_id":"S-1"}"#,
                "seed ssh_failed failure",
                "source.ip=203.0.113.9 | src=203.0.113.9 | destination.ip=192.0.2.1 | user.name=root | user=root | sensor.id=S-1 | type=ssh_failed",
            ),
            (
                r#"{"type":"malware_hash_detected","src":"203.0.113.9","hash":"d41d8cd98f00b204e9800998ecf8427e"}"#,
                "seed malware_hash_detected -",
                "file.hash.md5=d41d8cd98f00b204e9800998ecf8427e",
            ),
            (
                r#"{"type":"http_anomaly","src":"203.0.113.9","path":"/a%2e?b"}"#,
                "seed http_anomaly -",
                "url.path=/a%2e | url.decoded=/a.?b",
            ),
            (
                r#"{"type":"dns_query_suspicious","src":"203.0.113.9","domain":"x.example.com"}"#,
                "seed dns_query_suspicious -",
                "dns.question.name=x.example.com",
            ),
            (
                r#"{"type":"port_scan","src":"203.0.113.9","dst":"192.0.2.0/24","ports":"1-1024"}"#,
                "seed port_scan -",
                "ports=1-1024 | destination.address=192.0.2.0/24",
            ),
            (
                r#"{"type":"login_success_unusual","src":"203.0.113.9","user":"bob"}"#,
                "seed login_success_unusual success",
                "user.name=bob",
            ),
        ],
    );
}
