//! Whether both languages say everything that the pages ask for, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::i18n::{ENGLISH, FRENCH};

/// Key → the arguments that its text uses.
fn messages(files: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in files.iter().flat_map(|file| file.lines()) {
        let starts = line.starts_with(|first: char| first.is_ascii_lowercase());
        if let Some((key, _)) = line.split_once(" = ").filter(|_| starts) {
            key.clone_into(&mut current);
            assert!(messages.insert(current.clone(), BTreeSet::new()).is_none(), "{key} twice");
        }
        for rest in line.split('$').skip(1) {
            let name = rest.split(|end: char| !end.is_ascii_alphanumeric()).next().unwrap();
            messages.get_mut(&current).unwrap().insert(name.to_owned());
        }
    }
    messages
}

/// The text of all templates and of all sources without their tests.
fn sources() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    let mut folders = vec![root.join("src"), root.join("templates")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.ends_with(file!().rsplit('/').next().unwrap()) {
                continue;
            }
            let file = fs::read_to_string(&path).unwrap();
            text.push_str(file.split("#[cfg(test)]\nmod tests").next().unwrap());
        }
    }
    text
}

/// All string literals that look like keys.
fn literals(text: &str) -> BTreeSet<&str> {
    text.split('"')
        .filter(|part| {
            part.starts_with(|first: char| first.is_ascii_lowercase())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        })
        .collect()
}

#[test]
fn both_languages_have_the_same_texts_with_the_same_arguments() {
    assert_eq!(messages(ENGLISH), messages(FRENCH));
}

#[test]
fn every_text_that_is_asked_for_exists() {
    let known = messages(ENGLISH);
    let text = sources();
    for call in [".s(\"", ".n(\"", ".with(\"", ".with_all(\n            \"", ".with_all(\""] {
        for rest in text.split(call).skip(1) {
            let key = rest.split('"').next().unwrap();
            // `shell.with("lang", …)` builds a link and asks for no text.
            if key != "lang" && key != "theme" {
                assert!(known.contains_key(key), "{key} is asked for");
            }
        }
    }
    let families = [
        "status-",
        "close-",
        "autonomy-",
        "role-",
        "ban-",
        "ticket-",
        "entity-",
        "actor-",
        "error-",
        "done-",
        "live-",
        "moment-",
        "password-",
        "nav-",
        "name-",
        "bad-",
    ];
    for literal in literals(&text) {
        let in_family = families.iter().any(|family| literal.starts_with(family));
        // Names of style classes and fields stand in the same families.
        let is_no_text = text.contains(&format!("id=\"{literal}\""))
            || text.contains(&format!("class=\"{literal}\""))
            || text.contains(&format!("describedby=\"{literal}\""));
        assert!(!in_family || is_no_text || known.contains_key(literal), "{literal}");
    }
}

#[test]
fn no_text_is_left_over() {
    let text = sources();
    let used = literals(&text);
    for key in messages(ENGLISH).keys() {
        assert!(used.contains(key.as_str()), "{key} is used nowhere");
    }
}

#[test]
fn texts_are_set_with_proper_marks() {
    for text in ENGLISH.iter().chain(FRENCH) {
        for line in text.lines().filter(|line| line.contains(" = ")) {
            assert!(!line.contains('\'') && !line.contains("..."), "{line}");
        }
    }
    for line in FRENCH.iter().flat_map(|file| file.lines()) {
        assert!(!line.contains('“'), "French quotes are « »: {line}");
        // U+202F keeps a mark with its word.
        let breaks =
            [" ;", " :", " ?", " !", " »", "« ", "n° "].iter().any(|mark| line.contains(mark));
        assert!(!breaks || line.starts_with('#'), "a line may break before a mark: {line}");
    }
}
