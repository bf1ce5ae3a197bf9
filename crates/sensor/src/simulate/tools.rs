//! Programs at their own pace: scanners, guessers, deployment, monitoring, a crawler.
//!
//! The paces are the tools' defaults: nmap `-T4` some hundred probes a second over the thousand most
//! common ports; hydra with 4 parallel tasks, which sshd slows to a few tries a second; ffuf with 40
//! threads; nuclei at its limit of 150 requests a second; Ansible one task after the other on all
//! machines; a probe every 30 seconds; a crawler a page every few seconds.

use super::cast::{ADMIN, ATTACKER, BROWSERS, HOSTS, PEOPLE, VICTIM, WEB};
use super::ssh;
use super::story::{Request, Story};

const FFUF: &str = "Fuzz Faster U Fool v2.1.0";
const PROBE: &str = "check_http/v2.4.0 (monitoring-plugins 2.4.0)";
const CRAWLER: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.example.com/bot.html)";

const WORDS: [&str; 24] = [
    "about", "admin", "api", "assets", "backup", "blog", "cache", "cgi", "config", "css", "data",
    "db", "docs", "download", "files", "images", "include", "login", "logs", "old", "private",
    "static", "test", "upload",
];

const TEMPLATES: [&str; 16] = [
    "/.git/config",
    "/actuator/health",
    "/api/jsonws/invoke",
    "/cgi-bin/luci",
    "/console/login/LoginForm.jsp",
    "/geoserver/web/",
    "/graphql",
    "/jenkins/script",
    "/login.action",
    "/owa/auth/x.js",
    "/phpinfo.php",
    "/server-status",
    "/solr/admin/cores",
    "/swagger-ui.html",
    "/vpn/index.html",
    "/wp-json/wp/v2/users",
];

const TASKS: [&str; 6] = ["apt", "copy", "file", "service", "setup", "template"];

fn get(story: &mut Story, seconds: f64, client: &str, target: &str, status: u16, agent: &str) {
    let bytes = story.random.between(150, 20_000);
    let request = Request { client, method: "GET", target, status, bytes, referrer: "-", agent };
    story.request(seconds, &request);
}

/// Several hundred probes a second, ports in random order, machine after machine.
pub(super) fn tell_nmap(story: &mut Story) {
    let mut seconds = 0.0;
    for (_, target) in HOSTS {
        let mut ports: Vec<u64> = (1..=1_000).collect();
        for place in (1..ports.len()).rev() {
            let other = story.random.between(0, place as u64 + 1) as usize;
            ports.swap(place, other);
        }
        for port in ports {
            story.blocked(seconds, ATTACKER, target, port);
            seconds += 0.004 + story.random.fraction() * 0.03;
        }
    }
}

/// Four tasks, each one try after the other.
pub(super) fn tell_hydra(story: &mut Story) {
    let names = ["root", "admin", "oracle", "test"];
    for (task, name) in names.into_iter().enumerate() {
        let mut seconds = task as f64 * 0.05;
        for _ in 0..90 {
            let exists = name == "root";
            ssh::failure(story, seconds, WEB.0, ATTACKER, (name, exists));
            seconds += 0.9 + story.random.fraction() * 0.5;
        }
    }
}

/// Words of a list, in its order, with numbered variants.
pub(super) fn tell_ffuf(story: &mut Story) {
    let mut seconds = 0.0;
    for number in 0..160 {
        for word in WORDS {
            let target = format!("/{word}{number:03}");
            let status = if story.random.between(0, 90) == 0 { 301 } else { 404 };
            get(story, seconds, ATTACKER, &target, status, FFUF);
            seconds += 0.012 + story.random.fraction() * 0.012;
        }
    }
}

/// Many templates against one server, under browsers' names.
pub(super) fn tell_nuclei(story: &mut Story) {
    let mut seconds = 0.0;
    for _ in 0..8_000 {
        let template = story.random.pick(&TEMPLATES);
        let target = format!("{template}?{}", story.random.hex(6));
        let agent = story.random.pick(&BROWSERS);
        let status = story.random.pick(&[404, 404, 404, 403, 200]);
        get(story, seconds, ATTACKER, &target, status, agent);
        // 150 a second at most.
        seconds += 1.0 / 150.0 + story.random.fraction() * 0.008;
    }
}

/// A playbook of forty tasks on all machines.
pub(super) fn tell_ansible(story: &mut Story) {
    let Some(person) = PEOPLE.iter().find(|person| person.name == VICTIM) else { return };
    let mut seconds = 0.0;
    for (host, _) in HOSTS {
        ssh::key_login(story, seconds, host, person, ADMIN.1);
        seconds += 0.1;
    }
    for _ in 0..40 {
        let task = story.random.pick(&TASKS);
        for (host, _) in HOSTS {
            let number = story.random.hex(12);
            let command = format!(
                "/bin/sh -c 'echo BECOME-SUCCESS-{number} ; /usr/bin/python3 /home/{VICTIM}/.ansible/tmp/ansible-tmp-{number}/AnsiballZ_{task}.py'"
            );
            let spread = story.random.fraction() * 0.4;
            story.sudo(seconds + spread, host, VICTIM, &command);
        }
        seconds += 1.5 + story.random.fraction() * 4.0;
    }
}

/// A look at the service every 30 seconds, for three hours.
pub(super) fn tell_monitor(story: &mut Story) {
    for number in 0..360 {
        let seconds = f64::from(number) * 30.0 + story.random.fraction() * 0.2;
        let status = if story.random.between(0, 100) == 0 { 503 } else { 200 };
        get(story, seconds, ADMIN.1, "/healthz", status, PROBE);
    }
}

/// A search engine's crawler: a page every few seconds, for two hours.
pub(super) fn tell_crawler(story: &mut Story) {
    let mut seconds = 0.0;
    while seconds < 7_200.0 {
        let (word, number) = (story.random.pick(&WORDS), story.random.between(1, 400));
        let target = format!("/{word}/{number}");
        let status = if story.random.between(0, 12) == 0 { 404 } else { 200 };
        get(story, seconds, "198.51.100.66", &target, status, CRAWLER);
        seconds += 1.0 + story.random.fraction() * 9.0;
    }
}
