//! Web applications that people host themselves, panels and appliances.

use super::service::{Saying, Service, Tells, whole};
use Tells::{Abandoned, Banned, Failure, MailRefused, Note, Probe, Refused};

/// The services of this kind that log over syslog.
pub const SERVICES: &[Service] = &[
    Service { dataset: "webmin", programs: &["webmin*", "usermin*"], body: whole, sayings: WEBMIN },
    Service {
        dataset: "proxmox",
        programs: &["pvedaemon*", "pveproxy*", "proxmox-*", "pmgdaemon*"],
        body: whole,
        sayings: PROXMOX,
    },
    Service {
        dataset: "froxlor",
        programs: &["Froxlor*", "froxlor*"],
        body: whole,
        sayings: APPLICATIONS,
    },
    Service {
        dataset: "lemonldap",
        programs: &["LLNG*", "lemonldap*"],
        body: whole,
        sayings: LEMONLDAP,
    },
    Service { dataset: "sogo", programs: &["sogod*"], body: whole, sayings: SOGO },
    Service {
        dataset: "suhosin",
        programs: &["suhosin*", "lighttpd*", "php*"],
        body: whole,
        sayings: SUHOSIN,
    },
    Service { dataset: "jellyfin", programs: &["jellyfin*"], body: whole, sayings: APPLICATIONS },
];

const WEBMIN: &[Saying] = &[
    ("Invalid login as {user} from {host}", Failure),
    ("Non-existent login as {user} from {host}", Failure),
    ("Security alert: Host {ip} blocked after {*}", Abandoned),
    ("Successful login as {user} from {host}", Tells::Success),
];

const PROXMOX: &[Saying] = &[
    ("authentication failure; rhost={ip} user={user} msg={*}", Failure),
    ("authentication failure; rhost={ip} user={user}", Failure),
];

const LEMONLDAP: &[Saying] = &[
    ("{*}] {user} was not found in LDAP directory ({ip})", Failure),
    ("{*}: {user} was not found in LDAP directory ({ip})", Failure),
    ("{*}Bad password for {user} ({ip})", Failure),
];

const SOGO: &[Saying] =
    &[("{*}SOGoRootPage Login from '{ips}' for user '{user}' might not have worked{*}", Failure)];

const SUHOSIN: &[Saying] = &[
    ("ALERT - {**} (attacker '{ip}', file '{*})", Probe),
    ("(mod_fastcgi.c.{n}) FastCGI-stderr: ALERT - {**} (attacker '{ip}', file '{*})", Probe),
];

