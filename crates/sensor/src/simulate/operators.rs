//! Who works by himself: people at a shell and at a browser, and an agent driven by a language model.
//!
//! People: gaps between actions are log-normal with a median of 12 s at a shell and of 20 s between
//! pages, and wide; they mistype, and they leave for minutes. The agent: an action every 2 to 8
//! seconds, nearly each one different, errors answered by a variation, a look at where it is after
//! each way in, and machine after machine with the same account.

use super::cast::{ATTACKER, BROWSERS, DATABASE, FILES, HOSTS, PEOPLE, VICTIM, WEB};
use super::random::Random;
use super::ssh;
use super::story::{Request, Story};

const COMMANDS: [&str; 20] = [
    "/usr/bin/apt update",
    "/usr/bin/apt upgrade",
    "/usr/bin/systemctl status nginx",
    "/usr/bin/systemctl restart nginx",
    "/usr/bin/journalctl -u nginx -n 50",
    "/usr/bin/tail -f /var/log/nginx/error.log",
    "/usr/bin/vim /etc/nginx/sites-enabled/shop",
    "/usr/sbin/nginx -t",
    "/usr/bin/ls /var/www",
    "/usr/bin/du -sh /var/log",
    "/usr/bin/df -h",
    "/usr/bin/id",
    "/usr/bin/cat /etc/hosts",
    "/usr/bin/chown -R www-data /var/www/shop",
    "/usr/bin/docker ps",
    "/usr/bin/docker logs shop",
    "/usr/bin/less /var/log/syslog",
    "/usr/bin/ss -ltn",
    "/usr/bin/crontab -l",
    "/usr/bin/htop",
];

/// Within a minute of getting in.
const LOOKS: [&str; 6] = [
    "/usr/bin/id",
    "/usr/bin/whoami",
    "/usr/bin/uname -a",
    "/usr/bin/hostname -I",
    "/usr/bin/ss -ltnp",
    "/usr/bin/ps aux",
];

/// A thought of its own each.
const DEEDS: [&str; 12] = [
    "/usr/bin/cat /home/deploy/.bash_history",
    "/usr/bin/find / -name *.pem -size -64k",
    "/usr/bin/grep -rn password /etc/app",
    "/usr/bin/cat /var/www/shop/.env",
    "/usr/bin/ls -la /root/.ssh",
    "/usr/bin/env",
    "/usr/bin/mysql -e show databases",
    "/usr/bin/cat /etc/crontab",
    "/usr/bin/ip route",
    "/usr/bin/getent passwd",
    "/usr/bin/docker inspect shop",
    "/usr/bin/tar czf /tmp/.c.tgz /var/www/shop",
];

/// About normal: the sum of twelve even numbers (Irwin-Hall), mean 0, variance 1.
fn normal(random: &mut Random) -> f64 {
    (0..12).map(|_| random.fraction()).sum::<f64>() - 6.0
}

/// A gap with this median in seconds, log-normal.
fn pause(random: &mut Random, median: f64, spread: f64) -> f64 {
    (median * (spread * normal(random)).exp()).clamp(0.4, 1_800.0)
}

/// An administrator's session: a login, and commands over an hour or so.
pub(super) fn tell_administrator(story: &mut Story) {
    let person = story.random.pick(&PEOPLE);
    let host = story.random.pick(&[WEB.0, DATABASE.0, FILES.0]);
    if story.random.between(0, 4) == 0 {
        ssh::failure(story, 0.5, host, person.address, (person.name, true));
    }
    ssh::key_login(story, 4.0, host, &person, person.address);
    let mut seconds = 8.0;
    for _ in 0..story.random.between(25, 70) {
        seconds += pause(&mut story.random, 12.0, 1.1);
        let command = story.random.pick(&COMMANDS);
        if story.random.between(0, 15) == 0 {
            // Mistyped, and then right.
            story.sudo(seconds, host, person.name, &format!("{command}q"));
            seconds += pause(&mut story.random, 4.0, 0.5);
        }
        story.sudo(seconds, host, person.name, command);
    }
}

/// A visitor: pages with their images, and time to read.
pub(super) fn tell_visitor(story: &mut Story) {
    let client = format!("198.51.100.{}", story.random.between(80, 250));
    let agent = story.random.pick(&BROWSERS);
    let mut seconds = 0.0;
    for _ in 0..story.random.between(12, 40) {
        let page = format!("/products/{}", story.random.between(1, 900));
        let status = if story.random.between(0, 25) == 0 { 404 } else { 200 };
        visit(story, seconds, &client, &page, status, agent);
        for number in 0..story.random.between(2, 8) {
            let image = format!("/images/{}.webp", story.random.between(1, 2_000));
            visit(story, seconds + 0.1 + 0.05 * number as f64, &client, &image, 200, agent);
        }
        seconds += pause(&mut story.random, 20.0, 1.2);
    }
}

fn visit(story: &mut Story, seconds: f64, client: &str, target: &str, status: u16, agent: &str) {
    let bytes = story.random.between(500, 60_000);
    let referrer = "https://shop.example.com/";
    story.request(
        seconds,
        &Request { client, method: "GET", target, status, bytes, referrer, agent },
    );
}

/// An agent with a stolen password, a thought every few seconds, for half an hour.
pub(super) fn tell_agent(story: &mut Story) {
    tell_agent_sleeping(story, 0.0);
}

/// The same, sleeping up to five seconds more between its thoughts.
pub(super) fn tell_agent_with_sleep(story: &mut Story) {
    tell_agent_sleeping(story, 5.0);
}

fn tell_agent_sleeping(story: &mut Story, sleep: f64) {
    let mut seconds = 0.0;
    let think = |story: &mut Story, seconds: &mut f64| {
        *seconds += 2.0 + story.random.fraction() * 6.0 + story.random.fraction() * sleep;
    };
    // The shop first: each answer decides the next question.
    for number in 0..25_u32 {
        let page = story.random.pick(&["/products", "/search", "/account"]);
        let first = format!("{page}?id={number}%27");
        visit(story, seconds, ATTACKER, &first, 500, "python-httpx/0.28.1");
        think(story, &mut seconds);
        let second = format!("{page}?id={number}%27%20UNION%20SELECT%20{}--", number + 1);
        visit(story, seconds, ATTACKER, &second, 200, "python-httpx/0.28.1");
        think(story, &mut seconds);
    }
    // Names made up from what the pages say.
    for name in ["shopadmin", "shop-deploy", "shopdb", "orders", "svc-shop", "backup-shop"] {
        ssh::failure(story, seconds, WEB.0, ATTACKER, (name, false));
        think(story, &mut seconds);
    }
    // One stolen password on every machine, and then machine after machine.
    for (host, _) in HOSTS.iter().skip(2) {
        ssh::password_login(story, seconds, host, VICTIM, ATTACKER);
        think(story, &mut seconds);
    }
    for (host, _) in HOSTS.iter().skip(2) {
        for command in LOOKS.iter().chain(&DEEDS) {
            story.sudo(seconds, host, VICTIM, command);
            think(story, &mut seconds);
        }
    }
}
