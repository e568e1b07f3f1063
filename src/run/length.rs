//! How much audio, in words.

/// `100 pieces, 49.9 min of audio`.
pub(super) fn pieces_and_length(pieces: usize, seconds: f64) -> String {
    match seconds {
        ..60.0 => format!("{pieces} pieces, {seconds:.1} s of audio"),
        _ => format!("{pieces} pieces, {:.1} min of audio", seconds / 60.0),
    }
}
