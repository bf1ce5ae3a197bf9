//! Whether the colours can be told apart (WCAG 2.2, success criteria 1.4.3 and 1.4.11).

use std::collections::HashMap;

const STYLE: &str = include_str!("../../assets/console.css");

/// The colours that a block of custom properties sets.
fn colours(after: &str) -> HashMap<&'static str, [f64; 3]> {
    let start = STYLE.find(after).expect("block is missing") + after.len();
    let block = STYLE[start..].split('}').next().unwrap();
    block
        .lines()
        .filter_map(|line| {
            let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
            let digits = value.trim_end_matches(';');
            let channel = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
            let (red, green, blue) = (channel(0)?, channel(2)?, channel(4)?);
            Some((name, [red, green, blue].map(|value| f64::from(value) / 255.0)))
        })
        .collect()
}

/// Relative luminance, WCAG 2.2.
fn luminance(colour: [f64; 3]) -> f64 {
    let [red, green, blue] = colour.map(|channel| {
        if channel <= 0.040_45 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn text_stands_out_in_light_and_dark() {
    let light = colours(":root {\n");
    for (scheme, after) in [
        ("light", ":root {\n"),
        ("dark by system", ":root:not([data-theme=\"light\"]) {\n"),
        ("dark by choice", ":root[data-theme=\"dark\"] {\n"),
    ] {
        let mut set = light.clone();
        set.extend(colours(after));
        let mut pairs = vec![
            ("accent-ink", "accent", 4.5),
            ("deep-ink", "deep", 4.5),
            ("deep-soft", "deep", 4.5),
            ("good", "good-wash", 4.5),
            ("ink", "accent-wash", 4.5),
            ("ink", "good-wash", 4.5),
            ("ink", "bad-wash", 4.5),
            ("accent", "accent-wash", 4.5),
        ];
        for ground in ["surface", "fog", "raised"] {
            pairs.extend([("ink", ground, 4.5), ("soft", ground, 4.5), ("accent", ground, 4.5)]);
            pairs.extend([("edge", ground, 3.0), ("focus", ground, 3.0)]);
        }
        for level in ["critical", "high", "medium", "low", "informational"] {
            let wash: &'static str = format!("{level}-wash").leak();
            pairs.extend([
                (level, wash, 4.5),
                (level, "surface", 4.5),
                ("ink", wash, 4.5),
                ("soft", wash, 4.5),
            ]);
        }
        for (text, ground, least) in pairs {
            let found = contrast(set[text], set[ground]);
            assert!(found >= least, "{scheme}: {text} on {ground} is {found:.2}, wants {least}");
        }
    }
}

#[test]
fn both_dark_schemes_are_one() {
    assert_eq!(
        colours(":root:not([data-theme=\"light\"]) {\n"),
        colours(":root[data-theme=\"dark\"] {\n")
    );
}
