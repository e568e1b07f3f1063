//! Words for error messages: the nearest valid name, and text from a stranger's file made safe to print.

/// The most characters of a stranger's text that a message repeats.
const SHOWN_CHARS: usize = 60;

/// The valid name that `word` was probably meant to be: at most a third of its letters differ.
pub fn nearest<'a>(word: &str, valid: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    // The distance is quadratic: nobody mistypes a name by hundreds of letters.
    if word.chars().count() > 200 {
        return None;
    }
    valid
        .iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&word, &name.to_lowercase()),
                *name,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The end of an "unknown name" message: `; did you mean 'audio'? (valid here: arms, audio)`.
pub fn hint(word: &str, valid: &[&str]) -> String {
    let list = if valid.is_empty() {
        "nothing".to_owned()
    } else {
        valid.join(", ")
    };
    match nearest(word, valid) {
        Some(name) => format!("; did you mean '{name}'? (valid here: {list})"),
        None => format!(" (valid here: {list})"),
    }
}

/// A stranger's text in a message: control characters are escaped, and the end of a long one is cut.
pub fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(SHOWN_CHARS).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        out.push('…');
    }
    printable(&out)
}

/// The text with its control characters escaped: none reaches a terminal.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => out.extend(c.escape_debug()),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        assert_eq!(nearest("audoi", &["arms", "audio", "seed"]), Some("audio"));
        assert_eq!(nearest("Seed", &["arms", "audio", "seed"]), Some("seed"));
        assert_eq!(nearest("zebra", &["arms", "audio", "seed"]), None);
        assert_eq!(
            hint("zebra", &["arms", "seed"]),
            " (valid here: arms, seed)"
        );
    }

    #[test]
    fn control_characters_and_long_texts_do_not_reach_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), 61);
    }
}
