//! The sets of logsources that events belong to. A set is known by its address, so each stands
//! here once.

use vigie_event::{Logsource, Logsources};

const SYSLOG: Logsource = Logsource::service("linux", "syslog");
const AUTH: Logsource = Logsource::service("linux", "auth");
const WEBSERVER: Logsource = Logsource::category("webserver");
const LINUX: Logsource = Logsource::product("linux");

/// No logsource: JSON of unknown origin.
pub static NONE: Logsources = &[];
/// A syslog line of any program.
pub static ANY_SYSLOG: Logsources = &[SYSLOG];
/// OpenSSH's server.
pub static SSHD: Logsources = &[Logsource::service("linux", "sshd"), AUTH, SYSLOG];
/// PAM, of whatever service.
pub static PAM: Logsources = &[Logsource::service("linux", "pam"), AUTH, SYSLOG];
/// sudo.
pub static SUDO: Logsources = &[Logsource::service("linux", "sudo"), AUTH, SYSLOG];
/// su.
pub static SU: Logsources = &[Logsource::service("linux", "su"), AUTH, SYSLOG];
/// login and logind.
pub static LOGIN: Logsources = &[Logsource::service("linux", "login"), AUTH, SYSLOG];
/// useradd and its family.
pub static ACCOUNTS: Logsources = &[Logsource::service("linux", "accounts"), AUTH, SYSLOG];
/// cron.
pub static CRON: Logsources = &[Logsource::service("linux", "cron"), SYSLOG];
/// nginx access logs.
pub static NGINX_ACCESS: Logsources = &[
    WEBSERVER,
    Logsource { category: Some("webserver"), product: Some("nginx"), service: Some("access") },
];
/// Apache access logs.
pub static APACHE_ACCESS: Logsources = &[
    WEBSERVER,
    Logsource { category: Some("webserver"), product: Some("apache"), service: Some("access") },
];
/// nginx error logs.
pub static NGINX_ERROR: Logsources = &[Logsource::service("nginx", "error"), WEBSERVER];
/// Apache error logs.
pub static APACHE_ERROR: Logsources = &[Logsource::service("apache", "error"), WEBSERVER];
/// The Linux audit daemon.
pub static AUDITD: Logsources = &[Logsource::service("linux", "auditd"), LINUX];
/// Web application firewalls.
pub static WAF: Logsources = &[Logsource::category("waf")];
/// Packet filter lines of the Linux kernel.
pub static FIREWALL: Logsources = &[
    Logsource { category: Some("firewall"), product: Some("linux"), service: None },
    LINUX,
    SYSLOG,
];
/// Proxies and load balancers.
pub static WEB_ACCESS: Logsources = &[WEBSERVER];
/// Firewalls other than Linux's.
pub static ANY_FIREWALL: Logsources = &[Logsource::category("firewall")];
/// Applications with logs of their own, and what says in common words that a login failed.
pub static APPLICATION: Logsources = &[Logsource::category("application"), SYSLOG];
/// The agents' events.
pub static SEED: Logsources = &[Logsource::service("vigie", "agents")];

/// Every logsource that the parsers give to events, each once: a rule whose logsource fits none
/// of them can never match.
pub fn delivered() -> Vec<Logsource> {
    let fixed = [
        ANY_SYSLOG,
        SSHD,
        PAM,
        SUDO,
        SU,
        LOGIN,
        ACCOUNTS,
        CRON,
        NGINX_ACCESS,
        APACHE_ACCESS,
        NGINX_ERROR,
        APACHE_ERROR,
        AUDITD,
        WAF,
        FIREWALL,
        APPLICATION,
        SEED,
    ];
    let fixed = fixed.into_iter().flatten().copied();
    let mut seen = std::collections::HashSet::new();
    fixed
        .chain(crate::json::eve_logsources())
        .chain(crate::zeek::logsources())
        .chain(crate::windows::all_logsources())
        .filter(|logsource| seen.insert(*logsource))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_read_and_what_is_not() {
        let delivered = delivered();
        let fits = |category, product, service| {
            delivered.iter().any(|one| one.fits(category, product, service))
        };
        assert!(fits(Some("webserver"), None, None));
        assert!(fits(Some("process_creation"), Some("windows"), None));
        assert!(fits(None, Some("linux"), Some("sshd")));
        assert!(fits(Some("dns"), None, None));
        assert!(!fits(None, Some("azure"), None));
    }
}
