//! A run in shares as an engine is handed it: commands, the scripts around them, and what waits for what.

use std::collections::BTreeSet;
use std::path::PathBuf;

use foreign::{Foreign, Words, words};

/// What is to be computed of one run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The experiment's name.
    pub name: String,
    /// Where scripts and logs go, a whole path.
    pub folder: PathBuf,
    /// The folder that the commands are run in, a whole path.
    pub here: PathBuf,
    /// A share's command, without `--shard`.
    pub share: Vec<String>,
    /// The command that puts the shares together.
    pub join: Vec<String>,
    /// The shares that are missing, from 1, in their order; of so many.
    pub missing: Vec<usize>,
    pub of: usize,
    /// What the engine calls the job whose run this one's pieces come from, and which has to end well first.
    pub after: Option<String>,
    /// What the user hands the engine behind `--`.
    pub extra: Vec<String>,
}

/// A file that is written for an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// In the job's folder.
    pub name: &'static str,
    pub text: String,
}

/// A call that hands something to an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub words: Vec<Word>,
}

/// A word of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    Text(String),
    /// What earlier steps were called by the engine: `before`, and then their ids with `:` between.
    Ids {
        before: &'static str,
        steps: Vec<usize>,
    },
}

/// All that an engine is handed for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    pub scripts: Vec<Script>,
    /// In their order; the end of the last one is the end of the run.
    pub steps: Vec<Step>,
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Job {
    /// That it waits for no other, for engines whose jobs cannot.
    pub(super) fn waits_for_none(&self) -> Result<(), Words> {
        match &self.after {
            None => Ok(()),
            Some(_) => Err(words!(
                "{} takes its pieces from a run that is not there yet, and jobs of this engine cannot wait for each other: submit \
                 that experiment first, and this one when it is finished",
                Foreign::new(&self.name)
            )),
        }
    }

    /// The path of a script.
    pub fn script(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

/// What an engine calls a job, where it is a number.
pub fn number(text: &str) -> Option<String> {
    let text = text.trim();
    let number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    number.then(|| text.to_owned())
}

/// `a 'b c'`: words as a shell takes them.
pub fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
    words.join(" ")
}

/// A word as a shell takes it.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Numbers as arrays are written: `1-3,7`.
pub fn ranges(numbers: &BTreeSet<usize>) -> String {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match found.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => found.push((number, number)),
        }
    }
    let told = found.into_iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    told.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_numbers_put_together() {
        let words = ["run", "a b", "it's", "", "x=1"].map(str::to_owned);
        assert_eq!(quoted(&words), "run 'a b' 'it'\\''s' '' x=1");
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10].into()), "1-3,7,9-10");
        assert_eq!(ranges(&BTreeSet::new()), "");
    }
}
