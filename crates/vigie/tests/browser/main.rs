//! The console in a real browser: what people see and do, from the one-time link on.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;
mod driver;

use common::{Centre, wait_for};
use driver::Browser;
use serde_json::{Value, json};

const NO_SOURCES: &str = "[sources]\nfiles = []\njournald = \"never\"\n";
const PASSWORD: &str = "quatre mouettes au large";
/// Phones and laptops, in CSS pixels.
const WIDTHS: [u32; 2] = [390, 1_280];
/// The elements that reach beyond the window and do not scroll within something else.
const BEYOND: &str = "[...document.querySelectorAll('body *')]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest('.scroll, .unseen, pre'))
    .map((element) => element.outerHTML.slice(0, 120)).slice(0, 5)";

/// Looks at the page at hand as a phone and as a laptop show it.
fn look(browser: &Browser) {
    let page = browser.value("location.pathname");
    for width in WIDTHS {
        browser.width(width);
        browser.wait_until_or("document.documentElement.scrollWidth <= innerWidth", || {
            format!("{page} at {width} px: beyond it are {}", browser.value(BEYOND))
        });
    }
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{page}: {complaints:#?}");
}

/// Opens the one-time link and chooses a password.
fn welcome(browser: &Browser, centre: &Centre) {
    browser.go(centre.link.as_ref().unwrap());
    look(browser);
    browser.write("[name=password]", PASSWORD);
    browser.write("[name=repeated]", PASSWORD);
    browser.click("main form button");
    browser
        .wait_until("location.pathname === '/' && document.querySelector('[data-live]') !== null");
}

#[test]
fn the_first_minutes_of_an_administrator() {
    let dir = tempfile::tempdir().unwrap();
    let Some(browser) = Browser::open(dir.path()) else { return };
    let centre = Centre::start(dir.path(), NO_SOURCES, &["--demo"]);
    welcome(&browser, &centre);

    // The live view moves, and what was found comes to the page without a reload.
    let newest = "(document.querySelector('[data-live-list] li')?.textContent ?? '')";
    browser.wait_until(&format!("{newest} !== ''"));
    let before = browser.value(newest);
    browser.wait_until(&format!("{newest} !== {before}"));
    browser.wait_until("Number(document.querySelector('[data-counter=events]').textContent.replace(/\\D/g, '')) > 0");
    browser.wait_until("document.querySelector('.row-link') !== null");
    look(&browser);

    browser.click(".bar nav a[href='/incidents']");
    browser.wait_until("location.pathname === '/incidents'");
    look(&browser);
    browser.click(".row-link");
    browser.wait_until("location.pathname.startsWith('/incidents/')");
    look(&browser);
    // Verdict and decisions follow within moments; this page is asked again for them.
    let incident = browser.value("location.href");
    wait_for("a verdict", || {
        browser.go(incident.as_str().unwrap());
        let judged = browser.value("document.querySelector('.verdict .summary') !== null");
        (judged == true).then_some(())
    });
    look(&browser);

    for page in ["/bans", "/bans?history=1", "/tickets", "/tickets?all=1", "/account"] {
        browser.go(&format!("{}{page}", centre.console));
        assert_eq!(browser.value("document.querySelectorAll('h1').length"), 1, "{page}");
        look(&browser);
    }

    browser.click(".tool[hreflang=fr]");
    browser.wait_until("document.documentElement.lang === 'fr'");
    for page in ["/", "/incidents", "/bans", "/tickets", "/account"] {
        browser.go(&format!("{}{page}", centre.console));
        assert_eq!(browser.value("document.documentElement.lang"), "fr", "{page}");
        look(&browser);
    }

    browser.click("form[action='/sign-out'] button");
    browser.wait_until("location.pathname === '/sign-in'");
    look(&browser);
    browser.go(&format!("{}/incidents", centre.console));
    browser.wait_until("location.pathname === '/sign-in'");
    browser.write("[name=name]", "admin");
    browser.write("[name=password]", PASSWORD);
    browser.click("main form button");
    browser.wait_until("location.pathname === '/incidents'");
    assert_eq!(browser.value("document.documentElement.lang"), "fr");
    look(&browser);
    drop(browser);
    centre.stop();
}

#[test]
fn what_attackers_write_is_shown_as_text() {
    const MARKUP: &str = "<script>window.owned=1</script><img src=x onerror=window.owned=1>";
    let user = format!("{MARKUP}\u{1b}[2J\u{202E}toor");
    let shown = format!("{MARKUP}⟦ESC⟧[2J⟦U+202E⟧toor");
    let dir = tempfile::tempdir().unwrap();
    let Some(browser) = Browser::open(dir.path()) else { return };
    let centre = Centre::start(dir.path(), NO_SOURCES, &[]);
    welcome(&browser, &centre);

    // The live view shows what comes once it is connected.
    browser.wait_until(
        "document.querySelector('[data-live-state]').textContent === document.querySelector('[data-live]').dataset.wordWaiting",
    );
    let event =
        json!({"type": "ssh_failed", "src": "203.0.113.9", "dst": "192.0.2.10", "user": user});
    let failures: Vec<Value> = vec![event; 8];
    assert_eq!(centre.post(0, "/collect", &json!(failures).to_string()).0, 200);
    let request = format!(
        "198.51.100.7 - - [05/Jan/2026:10:12:13 +0000] \"GET /?q=1%27%20UNION%20SELECT%20password%20FROM%20users-- HTTP/1.1\" 200 1 \"-\" \"{user}\"\n"
    );
    assert_eq!(centre.post(0, "/ingest?as=nginx", &request).0, 200);
    let in_text = |selector: &str, text: &str| {
        format!(
            "[...document.querySelectorAll({})].some((one) => one.textContent.includes({}))",
            Value::from(selector),
            Value::from(text)
        )
    };
    browser.wait_until(&in_text("[data-live-list] .text", &shown));
    browser.wait_until("document.querySelectorAll('.row-link').length > 1");
    inert(&browser);

    browser.go(&format!("{}/incidents", centre.console));
    inert(&browser);
    let incidents =
        browser.value("[...document.querySelectorAll('.row-link')].map((link) => link.href)");
    for incident in incidents.as_array().unwrap() {
        browser.go(incident.as_str().unwrap());
        assert_eq!(browser.value(&in_text("pre", MARKUP)), true, "{incident}: its evidence");
        inert(&browser);
    }
    for page in ["/bans?history=1", "/tickets?all=1"] {
        browser.go(&format!("{}{page}", centre.console));
        inert(&browser);
    }
    drop(browser);
    centre.stop();
}

#[test]
fn the_overview_moves_and_leaves_what_the_reader_has_in_hand() {
    let dir = tempfile::tempdir().unwrap();
    let Some(browser) = Browser::open(dir.path()) else { return };
    let centre = Centre::start(dir.path(), NO_SOURCES, &[]);
    let fail = |address: &str, user: &str| {
        let event =
            json!({"type": "ssh_failed", "src": address, "dst": "192.0.2.10", "user": user});
        let failures: Vec<Value> = vec![event; 8];
        assert_eq!(centre.post(0, "/collect", &json!(failures).to_string()).0, 200);
    };
    welcome(&browser, &centre);
    browser.wait_until("document.querySelector('#sources ol') === null");
    // Of which a reload would leave nothing.
    browser.value("window.opened = 'once'");

    fail("203.0.113.9", "root");
    browser.wait_until("document.querySelectorAll('#latest-incidents .row-link').length === 1");
    browser.wait_until("document.querySelector('#sources')?.textContent.includes('203.0.113.9')");
    browser.wait_until("document.querySelector('#rules ol') !== null");
    browser.wait_until("[...document.querySelectorAll('#hours-rows [data-value]')].some((hour) => hour.dataset.value > 0)");
    browser.wait_until("document.querySelector('[data-chart] canvas') !== null");

    browser.value("document.querySelector('.row-link').focus()");
    browser.value("document.querySelector('.row-link').mark = 'mine'");
    fail("198.51.100.7", "backup");
    browser.wait_until("document.querySelector('#sources')?.textContent.includes('198.51.100.7')");
    assert_eq!(browser.value("document.activeElement.mark ?? 'another'"), "mine");
    browser.value("document.activeElement.blur()");
    browser.wait_until("document.querySelectorAll('#latest-incidents .row-link').length === 2");
    assert_eq!(browser.value("window.opened"), "once");
    look(&browser);
    drop(browser);
    centre.stop();
}

/// Nothing of an attacker's text has become markup, run, or turned the direction of writing.
fn inert(browser: &Browser) {
    let page = browser.value("location.href");
    assert_eq!(browser.value("window.owned ?? 'nothing'"), "nothing", "{page}");
    assert_eq!(
        browser.value("document.querySelectorAll('img, script:not([src])').length"),
        0,
        "{page}"
    );
    let unseen = "/[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]/";
    assert_eq!(
        browser.value(&format!("{unseen}.test(document.body.textContent)")),
        false,
        "{page}"
    );
    look(browser);
}
