//! One of several shares of a run's work.

use std::fmt;
use std::str::FromStr;

use foreign::{Foreign, Safe, Words, words};
use serde::{Deserialize, Serialize};

/// More shares than any cluster's array has tasks.
const MOST: usize = 1_000_000;

/// A share, such as the third of sixteen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Shard {
    /// From 1 to `of`.
    index: usize,
    of: usize,
}

impl Shard {
    /// The share `index`, from 1, of `of`.
    ///
    /// # Errors
    /// A sentence about what is wrong.
    pub fn new(index: usize, of: usize) -> Result<Self, Words> {
        match (index, of) {
            (_, 0) => Err("there must be one share or more".into()),
            (_, of) if of > MOST => Err(words!("there can be at most {} shares", MOST)),
            (index, of) if index == 0 || index > of => Err(words!(
                "there is no share {} of {}: they are counted from 1 to {}",
                index,
                of,
                of
            )),
            _ => Ok(Self { index, of }),
        }
    }

    /// From 1.
    pub fn index(self) -> usize {
        self.index
    }

    /// How many there are.
    pub fn of(self) -> usize {
        self.of
    }

    /// The name of its folder, `3-of-16`.
    pub fn folder(self) -> String {
        format!("{}-of-{}", self.index, self.of)
    }

    /// That which has a folder of this name.
    pub fn of_folder(name: &str) -> Option<Self> {
        let (index, of) = name.split_once("-of-")?;
        let shard = Self::new(index.parse().ok()?, of.parse().ok()?).ok()?;
        (shard.folder() == name).then_some(shard)
    }
}

impl Safe for Shard {}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = Words;

    fn from_str(text: &str) -> Result<Self, Words> {
        let wrong = || {
            words!(
                "'{}' is no share; write it as 3/16: the third of sixteen",
                Foreign::new(text)
            )
        };
        let (index, of) = text.split_once('/').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse().map_err(|_| wrong());
        Self::new(number(index)?, number(of)?)
    }
}

/// What `--shard` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardArg {
    Given(Shard),
    /// The one that the engine of this task says.
    Auto,
}

impl FromStr for ShardArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            text => match text.parse() {
                Ok(shard) => Ok(Self::Given(shard)),
                Err(words) => Err(Words::to_string(&words)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_one_of_those_that_there_are() {
        let shard: Shard = "3/16".parse().unwrap();
        assert_eq!((shard.index(), shard.of()), (3, 16));
        assert_eq!(
            (shard.to_string(), shard.folder()),
            ("3/16".into(), "3-of-16".into())
        );
        assert_eq!(Shard::of_folder("3-of-16"), Some(shard));
        for name in ["03-of-16", "3-of-", "17-of-16", "3-of-16x", "x"] {
            assert_eq!(Shard::of_folder(name), None, "{name}");
        }
        for (text, told) in [
            ("0/16", "no share 0 of 16: they are counted from 1 to 16"),
            ("17/16", "no share 17 of 16"),
            ("3/0", "one share or more"),
            ("3", "'3' is no share; write it as 3/16"),
            ("-1/2", "'-1/2' is no share"),
            ("1/9999999", "at most 1000000 shares"),
        ] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        assert_eq!("auto".parse(), Ok(ShardArg::Auto));
        assert_eq!(
            "1/2".parse(),
            Ok(ShardArg::Given(Shard::new(1, 2).unwrap()))
        );
    }
}
