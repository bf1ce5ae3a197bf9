//! Text that attackers wrote is shown and does nothing.

use crate::client::Bench;
use crate::sample;

fn attacks() -> Vec<String> {
    vec![
        "<script>alert(1)</script>".to_owned(),
        "\"><img src=x onerror=alert(1)>'\"`${7*7}{{7*7}}{% raw %}".to_owned(),
        "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\nSet-Cookie: a=b".to_owned(),
        "\u{202E}gpj.exe\u{2066}\u{200B}\u{FEFF}\u{E0041}".to_owned(),
        "javascript:alert(1)//http://evil.example.com/".to_owned(),
        "</title></textarea></select></pre><!--".to_owned(),
        format!("<b>{}", "A".repeat(2_048)),
    ]
}

/// Tags and attributes that the console's own templates never write.
const FORBIDDEN: &[&str] = &[
    "<script>",
    "<img",
    "<b>",
    "<iframe",
    "onerror=\"",
    "</textarea></select>",
    "<!--",
    "href=\"javascript",
    "href=\"http",
    "src=\"http",
    "<title></title>",
];

#[tokio::test]
async fn every_page_shows_it_inert() {
    for text in attacks() {
        let bench = Bench::ready().await;
        let case = sample::hostile(bench.now(), &text);
        let id = case.incident.id;
        case.save(&bench.state).await;
        bench.state.add_note(id, &text, "camille", bench.now()).await.unwrap();
        let mut browser = bench.signed_in().await;
        for path in [
            "/".to_owned(),
            "/incidents".to_owned(),
            format!("/incidents/{id}"),
            "/bans".to_owned(),
            "/tickets".to_owned(),
            "/incidents?text=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&rule=%22%3E%3Cb%3E".to_owned(),
            "/sign-in?next=%22%3E%3Cscript%3E".to_owned(),
            "/nothing/%22%3E%3Cscript%3E?x=%22%3E%3Cscript%3E".to_owned(),
        ] {
            let page = browser.get(&path).await.body;
            for forbidden in FORBIDDEN {
                assert!(!page.contains(forbidden), "{path} with {text:?}: {forbidden}");
            }
            let unseen = page.chars().find(|letter| {
                (letter.is_control() && *letter != '\n')
                    || matches!(letter, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}')
            });
            assert_eq!(unseen, None, "{path} with {text:?}");
        }
    }
}

#[tokio::test]
async fn what_it_says_can_still_be_read() {
    let bench = Bench::ready().await;
    let case = sample::hostile(bench.now(), "<script>\u{1b}[31m\u{202E}'\"");
    let id = case.incident.id;
    case.save(&bench.state).await;
    let mut browser = bench.signed_in().await;
    let page = browser.get(&format!("/incidents/{id}")).await.body;
    assert!(page.contains("&#60;script&#62;⟦ESC⟧[31m⟦U+202E⟧&#39;&#34;"));
    let answer = browser.get(&format!("/api/v1/incidents/{id}")).await;
    assert!(answer.header("content-type").starts_with("application/json"));
    assert_eq!(answer.json()["title"], "<script>\u{1b}[31m\u{202E}'\"");
}

#[tokio::test]
async fn a_name_of_two_kilobytes_does_not_fill_the_page() {
    let bench = Bench::ready().await;
    let case = sample::hostile(bench.now(), &"A".repeat(2_048));
    case.save(&bench.state).await;
    let mut browser = bench.signed_in().await;
    for path in ["/", "/incidents", "/bans", "/tickets"] {
        let page = browser.get(path).await.body;
        assert!(page.contains(&format!("{}…", "A".repeat(64))), "{path}");
        // What stands in quotes is an attribute, such as the address of a link.
        let shown: String = page.split('"').step_by(2).collect();
        assert!(!shown.contains(&"A".repeat(700)), "{path}");
    }
}
