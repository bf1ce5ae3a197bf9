//! Name servers, tunnels, routers, proxies, small servers of the SSH protocol, and programs that
//! ban or watch themselves.

use super::service::{Saying, Service, Tells, whole};
use crate::time;
use Tells::{Abandoned, Banned, Failure, Note, Probe, Refused, Success};

/// The services of this kind.
pub const SERVICES: &[Service] = &[
    Service { dataset: "dropbear", programs: &["dropbear*"], body: dropbear, sayings: DROPBEAR },
    Service { dataset: "bind", programs: &["named*"], body: named, sayings: NAMED },
    Service { dataset: "nsd", programs: &["nsd"], body: whole, sayings: NSD },
    Service { dataset: "sshguard", programs: &["sshguard*"], body: whole, sayings: SSHGUARD },
    Service { dataset: "openvpn", programs: &["openvpn*", "ovpn*"], body: whole, sayings: OPENVPN },
    Service { dataset: "wireguard", programs: &["kernel"], body: uptime, sayings: KERNEL },
    Service { dataset: "dante", programs: &["danted*", "sockd*"], body: whole, sayings: DANTE },
    Service { dataset: "stunnel", programs: &["stunnel*"], body: whole, sayings: STUNNEL },
    Service { dataset: "xinetd", programs: &["xinetd*"], body: whole, sayings: XINETD },
    Service {
        dataset: "nrpe",
        programs: &["nrpe*", "nsca*", "nagios*"],
        body: whole,
        sayings: NRPE,
    },
    Service { dataset: "endlessh", programs: &["endlessh*"], body: whole, sayings: ENDLESSH },
    Service { dataset: "portsentry", programs: &["portsentry*"], body: whole, sayings: PORTSENTRY },
    Service { dataset: "scanlogd", programs: &["scanlogd*"], body: whole, sayings: SCANLOGD },
    Service { dataset: "xrdp", programs: &["xrdp*"], body: whole, sayings: XRDP },
    Service { dataset: "fail2ban", programs: &["fail2ban*"], body: fail2ban, sayings: FAIL2BAN },
    Service { dataset: "cowrie", programs: &["cowrie*"], body: whole, sayings: COWRIE },
    Service { dataset: "lfd", programs: &["lfd"], body: whole, sayings: LFD },
    Service {
        dataset: "screensharingd",
        programs: &["screensharingd"],
        body: whole,
        sayings: SCREEN_SHARING,
    },
];

const DROPBEAR: &[Saying] = &[
    ("Bad password attempt for '{user}' from {ip}", Failure),
    ("bad password attempt for '{user}' from {ip}", Failure),
    ("Bad PAM password attempt for '{user}' from {ip}", Failure),
    ("Login attempt for nonexistent user '{user}' from {ip}", Failure),
    ("Login attempt for nonexistent user from {ip}", Failure),
    ("login attempt for nonexistent user '{user}' from {ip}", Failure),
    ("login attempt for nonexistent user from {ip}", Failure),
    ("Login attempt with wrong user {user} from {ip}", Failure),
    (
        "Exit before auth (user '{*}', {n} fails): Max auth tries reached - user '{user}' from {ip}",
        Abandoned,
    ),
    ("Exit before auth from <{ip}>: {*}", Abandoned),
    ("Password auth succeeded for '{user}' from {ip}", Success),
    ("Pubkey auth succeeded for '{user}' with {*} from {ip}", Success),
];

/// Without `[825] Jul 10 23:53:52 ` in front.
fn dropbear(message: &str) -> &str {
    let rest = match message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((pid, rest)) if crate::text::number(pid).is_some() => rest,
        _ => message,
    };
    time::month_first(rest).map_or(rest, |(_, at)| rest.get(at..).unwrap_or_default().trim_start())
}

pub const NAMED: &[Saying] = &[
    ("client @{w} {ip}#{n}{*} denied{*}", Refused),
    ("client {ip}#{n}{*} denied{*}", Refused),
    ("client @{w} {ip}#{n}{*}", Note),
    ("client {ip}#{n}{*}", Note),
];

/// Without the server's own time, category and level in front.
pub fn named(message: &str) -> &str {
    match message.find("client ") {
        Some(at) if at < 64 => message.get(at..).unwrap_or_default(),
        _ => message,
    }
}

/// Both with the name that stands in front without syslog.
pub const NSD: &[Saying] = &[
    ("nsd[{n}]: info: ratelimit block {*} query {ip} {w}", Refused),
    ("nsd[{n}]: info: axfr for {w} from client {ip} refused", Refused),
    ("ratelimit block {*} query {ip} {w}", Refused),
    ("axfr for {w} from client {ip} refused", Refused),
];

const SSHGUARD: &[Saying] =
    &[("Blocking \"{ip}/{n}\" for {*}", Banned), ("Blocking \"{ip}\" for {*}", Banned)];

