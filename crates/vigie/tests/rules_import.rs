//! `vigie rules import` against a folder that has the shape of SigmaHQ's repository.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::path::Path;

use common::{objects, run, shared_data, stdout_of};
use serde_json::Value;

fn rule(number: u8, head: &str, logsource: &str, value: &str) -> String {
    format!(
        "title: Sample {number}\nid: 00000000-0000-4000-8000-0000000000{number:02}\nauthor: Somebody\n{head}\nlogsource: {{ {logsource} }}\ndetection:\n  one:\n    user.name: {value}\n  condition: one\n"
    )
}

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A clone with four good rules, a wrong one, and one where rules for use do not stand.
fn clone(dir: &Path) {
    let high = "status: stable\nlevel: high\ntags: [attack.credential-access, attack.t1110.001]";
    let low = "status: experimental\nlevel: low\ntags: [attack.impact]";
    write(dir, "LICENSE", "terms of use\n");
    write(dir, "rules/linux/one.yml", &rule(1, high, "product: linux, service: sshd", "root"));
    write(dir, "rules/web/two.yml", &rule(2, low, "category: webserver", "root"));
    write(dir, "rules/cloud/three.yml", &rule(3, low, "product: azure", "root"));
    let old = "status: deprecated\nlevel: high";
    write(dir, "rules-threat-hunting/four.yml", &rule(4, old, "product: linux", "root"));
    let wrong =
        rule(5, high, "product: linux", "root").replace("user.name:", "user.name|containz:");
    write(dir, "rules/linux/five.yml", &wrong);
    write(dir, "deprecated/six.yml", &rule(6, high, "product: linux", "root"));
}

fn import(dir: &Path, more: &[&str]) -> Vec<Value> {
    let mut all = vec!["rules", "import", "sigma", "--data", "data", "--json"];
    all.extend(more);
    objects(&stdout_of(dir, &all))
}

fn of_kind<'o>(objects: &'o [Value], kind: &str) -> Vec<&'o Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

#[test]
fn takes_what_loads_and_tells_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    clone(&dir.path().join("sigma"));
    let target = dir.path().join("data/rules/imported/sigmahq");

    let told = import(dir.path(), &["--dry-run"]);
    assert!(!target.exists());
    let told_then = import(dir.path(), &[]);
    let summary = of_kind(&told_then, "import")[0];
    assert_eq!(summary["written"], true);
    assert_eq!(of_kind(&told, "import")[0]["rules"], summary["rules"]);
    for (key, expected) in
        [("rules", 3), ("new", 3), ("refused", 1), ("left_out", 1), ("can_fire", 2)]
    {
        assert_eq!(summary[key], expected, "{key}: {summary}");
    }
    assert_eq!(summary["licences"][0], "LICENSE");
    let refused = of_kind(&told, "diagnostic");
    assert!(refused[0]["file"].as_str().unwrap().ends_with("rules/linux/five.yml"));
    assert_eq!(refused[0]["line"], 10, "{refused:?}");
    assert!(refused[0]["mend"].as_str().unwrap().contains("contains"), "{refused:?}");

    let logsources = of_kind(&told, "logsource");
    let delivered = |product: &str| {
        let row = logsources.iter().find(|row| row["product"] == product).unwrap();
        row["delivered"].as_bool().unwrap()
    };
    assert!(delivered("linux") && !delivered("azure"));
    let tactics = of_kind(&told, "tactic");
    let access = tactics.iter().find(|tactic| tactic["id"] == "TA0006").unwrap();
    assert_eq!(access["techniques"][0]["name"], "Password Guessing");

    // Word for word, with the licence, and in force from then on.
    let source = dir.path().join("sigma");
    for name in ["LICENSE", "rules/linux/one.yml", "rules/cloud/three.yml"] {
        let read = |dir: &Path| std::fs::read(dir.join(name)).unwrap();
        assert_eq!(read(&source), read(&target), "{name}");
    }
    assert!(!target.join("rules/linux/five.yml").exists());
    let manifest = std::fs::read_to_string(target.join("IMPORTED.json")).unwrap();
    assert!(manifest.contains("Somebody"), "{manifest}");
    let list = stdout_of(dir.path(), &["rules", "list", "--data", "data"]);
    assert!(list.contains("Sample 1") && list.lines().count() > 10, "{list}");
    std::fs::write(dir.path().join("a.json"), "{\"user.name\": \"root\"}\n").unwrap();
    let tested = stdout_of(dir.path(), &["rules", "test", "--data", "data", "--json"]);
    assert_eq!(objects(&tested)[0]["untested"], 3, "{tested}");
}

