//! A pickle cut into its instructions, without following any of them.
//!
//! Opcodes and the lengths of their arguments: CPython's `Lib/pickletools.py`, protocols 0 to 5.

/// One instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instruction<'a> {
    pub opcode: u8,
    /// The argument without its length or line end; of GLOBAL and INST the module.
    pub argument: &'a [u8],
    /// The name in the module, of GLOBAL and INST.
    pub second: &'a [u8],
}

/// How an opcode's argument is stored.
enum Layout {
    Fixed(usize),
    /// A little-endian length of so many bytes, then the argument.
    Counted(usize),
    Lines(usize),
}

/// The instructions up to STOP. An unknown opcode, or an end before STOP, is an error.
pub(super) fn instructions(
    pickle: &[u8],
) -> impl Iterator<Item = Result<Instruction<'_>, Words>> + '_ {
    let mut rest = Some(pickle);
    std::iter::from_fn(move || {
        let bytes = rest?;
        match next(bytes) {
            Ok((instruction, after)) => {
                rest = (instruction.opcode != b'.').then_some(after);
                Some(Ok(instruction))
            }
            Err(detail) => {
                rest = None;
                let at = pickle.len() - bytes.len();
                Some(Err(words!("its pickle {} at byte {}", detail, at)))
            }
        }
    })
}

use foreign::Words;
use foreign::words;

fn next(bytes: &[u8]) -> Result<(Instruction<'_>, &[u8]), Words> {
    const SHORT: &str = "ends inside an instruction";
    let (&opcode, rest) = bytes.split_first().ok_or("has no end")?;
    let layout =
        layout(opcode).ok_or_else(|| words!("holds the unknown opcode {:#04x}", opcode))?;
    let (argument, second, rest) = match layout {
        Layout::Fixed(n) => {
            let (argument, rest) = rest.split_at_checked(n).ok_or(SHORT)?;
            (argument, &[][..], rest)
        }
        Layout::Counted(n) => {
            let (length, rest) = rest.split_at_checked(n).ok_or(SHORT)?;
            let (argument, rest) = rest.split_at_checked(little_endian(length)).ok_or(SHORT)?;
            (argument, &[][..], rest)
        }
        Layout::Lines(1) => {
            let (line, rest) = line(rest).ok_or(SHORT)?;
            (line, &[][..], rest)
        }
        Layout::Lines(_) => {
            let (first, rest) = line(rest).ok_or(SHORT)?;
            let (second, rest) = line(rest).ok_or(SHORT)?;
            (first, second, rest)
        }
    };
    let instruction = Instruction {
        opcode,
        argument,
        second,
    };
    Ok((instruction, rest))
}

/// A length or memo number as stored, at most 8 bytes; one that does not fit becomes the largest, which no file holds.
pub(super) fn little_endian(bytes: &[u8]) -> usize {
    let wide = bytes
        .iter()
        .rev()
        .fold(0u64, |sum, &b| (sum << 8) | u64::from(b));
    usize::try_from(wide).unwrap_or(usize::MAX)
}

fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&b| b == b'\n')?;
    let (line, rest) = bytes.split_at(end);
    Some((line.strip_suffix(b"\r").unwrap_or(line), &rest[1..]))
}

fn layout(opcode: u8) -> Option<Layout> {
    Some(match opcode {
        b'(' | b'.' | b'0' | b'1' | b'2' | b'N' | b'R' | b'b' | b's' | b't' | b'u' | b'l'
        | b'd' | b'e' | b'a' | b'o' | b'}' | b']' | b')' | b'Q' => Layout::Fixed(0),
        0x81 | 0x85..=0x89 | 0x8f..=0x94 | 0x97 | 0x98 => Layout::Fixed(0),
        b'K' | b'h' | b'q' | 0x80 | 0x82 => Layout::Fixed(1),
        b'M' | 0x83 => Layout::Fixed(2),
        b'J' | b'j' | b'r' | 0x84 => Layout::Fixed(4),
        b'G' | 0x95 => Layout::Fixed(8),
        b'U' | b'C' | 0x8a | 0x8c => Layout::Counted(1),
        b'X' | b'T' | b'B' | 0x8b => Layout::Counted(4),
        0x8d | 0x8e | 0x96 => Layout::Counted(8),
        b'F' | b'I' | b'L' | b'S' | b'V' | b'P' | b'g' | b'p' => Layout::Lines(1),
        b'c' | b'i' => Layout::Lines(2),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pickle_is_cut_at_its_arguments() {
        let pickle = b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.trailing";
        let cut: Vec<_> = instructions(pickle).map(Result::unwrap).collect();
        let opcodes: Vec<u8> = cut.iter().map(|i| i.opcode).collect();
        assert_eq!(opcodes, [0x80, b'c', b'X', 0x85, b'R', b'.']);
        assert_eq!(
            (cut[1].argument, cut[1].second),
            (&b"os"[..], &b"system"[..])
        );
        assert_eq!(cut[2].argument, b"ls");
    }

    #[test]
    fn lengths_beyond_the_end_are_errors() {
        for pickle in [
            &b"X\xff\xff\xff\xffabc"[..],
            b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
            b"cos\nsyst",
            b"\x80",
            b"NN",
            b"\xff",
            b"",
        ] {
            assert!(instructions(pickle).any(|i| i.is_err()), "{pickle:?}");
        }
    }
}