/// Applications whose own logs tell them by how their lines begin, behind the time.
pub const APPLICATIONS: &[Saying] = &[
    // Vaultwarden and Bitwarden
    (
        "[vaultwarden::{w}][{w}] Username or password is incorrect. Try again. IP: {ip}. Username: {user}.",
        Failure,
    ),
    ("[vaultwarden::{w}][{w}] Invalid {*} IP: {ip}", Failure),
    ("[vaultwarden::{w}][{w}] Invalid {*} IP: {ip}. Username: {user}", Failure),
    ("[WRN] Failed login attempt. {ip}", Failure),
    ("[WRN] Failed login attempt, {w} invalid. {ip}", Failure),
    // Gitea and Forgejo
    ("{w} [{w}] Failed authentication attempt for {user} from {ip}: {*}", Failure),
    ("{w} [{w}] Failed authentication attempt for {user} from {ip}", Failure),
    // Jellyfin, Emby
    ("{w} [{w}] [{a}] Failed authentication attempt for {user} from {ip}: {*}", Failure),
    ("[{w}] {*}Authentication request for {user} has been denied (IP: \"{ip}\").", Failure),
    ("[{w}] {*}Authentication request for {user} has been denied (IP: {ip}).", Failure),
    ("{w} {w} AUTH-ERROR: {ip} - {*}", Failure),
    // Guacamole
    (
        "{*}AuthenticationService - Authentication attempt from {ips} for user \"{user}\" failed.",
        Failure,
    ),
    // Home Assistant
    (
        "{w} ({w}) [homeassistant.{w}] Login attempt or request with invalid authentication from {w} ({ip}){*}",
        Failure,
    ),
    (
        "{w} ({w}) [homeassistant.{w}] Login attempt or request with invalid authentication from {ip}{*}",
        Failure,
    ),
    // Webmin's own log
    ("{user} - {ip} global miniserv.pl \"failed\" \"-\" \"{*}\"", Failure),
    // AdGuard Home, Joplin, Domino, cPanel, CAS, Drupal, SoftEther, Froxlor
    ("[error] {w} {w} /control/login: from ip {ip}: {*}", Failure),
    ("[error] {w} {ip} /control/login: {*}", Failure),
    ("[error] App: {n}: POST /api/sessions: {ip}: {*}", Failure),
    ("smtp: {user} [{ip}] authentication failure using internet password", Failure),
    ("smtp: {user} {ip} authentication failure using internet password", Failure),
    ("SMTP Server{*} Connection from [{ip}] rejected for policy reasons. {*}", MailRefused),
    (
        "info [{w}] {ip} - {user} \"{*}\" FAILED LOGIN {w} brute force attempt {*} has locked out IP {w}",
        Banned,
    ),
    ("{w} in limiter: Authentication attempt from {ip} has been rate-limited.", Banned),
    ("info [{w}] {ip} - {user} \"{*}\" FAILED LOGIN {*}", Failure),
    ("{*}|AUTHENTICATION_FAILED|{user}|{ip}|{w}", Failure),
    ("{w}|{n}|user|{ip}|{*}|Login attempt failed {*}", Failure),
    (
        "Connection \"{w}\": User authentication failed. The user name that has been provided was \"{user}\", from {ip}.",
        Failure,
    ),
    (
        "{*}<SECURITY_LOG>: Connection \"{w}\": User authentication failed. The user name that has been provided was \"{user}\", from {ip}.",
        Failure,
    ),
    ("[Login Action {ip}] {*}", Failure),
    ("froxlor.WARNING: {*} {brace}\"source\":\"login\",{*}\"user\":\"{ip}\"{*}", Failure),
    // Exchange's protocol logs
    (",{w},{n},{w},{ip},{*},{n},{n},{n},{w},{*}AuthFailed:{*}", Failure),
    (",{*},{w},{n},{w},{ip},>,535 {*}", Failure),
    // Routers, small servers
    ("system,error,critical login failure for user {user} from {host} via {w}", Failure),
    ("login failure for user {user} from {host} via {w}", Failure),
    ("{w}.ERR [{ip}] [Could not retrieve user {user} details] at {*}", Failure),
    ("- [{n}] ({ip}) {user} - {w} error - {*}", Failure),
    ("- NOTEXIST - [{ip}] {*}", Refused),
    ("- NOTALLOWED - [{ip}] {*}", Refused),
    ("- OK - [{ip}] {*}", Note),
    ("Bad Rcon: \"{**}\" from \"{ip}\"", Failure),
    ("- {w} {w} Host: {w}/{ip} Port: {n} {w} Blocked", Probe),
    // 3proxy: a code other than 0 is a refusal.
    ("PROXY.{n} 00000 {*}", Note),
    ("PROXY.{n} {n} {w} {ip} {*}", Refused),
    // Squid
    ("{n} {ip} TCP_DENIED/{n} {*}", Refused),
    // Kerio Connect
    ("Attempt to deliver to unknown recipient <{**}>, from <{*}>, IP address {ip}", MailRefused),
    ("SMTP Spam attack detected from {ip}, {*}", MailRefused),
    ("IP address {ip} found in DNS blacklist {*}", MailRefused),
    ("Relay attempt from IP address {ip}, {*}", MailRefused),
    ("SMTP: User {user} doesn't exist. Attempt from IP address {ip}.", Failure),
    ("Client with IP address {ip} has no reverse DNS entry, {*}", MailRefused),
    ("Message from IP address {ip}, sender <{*}> rejected: {*}", MailRefused),
    ("Administration login into {*} from {ip} failed: {*}", Failure),
    ("Failed {w} login from {ip} with SASL method {w}.", Failure),
    ("SMTP: User {user} tried to authenticate from {ip}{*}", Failure),
];