pub const OPENVPN: &[Saying] = &[
    ("{ip} TLS Error: {reason}", Failure),
    ("{ip} TLS Auth Error: {reason}", Failure),
    ("{ip} VERIFY ERROR: {reason}", Failure),
    ("{ip} SENT CONTROL [{user}]: 'AUTH_FAILED{*}", Failure),
    ("{ip} peer info: {*}", Note),
    ("TLS Error: {*} from [AF_INET]{ip}", Failure),
    ("TLS Error: {*} from [AF_INET6]{ip}", Failure),
];

const KERNEL: &[Saying] = &[
    ("wireguard: {w}: Invalid handshake initiation from {ip}", Failure),
    ("wireguard: {w}: Invalid handshake response from {ip}", Failure),
    ("wireguard: {w}: Invalid MAC of handshake, dropping packet from {ip}", Failure),
    ("wireguard: {w}: Packet has unallowed src IP ({w}) from peer {n} ({ip})", Refused),
    ("wireguard: {w}: Packet has unallowed src IP ({w}) from peer ({ip})", Refused),
];

/// Without the seconds since start in front.
fn uptime(message: &str) -> &str {
    match message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((seconds, rest))
            if seconds.bytes().all(|b| b.is_ascii_digit() || b" .".contains(&b)) =>
        {
            rest
        }
        _ => message,
    }
}

const DANTE: &[Saying] = &[
    // The address and the port with a point between.
    ("info: block({n}): tcp/accept ]: {ip}.{n} {w}: error after {*}", Failure),
    ("info: block({n}): {w} ]: {ip}.{n} {w}: {reason}", Refused),
];

const STUNNEL: &[Saying] = &[
    ("LOG{n}[{*}]: SSL_accept from {ip} {reason}", Refused),
    ("LOG{n}[{*}]: Connection from {ip} REFUSED {reason}", Refused),
];

const XINETD: &[Saying] = &[
    ("FAIL: {w} address from={ip}{*}", Refused),
    ("FAIL: {w} libwrap from={ip}{*}", Refused),
    ("FAIL: {w} {w} from={ip}{*}", Refused),
];

const NRPE: &[Saying] = &[("Host {ip} is not allowed to talk to us!", Refused)];

const ENDLESSH: &[Saying] =
    &[("ACCEPT host={ip} port={n} fd={n} n={w}", Probe), ("CLOSE host={ip} {*}", Note)];

const PORTSENTRY: &[Saying] = &[
    ("attackalert: {*}Connect from host: {host}/{ip} to {w} port: {n}{*}", Probe),
    ("attackalert: {*}scan from host: {host}/{ip} to {w} port: {n}{*}", Probe),
    ("attackalert: Host {ip} has been blocked {*}", Banned),
];

const SCANLOGD: &[Saying] =
    &[("{ip} to {w} ports {*}", Probe), ("{ip}:{n} to {w} ports {*}", Probe)];

const XRDP: &[Saying] = &[
    ("[{w} ] AUTHFAIL: user={user} ip={ip} time={n}", Failure),
    ("AUTHFAIL: user={user} ip={ip} time={n}", Failure),
    ("[INFO ] AUTHFAIL: user={user} ip={ip} time={n}", Failure),
];

pub const FAIL2BAN: &[Saying] = &[
    // What the jail for those who come back bans was banned before.
    ("NOTICE{*}[recidive] {*}", Note),
    ("[recidive] {*}", Note),
    ("NOTICE{*}[{w}] Ban {ip}", Banned),
    ("WARNING{*}[{w}] Ban {ip}", Banned),
    ("[{w}] Ban {ip}", Banned),
    ("NOTICE{*}[{w}] Unban {ip}", Note),
    ("INFO{*}[{w}] Found {ip}{*}", Note),
    ("NOTICE{*}[{w}] {*}", Note),
];

/// Without `fail2ban.actions        [11524]: ` in front, and with one space behind the level.
pub fn fail2ban(message: &str) -> &str {
    let rest = match message.strip_prefix("fail2ban.").and_then(|rest| rest.split_once(": ")) {
        Some((_, rest)) => rest,
        None => message,
    };
    rest.trim_start()
}

const COWRIE: &[Saying] = &[
    ("{w} [{w}] New connection: {ip} ({w}) [session: {w}]", Probe),
    ("{w} [{w},{n},{ip}] login attempt [{user}] failed", Failure),
];

const LFD: &[Saying] = &[
    ("({w}) {*}ailed {*} from {ip} ({*}): {n} in the last {n} secs - {*}", Banned),
    ("({w}) {*} from {ip} ({*}): {n} in the last {n} secs - {*}", Banned),
    ("*{*}* {*} from {ip} {*}", Banned),
];

const SCREEN_SHARING: &[Saying] = &[
    ("Authentication: FAILED :: User Name: {user} :: Viewer Address: {ip} :: Type: {w}", Failure),
    (
        "Authentication: SUCCEEDED :: User Name: {user} :: Viewer Address: {ip} :: Type: {w}",
        Success,
    ),
];
