//! What strangers wrote: their text made safe for messages, our own words around it, the nearest valid name, and their
//! bytes given to parsers that may panic.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

mod foreign;
mod guard;
mod words;

pub use foreign::{Foreign, message, on_terminal};
pub use guard::guarded;
pub use words::{Safe, Words, safe};

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

/// The end of an "unknown name" message: `; did you mean 'audio'? (valid here: arms, audio)`. Names are in quotes where one
/// has a comma.
pub fn hint(word: &str, valid: &[&str]) -> Words {
    let quoted = valid.iter().any(|name| name.contains(','));
    let list = match valid {
        [] => "nothing".into(),
        _ if quoted => {
            let names = valid.iter().map(|name| words!("'{}'", Foreign::new(name)));
            Words::join(names, ", ")
        }
        _ => Words::join(valid.iter().map(Foreign::new), ", "),
    };
    match nearest(word, valid) {
        Some(name) => words!(
            "; did you mean '{}'? (valid here: {})",
            Foreign::new(name),
            list
        ),
        None => words!(" (valid here: {})", list),
    }
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
            hint("zebra", &["arms", "seed"]).to_string(),
            " (valid here: arms, seed)"
        );
        assert_eq!(
            hint("zebra", &["fusion, on", "off"]).to_string(),
            " (valid here: 'fusion, on', 'off')"
        );
    }
}
