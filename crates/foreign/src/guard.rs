//! Foreign parsers on foreign bytes: a panic becomes a value, and nothing is printed.
//!
//! Every library that reads what strangers made is called through this: decoders, tokenizers, readers of pickles, zips, YAML
//! and SVG. It catches panics only: memory and the depth of nesting are bounded by whoever calls, before.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// The result of `work`, or nothing if it panicked.
///
/// The panic hook is wrapped once, so that it stays silent for guarded work and is as it was for everything else.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    static WRAP_HOOK: Once = Once::new();
    WRAP_HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                print(panic);
            }
        }));
    });
    GUARDED.set(true);
    // Nothing that `work` leaves half done is seen again: it owns what it touches.
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_no_result() {
        let empty: Vec<u8> = Vec::new();
        assert_eq!(guarded(|| empty[std::hint::black_box(3)]), None);
        assert_eq!(guarded(|| 4), Some(4));
        assert!(!GUARDED.get());
    }
}