#[test]
fn tells_what_changed_since() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("sigma");
    clone(&source);
    import(dir.path(), &[]);
    write(&source, "rules/web/two.yml", &rule(2, "level: low", "category: webserver", "admin"));
    write(&source, "rules/seven.yml", &rule(7, "level: low", "product: linux", "admin"));
    std::fs::remove_file(source.join("rules/cloud/three.yml")).unwrap();
    let told = import(dir.path(), &[]);
    let mut changes: Vec<_> = of_kind(&told, "change")
        .iter()
        .map(|one| format!("{} {}", one["change"], one["title"]).replace('"', ""))
        .collect();
    changes.sort();
    assert_eq!(changes, ["changed Sample 2", "gone Sample 3", "new Sample 7"]);
    assert_eq!(of_kind(&told, "import")[0]["same"], 1);
    let imported = dir.path().join("data/rules/imported");
    assert!(!imported.join("sigmahq/rules/cloud/three.yml").exists());
    // Nothing is left beside it.
    assert_eq!(std::fs::read_dir(&imported).unwrap().count(), 1);
}

#[test]
fn options_leave_rules_out() {
    let dir = tempfile::tempdir().unwrap();
    clone(&dir.path().join("sigma"));
    let check = |options: &[&str], expected: &[&str]| {
        let told = import(dir.path(), &[&["--dry-run"], options].concat());
        let mut titles: Vec<_> =
            of_kind(&told, "change").iter().map(|one| one["title"].as_str().unwrap()).collect();
        titles.sort_unstable();
        assert_eq!(titles, expected, "{options:?}");
    };
    check(&["--level", "high"], &["Sample 1"]);
    check(&["--status", "stable,deprecated"], &["Sample 1", "Sample 4"]);
    check(&["--product", "linux"], &["Sample 1", "Sample 2"]);
    check(&["--product", "Azure", "--level", "low"], &["Sample 2", "Sample 3"]);
}

#[test]
fn speaks_both_languages_and_refuses_strange_names() {
    let dir = tempfile::tempdir().unwrap();
    clone(&dir.path().join("sigma"));
    let told = |lang: &str| {
        stdout_of(
            dir.path(),
            &["rules", "import", "sigma", "--to", "r", "--lang", lang, "--dry-run"],
        )
    };
    let (english, french) = (told("en"), told("fr"));
    assert!(english.starts_with("3 rules taken in 3 files, 1 refused, 1 left out"), "{english}");
    assert!(english.contains("TA0006 Credential Access: 1 rule"), "{english}");
    assert!(french.starts_with("3 règles retenues dans 3 fichiers, 1 refusée"), "{french}");
    assert!(french.contains("Rien n’a été écrit"), "{french}");
    assert_eq!(english.lines().count(), french.lines().count());
    let output = run(dir.path(), &["rules", "import", "sigma", "--name", "../x"]);
    assert_eq!(output.status.code(), Some(1));
    let output = run(dir.path(), &["rules", "import", "."]);
    assert_eq!(output.status.code(), Some(0), "any folder of rules will do");
}

#[test]
fn nearly_all_of_sigmahq_is_taken() {
    let Some(source) = shared_data("sigma-rules") else { return };
    let dir = tempfile::tempdir().unwrap();
    let source = source.display().to_string();
    let told = stdout_of(dir.path(), &["rules", "import", &source, "--data", "data", "--json"]);
    let told = objects(&told);
    let summary = of_kind(&told, "import")[0];
    let number = |key: &str| summary[key].as_u64().unwrap();
    assert!(number("rules") > 3_600, "{summary}");
    assert!(number("can_fire") > 2_000, "{summary}");
    assert!(of_kind(&told, "tactic").iter().all(|tactic| tactic["rules"].as_u64() > Some(0)));
    println!("{summary}");
}

#[test]
fn placeholders_are_filled_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let of_admins = rule(1, "level: low", "product: linux", "'%Admins%'")
        .replace("user.name:", "user.name|expand:");
    write(dir.path(), "own/admins.yml", &of_admins);
    write(dir.path(), "admins.txt", "# people\nalice\n\nbob-*\n");
    write(
        dir.path(),
        "events.json",
        "{\"user.name\":\"alice\"}\n{\"user.name\":\"bob-2\"}\n{\"user.name\":\"eve\"}\n",
    );
    let check = |more: &[&str], good: bool, records: &[u64]| {
        let code = run(dir.path(), &[&["rules", "check", "own"], more].concat()).status.code();
        assert_eq!(code, Some(i32::from(!good)), "{more:?}");
        let told = run(
            dir.path(),
            &[&["rules", "match", "--rules", "own", "--as", "json", "events.json"], more].concat(),
        );
        let found: Vec<u64> = objects(&String::from_utf8(told.stdout).unwrap())
            .iter()
            .map(|hit| hit["record"].as_u64().unwrap())
            .collect();
        assert_eq!(found, records, "{more:?}");
    };
    check(&[], false, &[]);
    check(&["--placeholder", "Admins=eve"], true, &[2]);
    check(&["--placeholder", "Admins=@admins.txt"], true, &[0, 1]);
    check(
        &["--placeholder", "Admins=@admins.txt", "--placeholder", "Admins=eve"],
        true,
        &[0, 1, 2],
    );
    check(&["--placeholder", "Admins"], false, &[]);
    check(&["--placeholder", "Admins=@nowhere.txt"], false, &[]);
    write(dir.path(), "sigma/rules/one.yml", &of_admins);
    let refused = run(dir.path(), &["rules", "import", "sigma", "--placeholder", "Admins=eve"]);
    assert_eq!(refused.status.code(), Some(1));
}
