//! Which parser reads which program's messages: the dispatch table.
//!
//! A program is known by its name in the frame alone, whole and exact; what a message says of
//! itself counts for nothing.

use vigie_event::field;

use crate::access::{self, Server};
use crate::line::{Known, Line};
use crate::{
    accounts, apache_error, application, auditd, cef, cron, iptables, login, logind, logsources,
    nginx_error, pam, sshd, su, sudo, text,
};

/// Reads what a program says; `None`: nobody knows it.
pub type Parse = fn(&mut Line<'_, '_>, &str) -> Option<Known>;

/// The parser of the program called `name`, without its directory.
fn parser_of(name: &str) -> Option<Parse> {
    Some(match name {
        "sshd" | "sshd-session" | "sshd-auth" => |line, message| Some(sshd::parse(line, message)),
        "sudo" | "sudo-rs" => sudo::parse,
        "su" | "su-l" => su::parse,
        "login" | "remote" | "rlogin" => login::parse,
        "CRON" | "cron" | "crond" | "crontab" | "anacron" | "fcron" | "atd" => cron::parse,
        "useradd" | "usermod" | "userdel" | "groupadd" | "groupmod" | "groupdel" | "gpasswd"
        | "passwd" | "chpasswd" | "chage" | "chfn" | "chsh" | "newusers" | "adduser"
        | "deluser" | "addgroup" | "delgroup" | "vipw" | "groupmems" => accounts::parse,
        "systemd-logind" | "elogind" | "elogind-daemon" => logind::parse,
        "kernel" | "ulogd" | "iptables" | "nftables" | "ufw" => kernel,
        // `CEF:0|…` reads as the name of a program.
        "CEF" => |line, message| cef::parse(line.fields, message).map(|(known, _)| known),
        "audispd" | "audisp-syslog" | "auditd" | "audit" => audit,
        "nginx" | "httpd" | "apache" | "apache2" | "apache-access" | "apache-error"
        | "nginx-access" | "nginx-error" => web,
        _ => return None,
    })
}

/// What reads the messages of the program called `name`.
pub fn reader_of(name: &str) -> Parse {
    parser_of(name).unwrap_or(otherwise)
}

/// Whether programs called `name` say the same again and again, and it says all: a web server's
/// requests and the kernel's records are as good as never the same.
pub fn repeats_itself(name: &str) -> bool {
    !matches!(
        name,
        "kernel"
            | "ulogd"
            | "iptables"
            | "nftables"
            | "ufw"
            | "CEF"
            | "audispd"
            | "audisp-syslog"
            | "auditd"
            | "audit"
    ) && Server::named(name).is_none()
}

/// Reads `message` by the program that the line names. `None`: nobody knows it.
pub fn parse(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    reader_of(line.program)(line, message)
}

/// Reads a message of a program whose plain name no parser has.
fn otherwise(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    by_shape(line, message).or_else(|| application::parse(line, message))
}

/// The parsers of programs whose names are not written plainly.
fn by_shape(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    let name = match text::rsplit(line.program, b'/') {
        Some((_, name)) => match parser_of(name) {
            Some(parse) => return parse(line, message),
            None => name,
        },
        None => line.program,
    };
    // `su(pam_unix)[7]: …` of older systems
    if let Some((service, module)) = text::split(name, b'(')
        && module.starts_with("pam_")
    {
        return Some(pam::parse_tagged(line, service, message));
    }
    // util-linux's login shows its arguments: `login -- root`, of which the tag keeps `-- root`.
    if name.starts_with("-- ") || name.starts_with("login -- ") {
        return login::parse(line, message);
    }
    match name {
        "" => match message.strip_prefix("CEF:") {
            Some(body) => cef::parse(line.fields, body).map(|(known, _)| known),
            None => iptables::parse(line.fields, message),
        },
        name if name.starts_with("USR/SBIN/CRON") => cron::parse(line, message),
        _ => pam_of_any(line, message),
    }
}

/// PAM writes under the name of whatever program uses it, always with its module's name in front.
fn pam_of_any(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    let named = message.starts_with("pam_") || message.starts_with("(pam_");
    if named { pam::parse(line, message) } else { None }
}

fn kernel(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    let record = message.split_once("audit: type=").filter(|(before, _)| {
        // Nothing but the uptime stands before it.
        before.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'[' | b']' | b'.' | b' '))
    });
    if let Some((before, _)) = record {
        let start = before.len() + "audit: ".len();
        return audit(line, message.get(start..).unwrap_or_default());
    }
    iptables::parse(line.fields, message).or_else(|| application::parse(line, message))
}

/// A record of the audit system in a frame, whose time stays the event's.
fn audit(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    auditd::parse(line.fields, message).map(|(known, _)| known)
}

/// Web servers that log over syslog. The frame's time stays the event's.
fn web(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    let server = Server::named(line.program);
    if let Some((known, _)) = access::parse(line.fields, message, server) {
        return Some(known);
    }
    match server {
        Some(Server::Nginx) => nginx_error::parse(line.fields, message).map(|(known, _)| known),
        _ => apache_error::parse(line.fields, message).map(|(known, _)| known),
    }
}

/// The event of a framed line whose program nobody knows.
pub fn unknown(line: &mut Line<'_, '_>) -> Known {
    text::some_text(line.fields, field::LOG_SYSLOG_APPNAME, line.program);
    Known::unparsed("syslog", logsources::ANY_SYSLOG)
}
