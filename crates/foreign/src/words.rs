//! Messages of our own words. The compiler sees to it that what others wrote stands in them as [`Foreign`] only.

use std::borrow::Cow;
use std::fmt::{self, Arguments, Debug, Display};
use std::path;

use super::Foreign;

/// What an error says: our words, with numbers, paths and [`Foreign`] text in them. Made by [`words!`](crate::words), from a
/// literal, or from foreign text alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Words(Cow<'static, str>);

/// What may stand in a message as it is: a type whose text is ours, or made safe. `str` and `String` are not of them, since
/// nobody can see whose they are.
///
/// Paths are: hundreds of messages name one, and they are made safe as a whole where they are printed
/// (`process::progress`).
pub trait Safe {}

/// [`Words`] as `format!` makes a `String`, of arguments that are [`Safe`]:
///
/// ```
/// use foreign::Foreign;
/// let tensor = String::from("decoder.\u{1b}[2J");
/// let words = foreign::words!("there is no tensor `{}`", Foreign::new(&tensor));
/// assert_eq!(words.to_string(), "there is no tensor `decoder.\\u{1b}[2J`");
/// ```
///
/// Any other text is refused:
///
/// ```compile_fail,E0277
/// let tensor = String::from("decoder");
/// foreign::words!("there is no tensor `{}`", tensor);
/// ```
///
/// ```compile_fail
/// fn words(tensor: &str) -> foreign::Words {
///     foreign::words!("there is no tensor `{}`", tensor)
/// }
/// ```
///
/// Names in the braces are not taken from around it, since the macro would not see them:
///
/// ```compile_fail
/// let tensor = String::from("decoder");
/// foreign::words!("there is no tensor `{tensor}`");
/// ```
///
/// ```compile_fail,E0308
/// let tensor = String::from("decoder");
/// let words: foreign::Words = format!("there is no tensor `{tensor}`");
/// ```
#[macro_export]
macro_rules! words {
    ($form:literal $(, $argument:expr)* $(,)?) => {
        // `concat!` is what forbids names in the braces.
        $crate::Words::of(format_args!(concat!($form) $(, $crate::safe(&$argument))*))
    };
}

/// The argument itself, if it is [`Safe`].
pub fn safe<T: Safe + ?Sized>(argument: &T) -> &T {
    argument
}

impl Words {
    /// For [`words!`](crate::words), which has looked at the arguments.
    #[doc(hidden)]
    pub fn of(words: Arguments<'_>) -> Self {
        Self(words.to_string().into())
    }

    /// Items with something between them.
    pub fn join<T: Safe + Display>(
        items: impl IntoIterator<Item = T>,
        between: &'static str,
    ) -> Self {
        let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
        Self(items.join(between).into())
    }

    /// No words.
    pub fn none() -> Self {
        Self(Cow::Borrowed(""))
    }
}

impl From<&'static str> for Words {
    fn from(words: &'static str) -> Self {
        Self(words.into())
    }
}

impl From<Foreign> for Words {
    fn from(text: Foreign) -> Self {
        Self(text.to_string().into())
    }
}

impl Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

macro_rules! safe {
    ($($ours:ty),* $(,)?) => {
        $(impl Safe for $ours {})*
    };
}

safe!(
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    bool,
    &'static str,
    Foreign,
    Words,
    path::Display<'_>,
);

impl<T: Safe + ?Sized> Safe for &T {}
impl<T: Safe> Safe for [T] {}
impl<T: Safe> Safe for Vec<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_made_of_what_is_safe() {
        let name = Foreign::new("a\u{1b}b");
        let words = words!(
            "tensor `{}` has {:.1} of {:?} ({})",
            name,
            1.25,
            vec![1_usize, 2],
            "f32"
        );
        assert_eq!(
            words.to_string(),
            "tensor `a\\u{1b}b` has 1.2 of [1, 2] (f32)"
        );
        assert_eq!(
            Words::join([&name, &name].map(Clone::clone), ", ").to_string(),
            "a\\u{1b}b, a\\u{1b}b"
        );
    }
}
